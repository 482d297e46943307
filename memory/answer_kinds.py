"""Kinds of answers: what kind of thing a question wants, and whether a text names one; by patterns alone."""

import re
from dataclasses import dataclass
from typing import Final

_COIN: Final = r"(?:euros?|dollars?|pounds?|cents?|pence|yuan|yen|francs?|crowns?|eur|usd|gbp|jpy|cny|rmb|chf)\b"
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_DAY_ZH: Final = r"(?:星期|周|礼拜)[一二三四五六日天末1-6]"
_DATE: Final = r"\d{1,2}(?:月\d|日|号|st\b|nd\b|rd\b|th\b)"
_VERBS: Final = "is|are|was|were|does|do|did|will|would|must|should|can|to|for"
_FILLED: Final = r"(?:and|so|um|uh|er|well|ok(?:ay)?)"
_SPAN: Final = r"(?:second|minute|hour|day|night|week|month|year|session|term|season)s?\b"
_MEASURE: Final = (
    r"how (?:big|large|small|tall|high|deep|wide|far|heavy|hot|cold|fast|thick|loud|warm|old)\b"
    r"|(?:what|which) (?:size|height|width|weight|temperature|speed|distance|depth|age|percentage|share)\b"
    r"|多[大高宽深远重厚快热冷]|多少[度岁米]|几[度岁米]|百分之几|几折"
)


SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷"
    "詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司"
    "卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
"""The commonest Chinese family names."""
_NAME_ZH: Final = rf"[{SURNAMES}][\u4e00-\u9fff]{{1,2}}(?=$|[\s，。、；：（）])"
_PERSON: Final = (
    r"\b(?:mr|mrs|ms|dr|prof|uncle|aunt|grandma|grandpa|mother|father|parent|teacher|manager|director|chair\w*|secretary"
    r"|treasurer|officer|team|office|caretaker|doctor|staff|member|owner|president|employee|adult|anyone|everyone"
    rf"|nobody)s?\b|{_NAME_ZH}"
    r"|先生|女士|老师|医生|教授|经理|主任|会长|专员|师傅|阿姨|叔叔|爷爷|奶奶|妈妈|爸爸|[部处科组]$|前台|物业|员工|人员|公司"
)


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """A kind of answer."""

    name: str
    asked: re.Pattern[str]
    """Stands in a question that wants one, normalised."""
    named: re.Pattern[str]
    """Stands in a text that gives one, normalised."""

    def is_named(self, text: str, normal: str) -> bool:
        """Whether a text names one; `normal` is the same text, normalised."""
        return bool(self.named.search(normal) or (self.name == "person" and _NAME.search(text)))

    def covers(self, question: str, span: tuple[int, int]) -> bool:
        """Whether the words by which a question wants one end with these characters."""
        return any(found.start() <= span[0] and span[1] == found.end() for found in self.asked.finditer(question))


def _kind(name: str, asked: str, named: str) -> AnswerKind:
    return AnswerKind(name, re.compile(asked), re.compile(named))


_NAME: Final = re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b")
"""First and last name; normalised, it is no name any more."""

