import pytest

from memory.statements import is_question, sentences, statements

TELLS = (
    "I live in Suzhou.",
    "i live in suzhou",
    "my cat is called milo",
    "We sold the car last week.",
    "I'm allergic to peanuts",
    "Call me Anna.",
    "you can call me anna",
    "When I was a child I lived in Leeds.",
    "What I like most is hiking.",
    "I have been to Paris twice.",
    "Had a great day with my sister at the zoo.",
    "can't wait to see my brother in May",
    "My doctor says I should eat less salt.",
    "Dr. Lee is my dentist.",
    "I know where the key is, it's under the mat.",
    "Remind me to call my mother on Sunday.",
    "My wife's name is Renata and she's a nurse.",
    "The code for the shed is 5519.",
    "no, I moved to Hangzhou",
    "by the way my birthday is in june",
    "我住在苏州。",
    "我住在苏州",
    "我的猫叫豆包",
    "我对花生过敏",
    "叫我小王就行",
    "我有两个孩子",
    "我在那里住了几年",
    "过几天我要去大理",
    "我还没吃饭呢",
    "我正在学吉他呢",
    "没什么爱好，就喜欢钓鱼",
    "我什么都吃",
    "我家的狗是柯基，今年三岁。",
    "妈妈下个月做手术",
    "我买了苹果什么的",
    "说实话我不喜欢吃辣",
    "提醒我明天给妈妈打电话",
    "我差不多六点起床",
    "我好几年没回老家了",
    "嗯，我搬到杭州了",
)
"""Sentences of which all is kept that is no filler."""

SILENT = (
    "Where do I live?",
    "where do i live",
    "what's my cat called",
    "do you remember my name",
    "my name is what",
    "is my sister older than me",
    "does anna like tea",
    "was I born in May",
    "have i told you about my job",
    "I wonder what my cat is doing",
    "I'd like to know when my train leaves",
    "tell me what you know about me",
    "I don't know where my keys are",
    "I forgot what my password is",
    "I live in Leeds, don't I",
    "you know my name right",
    "how about some music",
    "can you play some music",
    "Could you please repeat that?",
    "play some music",
    "please stop",
    "stop",
    "turn off the light",
    "set a timer for five minutes",
    "tell me a joke",
    "remind me what my cat is called",
    "let's talk about something else",
    "hello",
    "Good morning!",
    "thank you very much",
    "thanks, that's all",
    "okay",
    "yes",
    "hi there, how are you",
    "我住在哪里？",
    "我住在哪里",
    "我的猫叫什么",
    "你还记得我的名字吗",
    "我几岁了",
    "我今年多大",
    "我有几只猫",
    "今天星期几",
    "我是不是说过我住在苏州",
    "你知道我的生日吗",
    "我的车牌是多少",
    "为什么天是蓝的",
    "怎么去掉墨水",
    "那我的狗呢",
    "我有没有说过我的工作",
    "我忘了密码是什么",
    "请问几点了",
    "你喜欢喝茶吗",
    "谁是我的老师",
    "帮我放首歌",
    "播放音乐",
    "停",
    "别说了",
    "讲个笑话",
    "推荐一首歌",
    "把灯关掉",
    "告诉我你知道什么",
    "再说一遍",
    "你好",
    "谢谢你",
    "早上好",
    "好的",
    "嗯",
    "晚安",
    "不客气",
)
"""Questions, orders and courtesies, of which nothing is kept."""

MIXED = (
    ("I'm allergic to nuts, what can I eat?", ("I'm allergic to nuts",)),
    ("Hi, I'm Nora. How are you?", ("I'm Nora.",)),
    ("My dog is ill. What should I do? He eats nothing.", ("My dog is ill.", "He eats nothing.")),
    ("Remember that I can't eat shellfish.", ("I can't eat shellfish.",)),
    ("I live in York, right?", ()),
    ("Thanks! I moved to Leeds yesterday.", ("I moved to Leeds yesterday.",)),
    ("I weigh 71.5 kilos. Is that much?", ("I weigh 71.5 kilos.",)),
    ("我对花生过敏，能吃什么？", ("我对花生过敏",)),
    ("你好，我叫阿磊。今天天气怎么样？", ("我叫阿磊。",)),
    ("请记住，我对花生过敏。", ("我对花生过敏。",)),
    ("我住在苏州，对吧？", ()),
    ("我搬到杭州了。你知道吗？", ("我搬到杭州了。",)),
    ("我想学吉他，有什么建议？", ("我想学吉他",)),
)
"""What a text tells among what it asks."""


@pytest.mark.parametrize("text", TELLS)
def test_what_tells_is_kept(text: str) -> None:
    assert len(statements(text)) == 1
    assert text.endswith(statements(text)[0])


@pytest.mark.parametrize("text", SILENT)
def test_questions_orders_and_courtesies_tell_nothing(text: str) -> None:
    assert statements(text) == ()


@pytest.mark.parametrize(("text", "told"), MIXED)
def test_what_tells_is_told_from_what_asks(text: str, told: tuple[str, ...]) -> None:
    assert statements(text) == told


@pytest.mark.parametrize("text", ["", " ", "。", "?!", "…", "🙂"])
def test_nothing_tells_nothing(text: str) -> None:
    assert statements(text) == ()
    assert sentences(text) == []


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("I'm Anna. I live in Rome. ", ["I'm Anna.", "I live in Rome."]),
        ("It costs 3.5 euros. Dr. Lee said so.", ["It costs 3.5 euros.", "Dr. Lee said so."]),
        ("我叫小王。我住在苏州！你呢？", ["我叫小王。", "我住在苏州！", "你呢？"]),
        ("one\ntwo", ["one", "two"]),
        ("她说：“我走了。”然后走了。", ["她说：“我走了。”", "然后走了。"]),
        ("no marks at all", ["no marks at all"]),
    ],
)
def test_a_text_is_cut_after_its_sentences(text: str, cut: list[str]) -> None:
    assert sentences(text) == cut


@pytest.mark.parametrize("text", ["Where am I", "where am i?", "我在哪", "这是什么？", "Really?", "真的？"])
def test_a_question_is_one_with_or_without_a_mark(text: str) -> None:
    assert is_question(text)
