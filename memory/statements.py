"""Statements: which sentences of what a user said tell something, by rules alone; asks, orders and greetings do not.

Speech has few marks: a question must be known by its words, in Chinese as in English. Where a sentence can be read both
ways it counts as a question: one that is missed answers itself when it is asked again.
"""

import re
from typing import Final

from memory.script import IDEOGRAPH

_END: Final = re.compile(r"(?<=[。！？!?；;\n])[”’」』\"')）]*\s*|(?<=[a-z\d]{2}\.)\s+(?=\S)|(?<=[…])\s*(?=\S)", re.I)
_ABBREVIATED: Final = re.compile(r"\b(?:dr|mr|mrs|ms|st|prof|vs|etc|no|e\.g|i\.e)\.$", re.I)
_COMMA: Final = re.compile(r"[,，、;；]\s*")
_WORD: Final = re.compile(rf"{IDEOGRAPH}|[^\W_]+(?:['’][^\W_]+)?")

_FILLER: Final = re.compile(
    r"^(?:[\s,.!，。！、…~～]|(?:well|so|um+|uh+|er+|hm+|oh|ah|ok|okay|yeah|yes|no|nope|yep|sure|right"
    r"|great|hey|hi|hello"
    r"|thanks|thank you|by the way|anyway|actually|also|and|but|because|you know|listen|look|please|sorry)\b"
    r"|(?:嗯+|呃+|啊+|哦+|噢|唉|哎|那个?|对了|好的?|好吧|行|是的|对|没错|不是|不|喂|嗨|你好|您好"
    r"|谢谢你?|多谢|另外|还有|其实|顺便说一下"
    r"|说起来|因为|所以|而且|但是|不好意思|请)(?=[\s,，。！、]))+",
    re.I,
)
_NOTE: Final = re.compile(
    r"^(?:please\s+|can you\s+|could you\s+)?(?:remember|note|keep in mind|don'?t forget)(?:\s+that\b"
    r"|\s*[:,])?\s+(?=\S)"
    r"|^(?:请?你?帮?我?)(?:记住|记下来?|记一下|记好|别忘了|不要忘了|记着)[,，:：、\s]*(?=\S)",
    re.I,
)

