"""Who may call, from where, and with what: each refusal has its status, and none of them its detour."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from anyio import create_task_group, sleep

from api.guard.keys import FILE, KeyRing
from tests.api.guarded_app import Pieces, bearer, calling, created, error, sent

pytestmark = pytest.mark.anyio

Channel = Callable[[str], dict[str, str]]

CHANNELS: list[Channel] = [
    lambda token: {"authorization": f"Bearer {token}"},
    lambda token: {"x-api-key": token},
    lambda token: {"api-key": token},
]


@pytest.fixture
def anyio_backend(trio_virtual: tuple[str, dict[str, object]]) -> tuple[str, dict[str, object]]:
    return trio_virtual


def damage(data: Path) -> None:
    data.mkdir()
    (data / FILE).write_text("{", encoding="utf-8")


async def test_without_a_key_file_this_machine_is_the_owner_whatever_it_sends() -> None:
    async with calling() as client:
        for headers in ({}, bearer("sk-none"), {"x-openwebui-user-id": "ann"}):
            told = (await client.get("/v1/memory", headers=headers)).json()
            assert (told["name"], told["user"], told["trusted"]) == ("local", "owner", True)


async def test_without_a_key_file_other_machines_are_nobody() -> None:
    async with calling(beyond=True) as client:
        assert (await client.get("/v1/memory")).status_code == 401
        assert (await client.get("/health")).json()["name"] == "anonymous"


@pytest.mark.parametrize("channel", CHANNELS)
async def test_every_channel_opens_what_the_key_opens_and_no_more(data_folder: Path, channel: Channel) -> None:
    """CVE-2026-45339: the same key in x-api-key skipped its restrictions."""
    token = created(data_folder, "phone", "chat")
    async with calling() as client:
        assert (await client.get("/v1/ask", headers=channel(token))).json()["name"] == "phone"
        refused = await client.get("/v1/memory", headers=channel(token))
        assert (refused.status_code, error(refused)) == (403, "insufficient_permissions")
        for wrong in (token[:-1], token + "x", token.upper(), ""):
            refused = await client.get("/v1/ask", headers=channel(wrong))
            assert (refused.status_code, error(refused)) == (401, "invalid_api_key")
            assert refused.headers["www-authenticate"] == "Bearer"
            assert not wrong or wrong not in refused.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/health", 200),
        ("/v1/audio/voices", 200),
        ("/v1/models", 401),
        ("/v1/ask", 401),
        ("/v1/nowhere", 401),
        ("/openapi.json", 401),
        ("/health/", 401),
        ("/", 404),  # this application has nothing there
        ("http://127.0.0.1//health", 401),
        ("/v1/ask?x=/health", 401),
        ("/v1/ask%2f..%2f..%2fhealth", 401),
        ("/HEALTH", 401),
    ],
)
async def test_what_can_be_read_without_a_key(data_folder: Path, path: str, status: int) -> None:
    created(data_folder, "phone", "chat")
    async with calling() as client:
        assert (await client.get(path)).status_code == status
        assert (await client.post(path)).status_code == 401


@pytest.mark.parametrize("host", ["127.0.0.1/health?", "localhost?x=", "127.0.0.1#", "127.0.0.1:8484/health"])
async def test_a_host_header_opens_no_path(data_folder: Path, host: str) -> None:
    """CVE-2026-49468: what was to be authorised was read from an address that the Host header had made."""
    created(data_folder, "phone", "chat")
    async with calling() as client:
        assert (await client.get("/v1/memory", headers={"host": host})).status_code in (401, 403)


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        ("chat", {"/v1/ask", "/v1/chat/completions"}),
        ("audio", {"/v1/audio/transcriptions"}),
        ("knowledge", {"/v1/knowledge/documents"}),
        ("memory", {"/v1/memory"}),
        ("admin", {"/v1/ask", "/v1/chat/completions", "/v1/audio/transcriptions", "/v1/knowledge/documents",
                   "/v1/memory", "/v1/unlisted"}),
    ],
)  # fmt: skip
async def test_each_scope_opens_its_paths_and_what_is_not_listed_is_there_for_admins_alone(
    data_folder: Path, scope: Any, opens: set[str]
) -> None:
    token = created(data_folder, "phone", scope)
    paths = {"/v1/ask", "/v1/chat/completions", "/v1/audio/transcriptions", "/v1/knowledge/documents", "/v1/memory",
             "/v1/unlisted"}  # fmt: skip
    async with calling() as client:
        assert (await client.get("/v1/models", headers=bearer(token))).status_code == 200
        statuses = {path: (await client.get(path, headers=bearer(token))).status_code for path in paths}
    closed = dict.fromkeys(paths, 403) | {"/v1/unlisted": 404}
    assert statuses == closed | dict.fromkeys(opens, 200)


async def test_keys_take_hold_and_lose_it_while_the_server_runs(data_folder: Path) -> None:
    async with calling() as client:
        assert (await client.get("/v1/ask")).status_code == 200
        token = created(data_folder, "phone", "chat")
        assert (await client.get("/v1/ask")).status_code == 401
        assert (await client.get("/v1/ask", headers=bearer(token))).status_code == 200
        KeyRing(data_folder).revoke("phone")
        assert (await client.get("/v1/ask", headers=bearer(token))).status_code == 401
        assert (await client.get("/v1/ask")).status_code == 401


async def test_damaged_keys_open_nothing_and_tell_strangers_nothing(
    data_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(data_folder)
    async with calling() as client:
        refused = await client.get("/v1/ask")
    assert refused.status_code == 503
    assert str(data_folder) not in refused.text
    assert str(data_folder) in caplog.text


async def test_only_marked_keys_are_believed_about_who_is_speaking(data_folder: Path) -> None:
    plain = created(data_folder, "phone", "memory", user="ann")
    trusted = created(data_folder, "webui", "memory", trusted_headers=True)
    named = {"x-openwebui-user-id": "ben"}
    async with calling() as client:
        told = (await client.get("/v1/memory", headers=bearer(plain) | named)).json()
        assert (told["user"], told["trusted"]) == ("ann", False)
        told = (await client.get("/v1/memory", headers=bearer(trusted) | named)).json()
        # What a frontend's user puts into a request must not name yet another one.
        assert (told["user"], told["trusted"]) == ("ben", False)
        told = (await client.get("/v1/memory", headers=bearer(trusted))).json()
        assert (told["user"], told["trusted"]) == ("webui", True)
        for wrong in ("x" * 201, "a\tb"):
            refused = await client.get("/v1/memory", headers=bearer(trusted) | {"x-openwebui-user-id": wrong})
            assert refused.status_code == 400
        twice = [*(bearer(trusted) | named).items(), ("x-openwebui-user-id", "ann")]
        assert (await client.get("/v1/memory", headers=twice)).status_code == 400


async def test_each_key_has_its_own_minute(data_folder: Path) -> None:
    ann, ben = (bearer(created(data_folder, name, "chat")) for name in ("ann", "ben"))
    async with calling(requests_per_minute=3) as client:
        answers = [await client.get("/v1/ask", headers=ann) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert [answers[at].headers["x-ratelimit-remaining-requests"] for at in range(3)] == ["2", "1", "0"]
        assert answers[0].headers["x-ratelimit-limit-requests"] == "3"
        assert answers[2].headers["x-ratelimit-reset-requests"] == "1m0s"
        assert error(answers[3]) == "rate_limit_exceeded"
        assert answers[3].headers["retry-after"] == "20"
        assert "x-should-retry" not in answers[3].headers
        assert (await client.get("/v1/ask", headers=ben)).status_code == 200
        assert (await client.get("/health")).status_code == 200
        await sleep(20.1)
        assert (await client.get("/v1/ask", headers=ann)).status_code == 200


async def test_each_key_has_so_many_requests_at_once(data_folder: Path) -> None:
    ann, ben = (bearer(created(data_folder, name, "chat")) for name in ("ann", "ben"))

    async with calling(requests_at_once=2) as client, create_task_group() as tasks:

        async def ask() -> None:
            sound = Pieces(5, each=5, after=10)
            answer = await sent(client, "/v1/ask", sound, ann | {"content-type": "audio/wav"})
            assert answer.json()["bytes"] == 5

        tasks.start_soon(ask)
        tasks.start_soon(ask)
        await sleep(1)
        refused = await client.get("/v1/ask", headers=ann)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert (await client.get("/v1/ask", headers=ben)).status_code == 200
        await sleep(10)
        assert (await client.get("/v1/ask", headers=ann)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("req-1.a:B_2", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("two words", False),
        ("", False),
        ("<script>", False),
    ],
)
async def test_a_request_keeps_its_id_where_that_is_one(sent: str, kept: bool) -> None:
    async with calling() as client:
        for path in ("/v1/ask", "/nowhere"):
            told = (await client.get(path, headers={"x-request-id": sent})).headers["x-request-id"]
            assert (told == sent) is kept
            assert len(told) >= 11


async def test_the_log_holds_no_key_no_query_and_no_text(data_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    token = created(data_folder, "phone", "chat")
    caplog.set_level("DEBUG", logger="api")
    async with calling() as client:
        await client.post(f"/v1/ask?api_key={token}", content=b'{"text": "secret"}', headers=bearer(token))
        await client.post(f"/v1/ask?api_key={token}", content=b'{"text": "secret"}', headers=bearer(token + "x"))
        await client.get("/v1/a%0Ab")
    told = [record.getMessage() for record in caplog.records if record.name.startswith("api")]
    assert len(told) == 3
    assert "POST /v1/ask -> 200" in told[0]
    assert told[0].endswith("for phone")
    assert "-> 401" in told[1]
    assert not any(word in line for line in told for word in (token, "secret", "api_key", "\n"))
