"""Demands: what a question asks a passage to say, each with the words that would say it; knows no passage."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from memory.answer_kinds import AnswerKind, asked_kinds
from memory.concepts import concepts
from memory.lexical import normalised, stem
from memory.script import IDEOGRAPH
from memory.stopwords import ASKING, CHARACTERS, FILLERS, LIGHT, LIGHT_CHARACTERS, PHRASES, WORDS

LIGHT_WEIGHT: Final = 0.25
"""What a word counts that goes with any subject ("go", "show"), beside one that tells of it."""
NUMBER_WEIGHT: Final = 0.7
"""What a bare number counts: that of the answer may well be another."""
NAME_WEIGHT: Final = 1.6
"""What a code or the number of a thing counts: error E9 is not E8, and platform 3 is not platform 2."""
SINGLE_WEIGHT: Final = 0.6
"""What an ideograph counts that stands alone between function words."""
HALF_WEIGHT: Final = 0.5
"""What each ideograph of a longer word counts, which two of them make."""

Kind = Literal["word", "name"]


@dataclass(frozen=True, slots=True)
class Demand:
    """One part of a question."""

    text: str
    words: tuple[str, ...]
    """What says it, as `flat` writes texts: any of them will do."""
    weight: float
    kind: Kind = "word"
    """A "name" is a code or number that no other can stand for."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question, taken apart."""

    demands: tuple[Demand, ...]
    runs: tuple[str, ...]
    """Runs of two and more ideographs that no known word explains; what they demand, the passages' own words tell."""
    kinds: tuple[AnswerKind, ...] = ()
    """What kinds of thing it wants."""
    focus: Demand | None = None
    """What a "which" or "how many" asks to be chosen from or counted."""


def flat(text: str) -> str:
    """A text as a row of stems and runs of ideographs, parted by spaces, also at both ends; "8:40" stays one."""
    runs = _RUN.findall(_joined(normalised(text)))
    return f" {' '.join(run if _IDEOGRAPHS.match(run) else stem(run) for run in runs)} "


def says(flattened: str, word: str) -> bool:
    """Whether a flat text holds a word or phrase: ideographs anywhere, others as a whole."""
    before = "" if _IDEOGRAPHS.match(word) else " "
    after = "" if _IDEOGRAPHS.match(word[-1]) else " "
    return f"{before}{word}{after}" in flattened


def lookup(word: str) -> str:
    """The same word as a phrase of the lexicon, where ideographs stand in pairs and "8:40" in two."""
    return " ".join(_terms(word))


def pieces_of(run: str) -> tuple[str, ...]:
    """The ideographs of a run, and their pairs."""
    return (*run, *(run[at : at + 2] for at in range(len(run) - 1)))


def take_apart(question: str) -> Inquiry:
    """What a question demands, without the words that only ask."""
    text = _joined(normalised(question))
    demands: dict[str, Demand] = {}
    runs: list[str] = []
    tokens = _RUN.findall(_ASKING.sub(" ", _MEASURED.sub(" ", _IDENTIFIER_ZH.sub(r" \1zz号\2 ", text))))
    at = 0
    while at < len(tokens):
        if _IDEOGRAPHS.match(tokens[at]):
            found, rest = _ideographs(tokens[at])
            runs += rest
            length = 1
        else:
            found, length = _words(tokens, at)
        demands |= {demand.text: demand for demand in found if demand.text not in demands}
        at += length
    kinds = asked_kinds(normalised(question))
    focus = _focus(text, kinds, demands)
    return Inquiry(tuple(demands.values()), tuple(runs), kinds, focus)


def _words(tokens: Sequence[str], at: int) -> tuple[list[Demand], int]:
    """The demand that begins with this token, if any, and how many tokens it takes."""
    spelt = _spelt(tokens, at)
    if len(spelt) > 1:
        number = "".join(spelt)
        return [Demand(number, (number, " ".join(spelt)), NAME_WEIGHT, "name")], len(spelt)
    for size in range(min(4, len(tokens) - at), 1, -1):
        phrase = " ".join(stem(token) for token in tokens[at : at + size])
        if phrase in concepts():
            return [Demand(phrase, concepts()[phrase], 1.0)], size
    token, word = tokens[at], stem(tokens[at])
    if token.endswith("zz") and token[:-2].isdigit():
        number, thing = token[:-2], tokens[at + 1]
        return [Demand(f"{number}{thing}", (f"{number} {thing}",), NAME_WEIGHT, "name")], 2
    if token in WORDS or token in FILLERS:
        return [], 1
    if token.isdigit():
        return _number(tokens, at)
    if _CODE.fullmatch(token):
        return [Demand(word, (word,), NAME_WEIGHT, "name")], 1
    return [Demand(word, concepts().get(word, (word,)), LIGHT_WEIGHT if token in LIGHT else 1.0)], 1


def _number(tokens: Sequence[str], at: int) -> tuple[list[Demand], int]:
    """A number by itself, or with the word whose number it is, as in "version 4" and "class 6 b"."""
    number = tokens[at]
    if not _names(tokens, at):
        return [Demand(number, (number,), NUMBER_WEIGHT)], 1
    before = stem(tokens[at - 1])
    letter = tokens[at + 1] if at + 1 < len(tokens) and re.fullmatch("[b-z]", tokens[at + 1]) else ""
    endings = dict.fromkeys((f"{number}{letter}", f"{number} {letter}".strip()))
    words = tuple(f"{word} {ending}" for word in concepts().get(before, (before,)) for ending in endings)
    return [Demand(number + letter, words, NAME_WEIGHT, "name")], 2 if letter else 1