_SUBJECT: Final = (
    r"(?:i|you|he|she|it|we|they|my|your|his|her|our|their|the|this|that|these|those|there|any\w*|every\w*|some\w*)"
)
_WH: Final = r"(?:what|who|whom|whose|where|when|why|how|which|what'?s|who'?s|where'?s|when'?s|how'?s)"
_BE: Final = r"(?:is|are|was|were|am|do|does|did|can|could|will|would|shall|should|have|has|had|may|might|must)"
_NEGATED: Final = rf"(?:{_BE[3:-1]}|ca|wo|sha)n'?t"
_ENGLISH_QUESTION: Final = (
    rf"^(?!when(?:ever)?\s+(?:{_SUBJECT}|[a-z]+s)\b(?!\s*(?:is|are)\s*$))(?!what an?\b)"
    rf"(?!(?:what|where|how|who)\s+(?:i|we|my \w+)\b.*\b(?:is|are|was|were)\s+\w){_WH}\b",
    r"^(?:is|are|does|did|am|isn'?t|aren'?t|doesn'?t|didn'?t)\b(?!\s+(?:happy|so|very|glad|not|going)\b)",
    r"^do\s+(?:you|i|we|they|my|your|the\s+\w+\s+\w+)\b",
    rf"^(?:{_BE}|{_NEGATED})\s+{_SUBJECT}\b",
    r"\bi(?:'m| am| was|'ve been)?\s+wonder(?:ing)?\b|\bi(?:'d| would)? (?:like|want|love|need) to know\b",
    r"\b(?:do|did|can|could|would) you (?:still )?(?:know|remember|recall|tell|say|guess|think|mind)\b|\bany idea\b",
    rf"\b(?:tell|remind|ask|show) me\b.*\b(?:{_WH}|if|whether|about)\b|\bremind me (?:of|about)\b",
    rf"\b(?:don'?t|do not|didn'?t|can'?t|cannot|never|no longer) (?:know|remember|recall|think of)\b.*\b{_WH}\b",
    rf"\b(?:forgot|forget|forgotten|not sure|unsure|no idea|no clue|guess)\b.*\b{_WH}\b",
    rf"[\s,](?:{_BE}|{_NEGATED})\s+(?:i|you|he|she|it|we|they|there)$|[\s,](?:or not|right|correct)$",
    r"(?<!matter )(?<!guess )(?<!that's )(?<!know )\b(?:what|where|who|when|which|which one|how much|how many)$",
)
_COUNTED: Final = "[个只条位次天年月周岁块元本张间台辆口支件家层种]"
_CHINESE_QUESTION: Final = (
    "[吗嘛]$|(?<![着还])么$|是吧$|对吧$|没有$(?<=[过了]没有)|了没$",
    "^(?!.*(?:还没|还在|正在|着呢|才不|可.{1,3}着?呢)).*呢$",
    "(?<![没为])(?<!不管)(?<!无论)(?<!随便)(?:什么|啥)(?![都也]|的(?:$|[，。,]))",
    "为(?:什么|啥|何)|如何|何时|何地|是否|能否|可否",
    "(?<![没不])(?<!差不)(?<!很)多[少久大远长高重快早晚宽深](?![都也了])",
    "(?<!不管)(?<!无论)(?<!不论)谁(?![都也])",
    "(?<!不管)(?<!无论)哪(?:里|儿|个|些|天|年|位|国|家|种|边|所|一|座|几|款|部)?(?![都也怕])",
    "(?<![不没])怎[么样](?![都也])",
    "(?<![好这那前后过了近头十乎])几(?:[点号岁月楼时]|年级)(?!了)|(?:第|星期|周|礼拜)几",
    f"(?<![好这那前后过了近头十])几{_COUNTED}.{{0,4}}$",
    "([\u4e00-\u9fff])不\\1|(?:有|[做去吃看]过?)没(?:有|[做去吃看])|还是.*[?？]$",
    "^(?:请问|你知道|你记得|你还记得|我想知道|我想问|想问|问一下|你说说|猜猜|猜一?猜)|告诉我|你(?:还|是否)记得",
    "(?:不知道|忘了|不记得|想不起来?).*(?:什么|谁|哪|怎么|多少|几)",
    "^(?:你|您)(?:能|会|可以|可不可以|愿意|有|是|觉得|认为|喜欢|知道|叫)",
)
_ENGLISH_ORDER: Final = (
    r"^(?:please\s+)?(?:stop|wait|pause|resume|continue|go on|go ahead|keep going|play|open|close|turn"
    r"|switch|start|show|tell"
    r"|give|help|read|write|translate|summari[sz]e|explain|describe|search|look|find|send|repeat|say"
    r"|speak|sing|list|make"
    r"|create|set|forget|delete|erase|remove|shut|be quiet|quiet|louder|slower|faster|skip|next|again"
    r"|cancel|undo|let'?s"
    r"|let me|never ?mind|recommend|suggest|check|count|calculate|compare|draw|draft|add|book|order"
    r"|remind me (?:what|who|where|when|how|of)|(?:can|could|would|will) you|i (?:want|need|would like|'d like) you to"
    r"|i(?:'d| would) like you to|(?:don'?t|do not) (?:remember|keep|store|save|tell|say|play))\b",
    r"\b(?:delete|erase|forget|remove|scrap) (?:it|that|this|them|all of it)(?: please| now| again)?$",
)
_CHINESE_ORDER: Final = (
    "^(?:请|麻烦|帮|给我(?:讲|说|放|唱|看|查|找|来|推荐|写|念|读|听)|放(?:首|一首|点|个|一?下|音乐|歌)"
    "|播放|停|暂停|继续|打开|关闭"
    "|关掉|关上|设置?|调|查|搜|翻译|讲(?!座)|说(?:说|个|一|下|慢|快|大|完|吧|英|中)|再(?:说|讲|来|放|念"
    "|读)|写(?:[个一首封篇段]|下)"
    "|念|读(?:一|给|出)|唱|换(?:个|一|首)|开始|别|不要(?:说|再|讲|放)|闭嘴|安静|大声|小声|慢点|快点|下一|上一|忘掉|忘记"
    "|忘了(?!带|拿|吃|做|关)|删|告诉|总结|解释|介绍|推荐|算|列|提醒我(?:.{0,8}(?:什么|谁|哪|几|怎么))"
    "|你(?:好|真|太|再|先|来|给|帮|把|说|讲|别))",
    "(?:^|[，,。\\s])(?:请你?|麻烦你?|帮我)?把.+(?:删|忘|关|打开|调|放|说|念|读|翻译)[^，。]{0,4}$",
    "(?:别|不要)(?:再)?(?:记|存)[着了住]?(?:了|吧)?$|请你?(?:忘|删)[掉记了除]*吧?$",
)
_SOCIAL: Final = re.compile(
    r"^(?:hello|hi|hey|hey there|hi there|good (?:morning|afternoon|evening|night)(?: then)?|bye|goodbye|bye bye"
    r"|see you(?: \w+)?|(?:thanks?(?: you)?|cheers)(?: so much| very much| a lot)?|(?:so|very) much"
    r"|a lot|yes|no|yeah|nope"
    r"|ok|okay|sure|great|cool|nice|fine|got it|i see|i understand|i know|sounds good|good|never ?mind|no problem"
    r"|that'?s (?:all|it|right|great|good|fine|nice|wrong|not right)(?: for (?:today|now))?"
    r"|you'?re welcome|how do you do"
    r"|nice to meet you|what a .*|exactly|of course|good (?:job|idea)|well done|excuse me|sorry"
    r"|i'?m (?:sorry|fine|ok|okay|good|back|here|done))$"
    "|^(?:(?:你|您|大家)好|嗨|哈喽|喂|早|早上好|早安|上午好|下午好|晚上好|晚安|再见|拜拜|回头见|明天见"
    "|谢谢|谢谢[你您]|多谢|太感谢了"
    "|非常感谢|感谢|不客气|不用谢|好|好的|好吧|行|可以|嗯+|是|是的|对|对的|没错|不|不是|不对|不用"
    "|不用了|没事|没关系|没什么|知道了"
    "|我知道了?|明白了?|我明白了?|懂了|我懂了?|算了|太好了|真棒|真好|不错|很好|原来如此|这样啊|哈哈+"
    "|对不起|抱歉|不好意思|辛苦了"
    "|说得对|很高兴认识你|就这样|没有了?)[啊呀哦呢吧啦了]?$",
    re.I,
)
_OWN: Final = re.compile(r"^(?:i|i'?m|i'?ve|i'?d|my|we|we'?re|we'?ve|our|mine)\b|^(?:我|咱|俺|本人)", re.I)
_TAG: Final = re.compile(
    rf"^(?:right|correct|yes|no|ok|okay|huh|eh|remember|or not|you know|(?:{_BE}|{_NEGATED}) (?:i|you"
    rf"|he|she|it|we|they)"
    "|对吧|是吧|对吗|是吗|对不对|是不是|没错吧|好吗|行吗|吧|(?:你?还)?记得吗|你?知道吗)$",
    re.I,
)
_CALL_ME: Final = re.compile(
    r"^(?:you (?:can|may) )?call me\b|^(?:你?可以|请)?叫我(?!们|[起去来])|^remind me (?:to|that)\b", re.I
)
_QUESTIONS: Final = {
    "en": tuple(re.compile(pattern, re.I) for pattern in _ENGLISH_QUESTION),
    "zh": tuple(re.compile(pattern) for pattern in _CHINESE_QUESTION),
}
_ORDERS: Final = tuple(re.compile(pattern, re.I) for pattern in (*_ENGLISH_ORDER, *_CHINESE_ORDER))
_MARKS: Final = " \t\n.,!?;:…。，！？；：、~～\"'“”"


