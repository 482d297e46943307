"""Turns over HTTP: where their time went, and whose they are."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.assistant import Assistant, open_assistant
from api.app import create_app
from api.native.turn_routes import waterfall
from api.service import Service
from configs.settings import load_settings
from memory.passages import Citation
from memory.turns import StoredCall, StoredTurn
from tests.api.guarded_app import bearer, created

pytestmark = pytest.mark.anyio


def turn(id: str, conversation: str, user: str, minute: int, **fields: Any) -> StoredTurn:
    values: dict[str, Any] = {"citations": (), "timings_ms": {}, **fields}
    at = datetime(2026, 11, 25, 8, minute, tzinfo=UTC)
    return StoredTurn(id, conversation, user, "default", "q", "r", "r", "completed", "en", created_at=at, **values)


KEPT = (
    turn(
        "t1", "c1", "ann", 1, rests_on="documents",
        timings_ms={"transcript": 0.0, "retrieval": 41.5, "recall": 12.0, "first_token": 300.0},
        citations=(Citation("Handbook", "Leave", (3, 9), 0.5, "25 days", 2),),
        tools=(StoredCall("search_knowledge", {"query": "年假"}),),
    ),
    turn("t2", "c1", "ann", 2, rests_on="nothing"),
    turn("t3", "c2", "ben", 3),
)  # fmt: skip


@pytest.fixture
async def assistant(data_folder: Path) -> AsyncIterator[Assistant]:
    settings = load_settings(chat={"engine": "extractive"}, embeddings={"engine": "hashed"})
    async with open_assistant(settings, hears=False, speaks=False) as opened:
        await opened.store.turns.add(*KEPT)
        yield opened


@pytest.fixture
async def client(assistant: Assistant) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(assistant, Service()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


def test_each_stage_follows_the_one_that_was_reached_before_it() -> None:
    # By hand: 41.5 - 12 = 29.5, 300 - 41.5 = 258.5.
    assert waterfall({"transcript": 0.0, "retrieval": 41.5, "recall": 12.0, "first_token": 300.0}) == [
        {"stage": "transcript", "at_ms": 0.0, "took_ms": 0.0},
        {"stage": "recall", "at_ms": 12.0, "took_ms": 12.0},
        {"stage": "retrieval", "at_ms": 41.5, "took_ms": 29.5},
        {"stage": "first_token", "at_ms": 300.0, "took_ms": 258.5},
    ]


async def test_a_turn_tells_what_it_took_and_rests_on(client: httpx.AsyncClient) -> None:
    told = (await client.get("/v1/turns/t1", params={"user": "ann"})).json()
    assert told.pop("stages")[-1] == {"stage": "first_token", "at_ms": 300.0, "took_ms": 258.5}
    assert told == {
        "id": "t1", "object": "turn", "conversation": "c1", "persona": "default", "language": "en",
        "created_at": "2026-11-25T08:01:00+00:00", "outcome": "completed", "rests_on": "documents",
        "citations": [
            {"document": "Handbook", "heading": "Leave", "span": [3, 9], "score": 0.5, "text": "25 days", "page": 2}
        ],
        "tools": [{"name": "search_knowledge", "arguments": {"query": "年假"}}],
    }  # fmt: skip


async def test_a_turn_that_was_answered_here_is_found(client: httpx.AsyncClient) -> None:
    asked = (await client.post("/v1/ask", json={"text": "How many days?", "speak": False})).json()
    told = (await client.get(f"/v1/turns/{asked['turn']}")).json()
    assert {stage["stage"]: stage["at_ms"] for stage in told["stages"]} == asked["timings_ms"]
    assert (told["outcome"], told["rests_on"], told["citations"]) == ("completed", "nothing", [])


async def test_a_conversation_is_listed_the_oldest_first(client: httpx.AsyncClient) -> None:
    async def ids(**query: Any) -> list[str]:
        answer = await client.get("/v1/turns", params={"conversation": "c1", "user": "ann", **query})
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["data"]]

    assert await ids() == ["t1", "t2"]
    assert await ids(limit=1) == ["t2"]
    assert await ids(conversation="c2") == []
    assert (await client.get("/v1/turns")).status_code == 400


async def test_nobody_sees_anothers(client: httpx.AsyncClient, data_folder: Path) -> None:
    ann = bearer(created(data_folder, "ann", "chat"))
    ears = bearer(created(data_folder, "ears", "audio"))
    assert (await client.get("/v1/turns/t1", headers=ann)).status_code == 200
    for foreign in ("t3", "nowhere"):
        answer = await client.get(f"/v1/turns/{foreign}", headers=ann)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "turn_not_found")
    assert (await client.get("/v1/turns?conversation=c2", headers=ann)).json()["data"] == []
    assert (await client.get("/v1/turns/t3?user=ben", headers=ann)).status_code == 403
    assert (await client.get("/v1/turns/t1", headers=ears)).status_code == 403
    assert (await client.get("/v1/turns/t1")).status_code == 401
