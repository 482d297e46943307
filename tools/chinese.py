"""Chinese: how figures are read aloud in a Chinese clause, by rules in order; what no rule claims is a plain number."""

import re

from tools.chinese_calendar import read_calendar
from tools.figures import (
    BEGIN,
    CHAIN,
    CODE,
    DASH,
    FIGURE,
    LOWERED,
    MINUS,
    MINUS_LETTER,
    NEGATIVE,
    NUMBER,
    PER_UNIT,
    RAISED,
    ROMAN,
    SYMBOL,
    UNIT,
    VERSION,
    VERSIONED,
    Rules,
    is_date,
    is_identifier,
    price,
    scaled,
)
from tools.numerals import chinese_digits, chinese_integer, chinese_number, roman_value
from tools.units import CURRENCIES, PER, UNITS

_HAN = r"\u4e00-\u9fff"
_COUNTED = (
    "(?:个|位|名|条|张|件|台|部|辆|艘|架|把|支|根|块|片|颗|粒|滴|份|层|座|栋|间|家|所|户|口|头|匹|群|对|双|套|组|种|类|样|次|遍|回|"
    "趟|场|顿|番|下|声|步|句|段|篇|章|页|行|列|杯|瓶|碗|盘|盆|桶|箱|袋|包|盒|罐|壶|勺|锅|天|年(?!级|代|[0-9])|周(?!目)|小时|分(?!之)|"
    "秒|刻|元|角|毛|米|公|千|厘|毫|英|里|尺|寸|克|斤|吨|磅|升|加仑|亩|平方|立方|立|倍|代|届|岁|人|万|亿|百|度|摄氏|点|晚|夜|星期|季|枚|"
    "幅|面|道|扇|盏|朵|棵|株|束|串|排|圈|笔|门|节|堂|轮|局|球|票|桌|床|站|者|边|侧|端|国|地|成(?!功)|项|款|只|本|首|则|封|通|幢|美元|"
    "欧元|日元|港元|阶段|方面|大(?!学)|字节|兆|瓦|伏|赫兹|像素)"
)
"""What is counted with 两, not 二."""
_COUNTED_NEXT = re.compile(rf"\s?{_COUNTED}")
_MONEY = "(?:元|块|人民币|美元|欧元|英镑|日元|港元|港币|澳元|加元|韩元|卢比|卢布)"
_SCALE = r"(?:\s?(百万|千万|万亿|十亿|百亿|千亿|[千万亿]|thousand|million|billion|trillion|[KkMmBbT])(?![A-Za-z0-9]))?"
_PER = "/(?:天|日|月|年|人|次|小时|分钟|秒|周|晚|份|平方米)"
_CALLING = r"((?:拨打|致电|呼叫|电话|热线|客服|报警|急救|手机号?码?|座机|传真|打)[^\d，。！？；,.]{0,6})"
_NAMING = (
    "((?:订单号?|编号|单号|账号|帐号|卡号|身份证号?码?|密码|验证码|邮编|邮政编码|工号|学号|车牌号?|尾号|QQ号?|群号|房间号?|航班号?|"
    r"流水号|序列号|口令|代码|号码|取件码|提取码|会议号|门牌号|护照号|ID|PIN)(?:是|为|：|:|\s){0,3})"
)
_EXTENSION = (
    r"((?:(?:分机|内线|短号)(?:号码?)?|总机|电话(?:号码?)?|热线|座机|传真|拨打?)(?:是|为|：|:|\s){0,3}"
    rf"|(?<![旋左右运周逆好流公])(?:转接?|请转)\s?(?=\d{{3}}))(?<!\d)"
    rf"(\d{{2,6}}(?:\s?[、或和/]\s?\d{{2,6}})*)(?![\d:：,%‰°~–-]|\.\d|\s?(?:{_COUNTED}|{_MONEY}|{UNIT}|月|日|多|余|[号路]线))"
)
_BELOW_ZERO = re.compile(r"[是为到至约在达得温度率值额差幅升降跌于数]\Z")
_MEASURED = re.compile(rf"{NUMBER}\s?(?:米|度|元|分|公里|万|亿|°)")

_identifiers = Rules()
_figures = Rules()

# A dash after a measure, a tilde before a figure.
_identifiers.says("到", rf"(?<=\d[{_HAN}])\s?[-–~]\s?(?=\d)|(?<=\d[{_HAN}]{{2}})\s?[-–~]\s?(?=\d)")
_identifiers.says("减", MINUS)
_identifiers.says("负", MINUS_LETTER)
_identifiers.says("约", rf"(?<![\w%°])(?<!\d\s)~\s?(?=\d)|(?<=[{_HAN}])~(?=\d)")


