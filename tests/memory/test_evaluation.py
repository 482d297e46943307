"""The figures against tables worked out by hand."""

import pytest

from memory.evaluation import (
    Answer,
    Outcome,
    Refusals,
    figures,
    grouped,
    holds,
    is_source,
    percentile,
    rank_of,
    refusals,
)
from memory.passages import Passage
from memory.question_sets import Case

FACT = Case("How many days?", "en", ("25 days",), "handbook.md")
NO_FACT = Case("Who is the king?", "en")


def outcome(case: Case, *, refused: bool = False, rank: int | None = None, answer: Answer | None = None) -> Outcome:
    return Outcome(case, refused, rank, rank is not None and not refused, 0.0, None, 0.01, answer)


def passage(text: str, *, source: str = "/d/handbook.md", heading: str = "Leave › Annual leave") -> Passage:
    return Passage(1, "default", "Handbook", source, heading, text, 0, len(text), 1.0)


def test_recall_and_reciprocal_rank() -> None:
    # Ranks 1, 2, 4, none: recall@1 is 1/4, @3 is 2/4, @5 is 3/4; the mean of 1, 1/2, 1/4 and 0 is 7/16.
    found = figures([outcome(FACT, rank=rank) for rank in (1, 2, 4, None)] + [outcome(NO_FACT, refused=True)])
    assert (found.questions, found.answerable) == (5, 4)
    assert found.recall == {1: 0.25, 3: 0.5, 5: 0.75}
    assert found.mrr == 7 / 16
    assert found.given == 3 / 4


def test_what_is_ranked_and_refused_is_not_given() -> None:
    found = figures([outcome(FACT, rank=1), outcome(FACT, rank=1, refused=True), outcome(NO_FACT)])
    assert found.recall[1] == 1.0
    assert found.given == 1 / 2


def test_refusals() -> None:
    # Refused: 3 of 4 that cannot be answered and 2 that can: precision 3/5, recall 3/4, F1 2·(9/20)/(27/20) = 2/3.
    judged = [(True, False)] * 3 + [(False, False)] + [(True, True)] * 2 + [(False, True)] * 4
    found = refusals(judged)
    assert (found.precision, found.recall) == (3 / 5, 3 / 4)
    assert found.f1 == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        ([], Refusals(None, None, None)),
        ([(False, True)], Refusals(None, None, None)),
        ([(True, True)], Refusals(0.0, None, None)),
        ([(False, False)], Refusals(None, 0.0, 0.0)),
        ([(True, True), (False, False)], Refusals(0.0, 0.0, 0.0)),
        ([(True, False), (False, True)], Refusals(1.0, 1.0, 1.0)),
    ],
)
def test_where_there_is_nothing_to_measure_there_is_no_figure(
    judged: list[tuple[bool, bool]], expected: Refusals
) -> None:
    assert refusals(judged) == expected


def test_answers_and_their_citations() -> None:
    # Four answerable questions; five citations, three of them of the right file, in two replies.
    answers = [
        Answer(False, True, ("/d/handbook.md", "/d/other.md")),
        Answer(False, True, ("/d/handbook.md", "/d/handbook.md")),
        Answer(False, False, ("/d/other.md",)),
        Answer(True, False, ()),
    ]
    asked = [outcome(FACT, answer=answer) for answer in answers]
    found = figures([*asked, outcome(NO_FACT, answer=Answer(True, False, ()))]).answers
    assert found is not None
    assert (found.facts, found.citation_precision, found.citation_recall) == (2 / 4, 3 / 5, 2 / 4)
    assert (found.refusals.precision, found.refusals.recall) == (1 / 2, 1.0)


def test_without_turns_there_are_no_figures_of_answers() -> None:
    assert figures([outcome(FACT, rank=1)]).answers is None


@pytest.mark.parametrize(
    ("share", "expected"),
    # Nearest rank of 15, 20, 35, 40, 50, as NIST's handbook and Wikipedia's example have it.
    [(0.05, 15), (0.30, 20), (0.40, 20), (0.50, 35), (1.00, 50)],
)
def test_percentiles_by_nearest_rank(share: float, expected: int) -> None:
    assert percentile([50, 15, 40, 20, 35], share) == expected


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 0.5) == 0


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Everyone gets 25\ndays of leave.", "25 days"),
        ("Everyone gets twenty-five days.", "25 days"),
        ("每年享有 25 天\n年假。", "25天年假"),
        ("每年二十五天", "25天"),
        ("It costs 1,500 euros.", "1500 Euros"),
        ("Write to phishing@example.org.", "phishing@"),
        ("8%的年薪", "8%"),
    ],
)
def test_a_text_holds_a_fact(text: str, fact: str) -> None:
    assert holds(text, [fact])


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Everyone gets 125 days.", "25 days"),
        ("Everyone gets 2.25 days.", "25 days"),
        ("The party begins.", "art"),
        ("共125天", "25天"),
        ("twenty-five days", "20 days"),
    ],
)
def test_a_text_does_not_hold_what_is_only_a_part_of_it(text: str, fact: str) -> None:
    assert not holds(text, [fact])


def test_all_facts_must_be_there_and_no_facts_are_not() -> None:
    assert not holds("25 days", ["25 days", "two weeks"])
    assert not holds("25 days", [])


@pytest.mark.parametrize(
    ("path", "source", "same"),
    [
        ("/home/ann/docs/handbook.md", "handbook.md", True),
        ("/home/ann/docs/handbook.md", "docs/handbook.md", True),
        ("/home/ann/docs/handbook.md", "book.md", False),
        ("/home/ann/docs/handbook.md", "", False),
        ("handbook.md", "docs/handbook.md", False),
    ],
)
def test_a_file_is_named_by_the_end_of_its_path(path: str, source: str, same: bool) -> None:
    assert is_source(path, source) is same


def test_the_rank_is_that_of_the_first_passage_that_is_right_in_all() -> None:
    right = passage("25 days of leave")
    wrong = [passage("25 days", source="/d/other.md"), passage("18 weeks"), passage("25 days", heading="Sick leave")]
    case = Case("?", "en", ("25 days",), "handbook.md", "Annual leave")
    assert rank_of(case, [*wrong, right, right]) == 4
    assert rank_of(Case("?", "en", ("25 days",), "handbook.md", "Leave › Annual leave"), [right]) == 1
    assert rank_of(Case("?", "en", ("25 days",), "handbook.md"), wrong) == 3
    assert rank_of(case, wrong) is None


def test_groups_keep_apart_what_was_held_out_and_what_crosses_languages() -> None:
    cases = [
        FACT,
        Case("多少天？", "zh", ("25天",), "手册.md"),
        Case("?", "en", held_out=True),
        Case("?", "zh", ("25 days",), "handbook.md", held_out=True, cross_language=True),
    ]
    found = {name: len(group) for name, group in grouped([outcome(case) for case in cases]).items()}
    assert found == {
        "en": 1,
        "zh": 1,
        "all": 2,
        "held-out en": 1,
        "held-out all": 1,
        "cross-language zh": 1,
        "cross-language all": 1,
    }
