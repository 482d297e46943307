"""What a user asks of the memory itself, told by patterns: to remember, to tell, to forget; keeps nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Remember:
    """To keep something for good."""

    text: str
    """In the user's own words."""


@dataclass(frozen=True, slots=True)
class Tell:
    """To say what is known of the user."""


@dataclass(frozen=True, slots=True)
class Forget:
    """To erase something."""

    what: str
    """Empty for what was said last."""
    everything: bool = False


MemoryRequest: TypeAlias = Remember | Tell | Forget

_PLEASE_EN = (
    r"^(?:(?:um+|uh+|so|okay|ok|hey|well|and|now|please|kindly|can you|could you|would you|will you)[\s,]+)*"
    r"(?:please\s+)?"
)
_PLEASE_ZH = "^(?:(?:嗯|呃|那|对了|好的?|请|请你|麻烦你?|帮我|你|你能|你可以|能不能|可以)[，、\\s]*)*"

_REMEMBER: Final = (
    re.compile(
        _PLEASE_EN + r"(?:remember|keep in mind|bear in mind|make a note|take a note|note(?: down)?|memori[sz]e"
        r"|(?:don'?t|do not|never) forget)\b(?!\s+(?:when|how|what|where|who|the time|me\b))"
        r"(?:\s+(?:for me|please|this|of this))?\s*[:,]?\s*(?:that\b)?\s*[:,]?\s*(?P<what>.+)$",
        re.I | re.S,
    ),
    re.compile(
        _PLEASE_ZH + "(?:(?:帮我|给我|替我)?(?:记住|记下来?|记好|记一下|记着|记得|牢记)|(?:别|不要|千万别)忘(?:了|记)?)"
        "(?:一下|这(?:个|件事|点|一点))?[，,：:、\\s]*(?P<what>.+)$",
        re.S,
    ),
)
_FORGET_EN: Final = r"(?:forget|erase|delete|remove|scrub|wipe|scratch|scrap|drop)"
_FORGET_ZH: Final = "(?:忘掉|忘了|忘记|忘|删掉|删除|删了|删去|抹掉|抹去|清除|清掉|去掉)"
_FORGET: Final = (
    re.compile(
        _PLEASE_EN
        + r"(?:(?:just|you can|you may|you should|i want you to|i(?:'d| would) like you to|i need you to)\s+)*"
        r"(?:please\s+)?(?:" + _FORGET_EN + r"\b|(?:don'?t|do not|no need to|stop|you needn'?t) "
        r"(?:remember|keep|store|save|remembering|keeping|storing)\b(?! (?:me|talking|asking)\b))(?P<what>.*)$",
        re.I | re.S,
    ),
    re.compile(
        _PLEASE_ZH
        + "(?:把(?P<before>.+?)(?:都|全部|也|给|从(?:你的?)?记忆(?:里|中)?)*"
        + _FORGET_ZH
        + "(?:吧|掉|了|好吗|行吗)*"
        "|(?:从(?:你的?)?记忆(?:里|中)?)?(?:"
        + _FORGET_ZH
        + "|(?:不用|不要|不必|别|不需要)(?:再|继续)?记(?!得)(?:着|住|录)?)"
        "(?P<what>.*))$",
        re.S,
    ),
)
_FORGET_AFTER: Final = re.compile(
    "^(?P<what>(?!把).{2,}?)(?:(?:你|您)?就?当(?:我没(?:说|讲|提)过?|不知道)(?:吧)?"
    "|(?:就|都)?(?:别|不用|不要|不必)(?:再)?记(?:着|住)?了?"
    "|(?:你|您)?(?:就|都|也)?(?:忘了|忘记|忘掉|删了|删掉|删除|抹掉)(?:它|掉)?吧"
    "|(?:你|您)(?:现在|就|都|也)*(?:可以|可|能)(?:就|都|也)*(?:忘了|忘记|忘掉|删了|删掉|删除|抹掉)(?:它|了|啦|吧)*"
    "|作废了?(?:吧)?)$"
)
"""What is to be forgotten stands first."""
_UNSAID: Final = re.compile("就?当我没(?:说|讲|提)过?")
_REMEMBER_AFTER: Final = re.compile(
    r"^(?:and |so |please |can you |could you )*(?:note|remember|write|keep|save|don'?t forget|make a note of|bear) "
    r"(?:that|it|this)(?: down| in mind)?(?: please| for me)?[.!?]*$"
    "|^(?:请你?|你|帮我|麻烦你?|可)*(?:记住|记一下|记下来?|记着|记好|别忘了?|不要忘了?)(?:这件事|这个|这点|一下|了|哦|啊|吧)*[。！!]*$",
    re.I,
)
"""What is to be remembered stands before it."""
_LAPSE: Final = re.compile("^(?:忘了|忘记|忘(?![了记掉]))(?!吧|掉|它|这|那|我的?|关于|刚才|之前|上次)(?=.)")
"""Without a pleading word before it, 忘了 tells of something that slipped somebody's mind."""
_CLAUSE: Final = re.compile(r"[,，;；。!！?？]\s*|\.\s+")
_TELL: Final = (
    re.compile(
        r"\bwhat (?:do|can|did) you (?:still )?(?:know|remember|recall)(?: about me| of me| from me)\b"
        r"|\b(?:tell me|show me|list) (?:all |everything )?(?:that )?(?:what )?you (?:know|remember) (?:about|of) me\b"
        r"|\bdo you (?:know|remember) (?:anything|something) about me\b|\bwhat have i told you about (?:me|myself)\b",
        re.I,
    ),
    re.compile(
        "你(?:都|还)?(?:知道|记得|记住了?|了解)(?:一些|哪些|什么)?(?:关于我|我的?)(?:的)?(?:哪些|什么|多少)?(?:事情?|东西|信息)?(?:[？?。]|$)"
        "|关于我[，,]?你(?:都|还)?(?:知道|记得|了解)(?:些|哪些)?(?:什么|多少)|你(?:都|还)?(?:知道|记得|记住了?)我(?:哪些|什么|多少)"
        "|你对我(?:都|还)?(?:有)?(?:了解|知道)(?:多少|什么|些什么|哪些)",
    ),
)
_ASKS: Final = re.compile(r"[?？]\s*$|[吗呢][。？?]?$|什么|谁|哪[里儿些个天]|几[点号岁]|多少|怎么")
"""Whoever asks whether something is remembered does not ask to remember it."""
_AROUND_EN: Final = re.compile(
    r"^(?:\s|,|:|that\b(?=\s+\w)|about\b|what i (?:said|told you)(?: about)?\b|everything about\b"
    r"|the (?:thing|bit|part|story) about\b|fact\b)+"
    r"|(?:(?:\b(?:that|which)\s+)?\b(?:you(?:'ve| have)? (?:got|kept|noted|stored)|i (?:gave|told|sent) you)"
    r"|\s|[.!?,]|\bplease|\bnow|\bagain|\bfrom your memory|\bokay|\bwill you|\bfor me)+$",
    re.I,
)
_AROUND_ZH: Final = re.compile(
    "^(?:关于|有关|我(?:刚才?|之前)?说(?:过的|过|的)|[，,：:\\s])+"
    "|(?:的?(?:事情?|信息|记录|内容)|的话|[。！!？?，,\\s]|了|吧|好吗)+$"
)
_LAST: Final = re.compile(
    r"(?:that|it|this|these|those|them|what i(?: just)? said|that one|the last (?:one|thing)"
    r"|what i(?: just)? told you)?"
    "|(?:这|那|这个|那个|这些|那些|这件事|那件事|它|刚才|刚才那个|刚才的|刚刚|上一句|这句|这句话|那句|那句话|我刚说)?",
    re.I,
)
_ALL: Final = re.compile(
    r"(?:all|everything|it all|all of it|all my (?:memories|data)|everything (?:you know|i said|i told you|about me)"
    r"(?: about me)?|me|all about me|you know about me)"
    "|(?:一切|所有|全部|所有(?:的)?事情?|关于我的一切|我|我的一切|我说过的一切)",
    re.I,
)