@_identifiers.reads(
    rf"(?:{BEGIN}|\+)(86|0086)[- ]?(1[3-9]\d)[- ]?(\d{{4}})[- ]?(\d{{4}})(?!\d)",
    r"(\+\d{1,3}(?:[- ]\(?\d{1,5}\)?){2,5})(?!\d)",
    rf"{BEGIN}(1[3-9]\d)[- ]?(\d{{4}})[- ]?(\d{{4}})(?!\d|\.\d)",
    rf"{BEGIN}\(?(0\d{{2,3}})[-) ] ?(\d{{4}})[- ]?(\d{{3,4}})(?:-(\d{{1,5}}))?(?!\d)",
    rf"{BEGIN}([48]00)-? ?(\d{{3,4}})-? ?(\d{{3,4}})(?!\d)",
    rf"{BEGIN}(\d{{3}}-\d{{3}}-\d{{4}})(?!\d)",
    rf"{BEGIN}(\d{{3}}-\d{{2}}(?!00)\d\d)(?!\d|\.\d|\s?{_COUNTED})",
)
def _telephone(found: re.Match[str]) -> str:
    return ("加" if found[0].startswith("+") else "") + _grouped(" ".join(filter(None, found.groups())))


@_identifiers.reads(
    rf"{_CALLING}(1[12]\d|911|999|10\d{{3}}|12\d{{3}}|9\d{{4}}|\d{{6,12}})(?![\d:]|\.\d)",
    rf"{_CALLING}(\d{{3,4}}(?:[- ]\d{{3,4}}){{1,2}})(?![\d:]|\.\d)",
    rf"()(?:{BEGIN})(\d{{4}}(?: \d{{4}}){{2,4}})(?!\d)",
    rf"{_NAMING}(\d{{2,30}})(?![\d.:/-]|\s?(?:{_COUNTED}|位))",
    rf"()(?:{BEGIN})(100(?:86|10)|12306|123(?:15|45)|110|120|119)(?=电话|热线|报警|急救|火警|客服)",
    r"()(?<![A-Za-z0-9.])(\d{17})(?=[Xx])",
)
def _identifier(found: re.Match[str]) -> str:
    return found[1] + _grouped(found[2])


@_identifiers.reads(_EXTENSION)
def _extension(found: re.Match[str]) -> str:
    """A number to dial, or several: 分机4410 -> 分机四四幺零."""
    return found[1] + re.sub(r"\d+", lambda digits: chinese_digits(digits[0], one="幺"), found[2])


def _grouped(text: str) -> str:
    """The digits of each group, one as 幺."""
    return "，".join(chinese_digits(group, one="幺") for group in re.findall(r"\d+", text))


# Money, percentages, measures.


@_figures.reads(rf"([-−+]?)({SYMBOL})\s?({NUMBER})(?:{DASH}{SYMBOL}?\s?({NUMBER}))?{_SCALE}(?:\s?{_MONEY})?")
def _money(found: re.Match[str]) -> str:
    sign, symbol, low, high, scale = found.groups()
    said = _sign(sign) + _amount(low, None if high else scale)
    return said + (f"到{_amount(high, scale)}" if high else "") + CURRENCIES[symbol.strip()].chinese


@_figures.reads(rf"{BEGIN}({NUMBER})(?:{_SCALE}{DASH}({NUMBER}))?{_SCALE}\s?({CODE}|{_MONEY})")
def _money_after(found: re.Match[str]) -> str:
    low, low_scale, high, scale, name = found.groups()
    said = f"{_amount(low, low_scale)}到{_amount(high, scale)}" if high else _amount(low, scale)
    return said + (CURRENCIES[name].chinese if name in CURRENCIES else name)


def _amount(number: str, scale: str | None) -> str:
    if scale and scale.isascii():
        return chinese_number(scaled(number, scale))
    return _counted(price(number)) + (scale or "")


def _counted(number: str) -> str:
    return "两" if number == "2" else chinese_number(number)


def _sign(sign: str) -> str:
    return {"": "", "+": "正"}.get(sign, "负")


@_figures.reads(rf"((?:{NEGATIVE}|\+)?){BEGIN}({NUMBER})\s?%?(?:{DASH}({NUMBER}))?\s?([%‰])")
def _percent(found: re.Match[str]) -> str:
    sign, low, high, mark = found.groups()
    of = "千分之" if mark == "‰" else "百分之"
    said = _sign(sign) + of + ("百" if (low, high, mark) == ("100", None, "%") else chinese_number(low))
    return said + (f"到{of if sign else ''}{chinese_number(high)}" if high else "")


