"""The calendar and the clock in English: dates, years, times of day, and the ratios that look like them."""

import re

from tools.figures import BEGIN, NUMBER, Rules, is_clock, is_date, is_year_range
from tools.numerals import english_integer, english_minutes, english_number, english_ordinal, english_year

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MONTH = (
    r"(Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_RATIO = re.compile(r"(?:ratio|score|scored|odds|scale|aspect|mix|dilut\w*)\b[\w\s]*$")
_CLOCK = r"([0-2]?[0-9]):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9]|:[0-9])"
_HALF = r"([AaPp])\.?\s?[Mm](?![A-Za-z])(?:\.(?!\s+[A-Z]|\s*$))?"
_SUFFIX = "(?:st|nd|rd|th)?"
_OF_YEAR = r"(?:,?\s([12]\d{3})(?!\d))?"
_YEAR_WORD = (
    r"(?:\b(?:[Ii]n|[Ss]ince|[Bb]y|[Uu]ntil|[Tt]ill|[Dd]uring|[Bb]efore|[Aa]fter|[Ff]rom|[Cc]irca|late|early|mid|"
    r"[Yy]ear(?: was| is)?|[Ss]pring|[Ss]ummer|[Ff]all|[Aa]utumn|[Ww]inter|[Tt]he|[Tt]his)|©)"
)
_NO_COUNT = r"(?!\d|,\d|\.\d|\s(?!was|is|has)[a-z]+s\b|\s(?:people|men|women|children)\b)"
"""After a year; what is counted would make it a number."""

read_calendar = Rules()
read_years = Rules()
"""Years that stand alone: read after all that has a unit."""

read_calendar.says(
    " to ",
    rf"(?<=\d)\s?[-–—~]\s?(?=\d\d?:\d\d|{_MONTH}\s\d)",
    r"(?:(?<=[\d ][AaPp][Mm])|(?<=\s[AP]\sM))\s?[-–—~]\s?(?=\d)",
)


@read_calendar.reads(rf"{BEGIN}(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}})(?:(T)(?=\d)|(?![\d.]*\d))")
def _sortable_date(found: re.Match[str]) -> str:
    year, _, month, day, time_follows = found.groups()
    if not is_date(month, day):
        return found[0]
    return _date(month, day, year) + (", " if time_follows else "")


@read_calendar.reads(rf"{BEGIN}(\d{{1,2}})[-/](\d{{1,2}})[-/]([12]\d{{3}}|\d\d)(?![\d/-])")
def _slashed_date(found: re.Match[str]) -> str:
    """Month first, as in America, unless only the other order can be."""
    month, day, year = found.groups()
    if not is_date(month, day):
        month, day = day, month
    if not is_date(month, day):
        return found[0]
    return _date(month, day, year if len(year) == 4 else f"20{year}")


def _date(month: str, day: str, year: str | None = None) -> str:
    return month_and_day(month, day) + (f", {english_year(year)}" if year else "")


def month_and_day(month: str, day: str) -> str:
    """A day of a year: "11", "23" -> November twenty third."""
    return f"{_MONTHS[int(month) - 1]} {english_ordinal(day)}"


def _number_of(month: str) -> str:
    return str([name[:3] for name in _MONTHS].index(month[:3]) + 1)


@read_calendar.reads(rf"\b{_MONTH}\s(\d{{1,2}}){_SUFFIX}(?:\s?[-–~]\s?(\d{{1,2}}){_SUFFIX})?(?![\d:%]|\.\d){_OF_YEAR}")
def _month_day(found: re.Match[str]) -> str:
    month, day, last, year = found.groups()
    if not is_date("1", day):
        return found[0]
    said = _date(_number_of(month), day) + (f" to {english_ordinal(last)}" if last else "")
    return said + (f", {english_year(year)}" if year else "")


@read_calendar.reads(rf"{BEGIN}([Tt]he\s)?(\d{{1,2}}){_SUFFIX}(?:\sof)?\s{_MONTH}(?![a-z]){_OF_YEAR}")
def _day_month(found: re.Match[str]) -> str:
    _, day, month, year = found.groups()
    if not is_date("1", day):
        return found[0]
    said = f"the {english_ordinal(day)} of {_MONTHS[int(_number_of(month)) - 1]}"
    return said + (f" {english_year(year)}" if year else "")


@read_calendar.reads(rf"\b{_MONTH},?\s([12]\d{{3}})(?!\d)")
def _month_year(found: re.Match[str]) -> str:
    return f"{_MONTHS[int(_number_of(found[1])) - 1]} {english_year(found[2])}"


@read_calendar.reads(rf"{BEGIN}((?:19|20)\d\d)[-–](\d\d)(?![\d/-])")
def _years_or_month(found: re.Match[str]) -> str:
    year, rest = found.groups()
    if is_year_range(year, rest):
        return f"{english_year(year)} to {english_integer(rest)}"
    return f"{_MONTHS[int(rest) - 1]} {english_year(year)}" if is_date(rest, "1") else found[0]


@read_calendar.reads(rf"'?{BEGIN}((?:1[5-9]|20)?\d0)'?s\b")
def _decade(found: re.Match[str]) -> str:
    said = english_year(found[1]) if len(found[1]) == 4 else english_integer(found[1])
    return said[:-1] + "ies" if said.endswith("y") else said + "s"


@read_calendar.reads(rf"{BEGIN}{_CLOCK}(?:\s?{_HALF})?")
def _time(found: re.Match[str]) -> str:
    hour, minute, second, half = found.groups()
    before = found.string[max(0, found.start() - 14) : found.start()].lower()
    if not is_clock(hour, minute, second) or _RATIO.search(before):
        return found[0]
    return _clock(hour, minute, second, half)


@read_calendar.reads(rf"{BEGIN}(\d{{1,2}})\s?[-–]\s?(\d{{1,2}})\s?{_HALF}")
def _hours(found: re.Match[str]) -> str:
    return f"{english_integer(found[1])} to {_clock(found[2], '00', None, found[3])}"


@read_calendar.reads(rf"{BEGIN}(\d{{1,2}})\s?{_HALF}")
def _hour(found: re.Match[str]) -> str:
    return _clock(found[1], "00", None, found[2]) if int(found[1]) <= 12 else found[0]


def _clock(hour: str, minute: str, second: str | None, half: str | None) -> str:
    seconds = int(second or 0)
    said = english_integer(hour)
    if int(minute):
        said += f" {english_minutes(minute)}"
    elif not half and not seconds:
        said = _full_hour(int(hour))
    if seconds:
        said += f" and {english_integer(str(seconds))} second{'s' if seconds > 1 else ''}"
    return said + (f" {half.upper()} M" if half else "")


def _full_hour(hour: int) -> str:
    if hour in (0, 24):
        return "midnight"
    return english_integer(str(hour)) + (" o'clock" if hour <= 12 else " hundred")


@read_calendar.reads(rf"{BEGIN}{NUMBER}(?:\s?[:：]\s?{NUMBER}){{1,3}}")
def _ratio(found: re.Match[str]) -> str:
    return " to ".join(english_number(part) for part in re.split(r"\s?[:：]\s?", found[0]))


@read_years.reads(
    rf"({_YEAR_WORD}\s?)((?:1\d|20)\d\d){_NO_COUNT}", rf"(){BEGIN}((?:19|20)(?!00)\d\d){_NO_COUNT}(?!\sof\b)"
)
def _year(found: re.Match[str]) -> str:
    return found[1] + english_year(found[2])
