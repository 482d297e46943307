"""Bodies that are no JSON, or JSON of the wrong kind, at every route that takes one: told in its door's own form."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.service import Service
from tests.api.chat_server import ChatServer, chat_server
from tests.ollama_stand_in import Reply, StandIn

HELLO = {"role": "user", "content": "Hello?"}
SOUND = {"model": "whisper-1", "input_audio": {"data": "AAAA"}}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "companion", "messages": [HELLO]},
    "/v1/responses": {"model": "companion", "input": "Hello?"},
    "/v1/embeddings": {"model": "hashed", "input": "Hello?"},
    "/v1/audio/speech": {"model": "tts-1", "input": "Hello?"},
    "/v1/audio/transcriptions": SOUND,
    "/v1/audio/translations": SOUND,
    "/v1/ask": {"text": "Hello?", "speak": False},
    "/v1/knowledge/jobs": {"path": "/nowhere"},
    "/api/chat": {"model": "companion", "messages": [HELLO], "stream": False},
    "/api/generate": {"model": "companion", "prompt": "Hello?", "stream": False},
    "/api/embed": {"model": "hashed", "input": "Hello?"},
    "/api/embeddings": {"model": "hashed", "prompt": "Hello?"},
    "/api/show": {"model": "companion"},
}
ENGINES = ("/v1/chat/completions", "/v1/responses", "/v1/audio/speech", "/v1/ask", "/api/chat", "/api/generate")
"""What has an engine work."""

NAMED = [path for path, body in BODIES.items() if "model" in body]
UNNAMED = ("/v1/ask", "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations")
"""Where a body of no kind could be a sound, or have one made."""

UNHEARD = ("/v1/audio/transcriptions", "/v1/audio/translations")
"""Whose sound is none, so that whatever else is right is refused for that."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, ollama: StandIn) -> Iterator[ChatServer]:
    """A server that is asked more often in a minute than others may."""
    engine = {"engine": "ollama", "ollama": {"host": ollama.host}}
    data = tmp_path_factory.mktemp("bad")
    with chat_server(data, chat=engine, server={"requests_per_minute": 100_000}) as opened:
        yield opened


def post(server: ChatServer, path: str, content: bytes, kind: str | None = "application/json") -> httpx.Response:
    headers = {"content-type": kind} if kind else {}
    return httpx.post(f"{server.url}{path}", content=content, headers=headers, timeout=30, trust_env=False)


def problem(path: str, answer: httpx.Response) -> str:
    """What is told of an error; its form is checked."""
    error = answer.json()["error"]
    if path.startswith("/api/"):
        assert answer.json().keys() == {"error"}
        assert isinstance(error, str)
        return error
    assert error.keys() >= {"message", "type", "param", "code"}
    assert error["type"] == ("invalid_request_error" if answer.status_code < 500 else "server_error")
    return str(error["message"])


def written(path: str) -> bytes:
    return json.dumps(BODIES[path]).encode()


def added(path: str, fields: bytes) -> bytes:
    """The body, and more fields behind its own."""
    return written(path)[:-1] + b"," + fields + b"}"


@pytest.mark.parametrize("path", BODIES)
def test_what_is_no_json_is_refused(running: ChatServer, path: str) -> None:
    body = written(path)
    for content in (
        b"", b"{", body[:-1], body + b"x", body.replace(b'"', b"'"), b"null", b"[]", b'"a"', b"7", b"{}", b"[" * 60,
        body.decode().encode("utf-16"), added(path, b'"x": "\xff"'), added(path, b"// no"), b"model=a&input=b",
    ):  # fmt: skip
        answer = post(running, path, content)
        assert answer.status_code == 400, content
        assert problem(path, answer)
        assert answer.headers["x-should-retry"] == "false"


NUMBERS = ("temperature", "top_p", "speed", "seed", "max_tokens", "dimensions", "keep_alive", "x")


@pytest.mark.parametrize("path", BODIES)
def test_numbers_that_are_none_do_no_harm(running: ChatServer, path: str) -> None:
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 4_000, "9" * 5_000):
        fields = ", ".join(f'"{name}": {number}' for name in NUMBERS)
        answer = post(running, path, added(path, f'{fields}, "options": {{{fields}}}'.encode()))
        assert answer.status_code in (200, 400, 403), (number[:9], answer.text)
        if answer.status_code == 400:
            assert problem(path, answer)


STRANGE: list[Any] = [
    None, -1.5, "x" * 300, "\ud800", {}, [None], {"a": 1}, {"type": 1}, [{"type": "x"}],
    [{"role": "user", "content": [{}]}], [{"role": "user", "content": "a", "tool_calls": [{}]}],
    [{"type": "function", "function": {"name": 7}}],
]  # fmt: skip
FIELDS = {
    "/v1/chat/completions": ["messages", "tools", "tool_choice", "response_format", "audio"],
    "/v1/responses": ["input", "tools", "text", "previous_response_id"],
    "/v1/embeddings": ["input", "dimensions"],
    "/v1/audio/speech": ["input", "voice", "speed"],
    "/v1/audio/transcriptions": ["input_audio", "timestamp_granularities"],
    "/v1/ask": ["text", "knowledge", "user"],
    "/v1/knowledge/jobs": ["path"],
    "/api/chat": ["messages", "tools", "format", "options"],
    "/api/generate": ["prompt", "format", "context"],
    "/api/embed": ["input"],
    "/api/show": ["model"],
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in FIELDS.items() for name in names])
def test_values_of_the_wrong_kind_are_refused_or_passed_over(running: ChatServer, path: str, name: str) -> None:
    for value in STRANGE:
        answer = post(running, path, json.dumps({**BODIES[path], name: value}).encode())
        assert answer.status_code < 500, (value, answer.text)
        if answer.status_code >= 400:
            assert problem(path, answer)
    assert httpx.get(f"{running.url}/health", trust_env=False).json()["ready"]


