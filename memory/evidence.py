"""Evidence: how far a passage says what a question asks, sentence by sentence; pure arithmetic over words."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

from memory.concepts import concepts
from memory.demands import HALF_WEIGHT, Demand, Inquiry, flat, lookup, says
from memory.lexical import explained_by, normalised
from memory.sentences import sentences

T = TypeVar("T")

CONTEXT: Final = 0.9
"""What a word counts that stands in the title or a heading, beside one in the sentence that answers."""
BESIDE: Final = 0.75
"""In the sentence before or after."""
OPENING: Final = 0.6
"""In the first passage of the document, which says what all of it is about."""
ELSEWHERE: Final = 0.5
"""Elsewhere in the passage."""
UNMET: Final = 0.7
"""What a passage counts for each word that it does not say at all, beside what that word weighs for its rarity."""
FAR_AWAY: Final = 0.6
"""What a sentence counts of which only the document's title says what is asked, not it or its heading."""
UNFOCUSED: Final = 0.65
"""Without the thing that is to be counted or chosen from."""
UNKIND: Final = 0.6
"""Without anything of the kind that is asked for: a price, a time, a person."""
NEAR_KIND: Final = 0.9
"""Where only the sentence before or after names one."""


@dataclass(frozen=True, slots=True)
class _Weighed:
    demand: Demand
    weight: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, ready to be looked into."""

    text: str
    normal: str
    flat: str


class Evidence:
    """Judges passages against one question, by how rare its words are among the passages that are searched."""

    def __init__(self, inquiry: Inquiry, frequency: Mapping[str, int], pairs: Mapping[str, int], passages: int) -> None:
        """In how many of the `passages` a demand is met, by its text; and so for what stands in the inquiry's runs."""

        def rarity(seen: int) -> float:
            return math.log(1 + max(passages - seen + 0.5, 0.0) / (seen + 0.5))

        self._inquiry = inquiry
        self._weighed = [
            *(_Weighed(one, one.weight * rarity(frequency.get(one.text, 0))) for one in inquiry.demands),
            *(one for run in inquiry.runs for one in _of_run(run, pairs, rarity)),
        ]
        self._total = sum(one.weight for one in self._weighed)

    def glance(self, terms: Collection[str]) -> float:
        """The share of what is asked that stands anywhere in a passage with these terms: quick, and never too small."""
        met = (one for one in self._weighed if any(_stands(word, terms) for word in one.demand.words))
        return sum(one.weight for one in met) / self._total if self._total else 0.0

    def of(self, text: str, title: str, heading: str, opening: str) -> float:
        """How far a passage says what is asked, 0 to 1; `opening` is the first passage of its document."""
        return self.best(text, title, heading, opening)[0]

    def best(self, text: str, title: str, heading: str, opening: str) -> tuple[float, str]:
        """The same, and the sentence that says it; empty where none does."""
        if not self._total:
            return 0.0, ""
        pieces = _pieces(text)
        place = _Place(flat(title), flat(heading), _flat(opening))
        met = [_Met(one, pieces, place) for one in self._weighed]
        found = [(self._at(at, pieces, met), -at) for at in range(len(pieces))]
        score, place_of_best = max(found, default=(0.0, 0))
        return (score, pieces[-place_of_best].text) if score else (0.0, "")

    def _at(self, at: int, pieces: Sequence[_Piece], met: Sequence["_Met"]) -> float:
        """How far one sentence says it, with what stands over it and around it."""
        share = sum(one.weight * one.strength(at) for one in met) / self._total
        own = sum(one.weight for one in met if not one.titled)
        here = sum(one.weight for one in met if not one.titled and one.is_here(at))
        factor = FAR_AWAY + (1 - FAR_AWAY) * (here / own if own else 1.0)
        factor *= UNMET ** sum(one.demand.weight for one in met if not one.strength(at))
        if any(one.demand is self._inquiry.focus and one.strength(at) < BESIDE for one in met):
            factor *= UNFOCUSED
        return share * factor * self._kinds(pieces, at)

    def _kinds(self, pieces: Sequence[_Piece], at: int) -> float:
        """What a sentence counts for the kinds of answers that it names or lacks."""
        factors = [1.0]
        for kind in self._inquiry.kinds:
            if not kind.is_named(pieces[at].text, pieces[at].normal):
                near = any(kind.is_named(one.text, one.normal) for one in _around(pieces, at))
                factors.append(NEAR_KIND if near else UNKIND)
        return min(factors)


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands over a passage, flat."""

    title: str
    heading: str
    opening: str


class _Met:
    """How well the sentences of one passage meet one demand."""

    def __init__(self, weighed: _Weighed, pieces: Sequence[_Piece], place: _Place) -> None:
        self.demand, self.weight = weighed.demand, weighed.weight
        self.titled = self._says(place.title)
        """The document's title says it."""
        self._headed = self._says(place.heading)
        self._hits = [self._says(piece.flat) for piece in pieces]
        opened = not self.titled and not self._headed and self._says(place.opening)
        around = any(self._hits) and self.demand.kind != "name"
        self._least = max(CONTEXT * (self.titled or self._headed), OPENING * opened, ELSEWHERE * around)

    def strength(self, at: int) -> float:
        """What the sentence at that place counts for it, 0 to 1."""
        beside = self.demand.kind != "name" and any(_around(self._hits, at))
        return 1.0 if self._hits[at] else max(self._least, BESIDE * beside)

    def is_here(self, at: int) -> bool:
        """Whether the sentence, one beside it, or the heading says it."""
        return self._headed or self._hits[at] or any(_around(self._hits, at))

    def _says(self, flattened: str) -> bool:
        return any(says(flattened, word) for word in self.demand.words)


def _around(values: Sequence[T], at: int) -> Sequence[T]:
    return [*values[max(at - 1, 0) : at], *values[at + 1 : at + 2]]


def _stands(word: str, terms: Collection[str]) -> bool:
    return all(term in terms for term in lookup(word).split())


@lru_cache(maxsize=2048)
def _pieces(text: str) -> tuple[_Piece, ...]:
    return tuple(_Piece(piece, normalised(piece), flat(piece)) for piece in sentences(text))


@lru_cache(maxsize=256)
def _flat(opening: str) -> str:
    return flat(opening)


def _of_run(run: str, pairs: Mapping[str, int], rarity: Callable[[int], float]) -> Iterator[_Weighed]:
    """What each ideograph of a run demands.

    Chinese is not segmented: an ideograph is met by any known pair around it, so a pair across two words does no harm.
    Neighbours that no word explains are a word that no passage has, unless one has a meaning by itself.
    """
    explained = explained_by(run, pairs)
    for at, character in enumerate(run):
        known = tuple(
            pair for pair in (run[max(at - 1, 0) : at + 1], run[at : at + 2]) if pairs.get(pair, 0) * (len(pair) == 2)
        )
        words: tuple[str, ...] = (character,)
        seen = pairs.get(character, 0)
        if not explained[at] and not all(_around(explained, at)):
            words = concepts().get(character, ())
            seen = seen if words else 0
        elif known:
            words, seen = (*known, *concepts().get(character, ())), max(pairs[pair] for pair in known)
        demand = Demand(character, words, HALF_WEIGHT)
        yield _Weighed(demand, demand.weight * rarity(seen))
