"""Short passages with their neighbours, against a document in which every span can be checked."""

import pytest

from memory.chunking import LONGEST
from memory.neighbours import widened
from memory.passages import Passage

TEXT = "One is here.\n\nTwo is there.\n\nTwo is there. Three is gone.\n\n\n\n\n\nFour is far."


def passages(*spans: tuple[int, int]) -> list[Passage]:
    return [
        Passage(number, "default", "Numbers", "n.md", "", TEXT[start:end], start, end, 0.0)
        for number, (start, end) in enumerate(spans, 1)
    ]


SECTION = passages((0, 12), (14, 27), (14, 58), (64, 76))


@pytest.mark.parametrize(
    ("at", "reach", "span"),
    [(0, 1, (0, 27)), (1, 1, (0, 58)), (0, 2, (0, 58)), (2, 2, (0, 58)), (3, 2, (64, 76)), (1, 0, (14, 27))],
)
def test_a_passage_is_read_with_its_neighbours(at: int, reach: int, span: tuple[int, int]) -> None:
    wide = widened(SECTION[at], SECTION, reach)
    assert (wide.start, wide.end) == span
    # Lines are joined with line breaks, as they were here.
    assert wide.text == TEXT[slice(*span)]
    alone = span == (SECTION[at].start, SECTION[at].end)
    assert wide.matched == (None if alone else (SECTION[at].start, SECTION[at].end))


def test_what_is_found_itself_is_read_by_itself() -> None:
    assert widened(SECTION[1], SECTION, 2, apart=[1, 2]).start == 14
    assert widened(SECTION[1], SECTION, 2, apart=[2, 3]).end == 27


def test_no_passage_grows_beyond_the_longest() -> None:
    words = "word " * int(LONGEST / 1.3 - 3)
    long = Passage(1, "default", "D", "d.md", "", words.strip(), 0, len(words) - 1, 0.0)
    short = Passage(2, "default", "D", "d.md", "", "six more words stand in here", len(words), len(words) + 28, 0.0)
    assert widened(short, [long, short], 1) == short
    assert widened(long, [long, short], 1) == long


def test_a_passage_that_has_gone_stays_as_it_was() -> None:
    assert widened(SECTION[0], [], 1) == SECTION[0]
