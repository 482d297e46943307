from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from memory.ledger import Ledger
from memory.passages import Citation
from memory.turns import Conversation, StoredTurn, Turns

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TURN = StoredTurn(
    id="t1",
    conversation="c1",
    user="owner",
    persona="default",
    question="员工有多少天年假？",
    reply="每年25天。法定节假日另计。",
    heard="每年25天。",
    outcome="interrupted",
    language="zh",
    citations=(Citation("员工手册", "年假", (10, 35), 0.9, "每位员工每年享有25天带薪年假"),),
    timings_ms={"first_token": 120.5, "first_audio": 480.0},
    created_at=NOON,
)


def later(seconds: float, turn: str, conversation: str = "c1", user: str = "owner") -> StoredTurn:
    return replace(TURN, id=turn, conversation=conversation, user=user, created_at=NOON + timedelta(seconds=seconds))


async def test_a_turn_comes_back_as_it_went_in(ledger: Ledger) -> None:
    turns = Turns(ledger)
    await turns.add(TURN)
    assert await turns.of("c1") == (TURN,)


async def test_adding_it_again_changes_nothing(ledger: Ledger) -> None:
    turns = Turns(ledger)
    await turns.add(TURN)
    await turns.add(replace(TURN, reply="something else"))
    assert await turns.of("c1") == (TURN,)


async def test_the_last_ones_the_oldest_first(ledger: Ledger) -> None:
    turns = Turns(ledger)
    for second in (3, 1, 2, 0):
        await turns.add(later(second, f"t{second}"))
    assert [turn.id for turn in await turns.of("c1")] == ["t0", "t1", "t2", "t3"]
    assert [turn.id for turn in await turns.of("c1", limit=2)] == ["t2", "t3"]


async def test_time_is_kept_in_utc_and_sorts_across_zones(ledger: Ledger) -> None:
    turns, shanghai = Turns(ledger), timezone(timedelta(hours=8))
    await turns.add(replace(TURN, id="late", created_at=datetime(2026, 3, 1, 20, 0, 1, tzinfo=shanghai)))
    await turns.add(TURN)
    found = await turns.of("c1")
    assert [turn.id for turn in found] == ["t1", "late"]
    assert found[1].created_at == NOON + timedelta(seconds=1)
    assert found[1].created_at.tzinfo == UTC


async def test_a_users_conversations_the_latest_first(ledger: Ledger) -> None:
    turns = Turns(ledger)
    for second, conversation, user in (
        (0, "old", "owner"),
        (5, "new", "owner"),
        (2, "old", "owner"),
        (9, "x", "guest"),
    ):
        await turns.add(later(second, f"t{second}", conversation, user))
    assert await turns.conversations("owner") == (
        Conversation("new", 1, NOON + timedelta(seconds=5), NOON + timedelta(seconds=5)),
        Conversation("old", 2, NOON, NOON + timedelta(seconds=2)),
    )
    assert await turns.conversations("nobody") == ()


async def test_half_a_surrogate_pair_does_no_harm(ledger: Ledger) -> None:
    turns = Turns(ledger)
    await turns.add(replace(TURN, question="hello \ud83d"))
    assert (await turns.of("c1"))[0].question == "hello ?"
