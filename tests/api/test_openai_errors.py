"""Refusals as OpenAI's own client meets them: which of its errors each is, and which of them it tries again."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

from api.service import Service
from models.audio import from_floats, silence, wav_bytes
from tests.api.chat_server import ChatServer, chat_server
from tests.api.guarded_app import created
from tests.ollama_stand_in import Fail, Reply, StandIn

Call = tuple[str, dict[str, Any]]

SOUND = wav_bytes(from_floats((0.3 * np.sin(np.arange(16_000) / 5)).astype(np.float32), 16_000))
SILENCE = wav_bytes(silence(1.0, 16_000))
SILENT = {"type": "input_audio", "input_audio": {"data": base64.b64encode(SILENCE).decode(), "format": "wav"}}
BUSY = Reply(fail=Fail(status=503, words="server busy, please try again"))
GONE = "resp_gone"


def chat(content: object = "Hello?", **more: object) -> Call:
    """A chat completion."""
    return "chat.completions.create", {
        "model": "companion", "messages": [{"role": "user", "content": content}], **more
    }  # fmt: skip


def response(**more: object) -> Call:
    """A response."""
    return "responses.create", {"model": "companion", "input": "Hello?", **more}


def transcription(**more: object) -> Call:
    """A transcription."""
    return "audio.transcriptions.create", {"model": "whisper-1", "file": ("a.wav", SOUND), **more}


def speech(**more: object) -> Call:
    """A speech."""
    return "audio.speech.create", {"model": "tts-1", "voice": "alloy", "input": "Hello.", **more}


def asked(client: object, call: Call) -> Any:
    """What a call of the client's gives."""
    name, arguments = call
    return attrgetter(name)(client)(**arguments)


@contextmanager
def waiting(monkeypatch: pytest.MonkeyPatch, meanwhile: Any = lambda: None) -> Iterator[list[float]]:
    """The seconds that the client would wait before it tries again; it waits none, and `meanwhile` happens."""
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        meanwhile()

    with monkeypatch.context() as patched:
        patched.setattr("openai._base_client.time.sleep", sleep)
        yield waited


@pytest.mark.parametrize(
    ("call", "kind", "status", "code", "param"),
    [
        (chat(n=2), openai.BadRequestError, 400, "invalid_value", "n"),
        (chat(""), openai.BadRequestError, 400, "invalid_value", "messages.0.content"),
        (chat(model="gpt-4o"), openai.NotFoundError, 404, "model_not_found", "model"),
        (chat("word " * 20_000), openai.APIStatusError, 413, "request_too_large", None),
        (chat([SILENT]), openai.UnprocessableEntityError, 422, "no_speech_heard", "messages.0.content"),
        (response(temperature=3), openai.BadRequestError, 400, "invalid_value", "temperature"),
        (response(model="gpt-4o"), openai.NotFoundError, 404, "model_not_found", "model"),
        (
            response(previous_response_id=GONE),
            openai.BadRequestError, 400, "previous_response_not_found", "previous_response_id",
        ),
        (
            ("embeddings.create", {"model": "hashed", "input": "a", "dimensions": 1}),
            openai.BadRequestError, 400, "invalid_value", "dimensions",
        ),
        (
            ("embeddings.create", {"model": "nobody", "input": "a"}),
            openai.NotFoundError, 404, "model_not_found", "model",
        ),
        (("models.retrieve", {"model": "gpt-4o"}), openai.NotFoundError, 404, "model_not_found", "model"),
        (transcription(file=b"noise"), openai.BadRequestError, 400, "invalid_value", "file"),
        (transcription(model="gpt-4o"), openai.NotFoundError, 404, "model_not_found", "model"),
        (transcription(language="tlh"), openai.BadRequestError, 400, "invalid_value", "language"),
        (speech(input=" "), openai.BadRequestError, 400, "invalid_value", "input"),
        (speech(speed=9), openai.BadRequestError, 400, "invalid_value", "speed"),
        (speech(input="x" * 8_001), openai.APIStatusError, 413, "request_too_large", "input"),
    ],
)  # fmt: skip
def test_a_refusal_is_the_client_s_own_error(
    server: ChatServer, call: Call, kind: type[openai.APIStatusError], status: int, code: str, param: str | None
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        asked(server.client, call)
    error = refused.value
    assert type(error) is kind
    assert (error.status_code, error.code, error.param, error.type) == (status, code, param, "invalid_request_error")
    assert error.request_id == error.response.headers["x-request-id"]
    assert error.response.headers["x-should-retry"] == "false"
    assert server.turns() == []


@pytest.mark.parametrize("call", [chat(), response(), chat(stream=True), response(stream=True)])
@pytest.mark.parametrize("status", [500, 503])
def test_a_model_that_fails_is_an_error_of_the_server(
    server: ChatServer, ollama: StandIn, call: Call, status: int
) -> None:
    ollama.script = Reply(fail=Fail(status=status))
    with pytest.raises(openai.InternalServerError) as failed:
        asked(server.client, call)
    assert (failed.value.status_code, failed.value.type) == (status, "server_error")
    assert ("x-should-retry" in failed.value.response.headers) is (status == 500)


def test_an_error_in_a_stream_names_itself(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("One two three.", fail=Fail("cut", after=2))
    said: list[Any] = []
    with asked(server.client, chat(stream=True)) as stream, pytest.raises(openai.APIError) as broken:
        said.extend(chunk.choices[0].delta.content for chunk in stream)
    assert said == ["", "One", " two"]
    assert (broken.value.type, broken.value.code) == ("server_error", "engine_failed")
    told = [*asked(server.client, response(stream=True))]
    assert (told[-1].type, told[-1].response.error.code) == ("response.failed", "server_error")


def test_a_key_opens_what_it_is_for(server: ChatServer) -> None:
    data = server.assistant.settings.data
    token = created(data, "phone", "audio")
    try:
        heard = server.client.with_options(api_key=token)
        assert asked(heard, transcription()).text == "Hello there."
        with pytest.raises(openai.PermissionDeniedError) as refused:
            asked(heard, chat())
        assert refused.value.code == "insufficient_permissions"
        with pytest.raises(openai.AuthenticationError) as unknown:
            asked(server.client.with_options(api_key=token + "x"), transcription())
        assert unknown.value.code == "invalid_api_key"
        assert unknown.value.response.headers["www-authenticate"] == "Bearer"
    finally:
        (data / "keys.json").unlink()


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (("completions.create", {"model": "companion", "prompt": "Hello"}), openai.NotFoundError),
        (("moderations.create", {"input": "Hello"}), openai.NotFoundError),
        (("images.generate", {"prompt": "a cat"}), openai.NotFoundError),
        (("files.list", {}), openai.NotFoundError),
        (("conversations.create", {}), openai.NotFoundError),
        (("responses.retrieve", {"response_id": GONE}), openai.NotFoundError),
        (("responses.cancel", {"response_id": GONE}), openai.NotFoundError),
        (("responses.input_items.list", {"response_id": GONE}), openai.NotFoundError),
        (("chat.completions.list", {}), openai.APIStatusError),
        (("models.delete", {"model": "companion"}), openai.APIStatusError),
    ],
)
def test_what_is_not_served_is_said_so(server: ChatServer, call: Call, kind: type[openai.APIStatusError]) -> None:
    with pytest.raises(kind) as refused:
        asked(server.client, call)
    assert refused.value.code in ("not_found", "method_not_allowed")
    assert refused.value.status_code in (404, 405)


