"""Short passages with their neighbours, against a document in which every span can be checked."""

import pytest

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


def test_no_passage_grows_beyond_the_widest() -> None:
    # A word counts 1.3 tokens: 600 of them are 780, more than 750; 500 and 28 letters are less.
    for count, grows in ((600, False), (500, True)):
        words = " ".join(["word"] * count)
        long = Passage(1, "default", "D", "d.md", "", words, 0, len(words), 0.0)
        short = Passage(
            2, "default", "D", "d.md", "", "six more words stand in here", len(words) + 1, len(words) + 29, 0.0
        )
        assert (widened(short, [long, short], 1) != short) is grows
        assert (widened(long, [long, short], 1) != long) is grows


def test_a_passage_that_has_gone_stays_as_it_was() -> None:
    assert widened(SECTION[0], [], 1) == SECTION[0]
