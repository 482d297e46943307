"""Time spans: when something was said, as a question puts it ("last week", 五月); pure, knows only the question and now."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_MONTHS: Final = "january february march april may june july august september october november december".split()
_MONTH: Final = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
_WEEKDAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()
_NUMERALS: Final = {character: number for number, character in enumerate("零一二三四五六七八九十")} | {
    "两": 2,
    "日": 7,
    "天": 7,
    "几": 3,
}
_WORDS: Final = {
    word: number for number, word in enumerate("zero one two three four five six seven eight nine ten".split())
} | {
    "a": 1,
    "an": 1,
    "couple of": 2,
    "a couple of": 2,
    "few": 3,
    "a few": 3,
}
_COUNT: Final = (
    r"(?P<count>\d{1,3}|a couple of|couple of|a few|few|an?|one|two|three|four|five|six|seven|eight|nine|ten)"
)
_ZH_COUNT: Final = "(?P<count>\\d{1,3}|[一二两三四五六七八九十几]{1,3})"


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
    name = match["month"].casefold()
    month = next((n for n, full in enumerate(_MONTHS, 1) if full.startswith(name[:3])), None) or _number(name)
    if not 1 <= month <= 12:
        return None
    named = match.groupdict().get("year")
    if named in ("去年", "last year"):
        return _month_span(now.year - 1, month, now)
    if named and named not in ("今年", "this year"):
        return _month_span(int(named), month, now)
    return _month_span(now.year if month <= now.month or named else now.year - 1, month, now)


def _named_year(match: re.Match[str], now: datetime) -> _Span | None:
    year = int(match["year"])
    return _year_span(year, now) if 1970 <= year <= now.year else None


def _date(match: re.Match[str], now: datetime) -> _Span | None:
    """A day of a month, the last one that has begun."""
    found = _named_month(match, now)
    day = _number(match["day"])
    if found is None or not 1 <= day <= (found[1] - found[0]).days:
        return None
    begin = found[0] + timedelta(days=day - 1)
    if begin > now and not match.groupdict().get("year"):
        begin = begin.replace(year=begin.year - 1)
    return begin, begin + timedelta(days=1)


def _weekday(match: re.Match[str], now: datetime) -> _Span:
    """The last day of that name before today; with 上周 that of the week before."""
    name = match["day"].casefold()
    wanted = _WEEKDAYS.index(name) if name in _WEEKDAYS else _number(name) - 1
    back = (now.weekday() - wanted - 1) % 7 + 1
    if match.groupdict().get("week") in ("上周", "上星期", "上个星期", "上礼拜", "上个礼拜"):
        back = now.weekday() + 7 - wanted
    begin = _day(now) - timedelta(days=back)
    return begin, begin + timedelta(days=1)


def _ago(match: re.Match[str], now: datetime) -> _Span:
    """So many days, weeks, months or years ago: about then, by half of the unit where it is longer than a day."""
    count, unit = _number(match["count"]), match["unit"].casefold()
    days = next(length for names, length in _UNITS if unit.startswith(names)) * count
    around = 0 if days == count else max(1, days // count // 2)
    begin = _day(now) - timedelta(days=days + around)
    return begin, begin + timedelta(days=2 * around + 1)


def _last_units(match: re.Match[str], now: datetime) -> _Span:
    """The last so many days, weeks, months or years, up to now."""
    unit = match["unit"].casefold()
    days = next(length for names, length in _UNITS if unit.startswith(names)) * _number(match["count"] or "1")
    return _day(now) - timedelta(days=days), now + timedelta(days=1)


_UNITS: Final = (
    (("day", "天", "日"), 1),
    (("week", "周", "星期", "个星期", "礼拜", "个礼拜"), 7),
    (("month", "月", "个月"), 30),
    (("year", "年"), 365),
)
_UNIT: Final = r"(?P<unit>days?|weeks?|months?|years?)"
_ZH_UNIT: Final = "(?P<unit>天|周|个?星期|个?礼拜|个?月|年)"


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("十"):
        return 10 + (_NUMERALS[text[1]] if len(text) > 1 else 0)
    value = 0
    for character in text:
        number = _NUMERALS.get(character, 0)
        value = value * 10 if number == 10 else value + number
    return value


_FORMS: Final = tuple(
    (re.compile(pattern, re.I), read)
    for pattern, read in (
        (r"\bthe day before yesterday\b|前天", _days_ago(2)),
        (
            r"\byesterday(?: morning| afternoon| evening)?\b|\blast night\b|昨[天晚日]|昨天(?:早上|上午|下午|晚上)",
            _days_ago(1),
        ),
        (
            r"\b(?:earlier )?today\b|\bthis (?:morning|afternoon|evening)\b|\btonight\b|今[天晚早]|刚才|刚刚",
            _days_ago(0),
        ),
        (rf"{_COUNT} {_UNIT} ago\b", _ago),
        (rf"{_ZH_COUNT}{_ZH_UNIT}(?:之前|以前|前)", _ago),
        (rf"\b(?:in|over|during|within) the (?:last|past) (?:{_COUNT} )?{_UNIT}\b", _last_units),
        (
            rf"(?:最近|过去|近)(?:这|的)?{_ZH_COUNT}{_ZH_UNIT}|这{_ZH_COUNT.replace('count', 'c2')}".replace(
                "|这(?P<c2>\\d{1,3}|[一二两三四五六七八九十几]{1,3})", ""
            ),
            _last_units,
        ),
        (r"(?P<week>上个?星期|上个?礼拜|上周)(?P<day>[一二三四五六日天])", _weekday),
        (rf"\b(?:last|on) (?P<day>{'|'.join(_WEEKDAYS)})\b", _weekday),
        (
            r"\blast weekend\b|上个?周末",
            lambda _, now: tuple(
                d - timedelta(days=now.weekday() + 2 - 2 * n) for n, d in ((0, _day(now)), (1, _day(now)))
            ),
        ),
        (r"\bthe week before last\b|上上个?(?:周|星期|礼拜)", _weeks_ago(2)),
        (r"\blast week\b|上个?(?:周|星期|礼拜)", _weeks_ago(1)),
        (r"\bthis week\b|这个?(?:周|星期|礼拜)|本周", _weeks_ago(0)),
        (
            rf"\b(?:on )?(?:the )?(?P<month>{_MONTH}) (?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?:,? (?P<year>(?:19|20)\d\d))?\b",
            _date,
        ),
        (
            rf"\b(?:on )?(?:the )?(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})(?: (?P<year>(?:19|20)\d\d))?\b",
            _date,
        ),
        (
            "(?:(?P<year>去年|今年|(?:19|20)\\d\\d)年?的?)?(?P<month>\\d{1,2}|[一二三四五六七八九十]{1,2})月(?P<day>\\d{1,2}|[一二三四五六七八九十]{1,3})[日号]",
            _date,
        ),
        (
            rf"\b(?:in|during|since|back in|last) (?P<month>{_MONTH})(?:(?: of)? (?P<year>(?:19|20)\d\d|last year|this year))?\b",
            _named_month,
        ),
        (
            "(?:(?P<year>去年|今年|(?:19|20)\\d\\d)年?的?)?(?<![\\d一二三四五六七八九十])(?P<month>\\d{1,2}|[一二三四五六七八九十]{1,2})月份?(?![\\d一二三四五六七八九十])",
            _named_month,
        ),
        (r"\blast month\b|上个?月", _months_ago(1)),
        (r"\bthis month\b|这个?月|本月", _months_ago(0)),
        (r"\blast year\b|去年", _years_ago(1)),
        (r"\bthis year\b|今年", _years_ago(0)),
        (r"前年", _years_ago(2)),
        (r"\bin (?P<year>(?:19|20)\d\d)\b", _named_year),
        ("(?P<year>(?:19|20)\\d\\d)年", _named_year),
    )
)