def test_what_comes_too_often_is_tried_again_when_it_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        chat_server(tmp_path, chat={"engine": "fake"}, server={"requests_per_minute": 1}) as server,
        waiting(monkeypatch) as waited,
    ):
        first = server.client.models.with_raw_response.list()
        assert first.headers["x-ratelimit-remaining-requests"] == "0"
        with pytest.raises(openai.RateLimitError) as refused:
            server.client.with_options(max_retries=2).models.list()
    # One a minute: whoever asks at once has a minute to wait, less what the asking took.
    assert waited == [pytest.approx(60, abs=5)] * 2
    assert refused.value.code == "rate_limit_exceeded"
    assert waited[-1] <= int(refused.value.response.headers["retry-after"]) <= 60


def test_who_finds_no_place_is_served_after_the_next_has_gone(
    tmp_path: Path, ollama: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama.reset()
    ollama.script = Reply("One two.", held_after=1)
    engine = {"engine": "ollama", "ollama": {"host": ollama.host}}
    with chat_server(tmp_path, service=Service(turns=1, queue=0), chat=engine) as server:
        streaming: Any = server.client.chat.completions.with_streaming_response
        with streaming.create(**chat(stream=True)[1]) as held:
            pieces = held.iter_bytes()
            next(pieces)

            def end() -> None:
                ollama.go_on.set()
                assert b"".join(pieces).endswith(b"data: [DONE]\n\n")

            with waiting(monkeypatch, end) as waited:
                reply = asked(server.client.with_options(max_retries=1), chat("And I?"))
        assert reply.choices[0].message.content == "One two."
    assert waited == [1]


def test_an_engine_that_is_busy_is_asked_again_and_the_turn_is_kept_once(
    server: ChatServer, ollama: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama.answers(BUSY, Reply("Here I am."))
    with waiting(monkeypatch) as waited:
        reply = asked(server.client.with_options(max_retries=2), chat())
    assert reply.choices[0].message.content == "Here I am."
    assert len(waited) == 1
    assert [turn.reply for turn in server.turns()] == ["Here I am."]


def test_what_will_fail_again_is_not_tried_again(
    server: ChatServer, ollama: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama.models.clear()
    for call in (chat(), response(), chat(stream=True)):
        with waiting(monkeypatch) as waited, pytest.raises(openai.InternalServerError) as failed:
            asked(server.client.with_options(max_retries=2), call)
        assert (failed.value.code, failed.value.status_code) == ("model_not_found", 503)
        assert failed.value.response.headers["x-should-retry"] == "false"
        assert waited == []


def test_documents_that_were_embedded_otherwise_are_a_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "handbook.md"
    document.write_text("# Leave\n\nEveryone gets 25 days of paid leave in a year.\n", encoding="utf-8")
    for dimensions in (64, 128):
        embeddings = {"engine": "hashed", "hashed": {"dimensions": dimensions}}
        with chat_server(tmp_path / "data", chat={"engine": "fake"}, embeddings=embeddings) as server:
            if dimensions == 64:
                server.portal.call(server.assistant.store.knowledge.ingest, [document])
                continue
            question = "How many days of paid leave does everyone get?"
            for call in (chat(question, model="default"), response(input=question, model="default", stream=True)):
                with waiting(monkeypatch) as waited, pytest.raises(openai.ConflictError) as refused:
                    asked(server.client.with_options(max_retries=2), call)
                assert (refused.value.code, waited) == ("embedding_mismatch", [])


def test_a_client_that_waits_no_longer_frees_the_model(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("One two three.", held_after=1)
    with pytest.raises(openai.APITimeoutError):
        asked(server.client.with_options(timeout=1), chat())
    # On a very busy machine the client may have gone before the model was asked.
    assert ollama.closed_early.wait(10) or not ollama.bodies("/api/chat")
