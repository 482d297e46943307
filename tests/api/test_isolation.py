"""Two keys over one assistant: neither reads, continues, changes or deletes what is the other's."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from agent.assistant import open_assistant
from api.app import create_app
from api.service import Service
from configs.settings import load_settings
from tests.api.guarded_app import bearer, created

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(data_folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = load_settings(chat={"engine": "extractive"}, embeddings={"engine": "hashed"})
    async with open_assistant(settings, hears=False, speaks=False) as assistant:
        transport = httpx.ASGITransport(create_app(assistant, Service()))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
            yield opened


def said(text: str, **more: object) -> dict[str, object]:
    return {"text": text, "speak": False, **more}


async def test_users_are_kept_apart_by_their_keys(client: httpx.AsyncClient, data_folder: Path) -> None:
    ann, ben = (bearer(created(data_folder, name, "chat", "memory")) for name in ("ann", "ben"))
    admin = bearer(created(data_folder, "owner", "admin"))
    kept = await client.post(
        "/v1/ask", json=said("Remember that my locker code is 4711.", conversation="c"), headers=ann
    )
    assert kept.status_code == 200
    (note,) = (await client.get("/v1/memory", headers=ann)).json()["data"]

    assert (await client.get("/v1/memory", headers=ben)).json()["data"] == []
    assert (await client.get("/v1/memory/export", headers=ben)).text == ""
    assert (await client.delete(f"/v1/memory/{note['id']}", headers=ben)).status_code == 404
    assert (await client.patch(f"/v1/memory/{note['id']}", json={"text": "0"}, headers=ben)).status_code == 404
    for request in (
        client.get("/v1/memory?user=ann", headers=ben),
        client.get("/v1/memory/export?user=ann", headers=ben),
        client.patch(f"/v1/memory/{note['id']}?user=ann", json={"text": "0"}, headers=ben),
        client.delete(f"/v1/memory/{note['id']}?user=ann", headers=ben),
        client.delete("/v1/memory?user=ann&all=true", headers=ben),
        client.post("/v1/ask", json=said("What is my locker code?", user="ann"), headers=ben),
        # CVE-2026-45349: another's conversation was continued by its id.
        client.post("/v1/ask", json=said("What did I say?", conversation="c"), headers=ben),
    ):
        refused = await request
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_permissions")
        assert "4711" not in refused.text
    everything = (await client.delete("/v1/memory?all=true", headers=ben)).json()
    assert everything["memories"] == 0
    (still,) = (await client.get("/v1/memory?user=ann", headers=admin)).json()["data"]
    assert still["text"] == note["text"]


async def test_a_stranger_learns_from_health_only_that_there_is_someone(
    client: httpx.AsyncClient, data_folder: Path
) -> None:
    assert "engines" in (await client.get("/health")).json()
    token = created(data_folder, "phone", "chat")
    assert (await client.get("/health")).json() == {"ready": True}
    assert "engines" in (await client.get("/health", headers=bearer(token))).json()
