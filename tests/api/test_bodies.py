"""What may be sent: kinds, sizes, shapes and times of bodies, and headers in proportion."""

import json

import httpx
import pytest
from anyio import create_task_group, fail_after, sleep

from tests.api.guarded_app import Pieces, calling, error, sent

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(trio_virtual: tuple[str, dict[str, object]]) -> tuple[str, dict[str, object]]:
    return trio_virtual


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/v1/chat/completions", "application/json", 200),
        ("/v1/chat/completions", "application/json; charset=utf-8", 200),
        ("/v1/chat/completions", None, 200),
        ("/v1/chat/completions", "text/plain", 415),
        ("/v1/chat/completions", "TEXT/PLAIN;charset=UTF-8", 415),
        ("/v1/chat/completions", "application/x-www-form-urlencoded", 415),
        ("/v1/chat/completions", "multipart/form-data; boundary=x", 415),
        ("/v1/memory", "text/plain", 415),
        ("/v1/audio/transcriptions", "multipart/form-data; boundary=x", 200),
        ("/v1/audio/transcriptions", "text/plain", 415),
        ("/v1/ask", "audio/wav", 200),
        ("/v1/ask", "multipart/form-data; boundary=x", 415),
    ],
)
async def test_kinds_of_bodies_that_a_page_may_send_unasked_are_not_taken(
    path: str, kind: str | None, status: int
) -> None:
    async with calling() as client:
        answer = await client.post(path, content=b"{}", headers={"content-type": kind} if kind else {})
        assert answer.status_code == status
        if status == 415:
            takes = "multipart/form-data" if path == "/v1/audio/transcriptions" else "application/json"
            assert answer.json()["error"]["message"].endswith(f"is not taken here: send {takes}")


@pytest.mark.parametrize(
    ("path", "kind", "most"),
    [
        ("/v1/memory", "application/json", 30_000),
        ("/v1/memory", "application/octet-stream", 30_000),
        ("/v1/chat/completions", "application/json", 30_000),
        # 4/3 of `audio_bytes`, or the larger of it and `document_bytes`, and a million for what is around them.
        ("/v1/audio/transcriptions", "multipart/form-data; boundary=x", 1_130_000),
        ("/v1/knowledge/documents", "application/octet-stream", 1_100_000),
    ],
)
async def test_a_body_is_limited_by_its_path_and_counted_not_believed(path: str, kind: str, most: int) -> None:
    async with calling(json_bytes=30_000) as client:
        headers = {"content-type": kind}
        assert (await sent(client, path, Pieces(most), headers)).json()["bytes"] == most
        for refused in (
            await sent(client, path, Pieces(most + 10_000), headers),
            await client.post(path, content=b" " * (most + 10_000), headers=headers),
        ):
            assert (refused.status_code, error(refused)) == (413, "request_too_large")
            assert refused.headers["x-should-retry"] == "false"
        lying = headers | {"content-length": "10"}
        assert (await sent(client, path, Pieces(most + 10_000), lying)).status_code == 413


async def test_a_body_that_does_not_come_in_time_is_given_up() -> None:
    async with calling(body_seconds=30) as client:
        for kind in ("application/json", "audio/wav"):
            with fail_after(31):
                refused = await client.post(
                    "/v1/ask", content=Pieces(100, each=1, after=1), headers={"content-type": kind}
                )
            assert (refused.status_code, error(refused)) == (408, "request_timeout")
            assert "x-should-retry" not in refused.headers
            assert refused.headers["connection"] == "close"


async def test_json_of_all_callers_together_has_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.guard.bodies.HELD", 40_000)
    answers: list[httpx.Response] = []
    async with calling() as client:

        async def ask() -> None:
            answers.append(await sent(client, "/v1/memory", Pieces(30_000, each=10_000, after=1), {}))

        async with create_task_group() as tasks:
            tasks.start_soon(ask)
            await sleep(0.5)
            tasks.start_soon(ask)
        refused, taken = answers
        assert (refused.status_code, refused.headers["retry-after"], taken.status_code) == (429, "1", 200)
        # What was held is free again.
        await ask()
        assert answers[-1].status_code == 200


ESCAPED = r"\u0041\"\\" * 100
BASE64 = "QUJD" * 20_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 64 + "]" * 64, 200),
        ("[" * 65 + "]" * 65, 400),
        ('{"a":' * 100_000, 400),
        (json.dumps("[" * 1000), 200),
        (f'["{ESCAPED}"]', 200),
        (json.dumps([0] * 10_000), 200),
        (json.dumps([0] * 10_001), 413),
        (json.dumps([[0] * 5_000] * 3), 200),
        (json.dumps([[0] * 9_000] * 12), 413),
        (json.dumps(dict.fromkeys(map(str, range(10_001)))), 413),
        ('"a"' * 100_001, 413),
        ('"' + r"\"" * 100_000, 413),
        ("]" * 1000, 200),
        (json.dumps({"data": BASE64}), 200),
        (json.dumps({"url": f"data:audio/wav;base64,{BASE64}"}), 200),
        (json.dumps({"text": "word " * 16_000}), 413),
        ('{"text": "a"}'.encode("utf-16"), 400),
        ('{"text": "a"}'.encode("utf-32-be"), 400),
    ],
)
async def test_the_shape_of_json_is_looked_at_before_it_is_parsed(body: str | bytes, status: int) -> None:
    async with calling(json_bytes=75_000) as client:
        content = body if isinstance(body, bytes) else body.encode()
        assert (await client.post("/v1/chat/completions", content=content)).status_code == status


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({f"x-{number}": "a" for number in range(80)}, "", 200),
        ({f"x-{number}": "a" for number in range(101)}, "", 431),
        ({"x-large": "a" * 33_000}, "", 431),
        ({}, "&".join(["knowledge=a"] * 200), 200),
        ({}, "&".join(["knowledge=a"] * 201), 414),
        ({}, "q=" + "a" * 33_000, 414),
        ({"content-encoding": "gzip"}, "", 415),
        ({"content-encoding": "identity"}, "", 200),
    ],
)
async def test_headers_and_queries_in_proportion(headers: dict[str, str], query: str, status: int) -> None:
    async with calling() as client:
        assert (await client.post(f"/v1/ask?{query}", content=b"{}", headers=headers)).status_code == status