@_figures.reads(rf"{BEGIN}(\d{{2,3}})/(\d{{2,3}})\s?(?:mmHg|毫米汞柱)")
def _pressure(found: re.Match[str]) -> str:
    return f"{chinese_integer(found[1])}，{chinese_integer(found[2])}毫米汞柱"


@_figures.reads(rf"{BEGIN}({NUMBER})/({NUMBER})\s?({UNIT})(?![A-Za-z0-9²³/])")
def _measured_part(found: re.Match[str]) -> str:
    """A part of a unit, or of so many units: 1/2km -> 二分之一公里, 15.2/16GB -> 十五点二，共十六 G B."""
    top, bottom, unit = found.groups()
    if "." in found[0] or len(bottom) > 1:
        return f"{chinese_number(top)}，共{_counted(bottom)}{UNITS[unit].chinese}"
    return f"{chinese_integer(bottom)}分之{chinese_integer(top)}{UNITS[unit].chinese}"


@_figures.reads(rf"({NEGATIVE})?{BEGIN}({NUMBER})(?:{DASH}([-−])?({NUMBER}))?\s?({UNIT})({_PER}|{PER_UNIT})")
def _measure(found: re.Match[str]) -> str:
    sign, low, high_sign, high, unit, per = found.groups()
    said = ("" if not sign else "零下" if unit in ("°C", "°F") and not high else "负") + _counted(low)
    if high:
        said += ("到负" if high_sign else "到") + _counted(high)
    return _per(per[1:]) + said + UNITS[unit].chinese


def _per(name: str) -> str:
    """What a measure is divided by: "s" -> 每秒, "天" -> 每天."""
    if not name:
        return ""
    return PER[name][0] if name in PER else f"每{name}"


# Powers, versions, products.


@_figures.reads(rf"(?<=\d)({RAISED})\s?({UNIT})(?![A-Za-z0-9²³/])")
def _raised_measure(found: re.Match[str]) -> str:
    return _power(found) + UNITS[found[2]].chinese


@_figures.reads(rf"{BEGIN}(\d(?:\.\d{{1,20}})?)[eE]([-+]?\d{{1,3}})(?![\w.])")
def _scientific(found: re.Match[str]) -> str:
    return f"{chinese_number(found[1])}乘以十的{_exponent(found[2])}次方"


@_figures.reads(rf"(?<=[\w)])\s?({RAISED})")
def _power(found: re.Match[str]) -> str:
    exponent = found[1].translate(LOWERED).lstrip("^+")
    return "的" + {"2": "平方", "3": "立方"}.get(exponent, f"{_exponent(exponent)}次方")


def _exponent(text: str) -> str:
    return ("负" if text[0] in "-−" else "") + chinese_integer(text.lstrip("+-−"))


@_figures.reads(
    rf"((?<=版本)|(?<=版本 ))[vV]?{BEGIN}({VERSION % 1})",
    rf"(?<![A-Za-z0-9])([vV])\.?\s?({VERSION % 0})",
    rf"(?<![A-Za-z])({VERSIONED}\s?)({VERSION % 1})",
    rf"(){BEGIN}({VERSION % 2})(?!\d|\.\d)",
)
def _version(found: re.Match[str]) -> str:
    parts = (chinese_digits(part) if part[0] == "0" else chinese_integer(part) for part in found[2].split("."))
    return found[1].replace("v", "V") + "点".join(parts)


@_figures.reads(r"(?<=[A-Za-z])[-–]?(\d{1,30})(?:\.(\d{1,20}))?(?:[-–](\d{1,30}))?")
def _model(found: re.Match[str]) -> str:
    """The number of a product: H200 -> 两百, A380 -> 三八零, Qwen2.5-7B -> 二点五，七."""
    number, decimals, second = found.groups()
    said = _model_number(number) + (f"点{chinese_digits(decimals)}" if decimals else "")
    return f" {said}" + (f"，{_model_number(second)}" if second else "")


def _model_number(digits: str) -> str:
    short = len(digits) <= 2 or (len(digits) == 3 and digits.endswith("00"))
    return chinese_integer(digits) if short and digits[0] != "0" else chinese_digits(digits)


@_figures.reads(r"(?<![A-Za-z])([A-Z]{2,5}\s)(\d{4})(?!\d|[-/.年:：]\d|年)")
def _series(found: re.Match[str]) -> str:
    return found[1] + chinese_digits(found[2])


# Sums, scores, ranges, fractions.


