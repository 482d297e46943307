"""The calendar and the clock in Chinese: dates, years, times of day, and the ratios that look like them."""

import re

from tools.figures import BEGIN, DASH, NUMBER, Rules, is_clock, is_date, is_year_range
from tools.numerals import chinese_digits, chinese_integer, chinese_number

_RATIO = re.compile("(?:比分|比例|比率|宽高比|赔率|配比|之比|比值|稀释)[^，。！？,.]*$")
_CLOCK = r"([0-2]?[0-9])\s?[:：]\s?([0-5][0-9])(?:[:：]([0-5][0-9]))?(?![0-9]|[:：][0-9])"

read_calendar = Rules()


@read_calendar.reads(rf"{BEGIN}(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?:(T)(?=\d)|(?![\d.]*\d))")
def _date(found: re.Match[str]) -> str:
    year, _, month, day, time_follows = found.groups()
    if not is_date(month, day):
        return found[0]
    return f"{_month_of(year, month)}{chinese_integer(day)}日" + ("，" if time_follows else "")


def _month_of(year: str, month: str) -> str:
    return f"{chinese_digits(year)}年{chinese_integer(month)}月"


@read_calendar.reads(rf"{BEGIN}([12]\d{{3}})(年)?{DASH}([12]\d{{3}})年", rf"{BEGIN}(\d{{3}})(年){DASH}(\d{{3,4}})年")
def _years(found: re.Match[str]) -> str:
    first, last = found[1], found[3]
    if len(first) == 3 and (first.endswith("00") or last.endswith("00")):
        return found[0]
    return f"{chinese_digits(first)}{found[2] or ''}到{chinese_digits(last)}年"


@read_calendar.reads(rf"{BEGIN}((?:19|20)\d\d)[-–](\d\d)(?![\d/-])")
def _short_years(found: re.Match[str]) -> str:
    if not is_year_range(found[1], found[2]):
        return found[0]
    return f"{chinese_digits(found[1])}到{chinese_digits(found[2])}"


@read_calendar.reads(rf"{BEGIN}((?:19|20)\d\d)[-/](\d\d)(?![\d/-])")
def _month(found: re.Match[str]) -> str:
    return _month_of(found[1], found[2]) if is_date(found[2], "1") else found[0]


@read_calendar.reads(
    r"(?<=©)\s?((?:19|20)\d\d)(?!\d)",
    rf"{BEGIN}([12]\d{{3}})(?=\s?年(?!历史|前|间|的历史|来))",
    rf"{BEGIN}(\d\d)(?=年(?:\d{{1,2}}月|出生|毕业|生人))",
    rf"{BEGIN}((?:19|20)\d0)(?=\s?年代|s(?![A-Za-z]))",
    rf"{BEGIN}([05-9]0|[089]5)(?=\s?后(?!\s?\d))",
)
def _year(found: re.Match[str]) -> str:
    return chinese_digits(found[1])


read_calendar.says("到", r"(?<=\d)\s?[-–—~]\s?(?=(?:[上下中]午|晚上|凌晨)?\d{1,2}[:：]\d\d)")


@read_calendar.reads(rf"{BEGIN}{_CLOCK}(?:\s?([AaPp])\.?[Mm](?![A-Za-z])\.?)?")
def _time(found: re.Match[str]) -> str:
    hour, minute, second, half = found.groups()
    before = found.string[max(0, found.start() - 8) : found.start()]
    if not is_clock(hour, minute, second) or _RATIO.search(before):
        return found[0]
    return _clock(hour, minute, second, half)


@read_calendar.reads(rf"{BEGIN}(\d{{1,2}})\s?([AaPp])\.?[Mm](?![A-Za-z])\.?")
def _hour(found: re.Match[str]) -> str:
    return _clock(found[1], "00", None, found[2]) if int(found[1]) <= 12 else found[0]


def _clock(hour: str, minute: str, second: str | None, half: str | None) -> str:
    said = {"a": "上午", "p": "下午"}.get((half or "").lower(), "")
    said += ("两" if int(hour) == 2 else chinese_integer(hour)) + "点"
    seconds = int(second or 0)
    if int(minute) or seconds:
        said += ("零" if minute[0] == "0" else "") + (chinese_integer(minute) if int(minute) else "") + "分"
    return said + (f"{chinese_integer(str(seconds))}秒" if seconds else "")


@read_calendar.reads(rf"{BEGIN}{NUMBER}(?:\s?[:：]\s?{NUMBER}){{1,3}}")
def _ratio(found: re.Match[str]) -> str:
    return "比".join(chinese_number(part) for part in re.split(r"\s?[:：]\s?", found[0]))
