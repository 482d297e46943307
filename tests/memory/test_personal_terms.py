import pytest

from memory.personal_terms import MARK, asked, stated, stated_of_self, tells_name

MEETS = (
    ("What is my name?", "I'm called Nora", "name"),
    ("where do i live", "I moved to Hangzhou last week", "home"),
    ("where do i live", "my address is Sea Road 44", "home"),
    ("What is my job?", "I work at the town hall", "work"),
    ("what do I do for a living", "I'm a nurse", "work"),
    ("How old is my daughter?", "my daughter is seven years old", "age"),
    ("when was i born", "My birthday is in June", "birthday"),
    ("what do I like to drink", "my favourite drink is tea", "like"),
    ("What am I allergic to?", "i have a peanut allergy", "allergy"),
    ("which pets do I have", "I have a kitten", "pet"),
    ("what's my kitty called", "we have a cat", "cat"),
    ("who is my spouse", "my spouse is Callum", "spouse"),
    ("Who is my partner?", "My husband is Callum", "partner"),
    ("what car do I drive", "I drive a van", "car"),
    ("Where are we flying to?", "We fly to Rome in May", "travel"),
    ("where did I want to travel", "I'm thinking of going to Orkney", "travel"),
    ("which sport do I do", "I play tennis on Fridays", "sport"),
    ("What must I not put in a cake for Hazel?", "Hazel is allergic to walnuts", "avoid"),
    ("What should I not order for Tom?", "Tom never eats shellfish", "avoid"),
    ("What can't my son eat?", "my son mustn't eat gluten", "avoid"),
    ("which part do I sing", "I sing alto in the choir", "voicepart"),
    ("the money I owed him", "I owe my brother three hundred pounds", "debt"),
    ("我欠表姐多少钱", "我跟表姐借了五千", "debt"),
    ("我叫什么名字", "我的名字是小明", "name"),
    ("我住在哪里", "我搬到杭州了", "home"),
    ("我在哪里上班", "我在一家公司工作", "work"),
    ("我做什么工作", "我是程序员", "work"),
    ("我的生日是哪天", "我三月五日出生", "birthday"),
    ("我喜欢什么", "我爱喝茶", "like"),
    ("我对什么过敏", "我吃芒果会过敏", "allergy"),
    ("我有什么宠物", "我养了一只小猫", "pet"),
    ("我老婆叫什么", "我太太姓王", "wife"),
    ("我女儿几岁", "我闺女五岁了", "daughter"),
    ("我开什么车", "我买了一辆汽车", "car"),
    ("我打算去哪里旅行", "我想去大理", "travel"),
    ("点菜的时候我不要放什么？", "我不吃香菜", "avoid"),
    ("给宁宁做饭不能放什么", "宁宁对花生过敏", "avoid"),
    ("我唱哪个声部", "我在合唱团唱男中音", "voicepart"),
    ("我的猫叫什么", "my cat is Milo", "cat"),
    ("what is my dog called", "我家的狗叫旺财", "dog"),
)
FAILS = (
    ("what's my cat called", "I have a dog", "cat"),
    ("what's my cat called", "I have a pet", "cat"),
    ("我的猫叫什么", "周末去看熊猫", "cat"),
    ("what is my wife's name", "my husband is Tom", "wife"),
    ("我儿子叫什么", "我女儿叫糖糖", "son"),
    ("我住在哪里", "请记住这件事", "home"),
    ("我住在哪里", "我去大理旅行，住一个星期", "home"),
    ("我住在哪里", "我妈住院了", "home"),
    ("我住在哪里", "我忍不住哭了", "home"),
    ("What am I allergic to?", "I don't eat cake before noon", "allergy"),
    ("which piano do I have", "I play the guitar", "piano"),
)


@pytest.mark.parametrize(("question", "statement", "concept"), MEETS)
def test_a_concept_is_met_in_other_words(question: str, statement: str, concept: str) -> None:
    assert MARK + concept in asked(question).terms
    assert MARK + concept in stated(statement)


