"""Calibration: the line between what is answered and what is refused, where it does best on known questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from memory.evaluation import Outcome, refusals

STEPS: Final = tuple(step / 100 for step in range(1, 101))
"""The lines that are tried."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where a line does best."""

    cut: float
    """From here on a question is answered."""
    f1: float
    """Of refusals, with this line."""
    before: float
    """Of refusals, with the line in force."""


def coverage_line(outcomes: Sequence[Outcome], coverage: float, similarity: float | None) -> Line | None:
    """The best share of a question, the similarity in force given; None where nothing tells lines apart."""
    return _best([(one.coverage, _is_near(one, similarity), one.case.answerable) for one in outcomes], coverage)


def similarity_line(outcomes: Sequence[Outcome], coverage: float, similarity: float) -> Line | None:
    """The best cosine, the coverage in force given; None where nothing tells lines apart."""
    return _best(
        [(one.similarity or 0.0, one.coverage >= coverage, one.case.answerable) for one in outcomes], similarity
    )


def _is_near(outcome: Outcome, similarity: float | None) -> bool:
    return similarity is not None and (outcome.similarity or 0.0) >= similarity


def _best(measured: Sequence[tuple[float, bool, bool]], in_force: float) -> Line | None:
    """`measured`: for each question its value, whether it is answered anyway, and whether it can be answered."""

    def f1(cut: float) -> float:
        judged = [(value < cut and not anyway, answerable) for value, anyway, answerable in measured]
        return refusals(judged).f1 or 0.0

    if len({answerable for _, _, answerable in measured}) < 2:
        return None
    scores = [f1(cut) for cut in STEPS]
    first, last = _plateau(scores, max(scores))
    return Line(STEPS[(first + last) // 2], max(scores), f1(in_force))


def _plateau(scores: Sequence[float], best: float) -> tuple[int, int]:
    """The first and last place of the longest stretch of the best score, where a line stands the safest."""
    stretches: list[tuple[int, int]] = []
    for at, score in enumerate(scores):
        if score == best:
            joins = stretches and stretches[-1][1] == at - 1
            stretches[-1:] = [(stretches[-1][0], at)] if joins else [*stretches[-1:], (at, at)]
    return max(stretches, key=lambda stretch: stretch[1] - stretch[0])
