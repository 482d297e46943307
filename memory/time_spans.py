"""Time spans: when something was said, as a question puts it ("last week", 五月); pure: question and now, no clock."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMERALS: Final = {
    **{word: number for number, word in enumerate(_NUMBERS)},
    "a": 1,
    "an": 1,
    "couple of": 2,
    "a couple of": 2,
    "few": 3,
    "a few": 3,
    **{character: number for number, character in enumerate("零一二三四五六七八九十")},
    "两": 2,
    "日": 7,
    "天": 7,
    "几": 3,
}
_COUNT: Final = rf"(?P<count>\d{{1,3}}|a couple of|couple of|a few|few|an?|{'|'.join(_NUMBERS[1:])})"
_ZH_COUNT: Final = "(?P<count>\\d{1,3}|[一二两三四五六七八九十几]{1,3})"
_UNIT: Final = r"(?P<unit>days?|weeks?|months?|years?)"
_ZH_UNIT: Final = "(?P<unit>天|周|个?星期|个?礼拜|个?月|年)"
_DAYS: Final = {
    "day": 1,
    "week": 7,
    "month": 30,
    "year": 365,
    "天": 1,
    "周": 7,
    "星期": 7,
    "礼拜": 7,
    "月": 30,
    "年": 365,
}
_YEAR: Final = r"(?P<year>(?:19|20)\d\d)"
_ZH_YEAR: Final = "(?:(?P<year>去年|今年|(?:19|20)\\d\\d)年?的?)?"
_ZH_MONTH: Final = "(?<![\\d一二三四五六七八九十])(?P<month>\\d{1,2}|[一二三四五六七八九十]{1,2})月"


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A stretch of time that a question names, and the question without its name."""

    begin: datetime
    end: datetime
    """One past it; never after now."""
    rest: str


def time_span(question: str, now: datetime) -> TimeSpan | None:
    """The past time that a question names, in the time zone of `now`; None for none, and for times to come."""
    for pattern, read in _FORMS:
        for match in pattern.finditer(question):
            found = read(match, now)
            if found and found[0] < now:
                rest = f"{question[: match.start()]} {question[match.end() :]}".strip()
                return TimeSpan(found[0], min(found[1], now + timedelta(microseconds=1)), rest)
    return None


_Span = tuple[datetime, datetime]


def _day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _days_ago(days: int, length: int = 1) -> Callable[[re.Match[str], datetime], _Span]:
    def read(_: re.Match[str], now: datetime) -> _Span:
        begin = _day(now) - timedelta(days=days)
        return begin, begin + timedelta(days=length)

    return read


def _weeks_ago(weeks: int) -> Callable[[re.Match[str], datetime], _Span]:
    def read(_: re.Match[str], now: datetime) -> _Span:
        begin = _day(now) - timedelta(days=now.weekday() + 7 * weeks)
        return begin, begin + timedelta(days=7)

    return read