@pytest.mark.parametrize(("question", "statement", "concept"), FAILS)
def test_a_concept_is_not_met_by_a_neighbour_or_by_the_one_above(question: str, statement: str, concept: str) -> None:
    assert MARK + concept in asked(question).terms
    assert MARK + concept not in stated(statement)


@pytest.mark.parametrize(
    "question",
    ["do you remember", "what do you know", "um so well", "你还记得吗", "现在几点了", "请问", "", "what's that thing"],
)
def test_words_that_only_ask_have_no_content(question: str) -> None:
    assert not asked(question).has_content


@pytest.mark.parametrize(
    ("question", "of_self"),
    [
        ("Where do I live?", True),
        ("我住在哪里", True),
        ("Where does my sister live?", False),
        ("我妈妈住在哪里", False),
        ("What is my dog called?", False),
        ("Where is Leeds?", False),
        ("Who teaches me the cello?", False),
        ("我的大提琴老师住在哪里", False),
        ("What do I cook for Hazel?", False),
        ("What do I cook for dinner?", True),
    ],
)
def test_a_question_is_about_the_speaker_alone(question: str, of_self: bool) -> None:
    assert asked(question).of_self is of_self


@pytest.mark.parametrize(
    ("statement", "own"),
    [
        ("I live in Leeds and my sister lives in Rome.", True),
        ("My sister lives in Rome.", False),
        ("My brother and I live in Rome.", True),
        ("She lives in Rome.", False),
        ("The user lives in Rome.", True),
        ("The user's sister lives in Rome.", False),
        ("我妈妈住在扬州。", False),
        ("我和我妈妈住在扬州。", True),
        ("我们全家搬到重庆了，住在南岸区。", True),
        ("我男朋友叫程屿，住在苏州。", False),
        ("用户住在苏州。", True),
    ],
)
def test_whose_home_it_is(statement: str, own: bool) -> None:
    assert (MARK + "home" in stated_of_self(statement)) is own


@pytest.mark.parametrize(
    ("statement", "own"),
    [
        ("I'm a teacher.", True),
        ("My cello teacher says I may play.", False),
        ("Our doctor moved away.", False),
        ("我是小学老师。", True),
        ("我们是护士。", True),
        ("我的大提琴老师说我可以上台。", False),
        ("咱们小区的大夫很好。", False),
    ],
)
def test_whose_trade_it_is(statement: str, own: bool) -> None:
    assert (MARK + "work" in stated_of_self(statement)) is own


def test_what_they_did_to_what_is_mine_is_mine() -> None:
    assert MARK + "exam" in stated_of_self("They moved the exam to the fourteenth of November")
    assert MARK + "exam" not in stated_of_self("She moved the exam to the fourteenth of November")


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("When is Rhys's birthday?", {"rhy"}),
        ("What did Anna and Ben say?", {"anna", "ben"}),
        ("Where was I last April, on a Monday?", set()),
        ("What do I have for Breakfast?", set()),
        ("where do I live", set()),
    ],
)
def test_names_in_a_question(question: str, names: set[str]) -> None:
    assert asked(question).names == names


@pytest.mark.parametrize(
    ("statement", "tells"),
    [
        ("My best friend is Saoirse.", True),
        ("the boiler man is called gethin", True),
        ("I miss my grandmother's soup.", False),
        ("我女儿叫糖糖", True),
    ],
)
def test_whether_a_name_is_told(statement: str, tells: bool) -> None:
    assert tells_name(statement) is tells


def test_verbs_meet_in_all_their_forms() -> None:
    assert set(asked("what did I send Grandma").terms) & set(stated("the shawl that I sent her"))
    assert set(asked("what have I sent her").terms) & set(stated("I send her letters"))


def test_the_kind_of_the_answer_weighs_little() -> None:
    shares = {min(want.terms, key=len): want.share for want in asked("which tea do I drink in the evening").wants}
    assert shares["tea"] < 1
    assert shares["even"] < 1
    assert shares["drink"] == 1
