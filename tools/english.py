"""English: how figures are read aloud in an English clause, by rules in order; the rest are plain numbers."""

import re

from tools.english_calendar import month_and_day, read_calendar, read_years
from tools.figures import (
    BEGIN,
    CHAIN,
    CODE,
    DASH,
    FIGURE,
    LOWERED,
    MAGNITUDE,
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
)
from tools.numerals import (
    english_digits,
    english_integer,
    english_minutes,
    english_model,
    english_number,
    english_ordinal,
    english_year,
    roman_value,
)
from tools.units import CURRENCIES, PER, UNITS

_CALLING = r"(\b(?:[Cc]all|[Dd]ial|[Pp]hone|[Tt]ext)(?:ing|ed)?[^\d,.;!?]{0,9})"
_NAMING = (
    r"(\b(?i:PIN|code|password|passcode|account|order|ticket|tracking|confirmation|serial|ID|zip|postcode|extension|ext\.?|"
    r"invoice|reference|card|case|policy|booking)(?: number)?(?: is| was|:|#)?\s#?)"
)
_PLACE = r"(\b(?i:room|flight|highway|route|interstate|suite|apartment|boeing|airbus)\s)"
_DAY_WORD = (
    r"((?:\b(?:[Oo]n|[Bb]y|[Uu]ntil|[Bb]efore|[Aa]fter|[Ss]ince|[Dd]ue|[Dd]ate|[Ff]rom|Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
    r"\w{0,6}:?,? )?)"
)
_NUMBERED = (
    r"(\b(?:Chapter|Part|Act|Scene|Section|Book|Volume|Appendix|Article|Phase|Type|Class|Level|Grade|Stage|Tier|Title|Unit|"
    r"Episode|War|Bowl|Lesson|Step|Figure|Table|Round|Division|Schedule)\s)"
)
_CROWNED = (
    r"(\b(?:Henry|Louis|Elizabeth|Charles|George|Edward|James|William|Richard|Napoleon|Philip|Catherine|Frederick|Peter|"
    r"Nicholas|Alexander|John|Paul|Francis|Leo|Pius|Benedict|Ramesses|Mary|Robert)\s)"
)
_VERB = r"(?!\s(?:am|was|have|had|will|would|can|could|did|do|think|know|said)\b)"
_LARGE = {
    "K": "thousand", "k": "thousand", "M": "million", "m": "million", "B": "billion", "b": "billion", "T": "trillion",
    "bn": "billion",
}  # fmt: skip
_IDIOMS = {("24", "7"), ("9", "11"), ("50", "50")}
_FRACTIONS = {"2": ("half", "halves"), "4": ("quarter", "quarters")}

_identifiers = Rules()
_figures = Rules()

_identifiers.says(" minus ", MINUS)
_identifiers.says("minus ", MINUS_LETTER)
_identifiers.says("about ", r"(?<![\w%°])(?<!\d\s)~\s?(?=\d)")


@_identifiers.reads(
    r"()(\+\d{1,3}(?:[- ]?\(?\d{2,5}\)?){2,5})(?!\d)",
    rf"(){BEGIN}(1[3-9]\d[- ]\d{{4}}[- ]\d{{4}})(?!\d|\.\d)",
    r"()(?<![\w(])((?:1[- ])?\(?\d{3}\)?[- .]\d{3}[-.]\d{4})(?!\d)",
    rf"(){BEGIN}((?:[48]00|0\d{{2,3}})[- ]\d{{3,4}}[- ]?\d{{3,4}})(?!\d)",
    rf"(){BEGIN}(\d{{3}}-\d\d(?!00)\d\d)(?!\d|\.\d)",
    rf"(){BEGIN}(\d{{4}}(?: \d{{4}}){{2,4}})(?!\d)",
    rf"{_CALLING}(\d{{3}}|\d{{5,12}})(?![\d:]|-\d|\.\d|\s?%)",
    rf"{_NAMING}(\d{{3,30}})(?![\d.,:/-]\d)",
)
def _identifier(found: re.Match[str]) -> str:
    groups = (english_digits(digits) for digits in re.findall(r"\d+", found[2]))
    return found[1] + ("plus " if found[2].startswith("+") else "") + ", ".join(groups)


@_identifiers.reads(rf"{BEGIN}(1[3-9]\d)(\d{{4}})(\d{{4}})(?!\d|\.\d)")
def _mobile(found: re.Match[str]) -> str:
    return ", ".join(map(english_digits, found.groups()))


@_identifiers.reads(rf"{_PLACE}(\d{{3,4}})(?!\d)")
def _place(found: re.Match[str]) -> str:
    return found[1] + english_model(found[2])


# Money, percentages, measures.


@_figures.reads(rf"([-−+]?)({SYMBOL})\s?({NUMBER})(?:{DASH}{SYMBOL}?\s?({NUMBER}))?(?:\s?({MAGNITUDE}))?")
def _money(found: re.Match[str]) -> str:
    sign, symbol, low, high, scale = found.groups()
    return _sign(sign) + (f"{english_number(low)} to " if high else "") + _amount(high or low, scale, symbol.strip())


