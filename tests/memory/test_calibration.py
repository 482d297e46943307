"""Lines between answering and refusing, on questions whose best line can be seen."""

import pytest

from memory.calibration import coverage_line, similarity_line
from memory.evaluation import Outcome
from memory.question_sets import Case

ANSWERABLE, UNANSWERABLE = Case("?", "en", ("fact",), "a.md"), Case("?", "en")


def outcome(case: Case, coverage: float = 0.0, similarity: float | None = None) -> Outcome:
    return Outcome(case, False, None, False, coverage, similarity, 0.0)


def test_a_line_that_parts_all_stands_in_the_middle_of_the_gap() -> None:
    asked = [outcome(UNANSWERABLE, 0.2), outcome(UNANSWERABLE, 0.4), outcome(ANSWERABLE, 0.8), outcome(ANSWERABLE, 1.0)]
    line = coverage_line(asked, 0.9, None)
    assert line is not None
    # Lines from 0.41 to 0.80 part them. With the line at 0.9, three are refused of which two rightly: F1 is 0.8.
    assert (line.cut, line.f1) == (0.6, 1.0)
    assert line.before == pytest.approx(0.8)


def test_what_cannot_be_parted_is_parted_as_well_as_can_be() -> None:
    # Refusing the lowest alone: precision 1, recall 1/2, F1 2/3; the lowest three: 2/3 and 1, F1 0.8; all: 1/2, 1, 2/3.
    asked = [outcome(UNANSWERABLE, 0.2), outcome(ANSWERABLE, 0.4), outcome(UNANSWERABLE, 0.6), outcome(ANSWERABLE, 0.8)]
    line = coverage_line(asked, 0.5, None)
    assert line is not None
    assert line.f1 == pytest.approx(0.8)
    assert 0.6 < line.cut <= 0.8


def test_what_the_other_line_lets_through_is_not_refused() -> None:
    asked = [outcome(UNANSWERABLE, 0.1, 0.2), outcome(ANSWERABLE, 0.1, 0.7), outcome(ANSWERABLE, 0.9, 0.1)]
    line = similarity_line(asked, 0.5, 0.1)
    assert line is not None
    # Lines from 0.21 to 0.70 part them; the third is answered for its coverage.
    assert (line.cut, line.f1, line.before) == (0.45, 1.0, 0.0)
    covered = coverage_line(asked, 0.5, 0.6)
    assert covered is not None
    assert (covered.f1, covered.before) == (1.0, 1.0)


@pytest.mark.parametrize("case", [ANSWERABLE, UNANSWERABLE])
def test_one_kind_of_question_tells_no_lines_apart(case: Case) -> None:
    assert coverage_line([outcome(case, 0.5)], 0.5, None) is None
    assert similarity_line([outcome(case, 0.5, 0.5)], 0.5, 0.5) is None
