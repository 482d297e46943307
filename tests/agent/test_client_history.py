"""Which kept turns a client's new one replaces, by a table worked out by hand; and where its view begins."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from langchain_core.messages import AnyMessage, HumanMessage

from agent.client_history import replaced
from agent.cuts import KEPT, Cuts
from memory.turns import StoredTurn


def turn(name: str) -> StoredTurn:
    """A turn that asks by its name and is answered in capitals."""
    return StoredTurn(
        id=name, conversation="c", user="ann", persona="default", question=name, reply=name.upper(),
        heard=name.upper(), outcome="completed", language="en", citations=(), timings_ms={},
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "earlier", "question", "gone"),
    [
        ("", [], "a", ""),
        ("ab", [("a", "A"), ("b", "B")], "c", ""),
        ("ab", [("a", "A")], "b", "b"),
        ("ab", [("a", " A\n")], "b", "b"),
        ("abcd", [("a", "A"), ("b", "B")], "x", "cd"),
        ("a", [], "a", "a"),
        ("a", [], "b", ""),
        ("ab", [], "b", ""),
        ("ab", [], "a", ""),
        ("abc", [("b", "other")], "c", "c"),
        ("abc", [("b", "other")], "x", ""),
        ("abc", [("x", "X")], "c", ""),
        ("aba", [("a", "A")], "x", ""),
    ],
    ids=[
        "the first", "the next", "made anew", "white space is none", "edited", "the first anew",
        "another without history", "the last alone, again", "the first alone, of several", "an edited reply, anew",
        "an edited reply", "a history that is not ours", "the last of the same words",
    ],
)  # fmt: skip
def test_a_new_turn_replaces_what_the_client_has_replaced(
    kept: str, earlier: Sequence[tuple[str, str]], question: str, gone: str
) -> None:
    assert "".join(replaced([turn(name) for name in kept], earlier, question)) == gone


def history(*questions: str) -> list[list[AnyMessage]]:
    return [[HumanMessage(question)] for question in questions]


def test_a_view_goes_on_where_it_began() -> None:
    cuts = Cuts()
    cuts.keep("c", history("a", "b", "c"), 2)
    assert cuts.of("c", history("a", "b", "c", "d")) == 2
    assert cuts.of("c", history("a", "b", "x", "d")) == 0
    assert cuts.of("c", history("a", "b")) == 0
    assert cuts.of("other", history("a", "b", "c")) == 0
    cuts.keep("c", history("a", "b", "c"), 0)
    assert cuts.of("c", history("a", "b", "c", "d")) == 0


def test_only_so_many_views_are_kept() -> None:
    cuts = Cuts()
    for number in range(KEPT + 1):
        cuts.keep(str(number), history("a", "b"), 1)
    assert cuts.of("0", history("a", "b")) == 0
    assert cuts.of("1", history("a", "b")) == 1
