"""Thoughts: what of a reply is visible, however the stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.thoughts import ThoughtFilter


def visible(*pieces: str, thinking: bool = False) -> str:
    """What a filter gives for a stream of pieces."""
    thoughts = ThoughtFilter(thinking=thinking)
    return "".join([*map(thoughts.push, pieces), thoughts.flush()])


@pytest.mark.parametrize(
    ("reply", "seen"),
    [
        ("你好。", "你好。"),
        ("<think>嗯</think>你好", "你好"),
        ("<think>hm</think>\n\n你好", "你好"),
        ("<think>\n\n</think>\n\n你好", "你好"),
        ("<think></think>Hello", "Hello"),
        ("<think/>Hello", "Hello"),
        ("<THINK>a</Think>b", "b"),
        ("<thinking>a</thinking>b", "b"),
        ("< think >a< / think >b", "b"),
        ('<think type="deep"\n n=1>a</think>b', "b"),
        ("\n<think>a</think>\n\nb", "\nb"),
        ("Sure. <think>a</think> Yes.", "Sure. Yes."),
        ("Sure.<think>a</think>\nYes.", "Sure.\nYes."),
        ("<think>a</think>b<think>c</think>d", "bd"),
        ("<think>a <think> b</think>c", "c"),
        ("<think>a < b and <b>c</b></think>d", "d"),
        ("a<think>never closed", "a"),
        ("<think>", ""),
        ("</think>\n\nHello", "Hello"),
        ("Hello</think> world", "Hello world"),
        ("a < b", "a < b"),
        ("a <b", "a <b"),
        ("a <", "a <"),
        ("if x <thin", "if x <thin"),
        ("<thinker>a</thinker>", "<thinker>a</thinker>"),
        ("<<think>a</think>b", "<b"),
        ("the `<think>` tag", "the `<think>` tag"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("<think" + " " * 400 + ">a", "<think" + " " * 400 + ">a"),
    ],
)
def test_what_is_visible(reply: str, seen: str) -> None:
    assert visible(reply) == seen
    assert visible(*reply) == seen


def test_a_reply_that_starts_inside_a_thought() -> None:
    assert visible("so the user", " wants</thi", "nk>\n\nHello", thinking=True) == "Hello"
    assert visible("never closed", thinking=True) == ""


@given(st.text(st.characters(exclude_characters="<")))
def test_text_without_a_tag_is_never_held(text: str) -> None:
    assert ThoughtFilter().push(text) == text


def test_a_comparison_is_held_no_longer_than_it_takes() -> None:
    thoughts = ThoughtFilter()
    assert thoughts.push("a <") == "a "
    assert thoughts.push(" b") == "< b"


TAGGED = st.lists(
    st.sampled_from(
        ["<think>", "</think>", "<thinking>", "< / THINK >", "<think/>", "<", ">", "/", "th", "ink", "`", "\n"]
    )
    | st.text(max_size=3),
    max_size=12,
).map("".join)


@given(TAGGED, st.lists(st.integers(0, 60), max_size=8), st.booleans())
def test_any_cut_into_pieces_gives_the_same(text: str, cuts: list[int], thinking: bool) -> None:
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[start:end] for start, end in pairwise(edges)]
    assert visible(*pieces, thinking=thinking) == visible(text, thinking=thinking)
    assert visible(*text, thinking=thinking) == visible(text, thinking=thinking)
