"""The HTTP door, called without a network, over scripted engines."""

import base64
import io
import json
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from anyio import Event, create_task_group, fail_after

from agent.assistant import Assistant, open_assistant
from agent.events import TextDelta, TurnEnded, TurnEvent
from agent.turn import Emit
from api.app import create_app
from api.guard.origins import is_local_name
from api.service import Service
from configs.settings import load_settings
from models.audio import from_floats, silence, wav_bytes

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
SPEECH = wav_bytes(from_floats((0.3 * np.sin(np.arange(16_000) / 5)).astype(np.float32), 16_000))
SCRIPTED = {
    "TINGSHUO_PERSONA": "companion",
    "TINGSHUO_CHAT__ENGINE": "fake",
    "TINGSHUO_CHAT__FAKE__REPLIES": '["Two words."]',
    "TINGSHUO_EMBEDDINGS__ENGINE": "hashed",
    "TINGSHUO_SPEECH_TO_TEXT__ENGINE": "fake",
    "TINGSHUO_TEXT_TO_SPEECH__ENGINE": "fake",
    "TINGSHUO_VOICE_ACTIVITY__ENGINE": "fake",
    "TINGSHUO_LIMITS__AUDIO_BYTES": "200000",
    "TINGSHUO_LIMITS__AUDIO_SECONDS": "3",
    "TINGSHUO_LIMITS__QUESTION_CHARACTERS": "100",
}


@pytest.fixture
def script() -> dict[str, str]:
    """What a test changes in the script."""
    return {}


@pytest.fixture
async def assistant(
    monkeypatch: pytest.MonkeyPatch, script: dict[str, str], data_folder: Path
) -> AsyncIterator[Assistant]:
    for name, value in {**SCRIPTED, **script}.items():
        monkeypatch.setenv(name, value)
    async with open_assistant(load_settings()) as opened:
        yield opened