@_figures.reads(rf"{BEGIN}({NUMBER})(?:{DASH}({NUMBER}))?(?:\s?({MAGNITUDE}))?\s?({CODE})")
def _money_after(found: re.Match[str]) -> str:
    low, high, scale, symbol = found.groups()
    return (f"{english_number(low)} to " if high else "") + _amount(high or low, scale, symbol)


def _amount(number: str, scale: str | None, symbol: str) -> str:
    """An amount: dollars and cents where there are at most two decimals, else a number of the currency."""
    currency = CURRENCIES[symbol]
    whole, _, decimals = number.partition(".")
    if scale:
        return f"{english_number(number)} {_LARGE.get(scale, scale)} {currency.plural}"
    if len(decimals) > 2:
        return f"{english_number(number)} {currency.plural}"
    cents = int(decimals.ljust(2, "0"))
    parts = []
    if whole.strip("0,") or not cents:
        parts.append(f"{english_number(whole)} {currency.singular if whole == '1' else currency.plural}")
    if cents:
        parts.append(f"{english_integer(str(cents))} {currency.cent if cents == 1 else currency.cents}")
    return " and ".join(parts)


def _sign(sign: str) -> str:
    return {"": "", "+": "plus "}.get(sign, "minus ")


@_figures.reads(rf"((?:{NEGATIVE}|\+)?){BEGIN}({NUMBER})\s?%?(?:{DASH}({NUMBER}))?\s?([%‰])")
def _percent(found: re.Match[str]) -> str:
    sign, low, high, mark = found.groups()
    said = _sign(sign) + english_number(low) + (f" to {english_number(high)}" if high else "")
    return said + (" percent" if mark == "%" else " per mille")


@_figures.reads(rf"{BEGIN}(\d{{2,3}})/(\d{{2,3}})\s?mmHg")
def _pressure(found: re.Match[str]) -> str:
    return f"{english_integer(found[1])} over {english_integer(found[2])} millimeters of mercury"


@_figures.reads(rf"{BEGIN}({NUMBER})/({NUMBER})\s?({UNIT})(?![A-Za-z0-9²³/])")
def _measured_part(found: re.Match[str]) -> str:
    """A part of a unit, or of so many units: 3/4 lb, 15.2/16 GB."""
    top, bottom, unit = found.groups()
    if "." in found[0] or len(bottom) > 1:
        return f"{english_number(top)} of {english_number(bottom)} {UNITS[unit].plural}"
    return f"{_fraction(top, bottom)} {UNITS[unit].singular}"


@_figures.reads(rf"({NEGATIVE})?{BEGIN}({NUMBER})(?:{DASH}([-−])?({NUMBER}))?[\s-]?({UNIT})({PER_UNIT})")
def _measure(found: re.Match[str]) -> str:
    sign, low, high_sign, high, unit, per = found.groups()
    said = ("minus " if sign else "") + english_number(low)
    if high:
        said += (" to minus " if high_sign else " to ") + english_number(high)
    said += " " + UNITS[unit].english(one=low == "1" and not high)
    return f"{said} {PER[per[1:]][1]}" if per else said


@_figures.reads(rf"(?<![-–]){BEGIN}({NUMBER})(M|B|bn)(?![A-Za-z0-9])")
def _large(found: re.Match[str]) -> str:
    return f"{english_number(found[1])} {_LARGE[found[2]]}"


# Powers, versions, products.


@_figures.reads(rf"(?<=\d)\s?({RAISED})\s?({UNIT})(?![A-Za-z0-9²³/])")
def _raised_measure(found: re.Match[str]) -> str:
    return _power(found) + UNITS[found[2]].plural


@_figures.reads(rf"{BEGIN}(\d(?:\.\d{{1,20}})?)[eE]([-+]?\d{{1,3}})(?![\w.])")
def _scientific(found: re.Match[str]) -> str:
    return f"{english_number(found[1])} times ten to the power of {_exponent(found[2])}"


@_figures.reads(rf"(?<=[\w)])\s?({RAISED})")
def _power(found: re.Match[str]) -> str:
    exponent = found[1].translate(LOWERED).lstrip("^+")
    return " " + ({"2": "squared", "3": "cubed"}.get(exponent) or f"to the power of {_exponent(exponent)}") + " "


def _exponent(text: str) -> str:
    return ("minus " if text[0] in "-−" else "") + english_integer(text.lstrip("+-−"))


@_figures.reads(
    rf"(\b[Vv]ersion\s)v?({VERSION % 0})",
    rf"(?<![A-Za-z0-9])([vV])\.?\s?({VERSION % 0})",
    rf"(\b{VERSIONED}\s?)({VERSION % 1})",
    rf"(){BEGIN}({VERSION % 2})(?!\d|\.\d)",
)
def _version(found: re.Match[str]) -> str:
    named = "version " if found[1] in ("v", "V") else found[1]
    return named + " point ".join(_version_part(part) for part in found[2].split("."))


def _version_part(part: str) -> str:
    if len(part) == 2 and part[0] == "0":
        return english_minutes(part)
    return english_digits(part) if part[0] == "0" else english_integer(part)


