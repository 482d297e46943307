"""Marks in a reply, back to the passages they name."""

import pytest

from agent.citations import cited
from memory.passages import Passage


def passage(number: int) -> Passage:
    return Passage(
        id=number, knowledge="default", document=f"D{number}", source="", heading="H", text=f"text {number}",
        start=10 * number, end=10 * number + 6, score=0.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "documents"),
    [
        ("Twenty-five days [2].", ["D2"]),
        ("First [3], then [1], and again [3].", ["D3", "D1"]),
        ("二十五天。[1][2]", ["D1", "D2"]),
        ("A mark that names nothing [9] is nobody's [2].", ["D2"]),
        ("No mark at all.", ["D1", "D2", "D3"]),
        ("Only a wrong mark [0].", ["D1", "D2", "D3"]),
    ],
)
def test_marks(reply: str, documents: list[str]) -> None:
    found = cited(reply, [passage(1), passage(2), passage(3)])
    assert [citation.document for citation in found] == documents
    assert all(citation.span == (10 * int(citation.text[-1]), 10 * int(citation.text[-1]) + 6) for citation in found)


def test_nothing_given_is_nothing_cited() -> None:
    assert cited("See [1].", []) == ()