@pytest.fixture
async def client(assistant: Assistant) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(assistant, Service()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


async def test_words_get_words_and_speech(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/ask", json={"text": "Hello?"})).json()
    assert answer["transcript"] is None
    assert answer["reply"] == {
        "text": "Two words.", "spoken": "Two words.", "refused": False, "citations": [], "unsupported": [],
        "at_limit": False,
    }  # fmt: skip
    assert answer["outcome"] == "completed"
    with wave.open(io.BytesIO(base64.b64decode(answer["audio"]["base64"]))) as sound:
        assert sound.getframerate() == answer["audio"]["sample_rate"]
        assert sound.getnframes() / sound.getframerate() == pytest.approx(answer["audio"]["seconds"], abs=0.001)
        assert sound.getnframes() > 0
    assert set(answer["timings_ms"]) >= {"transcript", "first_token", "first_audio", "reply_end"}


async def test_a_recording_is_heard_and_its_wishes_stand_in_the_query(client: httpx.AsyncClient) -> None:
    answer = (
        await client.post("/v1/ask?speak=false&conversation=c1", content=SPEECH, headers={"content-type": "audio/wav"})
    ).json()
    assert answer["transcript"] == "Hello there."
    assert answer["conversation"] == "c1"
    assert answer["audio"] is None


async def test_wishes_of_a_question_in_words_may_stand_in_the_query_too(client: httpx.AsyncClient) -> None:
    url = "/v1/ask?speak=false&conversation=c1"
    answer = (await client.post(url, json={"text": "Hello?", "conversation": "c3"})).json()
    assert (answer["conversation"], answer["audio"]) == ("c3", None)
    refused = await client.post("/v1/ask?volume=11", json={"text": "Hello?"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "volume")


async def test_a_conversation_goes_on(client: httpx.AsyncClient, assistant: Assistant) -> None:
    for text in ("first", "second"):
        asked = {"text": text, "conversation": "c2", "user": "ann", "speak": False}
        assert (await client.post("/v1/ask", json=asked)).status_code == 200
    assert [turn.question for turn in await assistant.store.turns.of("c2")] == ["first", "second"]
    assert [kept.id for kept in await assistant.store.turns.conversations("ann")] == ["c2"]


async def test_health_names_engines_and_what_is_less_than_it_could_be(client: httpx.AsyncClient) -> None:
    health = (await client.get("/health")).json()
    assert health["ready"] is True
    assert health["engines"]["speech_to_text"]["engine"] == "fake"
    assert health["degraded"] == []


async def test_health_can_be_asked_for_its_head_alone(client: httpx.AsyncClient) -> None:
    assert (await client.head("/health")).status_code == 200


async def test_json_may_begin_with_a_byte_order_mark(client: httpx.AsyncClient) -> None:
    sent = b'\xef\xbb\xbf{"text": "Hello?", "speak": false}'
    answered = await client.post("/v1/ask", content=sent, headers=JSON | {"content-encoding": "identity"})
    assert answered.json()["reply"]["text"] == "Two words."


def wav(seconds: float) -> bytes:
    return wav_bytes(silence(seconds, 16_000))


OCTETS = {"content-type": "application/octet-stream"}
AUDIO = {"content-type": "audio/webm;codecs=opus"}


@pytest.mark.parametrize(
    ("sent", "headers", "status", "code"),
    [
        (b"hello", {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        (b"hello", {}, 415, "unsupported_media_type"),
        (b"a=b", {"content-type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        (b"{", JSON, 400, "invalid_value"),
        (b"[]", JSON, 400, "invalid_value"),
        (b'"text"', JSON, 400, "invalid_value"),
        (b'{"text": 7}', JSON, 400, "invalid_value"),
        (b"{}", JSON, 400, "invalid_value"),
        (b'{"text": "a", "volume": 11}', JSON, 400, "invalid_value"),
        (b'{"text": "a", "speak": "perhaps"}', JSON, 400, "invalid_value"),
        (b'{"text": "a", "user": ""}', JSON, 400, "invalid_value"),
        (b'{"text": "  "}', JSON, 400, "request_error"),
        (b'{"text": "a", "conversation": "two\\nlines"}', JSON, 400, "request_error"),
        (b'{"text": "a", "user": "\\ud800"}', JSON, 400, "invalid_value"),
        (b'{"text": "a"}', JSON | {"content-encoding": "gzip"}, 415, "unsupported_media_type"),
        (b"\x1f\x8b", OCTETS | {"content-encoding": "GZIP"}, 415, "unsupported_media_type"),
        (json.dumps({"text": "x" * 101}).encode(), JSON, 413, "request_too_large"),
        (json.dumps({"text": "x" * 200_000}).encode(), JSON, 413, "request_too_large"),
        (b'{"text": "a", "persona": "nobody"}', JSON, 404, "persona_not_found"),
        (b'{"text": "a", "persona": "../default"}', JSON, 404, "persona_not_found"),
        (b'{"text": "a", "knowledge": ["nothing"]}', JSON, 404, "knowledge_base_not_found"),
        (b"", AUDIO, 415, "audio_unsupported"),
        (b"not audio at all", AUDIO, 415, "audio_unsupported"),
        (SPEECH[:44], OCTETS, 415, "audio_unsupported"),
        (wav(0), OCTETS, 415, "audio_unsupported"),
        (wav(4), OCTETS, 413, "request_too_large"),
        (bytes(200_001), OCTETS, 413, "request_too_large"),
        (wav(1), OCTETS, 422, "no_speech_heard"),
    ],
)
async def test_what_cannot_be_answered_is_told_in_openais_form(
    client: httpx.AsyncClient, sent: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    refused = await client.post("/v1/ask", content=sent, headers=headers)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (status, code)
    assert error.keys() == {"message", "type", "param", "code", "hint"}
    assert error["type"] == "invalid_request_error"
    assert error["message"]


async def test_a_body_is_counted_not_believed(client: httpx.AsyncClient) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 10_000
            yield bytes(10_000)

    refused = await client.post("/v1/ask", content=endless(), headers=OCTETS)
    assert refused.status_code == 413
    assert taken <= 220_000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/ask", 405),
        ("GET", "/nowhere", 404),
        ("DELETE", "/health", 405),
        ("GET", "/health/", 404),
        ("POST", "/v1/ask/", 404),
    ],
)
async def test_paths_and_methods_that_are_not_there(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    refused = await client.request(method, path)
    assert refused.status_code == status
    assert refused.json()["error"]["code"]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:8484", True),
        ("LocalHost:8484", True),
        ("[::1]:8484", True),
        ("[::1]", True),
        ("evil.com", False),
        ("127.0.0.1.evil.com", False),
        ("localhost.evil.com:8484", False),
        ("192.168.1.2:8484", False),
        ("", False),
    ],
)
def test_only_names_of_this_machine_are_local(host: str, local: bool) -> None:
    assert is_local_name(host) is local


async def test_a_page_that_points_its_name_here_is_refused(client: httpx.AsyncClient) -> None:
    refused = await client.get("/health", headers={"host": "evil.com"})
    assert refused.status_code == 403
    assert "engines" not in refused.text


Step = Callable[[Service, Event], Awaitable[None]]


async def caller_leaves(service: Service, gone: Event) -> None:
    gone.set()


async def server_stops(service: Service, gone: Event) -> None:
    service.stop()


@pytest.mark.parametrize("script", [{"TINGSHUO_CHAT__FAKE__TOKEN": "600"}])
@pytest.mark.parametrize(("end", "status"), [(caller_leaves, None), (server_stops, 503)])
async def test_a_turn_ends_when_its_caller_has_gone_or_the_server_stops(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, end: Step, status: int | None
) -> None:
    writing = begins_to_write(assistant, monkeypatch)
    service, gone, sent = Service(), Event(), list[dict[str, Any]]()
    body = json.dumps({"text": "Tell me a story", "conversation": "story", "speak": False}).encode()
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/ask", "query_string": b"", "http_version": "1.1"}
    headers = [(b"content-type", b"application/json"), (b"host", b"localhost")]
    with fail_after(20):
        async with create_task_group() as tasks:
            tasks.start_soon(create_app(assistant, service), {**scope, "headers": headers}, receive, send)
            await writing.wait()
            await end(service, gone)
    if status:
        assert sent[0]["status"] == status
    (kept,) = await assistant.store.turns.of("story")
    assert (kept.outcome, kept.reply) == ("interrupted", "Two ")


def begins_to_write(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set when the next reply has its first token."""
    began, ask = Event(), assistant.ask

    async def watched(*, emit: Emit, **asked: Any) -> TurnEnded:
        async def follow(event: TurnEvent) -> None:
            await emit(event)
            if isinstance(event, TextDelta):
                began.set()

        return await ask(**asked, emit=follow)

    monkeypatch.setattr(assistant, "ask", watched)
    return began
