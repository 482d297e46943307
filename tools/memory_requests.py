"""What a user asks of the memory itself, told by patterns: to remember, to tell, to forget; keeps nothing."""

import re
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
_FORGET: Final = (
    re.compile(
        _PLEASE_EN + r"(?:just\s+)?(?:forget|erase|delete|remove)\b(?P<what>.*)$",
        re.I | re.S,
    ),
    re.compile(
        _PLEASE_ZH + "(?:把(?P<before>.+?)(?:都|全部|从记忆里?|从你的记忆里?)*(?:忘掉|忘了|忘记|删掉|删除|抹掉|清除)"
        "|(?:忘掉|忘了|忘记|删掉|删除|抹掉|清除)(?P<what>.*))(?:吧|好吗|掉|了)?[。！!？?\\s]*$",
        re.S,
    ),
)
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
    r"^(?:\s|,|:|that\b(?=\s+\w)|about\b|what i (?:said|told you)(?: about)?\b|everything about\b|the thing about\b"
    r"|fact\b)+"
    r"|(?:\s|[.!?,]|\bplease|\bnow|\bagain|\bfrom your memory|\bokay|\bwill you|\bfor me)+$",
    re.I,
)
_AROUND_ZH: Final = re.compile(
    "^(?:关于|有关|我(?:刚才?|之前)?说(?:过的|过|的)|[，,：:\\s])+"
    "|(?:的?(?:事情?|信息|记录|话|内容)|[。！!？?，,\\s]|吧|好吗)+$"
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
    for pattern, around in zip(_FORGET, (_AROUND_EN, _AROUND_ZH), strict=True):
        if found := pattern.match(said):
            return _forget(found, around)
    return None


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
