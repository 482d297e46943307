"""Summaries in a real ledger: what they do not cover yet, and that they go with any turn that may stand in them."""

from datetime import UTC, datetime, timedelta

import pytest

from memory.ledger import Ledger
from memory.summaries import SummaryStore, Told, Unsummed
from memory.turns import StoredTurn, Turns

pytestmark = pytest.mark.anyio


async def said(ledger: Ledger, *names: str, conversation: str = "c") -> None:
    for number, name in enumerate(names):
        turn = StoredTurn(
            id=name, conversation=conversation, user="u", persona="default", question=f"{name}?",
            reply=f"{name} and more", heard=name, outcome="interrupted", language="en", citations=(), timings_ms={},
            created_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
        )  # fmt: skip
        await Turns(ledger).add(turn)


async def test_what_the_model_no_longer_sees_is_left_to_sum_up(ledger: Ledger) -> None:
    store = SummaryStore(ledger)
    await said(ledger, "x", conversation="other")
    await said(ledger, "a", "b", "c", "d")
    rest = await store.unsummed("c", "d", 10)
    assert rest == Unsummed("", (Told(2, "a?", "a"), Told(3, "b?", "b"), Told(4, "c?", "c")))
    await store.keep("c", "About a and b.", 3)
    assert await store.unsummed("c", "d", 10) == Unsummed("About a and b.", (Told(4, "c?", "c"),))
    assert await store.of("c") == "About a and b."
    assert await store.of("other") == ""


async def test_no_more_is_read_than_was_asked_for(ledger: Ledger) -> None:
    await said(ledger, "a", "b", "c", "d")
    assert [turn.question for turn in (await SummaryStore(ledger).unsummed("c", "d", 2)).turns] == ["a?", "b?"]


async def test_a_summary_goes_when_a_turn_of_its_conversation_goes(ledger: Ledger) -> None:
    store = SummaryStore(ledger)
    await said(ledger, "a", "b")
    await store.keep("c", "About a.", 1)
    await ledger.write(lambda connection: connection.execute("DELETE FROM turns WHERE id = 'b'"))
    assert await store.of("c") == ""


async def test_a_summary_that_was_begun_before_a_turn_was_forgotten_is_not_kept(ledger: Ledger) -> None:
    store = SummaryStore(ledger)
    await said(ledger, "a", "b", "c")
    await ledger.write(lambda connection: connection.execute("DELETE FROM turns WHERE id = 'b'"))
    await store.keep("c", "About a and b.", 2)
    assert await store.of("c") == ""
