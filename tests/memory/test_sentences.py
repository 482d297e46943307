"""Passages cut into what can answer by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.sentences import sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("It is open. It costs 2.50 euros! Why?", ["It is open.", "It costs 2.50 euros!", "Why?"]),
        ("周一开放。周二“关闭。”周三开放", ["周一开放。", "周二“关闭。”", "周三开放"]),
        ("Hours:\n- Monday\n- Tuesday, or\n  later", ["Hours:", "- Monday", "- Tuesday, or\n  later"]),
        ("one\ntwo\n\nthree", ["one\ntwo", "three"]),
        (
            "| Bin | Day |\n|---|---|\n| blue | Monday |\n| brown | Friday |\n\nAfter.",
            ["| Bin | Day |\n| blue | Monday |", "| Bin | Day |\n| brown | Friday |", "After."],
        ),
        ("| alone |", ["| alone |"]),
        ("Name: Ann; Room: 3; Phone: 12", ["Name: Ann; Room: 3; Phone: 12"]),
        ("", []),
    ],
)
def test_sentences(text: str, pieces: list[str]) -> None:
    assert sentences(text) == pieces


@given(st.text(alphabet="ab。.!|\n- "))
def test_no_letter_is_lost(text: str) -> None:
    said = "".join(sentences(text))
    for letter in "ab":
        assert said.count(letter) >= text.count(letter)