@_figures.reads(CHAIN)
def _chain(found: re.Match[str]) -> str:
    return "杠".join(chinese_digits(part, one="幺") for part in found[0].split("-"))


@_figures.reads(rf"{BEGIN}({NUMBER})\s?[-−–]\s?({NUMBER})(?=\s?[=≈等])", rf"{BEGIN}({NUMBER})\s[-−–]\s({NUMBER})")
def _difference(found: re.Match[str]) -> str:
    return f"{chinese_number(found[1])}减{chinese_number(found[2])}"


@_figures.reads(
    r"(?<=比分)\s?(\d{1,3})[-–](\d{1,3})(?!\d)",
    rf"{BEGIN}(\d{{1,3}})[-–](\d{{1,3}})(?=获?胜|战胜|击败|领先|落后|战平|大胜|险胜|取胜|输|赢|负于|不敌)",
)
def _score(found: re.Match[str]) -> str:
    return f"{chinese_number(found[1])}比{chinese_number(found[2])}"


@_figures.reads(rf"{BEGIN}({NUMBER})\s?[-–—~−]\s?({NUMBER})(?!\s?[-–~]\s?\d)")
def _range(found: re.Match[str]) -> str:
    """Two figures and a dash: a range when they rise, else a score; years digit by digit."""
    low, high = found.groups()
    rises = float(low.replace(",", "")) < float(high.replace(",", ""))
    if rises and re.fullmatch(r"[12]\d{3}", low) and re.fullmatch(r"2\d{3}", high):
        return f"{chinese_digits(low)}到{chinese_digits(high)}"
    say = _counted if _COUNTED_NEXT.match(found.string, found.end()) else chinese_number
    return say(low) + ("到" if rises else "比") + say(high)


@_figures.reads(rf"{BEGIN}(\d{{1,4}})\s(\d{{1,3}})/(\d{{1,3}})(?![\d/])")
def _mixed(found: re.Match[str]) -> str:
    return f"{chinese_integer(found[1])}又{chinese_integer(found[3])}分之{chinese_integer(found[2])}"


_figures.says("除以", r"(?<=\d)\s/\s(?=\d)")


@_figures.reads(rf"{BEGIN}(\d{{1,9}}(?:\.\d{{1,3}})?)/(\d{{1,9}})(?![\d/]|\.\d)")
def _slash(found: re.Match[str]) -> str:
    """A day where it can be one and is hardly a fraction, else a fraction."""
    top, bottom = found.groups()
    if (top, bottom) == ("24", "7"):
        return "全天候"
    if "." in top:
        return f"{chinese_number(top)}，满分{chinese_number(bottom)}"
    if is_date(top, bottom) and int(bottom) > 12:
        return f"{chinese_integer(top)}月{chinese_integer(bottom)}日"
    return f"{chinese_integer(bottom)}分之{chinese_integer(top)}"


@_figures.reads(r"(?<=第)([IVX]{1,6})(?=[\u4e00-\u9fff])", ROMAN)
def _roman(found: re.Match[str]) -> str:
    return chinese_integer(str(roman_value(found[1])))


# Signs of numbers, and numbers that nothing is known of.

_figures.says("编号", r"#(?=\d)")
_figures.says("多", rf"(?<=\d)\+(?=[{_HAN}])")
_figures.says("负", r"(?<![\w)])[-−](?=\d)")
_figures.says("正", rf"(?<![\w)%])\+(?=\d)|(?<=[{_HAN}])\+(?=\d)")


@_figures.reads(rf"(?<=[{_HAN}])[-−](?=\d)")
def _hyphen(found: re.Match[str]) -> str:
    """A hyphen between a Chinese character and a figure: a minus before a measure, else part of a name."""
    before, after = found.string[: found.start()], found.end()
    return "负" if _BELOW_ZERO.search(before) or _MEASURED.match(found.string, after) else ""


_figures.says("，", r"(?<=\d)\s(?=\d)")
_figures.says("两", rf"(?<!第)(?<![0-9.])2(?=\s?[多余几]?{_COUNTED})")


@_figures.reads(NUMBER)
def _plain(found: re.Match[str]) -> str:
    if not is_identifier(found[0]):
        return chinese_number(found[0])
    whole, _, fraction = found[0].partition(".")
    said = chinese_digits(whole, one="幺" if len(whole) > 4 else "一")
    return said + (f"点{chinese_digits(fraction)}" if fraction else "")


def read_chinese(text: str) -> str:
    """The text with every figure in Chinese words; holds no digit afterwards."""
    return _figures(read_calendar(_identifiers(text))) if FIGURE.search(text) else text
