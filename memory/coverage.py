"""Coverage: how much of what a question asks about one passage holds; pure arithmetic over terms."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from memory.lexical import Question, explained_by
from memory.stopwords import CHARACTERS


@dataclass(frozen=True, slots=True)
class _Demand:
    """One part of a question, and the terms any of which meets it."""

    weight: float
    terms: frozenset[str]


class Coverage:
    """Scores passages against one question, by the terms' rarity among the passages that are searched."""

    def __init__(
        self,
        question: Question,
        frequency: Mapping[str, int],
        passages: int,
        wants: Iterable[tuple[frozenset[str], float]] = (),
    ) -> None:
        """`frequency` says in how many of the `passages` a term of the question stands. `wants` are more parts of the
        question, each with the terms any of which meets it, and the share that it has of the rarest one's weight.
        """

        def rarity(term: str) -> float:
            seen = frequency.get(term, 0)
            return math.log(1 + max(passages - seen + 0.5, 0.0) / (seen + 0.5))

        self._demands = (
            *(_Demand(share * min(map(rarity, terms)), terms) for terms, share in wants),
            *(_Demand(rarity(word), frozenset({word})) for word in question.words),
            *(demand for run in question.runs for demand in _demands(run, frequency, rarity)),
        )
        self._total = sum(demand.weight for demand in self._demands)

    def of(self, terms: Collection[str]) -> float:
        """The share of the question's weight that a passage with these terms holds, 0 to 1."""
        if not self._total:
            return 0.0
        held = sum(demand.weight for demand, met in zip(self._demands, self.met(terms), strict=True) if met)
        return held / self._total

    def met(self, terms: Collection[str]) -> tuple[bool, ...]:
        """Which parts of the question a passage with these terms holds."""
        return tuple(any(term in terms for term in demand.terms) for demand in self._demands)


def _demands(run: str, frequency: Mapping[str, int], rarity: Callable[[str], float]) -> Iterator[_Demand]:
    """What each ideograph of a run demands of a passage.

    Chinese is not segmented: an ideograph is met by any known pair around it, so a pair across two words does no harm.
    Neighbours that no word explains are a word that no passage has; one alone may be a word by itself.
    """
    explained = explained_by(run, frequency)
    strange = [not known and character not in CHARACTERS for character, known in zip(run, explained, strict=True)]
    for at, character in enumerate(run):
        around = (run[max(at - 1, 0) : at + 1], run[at : at + 2])
        known = frozenset(pair for pair in around if len(pair) == 2 and frequency.get(pair))
        if character in CHARACTERS:
            continue
        if strange[at] and (any(strange[max(at - 1, 0) : at]) or any(strange[at + 1 : at + 2])):
            yield _Demand(rarity(""), frozenset())
        elif known:
            yield _Demand(min(rarity(pair) for pair in known), known)
        else:
            yield _Demand(rarity(character), frozenset({character}))
