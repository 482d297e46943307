"""Evaluation: how well questions were answered, from what became of each; pure arithmetic."""

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from memory.numerals import digits
from memory.passages import PATH_SEPARATOR, Passage
from memory.question_sets import Case
from memory.script import IDEOGRAPH

DEPTHS: Final = (1, 3, 5)
"""How many of the first passages recall is measured over."""
HELD_OUT: Final = "held-out"
CROSS_LANGUAGE: Final = "cross-language"
"""The groups of questions that are told apart from the others."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a whole turn made of a question."""

    refused: bool
    holds_facts: bool
    """The reply says all that the case asks for."""
    sources: tuple[str, ...]
    """The files of its citations, one entry a citation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What search, and a turn where there was one, made of a question."""

    case: Case
    refused: bool
    rank: int | None
    """Where search ranks the first passage of the right file that holds all facts, from 1; None where it has none."""
    given: bool
    """Such a passage was given to answer from."""
    coverage: float
    similarity: float | None
    seconds: float
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Refusals:
    """How well what cannot be answered was told from what can; each None where it has nothing to measure."""

    precision: float | None
    """Of the questions that were refused, how many cannot be answered."""
    recall: float | None
    """Of the questions that cannot be answered, how many were refused."""
    f1: float | None
    """The harmonic mean of the two."""


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """How well turns did; each None where it has nothing to measure."""

    facts: float | None
    """Of the answerable questions, how many replies say all facts."""
    citation_precision: float | None
    """Of the citations in replies to answerable questions, how many are of the right file."""
    citation_recall: float | None
    """Of the answerable questions, how many replies cite the right file."""
    refusals: Refusals


@dataclass(frozen=True, slots=True)
class Figures:
    """How well a group of questions did; each share is from 0 to 1, and None where it has nothing to measure."""

    questions: int
    answerable: int
    recall: dict[int, float | None]
    """For each depth: of the answerable questions, for how many search ranks a passage with all facts so high."""
    given: float | None
    """Of the answerable questions, how many were given such a passage to answer from: ranked, and not refused."""
    mrr: float | None
    """Mean reciprocal rank over the answerable questions; 0 where no passage has the facts."""
    refusals: Refusals
    p50: float
    """The median of the seconds that search took."""
    p95: float
    answers: AnswerFigures | None = None
    """None where no turns were had."""


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """The figures of a group of questions, of one at least."""
    answerable = [outcome for outcome in outcomes if outcome.case.answerable]
    ranks = [outcome.rank for outcome in answerable]
    waits = [outcome.seconds for outcome in outcomes]
    return Figures(
        questions=len(outcomes),
        answerable=len(answerable),
        recall={depth: _share(rank is not None and rank <= depth for rank in ranks) for depth in DEPTHS},
        given=_share(outcome.given for outcome in answerable),
        mrr=_mean([1 / rank if rank else 0.0 for rank in ranks]),
        refusals=refusals((outcome.refused, outcome.case.answerable) for outcome in outcomes),
        p50=percentile(waits, 0.5),
        p95=percentile(waits, 0.95),
        answers=_answers([(one.case, one.answer) for one in outcomes if one.answer is not None]),
    )


def grouped(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes by language and over all: first those that may be tuned on, then those held out, then those across
    languages; groups without any are left out."""
    found: dict[str, list[Outcome]] = {}
    for part in ("", HELD_OUT, CROSS_LANGUAGE):
        inside = [outcome for outcome in outcomes if _part(outcome.case) == part]
        for language in ("en", "zh", "all"):
            group = [outcome for outcome in inside if language in (outcome.case.language, "all")]
            found |= {f"{part} {language}".strip(): group} if group else {}
    return found


def refusals(judged: Iterable[tuple[bool, bool]]) -> Refusals:
    """From whether each question was refused, and whether it can be answered."""
    pairs = list(judged)
    precision = _share(not answerable for refused, answerable in pairs if refused)
    recall = _share(refused for refused, answerable in pairs if not answerable)
    if recall is None:
        return Refusals(precision, None, None)
    total = (precision or 0.0) + recall
    return Refusals(precision, recall, 2 * (precision or 0.0) * recall / total if total else 0.0)


def rank_of(case: Case, passages: Sequence[Passage]) -> int | None:
    """The place, from 1, of the first passage of the right file and heading that holds all facts."""
    found = (rank for rank, passage in enumerate(passages, 1) if _is_right(case, passage))
    return next(found, None)


def holds(text: str, facts: Collection[str]) -> bool:
    """Whether a text says all of these word for word; line breaks and the writing of numbers make no difference."""
    said = _plain(text)
    return bool(facts) and all(_says(said, _plain(fact)) for fact in facts)


def is_source(path: str, source: str) -> bool:
    """Whether a path is that of a file that was named by the end of its path."""
    wanted = PurePath(source).parts
    return bool(wanted) and PurePath(path).parts[-len(wanted) :] == wanted


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank: the smallest value that at least this share of them do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else 0.0


def _answers(answered: Sequence[tuple[Case, Answer]]) -> AnswerFigures | None:
    if not answered:
        return None
    wanted = [(case, answer) for case, answer in answered if case.answerable]
    cited = [[is_source(source, case.source) for source in answer.sources] for case, answer in wanted]
    return AnswerFigures(
        facts=_share(answer.holds_facts for _, answer in wanted),
        citation_precision=_share(right for one in cited for right in one),
        citation_recall=_share(any(one) for one in cited),
        refusals=refusals((answer.refused, case.answerable) for case, answer in answered),
    )


def _part(case: Case) -> str:
    if case.cross_language:
        return CROSS_LANGUAGE
    return HELD_OUT if case.held_out else ""


def _is_right(case: Case, passage: Passage) -> bool:
    headings = (passage.heading, passage.heading.rpartition(PATH_SEPARATOR)[2])
    placed = not case.heading or case.heading in headings
    return placed and is_source(passage.source, case.source) and holds(passage.text, case.facts)


def _plain(text: str) -> str:
    """Numbers in digits, one space where there is any, and none beside an ideograph."""
    return _LOOSE.sub("", " ".join(digits(unicodedata.normalize("NFKC", text)).split()))


def _says(text: str, fact: str) -> bool:
    """Whether it stands there as a whole: "5 days" does not stand in "25 days", nor in "2.5 days"."""
    before = r"(?<![a-z\d])(?<!\d[.,])" if re.match(r"[a-z\d]", fact) else ""
    after = r"(?![a-z\d])" if re.search(r"[a-z\d]$", fact) else ""
    return bool(re.search(before + re.escape(fact) + after, text))


def _share(judged: Iterable[bool]) -> float | None:
    return _mean([float(one) for one in judged])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


_LOOSE: Final = re.compile(rf"(?<={IDEOGRAPH}) | (?={IDEOGRAPH})")