@pytest.mark.parametrize("path", NAMED)
def test_of_two_fields_of_one_name_the_last_counts(running: ChatServer, path: str) -> None:
    unknown = post(running, path, added(path, b'"model": "nobody"'))
    assert unknown.status_code == (400 if path in UNHEARD else 404)
    known = post(running, path, b'{"model": "nobody", ' + written(path)[1:])
    assert known.status_code == (400 if path in UNHEARD else 200)


@pytest.mark.parametrize("path", [path for path in NAMED if path not in UNHEARD])
def test_a_model_that_nobody_serves_is_not_found(running: ChatServer, path: str) -> None:
    answer = post(running, path, json.dumps({**BODIES[path], "model": "gpt-4o\n"}).encode())
    assert answer.status_code == 404
    assert "gpt-4o" in problem(path, answer)
    if path.startswith("/v1/"):
        error = answer.json()["error"]
        assert (error["code"], error["param"]) == ("model_not_found", "model")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/ask", "/api/chat", "/api/generate"])
def test_half_a_character_is_no_text_and_a_nul_is_one(server: ChatServer, ollama: StandIn, path: str) -> None:
    body = written(path)
    half = post(server, path, body.replace(b"Hello?", b"Hello \\ud800?"))
    assert half.status_code in (200, 400)
    for request in ollama.bodies("/api/chat"):
        json.dumps(request, ensure_ascii=False).encode()
    assert post(server, path, body.replace(b"Hello?", b"Hello\\u0000?")).status_code == 200


@pytest.mark.parametrize("path", BODIES)
def test_what_a_page_could_send_unasked_is_not_taken_and_what_has_no_name_is_json(
    running: ChatServer, path: str
) -> None:
    for kind in ("text/plain", "TEXT/PLAIN; charset=utf-8", "application/x-www-form-urlencoded"):
        answer = post(running, path, written(path), kind)
        assert answer.status_code == 415, kind
        assert problem(path, answer)
    unnamed = post(running, path, written(path), None)
    if path in UNNAMED:
        assert unnamed.status_code == 415
    else:
        assert unnamed.status_code == post(running, path, written(path)).status_code != 415


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


TOOL = {"name": "f", "parameters": deep(40)}


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/chat/completions", {"tools": [{"type": "function", "function": TOOL}]}),
        ("/v1/chat/completions", {"response_format": {"type": "json_schema", "json_schema": {"schema": deep(40)}}}),
        ("/v1/responses", {"tools": [{"type": "function", **TOOL}]}),
        ("/v1/responses", {"text": {"format": {"type": "json_schema", "name": "a", "schema": deep(40)}}}),
        ("/api/chat", {"tools": [{"type": "function", "function": TOOL}]}),
        ("/api/chat", {"format": deep(40)}),
        ("/api/generate", {"format": deep(40)}),
    ],
)
def test_a_schema_that_is_too_deep_reaches_no_model(
    server: ChatServer, ollama: StandIn, path: str, more: dict[str, Any]
) -> None:
    """CVE-2025-48944: a schema that was given on as it came stopped the server."""
    answer = post(server, path, json.dumps({**BODIES[path], **more}).encode())
    assert answer.status_code == 400
    assert "64" in problem(path, answer)
    assert not ollama.bodies("/api/chat")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/api/chat", "/api/generate"])
def test_what_is_meant_for_the_engine_alone_is_not_handed_on(server: ChatServer, ollama: StandIn, path: str) -> None:
    """CVE-2025-62426: the words of a template came from the request."""
    more: Any = {"chat_template_kwargs": {"chat_template": "{{ x }}"}, "template": "{{ x }}", "raw": True, "host": "x"}
    more["options"] = {"num_ctx": 10**9, "num_gpu": 0, "num_thread": 10**6, "main_gpu": 7}
    post(server, path, json.dumps({**BODIES[path], **more}).encode())
    for request in ollama.bodies("/api/chat"):
        assert not {"chat_template_kwargs", "template", "raw", "host"} & request.keys()
        assert request["options"]["num_ctx"] < 10**6
        assert not {"num_gpu", "num_thread", "main_gpu"} & request["options"].keys()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/ask", "/api/chat", "/api/generate"])
def test_a_model_that_is_missing_is_told_with_what_gets_it(server: ChatServer, ollama: StandIn, path: str) -> None:
    ollama.models.clear()
    gone = post(server, path, written(path))
    assert gone.status_code == 503
    assert "pull" in gone.text
    assert problem(path, gone)


def test_where_all_places_are_taken_every_route_says_when_to_try_again(tmp_path: Path, ollama: StandIn) -> None:
    ollama.reset()
    ollama.script = Reply("One two.", held_after=1)
    engine = {"engine": "ollama", "ollama": {"host": ollama.host}}
    with chat_server(tmp_path, service=Service(1, 0), chat=engine) as small:
        path = "/v1/chat/completions"
        asked = json.dumps({**BODIES[path], "stream": True}).encode()
        with httpx.stream("POST", f"{small.url}{path}", content=asked, timeout=30, trust_env=False) as first:
            pieces = first.iter_bytes()
            assert next(pieces)
            for path in ENGINES:
                busy = post(small, path, written(path))
                assert (busy.status_code, busy.headers["retry-after"]) == (429, "1"), path
                assert problem(path, busy)
            ollama.go_on.set()
            assert b"".join(pieces).endswith(b"[DONE]\n\n")
        assert post(small, "/v1/ask", written("/v1/ask")).status_code == 200