def statements(text: str) -> tuple[str, ...]:
    """The sentences that tell something, in order and word for word; of one that tells and asks, what it tells."""
    return tuple(told for sentence in sentences(text) if (told := _told(sentence)))


def sentences(text: str) -> list[str]:
    """A text cut after its sentences, without the space around them."""
    found: list[str] = []
    joined = ""
    start = 0
    for end in _END.finditer(text):
        joined = text[start : end.end()]
        if not _ABBREVIATED.search(joined.strip()):
            found.append(joined.strip())
            start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if _WORD.search(sentence)]


def is_question(sentence: str) -> bool:
    """Whether a sentence asks; a mark is not needed."""
    bare = _bare(sentence)
    if re.search(r"[?？]\W*$", sentence.strip()):
        return True
    language = "zh" if re.search(IDEOGRAPH, bare) else "en"
    return any(pattern.search(bare) for pattern in _QUESTIONS[language])


def _told(sentence: str) -> str:
    """What of a sentence tells something; empty where nothing does."""
    begin = _FILLER.match(sentence)
    told = sentence[begin.end() :] if begin else sentence
    noted = _NOTE.match(told)
    told = told[noted.end() :] if noted else told
    if _tells(told):
        return told
    *clauses, last = [clause for clause in _COMMA.split(told) if _WORD.search(clause)] or [""]
    if not clauses or _TAG.match(last.strip(_MARKS)):
        return ""
    kept = [clause for clause in clauses if _OWN.match(_bare(clause)) and _tells(clause)]
    end = told.find(kept[-1]) + len(kept[-1]) if kept else 0
    return told[told.find(kept[0]) : end] if kept else ""


def _tells(sentence: str) -> bool:
    bare = _bare(sentence)
    if not bare or is_question(sentence) or _SOCIAL.match(bare):
        return False
    if any(order.search(bare) for order in _ORDERS) and not _CALL_ME.match(bare):
        return False
    words = _WORD.findall(bare)
    return len(words) >= (3 if re.search(IDEOGRAPH, bare) else 2)


def _bare(sentence: str) -> str:
    """Without what begins it without meaning, nor marks at either end; apostrophes as typed by machines."""
    text = sentence.replace("’", "'").strip()
    if begin := _FILLER.match(text):
        text = text[begin.end() :]
    return text.strip(_MARKS)
