"""Knowledge over HTTP: ingestions in the background, what they may read, and what is found afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from agent.assistant import Assistant, open_assistant
from api.app import create_app
from api.service import Service
from configs.settings import load_settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "leave.md").write_text("# Leave\n\nEverybody gets 25 days of vacation.\n", encoding="utf-8")
    (shared / "年假.md").write_text("# 年假\n\n员工每年有二十五天年假。\n", encoding="utf-8")
    (shared / "broken.pdf").write_bytes(b"%PDF-1.7 no more")
    (tmp_path / "secret.md").write_text("# Secret\n\nThe password is hunter2.\n", encoding="utf-8")
    return shared


@pytest.fixture
async def assistant(tmp_path: Path, folder: Path) -> AsyncIterator[Assistant]:
    settings = load_settings(
        data=tmp_path / "data",
        chat={"engine": "extractive"},
        embeddings={"engine": "hashed"},
        server={"documents": [str(folder)]},
    )
    async with open_assistant(settings, hears=False, speaks=False) as opened:
        yield opened


@pytest.fixture
async def client(assistant: Assistant) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(assistant, Service()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


async def ended(client: httpx.AsyncClient, job: str) -> dict[str, Any]:
    """The job once it has ended; work must be going on."""
    with anyio.fail_after(30):
        while True:
            found: dict[str, Any] = (await client.get(f"/v1/knowledge/jobs/{job}")).json()
            if found["state"] not in ("waiting", "running"):
                return found
            await anyio.sleep(0.02)


async def test_documents_come_in_in_the_background(
    client: httpx.AsyncClient, assistant: Assistant, folder: Path
) -> None:
    answer = await client.post("/v1/knowledge/jobs", json={"paths": [str(folder)]})
    assert answer.status_code == 202
    assert answer.json()["state"] == "waiting"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(assistant.work)
        job = await ended(client, answer.json()["id"])
        tasks.cancel_scope.cancel()
    assert job["state"] == "done"
    assert job["outcomes"] == {"added": 2, "failed": 1}
    assert [Path(error["path"]).name for error in job["errors"]] == ["broken.pdf"]
    titles = [document["title"] for document in (await client.get("/v1/knowledge/documents")).json()["data"]]
    assert sorted(titles) == ["Leave", "年假"]
    found = (await client.get("/v1/knowledge/search", params={"q": "How many vacation days?"})).json()
    assert found["answerable"]
    assert found["passages"][0]["document"] == "Leave"


async def test_a_job_that_waits_is_cancelled(client: httpx.AsyncClient, assistant: Assistant, folder: Path) -> None:
    begun = (await client.post("/v1/knowledge/jobs", json={"paths": [str(folder)]})).json()
    assert (await client.delete(f"/v1/knowledge/jobs/{begun['id']}")).json()["state"] == "cancelled"
    assert [job["state"] for job in (await client.get("/v1/knowledge/jobs")).json()["data"]] == ["cancelled"]


async def test_a_document_is_taken_out(client: httpx.AsyncClient, assistant: Assistant, folder: Path) -> None:
    await assistant.store.knowledge.ingest([folder / "leave.md"])
    gone = await client.delete("/v1/knowledge/documents", params={"document": "Leave"})
    assert [document["title"] for document in gone.json()["data"]] == ["Leave"]
    again = await client.delete("/v1/knowledge/documents", params={"document": "Leave"})
    assert again.status_code == 404


@pytest.mark.parametrize("path", ["{folder}/../secret.md", "/etc/passwd", "~", "relative.md", "{folder}/link"])
async def test_callers_read_nothing_outside_of_the_open_folders(
    client: httpx.AsyncClient, folder: Path, path: str
) -> None:
    (folder / "link").symlink_to(folder.parent / "secret.md")
    answer = await client.post("/v1/knowledge/jobs", json={"paths": [path.format(folder=folder)]})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "folder_not_open"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/knowledge/jobs", {"paths": []}, 400),
        ("POST", "/v1/knowledge/jobs", {"paths": ["x"] * 101}, 400),
        ("POST", "/v1/knowledge/jobs", {"paths": ["x"], "more": 1}, 400),
        ("GET", "/v1/knowledge/jobs/none", None, 404),
        ("DELETE", "/v1/knowledge/jobs/none", None, 404),
        ("GET", "/v1/knowledge/search", None, 400),
        ("GET", "/v1/knowledge/search?q=x&limit=0", None, 400),
        ("GET", "/v1/knowledge/search?q=x&knowledge=none", None, 404),
        ("DELETE", "/v1/knowledge/documents", None, 400),
    ],
)
async def test_what_cannot_be_is_refused(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    answer = await client.request(method, path, json=body)
    assert answer.status_code == status
    assert set(answer.json()["error"]) >= {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["{folder}/a\0b", "~nobody-of-that-name/x", "{folder}/round"])
async def test_what_cannot_be_a_path_is_refused(client: httpx.AsyncClient, folder: Path, path: str) -> None:
    (folder / "round").symlink_to(folder / "round")
    answer = await client.post("/v1/knowledge/jobs", json={"paths": [path.format(folder=folder)]})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "paths"