def request_in(text: str) -> MemoryRequest | None:
    """What a text asks of the memory, or None where it asks nothing of it."""
    said = " ".join(text.split())
    if any(pattern.search(said) for pattern in _TELL):
        return Tell()
    for pattern in _REMEMBER:
        if (found := pattern.match(said)) and (what := found["what"].strip(" ，,：:")) and not _ASKS.search(what):
            return Remember(what)
    before, _, last = _last_clause(said)
    if before and _REMEMBER_AFTER.match(last):
        return Remember(before)
    return _forget_in([clause for clause in _CLAUSE.split(said) if clause.strip()])


_SETTLED: Final = re.compile(
    r"\b(?:i|we|they)(?:'ve|'d)? (?:have )?(?:just )?(?:changed|replaced|swapped|paid|sold|moved|got|squared things)\b"
    r"|\b(?:isn't|is not|aren't) (?:mine|ours|true|valid)\b|\bany ?more\b|\b(?:a )?new(?: one)?\b"
    "|已经|早就|(?:换|改|还|送|卖|丢|搬|用完|结|取消)(?:出去|掉|清|好)?了(?:个?新的?)?|没用了|不用了|过期了",
    re.I,
)
"""Why something is to be forgotten, beside what it is about."""


_POINTS: Final = re.compile(
    r"\b(?:him|her|them|he|she|they|it|that|those|one|the (?:old|other|previous|former))\b"
    "|[那这][个条件笔串些组张]|以前|之前|原来|旧的|老的|[他她它]",
    re.I,
)
"""What has its meaning from what else is said."""


