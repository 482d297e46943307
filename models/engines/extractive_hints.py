"""What kind of thing a question wants, and whether a sentence names one; in Chinese and English, by patterns alone."""

import re
from dataclasses import dataclass
from typing import Final

_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_COIN = r"(?:euros?|dollars?|pounds?|cents?|pence|yuan|yen|francs?|eur|usd|gbp|jpy|cny|rmb|chf)\b"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of answer."""

    asked: re.Pattern[str]
    """Stands in a question that wants one."""
    named: re.Pattern[str]
    """Stands in a sentence that gives one."""
    bonus: float
    """What such a sentence counts more, as a share of the question's weight."""


def _kind(asked: str, named: str, bonus: float = 0.15) -> Kind:
    return Kind(re.compile(asked, re.I), re.compile(named, re.I), bonus)


QUANTITY: Final = _kind(
    r"\bhow (?:many|much|long|often|old|far|tall|big|large|late|early|soon|fast|heavy)\b|\bwhen\b|\bcosts?\b|\bprice\b"
    r"|\bwhat (?:time|date|day|year|number|percentage|price|is the (?:price|cost|limit|maximum|minimum))\b"
    r"|\bwhich (?:day|date|year|month|floor)\b|多少|几|什么时候|什么时间|何时|多久|多长|多大|多高|多远|多重|哪天|哪年",
    r"\d|[一二两三四五六七八九十百千万半]+(?:个|天|日|年|月|周|星期|小时|分钟|秒|元|块|次|人|名|倍|岁|点|号|层|楼|页|份|折|米)"
    r"|(?:星期|周)[一二三四五六日天末]|中午|午夜"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|twenty|thirty|forty|fifty"
    rf"|sixty|ninety|hundred|thousand|million|half|dozen|once|twice|noon|midnight|{_DAY}|{_MONTH})\b",
    0.2,
)
WEEKDAY: Final = _kind(
    r"\b(?:which|what) (?:week\s?)?days?(?: of the week)?\b|星期几|周几|礼拜几|哪一?天",
    rf"\b{_DAY}\b|(?:星期|周|礼拜)[一二三四五六日天末]",
    0.3,
)
DATE: Final = _kind(
    r"\b(?:which|what) (?:date|month)\b|几月几[日号]|几月|几号|什么日期|哪一?天",
    rf"\b{_MONTH}\b|\b\d{{1,2}}(?:st|nd|rd|th)\b|\d{{1,2}}\s?[月日号]|[一二三四五六七八九十]+月",
)
MONEY: Final = _kind(
    r"\bhow much\b(?! (?:time|leave|notice|vacation|holiday))|\bcosts?\b|\bprices?\b|\bfees?\b"
    r"|多少钱|什么价|几块钱|几元",
    rf"[$€£¥]\s?\d|\d\s?{_COIN}|[\d一二两三四五六七八九十百千万]\s?(?:元|块|欧元|欧分|美元|英镑|日元)",
)
PLACE: Final = _kind(
    r"\bwhere\b|哪里|哪儿|什么地方|哪个地方",
    r"\b(?:in|at|on|beside|behind|near|under|above|opposite|inside|outside) "
    r"(?:the|an?|every|each|room|building|cupboard)\b|在.*(?:里|旁边?|后面|前面|上面|下面)|[楼层室厅馆店]|停在|放在|挂在|贴在",
)
PERSON: Final = _kind(
    r"\bwho(?:m|se)?\b|谁|哪位|哪个人",
    r"\b(?:Dr|Mr|Mrs|Ms|Prof)\.|\b(?:manager|team|help desk|reception|doctor)\b|(?-i:\b[A-Z][a-z]+ [A-Z][a-z]+\b)"
    r"|博士|先生|女士|教授|老师|主管|经理|主任|专员|[事勤]部|服务台|前台",
)
CLOCK: Final = _kind(
    r"\bwhat time\b|\bwhat hour\b|几点|什么时间",
    r"\d:\d\d|\d\s?[ap]\.?m\b|\bo'clock\b|\bnoon\b|\bmidnight\b|[\d一二两三四五六七八九十]点|中午|午夜",
)
KINDS: Final = (QUANTITY, WEEKDAY, DATE, MONEY, PLACE, PERSON, CLOCK)

_GOES_ON: Final = re.compile(
    r"(?:it|they|this|that|these|those|he|she|we|you|then|there|otherwise|also|if not)\b"
    r"|(?:这|那|该|其|它|他|她|此|公司|否则|另外|同时|如果不)",
    re.I,
)
_QUALIFIES: Final = re.compile(r"(?:but|however|though|except|only|yet|still)\b|但|不过|然而|除非|只有|例外", re.I)
_TYPE_WORDS: Final = re.compile(f"{WEEKDAY.asked.pattern}|{DATE.asked.pattern}", re.I)


def bonus(question: str, sentence: str) -> float:
    """What a sentence counts more since it names the kind of thing that the question wants."""
    return sum(kind.bonus for kind in KINDS if kind.asked.search(question) and kind.named.search(sentence))


def subject(question: str) -> str:
    """The question without the words that only say what kind of thing it wants: no answer repeats "which weekday"."""
    return _TYPE_WORDS.sub(" ", question)


def goes_on(sentence: str) -> bool:
    """Whether a sentence says more of what the one before is about: "We do not…", 这…"""
    return bool(_GOES_ON.match(sentence))


def qualifies(sentence: str) -> bool:
    """Whether a sentence takes back a part of the one before: "However, …", 但…"""
    return bool(_QUALIFIES.match(sentence))