@_figures.reads(r"(?<=[A-Za-z])[-–]?(\d{1,30})(?:\.(\d{1,20}))?(?:[-–](\d{1,30}))?")
def _model(found: re.Match[str]) -> str:
    """The number of a product: H200 -> two hundred, A380 -> three eighty, GTX1080 -> ten eighty."""
    number, decimals, second = found.groups()
    said = english_model(number) + (f" point {english_digits(decimals)}" if decimals else "")
    return " " + _apart(found, said + (f", {english_model(second)}" if second else ""))


@_figures.reads(r"(?<![A-Za-z])([A-Z]{2,5}\s)(\d{4})(?!\d|[-/.:]\d)")
def _series(found: re.Match[str]) -> str:
    return found[1] + english_model(found[2])


# Ordinals, sums, ranges, fractions.


@_figures.reads(CHAIN)
def _chain(found: re.Match[str]) -> str:
    return " dash ".join(english_digits(part) for part in found[0].split("-"))


@_figures.reads(rf"{BEGIN}(\d{{1,18}})(?:st|nd|rd|th)\b")
def _ordinal(found: re.Match[str]) -> str:
    return english_ordinal(found[1])


@_figures.reads(rf"{BEGIN}({NUMBER})\s?[-−–]\s?({NUMBER})(?=\s?[=≈])", rf"{BEGIN}({NUMBER})\s[-−]\s({NUMBER})")
def _difference(found: re.Match[str]) -> str:
    return f"{english_number(found[1])} minus {english_number(found[2])}"


@_figures.reads(rf"{BEGIN}({NUMBER})\s?[-–—~−]\s?({NUMBER})(?!\s?[-–~]\s?\d)")
def _range(found: re.Match[str]) -> str:
    low, high = found.groups()
    years = all(re.fullmatch(r"(?:1[5-9]|20)\d\d", end) for end in (low, high)) and low < high
    say = english_year if years else english_number
    return f"{say(low)} to {say(high)}"


@_figures.reads(rf"{BEGIN}(\d{{1,4}})\s(\d{{1,3}})/(\d{{1,3}})(?![\d/])")
def _mixed(found: re.Match[str]) -> str:
    fraction = _fraction(found[2], found[3])
    return f"{english_integer(found[1])} and {'a' + fraction.removeprefix('one') if found[2] == '1' else fraction}"


_figures.says(" divided by ", r"(?<=\d)\s/\s(?=\d)")


@_figures.reads(rf"{_DAY_WORD}{BEGIN}(\d{{1,9}}(?:\.\d{{1,3}})?)/(\d{{1,9}})(?![\d/]|\.\d)")
def _slash(found: re.Match[str]) -> str:
    """A day after a word of time, a mark out of ten, or a fraction."""
    before, top, bottom = found.groups()
    if (top, bottom) in _IDIOMS:
        return f"{before}{english_integer(top)} {english_integer(bottom)}"
    if "." not in top and is_date(top, bottom) and (before or int(bottom) > 12):
        return before + month_and_day(top, bottom)
    if "." in top or int(bottom) in (10, 100) or int(top) >= int(bottom) or len(bottom) > 2:
        return f"{before}{english_number(top)} out of {english_number(bottom)}"
    return before + _fraction(top, bottom)


def _fraction(top: str, bottom: str) -> str:
    one, many = _FRACTIONS.get(bottom) or (english_ordinal(bottom), f"{english_ordinal(bottom)}s")
    return f"{english_integer(top)} {one if top == '1' else many}"


# Numerals, signs of numbers, and numbers that nothing is known of.

_names = Rules()


@_names.reads(rf"{_CROWNED}([IVX]{{1,5}})\b{_VERB}")
def _crowned(found: re.Match[str]) -> str:
    return f"{found[1]}the {english_ordinal(str(roman_value(found[2])))}"


@_names.reads(rf"{_NUMBERED}([IVX]{{1,6}})\b", rf"(){ROMAN}")
def _roman(found: re.Match[str]) -> str:
    return found[1] + english_integer(str(roman_value(found[2])))


_plain_numbers = Rules()
_plain_numbers.says("number ", r"(?:#|\b[Nn]os?\.\s?)(?=\d)")
_plain_numbers.says("minus ", rf"{NEGATIVE}(?=\d)")
_plain_numbers.says(", ", r"(?<=\d)\s(?=\d)")


@_plain_numbers.reads(NUMBER)
def _plain(found: re.Match[str]) -> str:
    if not is_identifier(found[0]):
        return _apart(found, english_number(found[0]))
    whole, _, fraction = found[0].partition(".")
    return _apart(found, english_digits(whole) + (f" point {english_digits(fraction)}" if fraction else ""))


def _apart(found: re.Match[str], said: str) -> str:
    """The words with a space where a letter stands next to them."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() : found.end() + 1]
    return " " * before.isalpha() + said + " " * after.isalpha()


def read_english(text: str) -> str:
    """The text with every figure in English words; holds no digit afterwards."""
    if not FIGURE.search(text):
        return text
    for rules in (_identifiers, read_calendar, _figures, read_years, _names, _plain_numbers):
        text = rules(text)
    return text