def said_besides(sentence: str, request: Forget) -> str:
    """What a sentence says in the clauses that do not ask to forget, and then what is to be forgotten: "that number"
    may have its meaning from there. Empty where what is to be forgotten is named for itself.
    """
    if not _POINTS.search(request.what):
        return ""
    clauses = [clause.strip() for clause in _CLAUSE.split(" ".join(sentence.split()))]
    others = [clause for clause in clauses if clause and not _forget_one(clause)]
    return " ".join([*(_SETTLED.sub(" ", clause) for clause in others), request.what])


def _last_clause(said: str) -> tuple[str, str, str]:
    """What stands before the last clause, the mark between, and that clause."""
    cut = re.fullmatch(r"(.*\S)([,，;；]|[.。!！]\s*)\s*(\S[^,，;；]*)", said)
    return (cut[1], cut[2], cut[3].strip()) if cut else ("", "", said)


def _forget_in(clauses: Sequence[str]) -> Forget | None:
    """The first clause that asks to forget; where it only says "delete it", the clause before it says what."""
    for at, clause in enumerate(clauses):
        asked = _forget_one(clause.strip())
        if asked == Forget("") and at > 0 and not _LAST.fullmatch(clauses[at - 1].strip()):
            before = _PLACED.sub("", clauses[at - 1])
            return Forget(_AROUND_ZH.sub("", _AROUND_EN.sub("", before)).strip())
        if asked:
            return asked
    return None


def _forget_one(clause: str) -> Forget | None:
    if _LAPSE.match(clause):
        return None
    if _UNSAID.fullmatch(clause):
        return Forget("")
    if after := _FORGET_AFTER.match(clause):
        what = after["what"].strip()
        return Forget("" if _LAST.fullmatch(what) else _AROUND_ZH.sub("", what).strip())
    for pattern, around in zip(_FORGET, (_AROUND_EN, _AROUND_ZH), strict=True):
        if found := pattern.match(clause):
            return _forget(found, around)
    return None


_PLACED: Final = re.compile(
    r"\b(?:is|are|was|were) (?:nobody'?s business|private|secret|a secret|wrong|old)\b.*$|的?那句话?$", re.I
)
"""What says why something is to be forgotten, rather than what."""


def _forget(found: re.Match[str], around: re.Pattern[str]) -> Forget:
    raw = next((part for part in found.groupdict().values() if part), "")
    bare = raw.strip(" ，,。.!！?？")
    if _ALL.fullmatch(bare):
        return Forget("", everything=True)
    if _LAST.fullmatch(bare):
        return Forget("")
    what = around.sub("", around.sub("", raw)).strip()
    if _ALL.fullmatch(what):
        return Forget("", everything=True)
    return Forget("" if _LAST.fullmatch(what) else what)
