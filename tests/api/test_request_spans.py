"""A request as a span: by OpenTelemetry's conventions, below its caller's, its turn below it, and without a word."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from agent.assistant import Assistant, open_assistant
from api.app import create_app
from api.service import Service
from api.tracing.opening import trace_requests, trace_turns
from api.tracing.request_spans import RequestSpans
from configs.settings import load_settings

pytestmark = pytest.mark.anyio

# The example of https://www.w3.org/TR/trace-context/#examples-of-http-traceparent-headers.
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
SECRET = "swordfish"


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exported: InMemorySpanExporter) -> Iterator[Tracer]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    yield provider.get_tracer("tests")
    provider.shutdown()


@pytest.fixture
async def assistant(data_folder: Path) -> AsyncIterator[Assistant]:
    scripted = {name: {"engine": "fake"} for name in ("speech_to_text", "text_to_speech", "voice_activity")}
    chat = {"engine": "fake", "fake": {"replies": [f"The {SECRET} opens it."]}}
    settings = load_settings(persona="companion", chat=chat, embeddings={"engine": "hashed"}, **scripted)
    async with open_assistant(settings) as opened:
        yield opened


@pytest.fixture
async def client(assistant: Assistant, tracer: Tracer) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(assistant, Service())
    trace_turns(assistant, tracer)
    trace_requests(app, tracer)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


def one(exported: InMemorySpanExporter) -> ReadableSpan:
    """The only span that there is."""
    (span,) = exported.get_finished_spans()
    exported.clear()
    return span


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_request_goes_on_with_its_callers_trace_and_its_turn_with_the_request(
    client: httpx.AsyncClient, exported: InMemorySpanExporter
) -> None:
    asked = {"text": f"What opens the {SECRET}?", "user": SECRET, "conversation": SECRET}
    headers = {"traceparent": TRACEPARENT, "tracestate": "congo=t61rcWkgMzE", "x-request-id": "req-7"}
    answer = await client.post(f"/v1/ask?user={SECRET}", json=asked, headers=headers)
    assert SECRET in answer.json()["reply"]["text"]
    spans = exported.get_finished_spans()
    request, turn = spans[-1], next(span for span in spans if span.name == "turn")
    assert (request.name, request.kind) == ("POST /v1/ask", SpanKind.SERVER)
    # https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
    assert told(request) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/v1/ask",
        "tingshuo.request.id": "req-7",
        "url.path": "/v1/ask",
        "url.scheme": "http",
    }
    assert request.status.is_unset
    assert request.parent
    assert (f"{request.parent.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, PARENT)
    assert request.parent.is_remote
    assert turn.parent
    assert request.context
    assert turn.parent.span_id == request.context.span_id
    assert {f"{span.context.trace_id:032x}" for span in spans if span.context} == {TRACE}
    assert told(turn)["tingshuo.turn.id"] == answer.json()["turn"]
    assert told(turn)["tingshuo.engine.chat"] == "fake"
    assert {"retrieval", "first_token", "first_clause", "first_audio", "generation", "synthesis"} <= {
        span.name for span in spans
    }
    assert not any(SECRET in span.to_json() for span in spans)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_streamed_turn_is_below_its_request_too(
    client: httpx.AsyncClient, exported: InMemorySpanExporter, stream: bool
) -> None:
    asked = {"model": "companion", "messages": [{"role": "user", "content": SECRET}], "stream": stream}
    assert SECRET in (await client.post("/v1/chat/completions", json=asked)).text
    *stages, turn, request = exported.get_finished_spans()
    assert (turn.name, request.name) == ("turn", "POST /v1/chat/completions")
    assert turn.parent == request.context
    assert request.parent is None
    assert all(stage.parent == turn.context for stage in stages)
    assert told(turn)["gen_ai.output.type"] == "text"
    assert not any(SECRET in span.to_json() for span in (*stages, turn, request))


@pytest.mark.parametrize(
    "headers",
    [
        [("traceparent", f"00-{TRACE}-{PARENT}")],
        [("traceparent", f"00-{'0' * 32}-{PARENT}-01")],
        [("traceparent", f"ff-{TRACE}-{PARENT}-01")],
        [("traceparent", "swordfish")],
        [("traceparent", TRACEPARENT), ("traceparent", TRACEPARENT)],
        [("tracestate", "congo=t61rcWkgMzE")],
        [("baggage", "password=swordfish")],
    ],
)
async def test_a_header_that_names_no_span_begins_a_new_trace(
    client: httpx.AsyncClient, exported: InMemorySpanExporter, headers: list[tuple[str, str]]
) -> None:
    assert (await client.get("/health/live", headers=headers)).status_code == 200
    span = one(exported)
    assert span.parent is None
    assert SECRET not in span.to_json()


async def test_a_caller_that_does_not_sample_has_nothing_told(
    client: httpx.AsyncClient, exported: InMemorySpanExporter
) -> None:
    await client.post("/v1/ask", json={"text": "Hello?"}, headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert exported.get_finished_spans() == ()


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", f"/{SECRET}", "GET"),
        ("GET", f"/v1/models/{SECRET}", "GET /v1/models/{model}"),
        ("GET", f"/v1/turns/{SECRET}?user={SECRET}", "GET /v1/turns/{turn}"),
        (SECRET.upper(), f"/{SECRET}", "HTTP"),
        ("POST", "/v1/ask", "POST /v1/ask"),
    ],
)
async def test_what_a_path_names_is_not_told_and_a_mistake_of_the_callers_is_no_error(
    client: httpx.AsyncClient, exported: InMemorySpanExporter, method: str, path: str, name: str
) -> None:
    answer = await client.request(method, path, content=b'{"text": 7}', headers={"content-type": "application/json"})
    assert answer.status_code // 100 == 4
    span = one(exported)
    assert span.name == name
    assert told(span)["http.response.status_code"] == answer.status_code
    assert told(span)["http.request.method"] == (method if method in ("GET", "POST") else "_OTHER")
    assert told(span)["url.path"] == (name.partition(" ")[2] or "REDACTED")
    assert told(span)["tingshuo.request.id"] == answer.headers["x-request-id"]
    assert span.status.is_unset
    assert SECRET not in span.to_json().lower()


def test_what_nobody_foresaw_is_an_error_of_ours_without_its_message(
    tracer: Tracer, exported: InMemorySpanExporter
) -> None:
    async def broken(request: object) -> PlainTextResponse:
        raise ZeroDivisionError(SECRET)

    app = Starlette(routes=[Route("/broken", broken)])
    app.add_middleware(RequestSpans, tracer=tracer)
    assert TestClient(app, raise_server_exceptions=False).get("/broken").status_code == 500
    span = one(exported)
    assert told(span)["error.type"] == "500"
    assert not span.status.is_unset
    assert span.events == ()
    assert SECRET not in span.to_json()


def test_a_websocket_is_one_request(tracer: Tracer, exported: InMemorySpanExporter) -> None:
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close()

    app = Starlette(routes=[WebSocketRoute("/v1/realtime", talk)])
    app.add_middleware(RequestSpans, tracer=tracer)
    with TestClient(app).websocket_connect("/v1/realtime", headers={"traceparent": TRACEPARENT}) as socket:
        socket.send_text(SECRET)
        assert socket.receive_text() == SECRET
    span = one(exported)
    assert span.name == "GET /v1/realtime"
    assert told(span)["http.response.status_code"] == 101
    assert span.parent
    assert f"{span.parent.trace_id:032x}" == TRACE
    assert SECRET not in span.to_json()
