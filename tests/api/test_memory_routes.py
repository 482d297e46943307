"""A user's rights over HTTP: memories listed, corrected, taken along and forgotten, and requests that cannot be."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.assistant import Assistant, open_assistant
from api.app import create_app
from api.service import Service
from configs.settings import load_settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def assistant(tmp_path: Path) -> AsyncIterator[Assistant]:
    settings = load_settings(data=tmp_path / "data", chat={"engine": "extractive"}, embeddings={"engine": "hashed"})
    async with open_assistant(settings, hears=False, speaks=False) as opened:
        for user, text in (
            ("ann", "My parrot is called Zanzibar."),
            ("ann", "Remember that my locker code is 4711."),
            ("ann", "我喜欢集邮。"),
            ("ben", "My dog is called Bella."),
        ):
            await opened.ask(text=text, user=user, speak=False)
        await opened.store.memories.catch_up()
        yield opened


@pytest.fixture
async def client(assistant: Assistant) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(assistant, Service()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


async def listed(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/memory", params={"user": "ann", **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_memories_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    texts = ["我喜欢集邮。", "my locker code is 4711.", "My parrot is called Zanzibar."]
    assert [memory["text"] for memory in await listed(client)] == texts
    first = (await client.get("/v1/memory", params={"user": "ann", "limit": 2})).json()
    assert first["has_more"] is True
    rest = await listed(client, limit=2, before=first["data"][-1]["id"])
    assert [memory["text"] for memory in [*first["data"], *rest]] == texts
    assert [memory["text"] for memory in await listed(client, kind="note")] == texts[1:2]
    assert [memory["text"] for memory in await listed(client, search="PARROT")] == texts[2:]


async def test_a_note_is_corrected(client: httpx.AsyncClient) -> None:
    (note,) = await listed(client, kind="note")
    answer = await client.patch(f"/v1/memory/{note['id']}?user=ann", json={"text": "my locker code is 4712"})
    assert answer.json()["text"] == "my locker code is 4712"
    assert [memory["text"] for memory in await listed(client, kind="note")] == ["my locker code is 4712"]


async def test_one_is_forgotten_and_its_turn_with_it(client: httpx.AsyncClient, assistant: Assistant) -> None:
    (parrot,) = await listed(client, search="parrot")
    answer = await client.delete(f"/v1/memory/{parrot['id']}?user=ann")
    assert answer.json() == {"object": "memory.deleted", "memories": 1, "turns": 1}
    assert len(await listed(client)) == 2
    exported = (await client.get("/v1/memory/export?user=ann")).text
    assert "Zanzibar" not in exported


async def test_nobody_forgets_for_another(client: httpx.AsyncClient) -> None:
    (parrot,) = await listed(client, search="parrot")
    answer = await client.delete(f"/v1/memory/{parrot['id']}?user=ben")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "memory_not_found"
    assert len(await listed(client)) == 3


async def test_everything_is_taken_along_and_then_forgotten(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/memory/export", params={"user": "ann"})
    assert answer.headers["content-type"].startswith("application/jsonl")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert {line["type"] for line in lines} == {"turn", "memory"}
    assert len(lines) == 6
    answer = await client.delete("/v1/memory", params={"user": "ann", "all": "true"})
    assert answer.json() == {"object": "memory.deleted", "memories": 3, "turns": 3}
    assert await listed(client) == []
    assert (await client.get("/v1/memory/export", params={"user": "ann"})).text == ""
    assert len((await client.get("/v1/memory", params={"user": "ben"})).json()["data"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/memory?limit=0", 400),
        ("GET", "/v1/memory?limit=5000", 400),
        ("GET", "/v1/memory?kind=secret", 400),
        ("GET", "/v1/memory?before=99999999999999999999", 400),
        ("GET", "/v1/memory?user=", 400),
        ("DELETE", "/v1/memory", 400),
        ("DELETE", "/v1/memory?about=x&all=true", 400),
        ("DELETE", "/v1/memory/0", 400),
        ("DELETE", "/v1/memory/99999", 404),
        ("PATCH", "/v1/memory/99999", 400),
        ("PUT", "/v1/memory/1", 405),
    ],
)
async def test_what_cannot_be_is_refused_in_openais_form(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()["error"]) >= {"message", "type", "param", "code"}
