"""Names for the ear: few, short, each once, in their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.hotwords import hotwords


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        ([], ()),
        (["Tingshuo", "听说", "Staff handbook"], ("Tingshuo", "听说", "Staff handbook")),
        (["", "  ", "a\n b", "a b"], ("a b",)),
        (["x" * 41, "y" * 40], ("y" * 40,)),
        ([f"{n:02}" for n in range(40)], tuple(f"{n:02}" for n in range(30))),
        # 4 x 40 and 4 spaces leave room for 36.
        ([*(letter * 40 for letter in "abcde"), "f" * 36], (*(letter * 40 for letter in "abcd"), "f" * 36)),
    ],
)
def test_the_first_names_that_there_is_room_for(names: list[str], taken: tuple[str, ...]) -> None:
    assert hotwords(names) == taken


@given(st.lists(st.text(max_size=60), max_size=60))
def test_they_are_bounded(names: list[str]) -> None:
    taken = hotwords(names)
    assert len(taken) <= 30
    assert len(" ".join(taken)) <= 200
    assert len(set(taken)) == len(taken)
