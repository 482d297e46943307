"""Names for the ear: few, short, each once, in their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.hotwords import hotwords, names_in


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


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("My dog is called Rufus.", ["Rufus"]),
        ("I work with Maria Weber in Leeds, not in London.", ["Maria Weber", "Leeds", "London"]),
        ("On Monday I met him. Tomorrow is June.", []),
        ("and I think I'm late", []),
        ("我的猫叫豆包。", ["豆包"]),
        ("我儿子名叫李明轩，上小学。", ["李明轩"]),
        ("今天天气不错。", []),
    ],
)
def test_names_in_what_was_said(said: str, names: list[str]) -> None:
    assert names_in([said]) == names
