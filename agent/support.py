"""Whether the sentences of a reply are borne out: every number and name in them must stand in what it rests on."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from memory.numerals import digits

_SENTENCE = re.compile(r"[^。！？!?\n]+?(?:[。！？]+|[.!?]+(?=\s|$)|\n|$)")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<![.!?:\"“‘'(\[]\s)(?<!^)(?<!\w)[A-Z][a-zA-Z]+(?:\s+[A-Z][a-zA-Z]+)*")
_TITLED = re.compile(r"《([^》]+)》")
_MARK = re.compile(r"\[\d{1,3}\]")
_SMALL: Final = frozenset(map(str, range(4)))
"""Numbers that a sentence may count with: one answer, two ways."""
_COMMON: Final = frozenset(
    {"i", "ok", "yes", "no", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
    | {"january", "february", "march", "april", "may", "june", "july", "august", "september", "october"}
    | {"november", "december", "english", "chinese"}
)


def unsupported(reply: str, given: Iterable[str]) -> tuple[str, ...]:
    """The sentences of a reply with a number or a name that stands nowhere in what was given, in order.

    Numbers count by value, in digits or words of either language; names are capitalised words within an English
    sentence, and titles in 《》.
    """
    known = _folded(" ".join(given))
    numbers = set(_numbers(known))
    return tuple(
        sentence
        for sentence in sentences(_MARK.sub("", reply))
        if not set(_numbers(_folded(sentence))) - _SMALL <= numbers
        or not all(name in known for name in _names(sentence))
    )


def sentences(text: str) -> Sequence[str]:
    """The sentences of a text in either language, without the space around them."""
    return [found for raw in _SENTENCE.findall(text) if (found := raw.strip())]


def _numbers(folded: str) -> list[str]:
    return [_value(number) for number in _NUMBER.findall(folded)]


def _value(number: str) -> str:
    """A number without separators of thousands and without zeros that say nothing."""
    bare = re.sub(r",(?=\d{3}(?:\D|$))", "", number)
    return bare.rstrip("0").rstrip(".") if "." in bare and ":" not in bare else bare.lstrip("0") or "0"


def _names(sentence: str) -> list[str]:
    words = [word.casefold() for name in _NAME.findall(sentence) for word in name.split()]
    titles = [_folded(title) for title in _TITLED.findall(sentence)]
    return [word for word in words if word not in _COMMON] + titles


def _folded(text: str) -> str:
    """NFKC, small letters, numbers in digits."""
    return digits(unicodedata.normalize("NFKC", text).casefold())