def _month_span(year: int, month: int, now: datetime) -> _Span:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    begin = _day(now).replace(year=year, month=month, day=1)
    return begin, begin.replace(year=year + month // 12, month=month % 12 + 1)


def _months_ago(months: int) -> Callable[[re.Match[str], datetime], _Span]:
    return lambda _, now: _month_span(now.year, now.month - months, now)


def _year_span(year: int, now: datetime) -> _Span:
    begin = _day(now).replace(year=year, month=1, day=1)
    return begin, begin.replace(year=year + 1)


def _years_ago(years: int) -> Callable[[re.Match[str], datetime], _Span]:
    return lambda _, now: _year_span(now.year - years, now)


def _named_month(match: re.Match[str], now: datetime) -> _Span | None:
    """The last month of that name that has begun, or the one of the year that is named."""
    name, year = match["month"].casefold(), match["year"]
    month = _MONTHS.index(name[:3]) + 1 if name[:3] in _MONTHS else _number(name)
    if not 1 <= month <= 12:
        return None
    if year is None:
        return _month_span(now.year if month <= now.month else now.year - 1, month, now)
    this_or_last = {"去年": 1, "last year": 1, "今年": 0, "this year": 0}
    return _month_span(now.year - this_or_last[year] if year in this_or_last else int(year), month, now)


def _named_year(match: re.Match[str], now: datetime) -> _Span | None:
    year = int(match["year"])
    return _year_span(year, now) if 1970 <= year <= now.year else None


def _date(match: re.Match[str], now: datetime) -> _Span | None:
    """A day of a month, the last one that has begun."""
    found, day = _named_month(match, now), _number(match["day"])
    if found is None or not 1 <= day <= (found[1] - found[0]).days:
        return None
    begin = found[0] + timedelta(days=day - 1)
    if begin > now and match["year"] is None:
        begin = begin.replace(year=begin.year - 1)
    return begin, begin + timedelta(days=1)


def _weekday(match: re.Match[str], now: datetime) -> _Span:
    """The last day of that name before today."""
    begin = _day(now) - timedelta(days=(now.weekday() - _day_of_week(match) - 1) % 7 + 1)
    return begin, begin + timedelta(days=1)


def _weekday_of_last_week(match: re.Match[str], now: datetime) -> _Span:
    begin = _day(now) - timedelta(days=now.weekday() + 7 - _day_of_week(match))
    return begin, begin + timedelta(days=1)


def _day_of_week(match: re.Match[str]) -> int:
    """From 0 for Monday."""
    name = match["day"].casefold()
    return _WEEKDAYS.index(name) if name in _WEEKDAYS else _number(name) - 1


def _last_weekend(_: re.Match[str], now: datetime) -> _Span:
    begin = _day(now) - timedelta(days=now.weekday() + 2)
    return begin, begin + timedelta(days=2)


def _ago(match: re.Match[str], now: datetime) -> _Span:
    """So many days, weeks, months or years ago: about then, by half of the unit where it is longer than a day."""
    unit = _days(match["unit"])
    around = timedelta(days=0 if unit == 1 else unit // 2)
    begin = _day(now) - timedelta(days=_number(match["count"].casefold()) * unit)
    return begin - around, begin + around + timedelta(days=1)


def _last_units(match: re.Match[str], now: datetime) -> _Span:
    """The last so many days, weeks, months or years, up to now."""
    days = _days(match["unit"]) * _number((match["count"] or "1").casefold())
    return _day(now) - timedelta(days=days), now


def _days(unit: str) -> int:
    return _DAYS[unit.casefold().removesuffix("s").removeprefix("个")]


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if text in _NUMERALS:
        return _NUMERALS[text]
    tens, _, units = text.partition("十")
    return 10 * _NUMERALS.get(tens, 1) + _NUMERALS.get(units, 0)


_FORMS: Final = tuple(
    (re.compile(pattern, re.I), read)
    for pattern, read in (
        (r"\bthe day before yesterday\b|前天", _days_ago(2)),
        (
            r"\byesterday(?: morning| afternoon| evening)?\b|\blast night\b|昨天?(?:早上|上午|下午|晚上)|昨[天晚日]",
            _days_ago(1),
        ),
        (
            r"\b(?:earlier )?today\b|\bthis (?:morning|afternoon|evening)\b|\btonight\b|今[天晚早]|刚才|刚刚",
            _days_ago(0),
        ),
        (rf"\b{_COUNT} {_UNIT} ago\b", _ago),
        (f"{_ZH_COUNT}{_ZH_UNIT}(?:之前|以前|前)", _ago),
        (rf"\b(?:in|over|during|within) the (?:last|past) (?:{_COUNT} )?{_UNIT}\b", _last_units),
        (f"(?:最近|过去|近)(?:这|的)?{_ZH_COUNT}{_ZH_UNIT}", _last_units),
        ("(?:上个?星期|上个?礼拜|上周)(?P<day>[一二三四五六日天])", _weekday_of_last_week),
        (rf"\b(?:last|on) (?P<day>{'|'.join(_WEEKDAYS)})\b", _weekday),
        (r"\blast weekend\b|上个?周末", _last_weekend),
        (r"\bthe week before last\b|上上个?(?:周|星期|礼拜)", _weeks_ago(2)),
        (r"\blast week\b|上个?(?:周|星期|礼拜)", _weeks_ago(1)),
        (r"\bthis week\b|这个?(?:周|星期|礼拜)|本周", _weeks_ago(0)),
        (rf"\b(?:on )?(?:the )?(?P<month>{_MONTH}) (?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?:,? {_YEAR})?\b", _date),
        (rf"\b(?:on )?(?:the )?(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})(?: {_YEAR})?\b", _date),
        (f"{_ZH_YEAR}{_ZH_MONTH}(?P<day>\\d{{1,2}}|[一二三四五六七八九十]{{1,3}})[日号]", _date),
        (
            rf"\b(?:in|during|since|back in|last) (?P<month>{_MONTH})"
            r"(?:(?: of)? (?P<year>(?:19|20)\d\d|last year|this year))?\b",
            _named_month,
        ),
        (f"{_ZH_YEAR}{_ZH_MONTH}份?(?![\\d一二三四五六七八九十])", _named_month),
        (r"\blast month\b|上个?月", _months_ago(1)),
        (r"\bthis month\b|这个?月|本月", _months_ago(0)),
        (r"\blast year\b|去年", _years_ago(1)),
        (r"\bthis year\b|今年", _years_ago(0)),
        ("前年", _years_ago(2)),
        (rf"\bin {_YEAR}\b", _named_year),
        (f"{_YEAR}年", _named_year),
    )
)