def _spelt(tokens: Sequence[str], at: int) -> list[str]:
    """The digits of a number that is spoken one by one with an "oh" among them: "two oh four"."""
    digits = []
    for token in tokens[at:]:
        if token != "oh" and not re.fullmatch(r"\d", token):
            break
        digits.append("0" if token == "oh" else token)
    return digits if "oh" in tokens[at : at + len(digits)] and digits[0] != "0" else []


def _names(tokens: Sequence[str], at: int) -> bool:
    """Whether a number is part of a name, as in "version 4" or "class 6 b", and counts nothing."""
    before = tokens[at - 1] if at else ""
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    named = before.isalpha() and not _IDEOGRAPHS.match(before) and before not in WORDS | LIGHT
    return named and (not after or len(after) == 1 or after in WORDS or after in LIGHT or after in FILLERS)


def _ideographs(run: str) -> tuple[list[Demand], list[str]]:
    """The known words of a run, the longest first, and what is left between them and function words."""
    found: list[Demand] = []
    left: list[str] = []
    for begin, end in _cut(run):
        word = run[begin:end]
        if len(word) > 1 and word in _known():
            found.append(Demand(word, concepts().get(word, (word,)), LIGHT_WEIGHT if word in LIGHT else 1.0))
            continue
        for piece in _CONTENT.finditer(word):
            if len(piece[0]) == 1:
                found.append(_single(run, begin + piece.start()))
            else:
                left.append(piece[0])
    return found, left


def _cut(run: str) -> Iterator[tuple[int, int]]:
    """Where known words begin and end, the longest first and none overlapping, and what lies between them."""
    for size in range(min(LONGEST, len(run)), 1, -1):
        for at in range(len(run) - size + 1):
            if run[at : at + size] in _known():
                yield from _cut(run[:at])
                yield at, at + size
                yield from ((at + size + begin, at + size + end) for begin, end in _cut(run[at + size :]))
                return
    if run:
        yield 0, len(run)


def _single(run: str, at: int) -> Demand:
    """An ideograph that is left alone: by itself, in its meaning, or as the end of a word that is not known."""
    around = (run[max(at - 1, 0) : at + 1], run[at : at + 2])
    pairs = tuple(pair for pair in around if len(pair) == 2 and not set(pair) & (CHARACTERS | LIGHT_CHARACTERS))
    weight = 1.0 if not pairs and run[at] in concepts() else SINGLE_WEIGHT
    return Demand(run[at], (*concepts().get(run[at], (run[at],)), *pairs), weight)


@cache
def _known() -> frozenset[str]:
    return frozenset(concepts()) | LIGHT


def _focus(text: str, kinds: Sequence[AnswerKind], demands: dict[str, Demand]) -> Demand | None:
    """What is to be counted or chosen from; what only names the kind of answer is no demand: no date says "day"."""
    asked = _FOCUS.search(text)
    if asked is None:
        return None
    if any(kind.covers(text, asked.span(1)) for kind in kinds):
        demands.pop(stem(asked[1]), None)
        return None
    return demands.get(stem(asked[1]))


def _terms(word: str) -> Iterator[str]:
    for run in _RUN.findall(_DECIMAL.sub(" ", word)):
        if _IDEOGRAPHS.match(run) and len(run) > 1:
            yield from (run[at : at + 2] for at in range(len(run) - 1))
        else:
            yield run


def _joined(text: str) -> str:
    return _POINT.sub("p", text)


LONGEST: Final = max(len(word) for word in concepts() if re.match(IDEOGRAPH, word))
"""Ideographs in the longest known word."""
_RUN: Final = re.compile(rf"{IDEOGRAPH}+|(?:(?!{IDEOGRAPH})[^\W_])+")
_IDEOGRAPHS: Final = re.compile(rf"{IDEOGRAPH}+")
_POINT: Final = re.compile(r"(?<=\d)[.,:](?=\d)")
_DECIMAL: Final = re.compile(r"(?<=\d)p(?=\d)")
_CODE: Final = re.compile(r"(?=.*\d)(?!\d+p\d+)(?=.*[a-z])[a-z\d]+")
_IDENTIFIER_ZH: Final = re.compile(r"(?<![月\d])(\d+)号(?!码)([楼线门厅馆桌院店车机床场站库仓室位房柜栋]?)")
_CONTENT: Final = re.compile(f"[^{''.join(CHARACTERS | LIGHT_CHARACTERS)}]+")
_COUNTER: Final = r"(?<=[一几每两多少\d])[棵条张件台只本辆支份套双家次位名个间层栋头把]"
_HOW: Final = "old|tall|deep|wide|heavy|hot|cold|thick|loud|warm|soon|often|quickly|fast|far|high|big|large|early|late"
_MEASURED: Final = re.compile(rf"{_COUNTER}|\bhow (?:{_HOW})\b")
_FOCUS: Final = re.compile(r"\b(?:which|what|how many|how much) ([a-z]+)\b(?! of\b)")
_ASKING: Final = re.compile("|".join(sorted({*ASKING, *PHRASES}, key=len, reverse=True)))
