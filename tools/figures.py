"""Figures: the shapes that numbers, dates and times take in text, shared by both languages; says none of them."""

import re
from collections.abc import Callable
from decimal import Decimal

from tools.units import PER, UNITS, alternatives

Say = Callable[[re.Match[str]], str]


class Rules:
    """What to say for what is found, rule by rule, in the order in which they are written down."""

    def __init__(self) -> None:
        self._rules: list[tuple[re.Pattern[str], Say]] = []

    def reads(self, *patterns: str) -> Callable[[Say], Say]:
        """Makes the function say what these patterns find."""

        def written_down(say: Say) -> Say:
            self._rules += [(re.compile(pattern), say) for pattern in patterns]
            return say

        return written_down

    def says(self, words: str, *patterns: str) -> None:
        """Makes words of what these patterns find."""
        self.reads(*patterns)(lambda _: words)

    def __call__(self, text: str) -> str:
        """The text after every rule."""
        for pattern, say in self._rules:
            text = pattern.sub(say, text)
        return text


BEGIN = r"(?<![A-Za-z0-9_])(?<![0-9][.,])"
"""No number starts in the middle of a word or of another number."""
NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,6}(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
NEGATIVE = r"(?:(?<![\w)])|(?<=[\u4e00-\u9fff]))[-−]"
MINUS = (
    r"(?:(?<=[\d²³)])|(?<=\s[a-z])|(?<=\d[a-z]))\s[-−]\s"
    r"(?=\d{0,4}[a-z]{1,2}(?![A-Za-z0-9])|\d{1,4}(?![\d.,:/-])\s?[=≈])"
)
"""A hyphen in a formula with letters."""
MINUS_LETTER = r"(?<![\w.)-])[-−](?=[a-z](?![A-Za-z0-9]))"
DASH = r"(?:\s?[-–—~−至到]\s?|\s+to\s+)"
"""Between the ends of a range."""
UNIT = f"(?:{alternatives(UNITS)})"
PER_UNIT = f"(?:/(?:{alternatives(PER)}))?(?![A-Za-z0-9²³])"
SYMBOL = r"(?:CN¥|JP¥|US\$|HK\$|NT\$|A\$|C\$|S\$|(?:CNY|RMB|USD|EUR|GBP|JPY|HKD|AUD|CAD|KRW|INR|CHF)\s?|[¥$€£₩₹₽฿₫₿])"
CODE = r"(?:CNY|RMB|USD|EUR|GBP|JPY|HKD|AUD|CAD|KRW|INR|CHF|[¥$€£₩₹₽฿₫₿])(?![A-Za-z0-9])"

RAISED = r"(?:[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,9}|\^[-−+]?\d{1,9})"
"""An exponent."""
CHAIN = r"(?<![A-Za-z0-9_.-])\d{1,9}(?:-\d{1,9}){2,6}(?![\d.]*\d)"
"""Three figures or more between hyphens: no range, no sum."""
VERSION = r"\d{1,6}(?:\.\d{1,6}){%d,8}"
"""A version with at least so many full stops."""
VERSIONED = (
    "(?:Python|Ubuntu|CUDA|Golang|Go|Rust|Ruby|Perl|PHP|Node|Django|Kubernetes|Linux|PyTorch|NumPy|Java|Swift|macOS|iOS|"
    "Android)"
)
"""Programs whose second figure is a number of its own: Python 3.11 is three point eleven."""

LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
"""Superscripts as plain figures."""

MAGNITUDES = {
    "K": 3, "k": 3, "M": 6, "m": 6, "B": 9, "b": 9, "T": 12, "bn": 9,
    "thousand": 3, "million": 6, "billion": 9, "trillion": 12,
}  # fmt: skip
MAGNITUDE = r"(?:thousand|million|billion|trillion|bn|[KkMmBbT])(?![A-Za-z0-9])"


ROMAN = r"(?<![A-Za-z&])(II|III|VII|VIII|IX|XII|XIII|XIV|XVI{0,3}|XIX|XXI?)(?![A-Za-z&])"
"""Numerals that are hardly anything else."""


FIGURE = re.compile(r"[0-9⁰¹²³⁴⁵⁶⁷⁸⁹IVX]")
"""Where there is none of these, there is no figure to read."""


def is_date(month: str, day: str) -> bool:
    """Whether a month and a day are in range."""
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def is_clock(hour: str, minute: str, second: str | None = None) -> bool:
    """Whether an hour, a minute and a second are in range."""
    return int(hour) <= 24 and int(minute) < 60 and int(second or 0) < 60


def scaled(number: str, magnitude: str) -> str:
    """The number with its magnitude as plain digits: "1.5", "M" -> 1500000."""
    value = Decimal(number.replace(",", "")).scaleb(MAGNITUDES[magnitude])
    return format(value.normalize(), "f")


def price(number: str) -> str:
    """A price without the zeros at its end: 12.50 -> 12.5, 8.00 -> 8."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def is_identifier(digits: str) -> bool:
    """Whether a number is too long for a quantity, or starts with a zero: said digit by digit."""
    whole = digits.partition(".")[0]
    if "," in whole:
        return False
    return (whole[0] == "0" and len(whole) > 1) or (len(whole) > 8 and not whole.endswith("0000"))


def is_year_range(low: str, high: str) -> bool:
    """Whether two digits after a year, as in 1990-91, are the year the range ends in; up to 12 they are a month."""
    return 12 < int(high) > int(low[2:])