KINDS: Final = (
    _kind(
        "money",
        rf"\bhow much (?:money|{_VERBS})\b"
        r"(?!.*\b(?:hold|weigh|fit|drink|eat)\b)|\b(?:costs?|prices?|fees?|(?<!in )charges?|expensive|cheap)\b"
        r"|\bwhat (?:do|does|must|will|did) .*\b(?:pay|owe)\b"
        r"|多少钱|几块|几元|什么价|价格|收费|费用|票价|贵|房租|租金|报价|手续费",
        rf"[$€£¥]\s?\d|\d\s?{_COIN}|\d\s?(?:元|块|万元|欧元|美元|英镑|日元|角|分钱)"
        r"|\b(?:free|nothing|no (?:extra )?charge)\b|免费|不收|%|percent|折",
    ),
    _kind(
        "clock",
        r"\b(?:what|which) (?:times?|hours?)\b|几点",
        r"\d:\d\d|\d\s?[ap]\.?m\b|o'clock|\b(?:noon|midnight|midday)\b|\d\s?点|中午|24小时",
    ),
    _kind(
        "weekday",
        r"\b(?:which|what) (?:week\s?)?days?\b|星期几|周几|礼拜几",
        rf"\b{_DAY}|\b(?:daily|every day|weekdays?|weekends?)\b|{_DAY_ZH}|每[天日]|工作日|{_DATE}",
    ),
    _kind(
        "time",
        rf"^\W*(?:{_FILLED}\W+)*when\b"
        r"|\bwhen (?:is|are|do|does|did|will|can|may|must|should|was|were|has|have)\b|\b(?:by|until|since|from) when"
        r"|\bhow (?:soon|late|early)\b|\b(?:what|which) (?:date|day|month|year|week)\b"
        r"|什么时[候间]|何时|哪[一]?[天年]|几号|几月|什么日期",
        rf"\d|\b{_DAY}|\b{_MONTH}\b|{_DAY_ZH}|[前后]|时|每天|期间|春|夏|秋|冬|中午|[早晚]上"
        r"|\b(?:after|before|until|during|noon|midnight|daily|once|as soon as|weekends?|weekdays?)\b",
    ),
    _kind(
        "duration",
        rf"\bhow (?:long|many (?:\w+ )?{_SPAN})|\bhow quickly\b"
        r"|多久|多长时间|几(?:天|年|个?月|个?小时|分钟|周|个?星期|晚|个工作日)",
        rf"\d[\d.,]*(?:st|nd|rd|th)?\s?(?:\w+[ -])?{_SPAN}|\b(?:an?|one|half an?|per) {_SPAN}|\d\s?(?:h|min|s)\b"
        r"|\b(?:until|always|lifelong)\b|长期|终身|当天|次日"
        r"|[\d半两一二三四五六七八九十]\s?个?(?:工作)?(?:秒|分钟|小时|天|日|晚|周|星期|月|年|学期|季)",
    ),
    _kind(
        "frequency",
        r"\bhow often\b|多久.{0,3}一次|几次",
        r"\b(?:every|each|once|twice|daily|weekly|monthly|yearly)\b|\d|每|次",
    ),
    _kind(
        "number",
        rf"\bhow (?:many|much (?!money|{_VERBS}))\b|{_MEASURE}|多少(?!钱)|几[个位名层楼条种只次家门]|几分之几",
        r"\d|\b(?:half|once|twice|both|dozen)\b|[两半数几一二三四五六七八九十]",
    ),
    _kind(
        "language",
        r"\b(?:which|what) languages?\b|(?:哪些|什么|几种)语言",
        r"\b(?:english|chinese|mandarin|german|french|dutch|spanish|italian|polish|japanese|portuguese|russian)\b"
        r"|[英汉中日法德俄韩]语|中文|英文",
    ),
    _kind("person", r"\bwho(?:m|se)?\b|谁|哪位|负责人", _PERSON),
    _kind("name", r"叫什么|什么名字|叫啥|姓什么", rf"{_NAME_ZH}|[a-z]{{2,}}"),
    _kind(
        "telephone",
        r"\b(?:phone|telephone|emergency|hotline)\b.*\bnumber\b|\bnumber\b.*\b(?:call|phone|ring|dial)\b"
        r"|\b(?:call|ring|dial)\b.*\bnumber|(?:电话|分机|手机|热线|号码)(?:号码?|号)?(?:是|多少|几)|[哪什][个么]电话",
        r"\d{3,}",
    ),
)


_FIGURE: Final = r"[\d两一二三四五六七八九十百]\s?"
_COUNTED: Final = (
    (r"(?:公斤|千克|斤)", r"(?:公斤|千克|斤|kg)"),
    (r"(?:公里|千米|米|厘米)", r"(?:公里|千米|米|厘米|km|cm|m\b)"),
    (r"(?:毫?升)", r"(?:毫?升|ml|l\b)"),
    (r"[个人位名]", r"[个人位名户]"),
    (r"[条只头匹]", r"[条只头匹]"),
    (r"(?:岁|周岁)", r"(?:岁|周岁)"),
)
"""What is counted in Chinese, and in which units a text then counts it."""
COUNTS: Final = tuple(_kind("count", rf"(?:多少|几){asked}", _FIGURE + named) for asked, named in _COUNTED)


def asked_kinds(question: str) -> tuple[AnswerKind, ...]:
    """The kinds of answers that a normalised question wants; none for most that want yes or no."""
    return tuple(kind for kind in (*KINDS, *COUNTS) if kind.asked.search(question))
