"""A stand-in for Ollama: its wire format on real sockets, with replies from a script; runs no model."""

import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from models.engines.hashed import HashedEmbeddings
from tests.ollama_library import created, listed, pulled
from tests.ollama_prompts import NUM_CTX, TooLong, pieces, tokens_read

Body = dict[str, Any]
Lines = AsyncGenerator[Body, None]

PULLED = ("qwen3:8b", "qwen3-embedding:0.6b")


@dataclass(frozen=True)
class Fail:
    """How a request fails."""

    how: Literal["status", "line", "cut", "end", "garbage"] = "status"
    """A status and a body; a line of a stream that began well; the socket closed; the last line missing; no JSON."""
    status: int = 500
    words: str = "model runner has unexpectedly stopped, check ollama server logs for details"
    after: int = 0
    """Pieces of the reply that come first, where it is a stream."""


@dataclass(frozen=True)
class Reply:
    """What one chat request is answered with."""

    text: str = "Hello there."
    thinking: str = ""
    """Sent when the request asks for thought, or does not say."""
    tool_calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """Names and arguments; sent whole, after the text."""
    data: Mapping[str, Any] | None = None
    """Sent as JSON in place of the text when the request has a `format`."""
    done_reason: Literal["stop", "length", "load"] = "stop"
    fail: Fail | None = None
    load: float = 0.0
    """Seconds before anything is sent, the headers too."""
    first: float = 0.0
    """Seconds between the headers and the first piece."""
    pause: float = 0.0
    """Seconds before each later piece."""
    held_after: int | None = None
    """After so many pieces the stream waits for `StandIn.go_on`."""


@dataclass
class StandIn:
    """A running server: set `script`, read `requests`."""

    host: str
    models: list[str]
    version: str = "0.32.15"
    capabilities: Sequence[str] = ("completion", "tools", "thinking")
    dimensions: int = 1024
    context: int = 40_960
    """Tokens that the model was trained for; where `num_ctx` is more, this holds."""
    dense: float = 1.0
    """Tokens for each piece of a prompt."""
    always_cuts: bool = False
    """Cuts what is too long even if it is told not to, as Ollama before 0.12.6."""
    script: Reply | Callable[[Body], Reply] = field(default_factory=Reply)
    """The reply to every chat, or a function from the request's body to it."""
    fail: Fail | None = None
    """How every other request (embed, pull, tags …) fails."""
    requests: list[tuple[str, Body]] = field(default_factory=list)
    """Path and body of each request, in order."""
    loaded: dict[str, int] = field(default_factory=dict)
    """The context that each loaded model has."""
    go_on: threading.Event = field(default_factory=threading.Event)
    closed_early: threading.Event = field(default_factory=threading.Event)
    """Set when a client went away before its stream had ended."""

    def answers(self, *replies: Reply) -> None:
        """Has the model give these replies, one after the other."""
        left = [*replies]
        self.script = lambda body: left.pop(0)

    def reset(self) -> None:
        """Lets held streams end, and makes the server as it was at first, for the next test."""
        self.go_on.set()
        fresh = StandIn(self.host, [*PULLED])
        self.__dict__.update(fresh.__dict__)

    def bodies(self, path: str) -> list[Body]:
        """The requests of one path."""
        return [body for found, body in self.requests if found == path]


@contextmanager
def ollama_stand_in(models: Sequence[str] = PULLED) -> Generator[StandIn, None, None]:
    """A stand-in that listens on a free port of the loopback; it has stopped when the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    stand_in = StandIn(f"http://127.0.0.1:{listener.getsockname()[1]}", list(models))
    config = uvicorn.Config(
        _application(stand_in), lifespan="off", ws="none", http="h11", log_config=None, log_level="critical"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="ollama-stand-in")
    thread.start()
    try:
        while not server.started:
            time.sleep(0.002)
        yield stand_in
    finally:
        stand_in.go_on.set()
        server.should_exit = server.force_exit = True
        thread.join(timeout=10)
        listener.close()
        assert not thread.is_alive(), "the stand-in did not stop"


def unused_host() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _application(stand_in: StandIn) -> Starlette:
    def route(path: str, method: str, answer: Callable[[StandIn, Body], Response]) -> Route:
        async def endpoint(request: Request) -> Response:
            raw = await request.body()
            body: Body = json.loads(raw) if raw else {}
            stand_in.requests.append((path, body))
            if (fail := stand_in.fail) and fail.how == "status" and path != "/api/chat":
                return _error(fail.status, fail.words)
            return answer(stand_in, body)

        return Route(path, endpoint, methods=[method])

    return Starlette(
        routes=[
            Route("/", lambda _: PlainTextResponse("Ollama is running")),
            route("/api/version", "GET", lambda server, _: JSONResponse({"version": server.version})),
            route("/api/tags", "GET", lambda server, _: JSONResponse({"models": [*map(listed, server.models)]})),
            route("/api/ps", "GET", _ps),
            route("/api/show", "POST", _show),
            route("/api/chat", "POST", _chat),
            route("/api/generate", "POST", _generate),
            route("/api/embed", "POST", _embed),
            route("/api/create", "POST", _create),
            route("/api/pull", "POST", _pull),
            route("/api/delete", "DELETE", _delete),
        ]
    )


class _Stream(Response):
    """Newline-delimited JSON, line by line; stops when the client goes away."""

    def __init__(self, lines: Lines, stand_in: StandIn, reply: Reply) -> None:
        super().__init__(media_type="application/x-ndjson")
        self._lines, self._stand_in, self._reply = lines, stand_in, reply
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, receive, tasks.cancel_scope)
            await self._send(send)
            tasks.cancel_scope.cancel()

    async def _watch(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self._ended:
            self._stand_in.closed_early.set()
            scope.cancel()

    async def _send(self, send: Send) -> None:
        fail, reply = self._reply.fail, self._reply
        await anyio.sleep(reply.load)
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await anyio.sleep(reply.first)
        async with aclosing(self._lines) as lines:
            number = 0
            async for line in lines:
                if number == reply.held_after:
                    await _wait(self._stand_in.go_on)
                if fail and fail.how == "end" and line.get("done"):
                    break
                if fail and fail.how in ("line", "cut", "garbage") and number == fail.after:
                    await _break(fail, send)
                    break
                await _write(send, json.dumps(line, ensure_ascii=False))
                await anyio.sleep(reply.pause)
                number += 1
        self._ended = True
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _break(fail: Fail, send: Send) -> None:
    if fail.how == "cut":
        raise ConnectionAbortedError("as scripted")  # uvicorn closes the socket without the last chunk
    await _write(send, json.dumps({"error": fail.words}) if fail.how == "line" else "<html>not Ollama</html>")


async def _write(send: Send, line: str) -> None:
    await send({"type": "http.response.body", "body": line.encode() + b"\n", "more_body": True})


async def _wait(event: threading.Event) -> None:
    while not event.is_set():  # noqa: ASYNC110  # another thread sets it
        await anyio.sleep(0.002)


def _chat(stand_in: StandIn, body: Body) -> Response:
    if refusal := _refusal(stand_in, body):
        return refusal
    reply = stand_in.script(body) if callable(stand_in.script) else stand_in.script
    if reply.fail and reply.fail.how == "status":
        return _error(reply.fail.status, reply.fail.words)
    if not body.get("messages"):
        reply = Reply(text="", done_reason="load")
    stand_in.loaded[body["model"]] = min(stand_in.context, body.get("options", {}).get("num_ctx", NUM_CTX))
    try:
        read = tokens_read(body, stand_in.context, stand_in.dense, always_cuts=stand_in.always_cuts)
    except TooLong as refusal:
        return _error(400, str(refusal))
    parts = _parts(body, reply)
    whole = _last(body, reply, read, len(parts))
    if body.get("stream", True):
        return _Stream(_each([*parts, whole]), stand_in, reply)
    message: Body = {"role": "assistant", "content": "".join(part["message"]["content"] for part in parts)}
    for key in ("thinking", "tool_calls"):
        found = [part["message"][key] for part in parts if key in part["message"]]
        if found:
            message[key] = "".join(found) if key == "thinking" else [call for calls in found for call in calls]
    return JSONResponse({**whole, "message": message})


def _parts(body: Body, reply: Reply) -> list[Body]:
    """The lines before the last: thought, text piece by piece, tool calls."""
    thought = pieces(reply.thinking) if body.get("think") is not False else []
    messages: list[Body] = [{"content": "", "thinking": piece} for piece in thought]
    limit = body.get("options", {}).get("num_predict", -1)
    text = json.dumps(reply.data, ensure_ascii=False) if body.get("format") and reply.data is not None else reply.text
    written = pieces(text)
    messages += [{"content": piece} for piece in (written[:limit] if limit > 0 else written)]
    calls = [
        {
            "id": f"call_{sha256(f'{index}{name}'.encode()).hexdigest()[:8]}",
            "function": {"index": index, "name": name, "arguments": dict(arguments)},
        }
        for index, (name, arguments) in enumerate(reply.tool_calls)
    ]
    messages += [{"content": "", "tool_calls": [call]} for call in calls]
    return [{**_stamp(body), "message": {"role": "assistant", **message}, "done": False} for message in messages]


def _last(body: Body, reply: Reply, read: int, count: int) -> Body:
    """The last line: why it ended, and the tokens that were read and written."""
    ended = {**_stamp(body), "message": {"role": "assistant", "content": ""}, "done": True}
    if reply.done_reason == "load":
        return {**ended, "done_reason": "load"}
    limit = body.get("options", {}).get("num_predict", -1)
    return {
        **ended,
        "done_reason": "length" if 0 < limit <= count else reply.done_reason,
        "total_duration": 174560334,
        "load_duration": 101397084,
        "prompt_eval_count": read,
        "prompt_eval_duration": 13074791,
        "eval_count": count,
        "eval_duration": 52479709,
    }


def _generate(stand_in: StandIn, body: Body) -> Response:
    if refusal := _refusal(stand_in, body):
        return refusal
    stand_in.loaded.setdefault(body["model"], NUM_CTX)
    text = "Hello there." if body.get("prompt") else ""
    done = {**_stamp(body), "response": "", "done": True, "done_reason": "stop" if text else "load"}
    if not body.get("stream", True):
        return JSONResponse({**done, "response": text})
    lines = [{**_stamp(body), "response": piece, "done": False} for piece in pieces(text)]
    return _Stream(_each([*lines, done]), stand_in, Reply())


def _embed(stand_in: StandIn, body: Body) -> Response:
    if refusal := _refusal(stand_in, body):
        return refusal
    stand_in.loaded.setdefault(body["model"], NUM_CTX)
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    vectors = HashedEmbeddings(body.get("dimensions") or stand_in.dimensions).embed_documents(texts)
    counts = {"total_duration": 14143917, "load_duration": 1019500, "prompt_eval_count": sum(map(len, texts))}
    return JSONResponse({"model": body["model"], "embeddings": vectors, **counts})


def _show(stand_in: StandIn, body: Body) -> Response:
    if refusal := _refusal(stand_in, body):
        return refusal
    return JSONResponse(
        {
            "modelfile": f"FROM {body['model']}",
            "parameters": "temperature                    0.6\ntop_k                          20",
            "template": "{{ .Prompt }}",
            "details": listed(body["model"])["details"],
            "model_info": {"general.architecture": "qwen3", "qwen3.context_length": stand_in.context},
            "capabilities": list(stand_in.capabilities),
            "modified_at": _now(),
        }
    )


def _ps(stand_in: StandIn, body: Body) -> Response:
    running = [
        {**listed(name), "expires_at": "2318-01-01T00:00:00Z", "size_vram": 5225388164, "context_length": context}
        for name, context in sorted(stand_in.loaded.items())
    ]
    return JSONResponse({"models": running})


def _create(stand_in: StandIn, body: Body) -> Response:
    return _status_lines(stand_in, body, created(stand_in.models, body, _breaks_off(stand_in)))


def _pull(stand_in: StandIn, body: Body) -> Response:
    return _status_lines(stand_in, body, pulled(stand_in.models, body["model"], _breaks_off(stand_in)))


def _breaks_off(stand_in: StandIn) -> str:
    """What a line of progress fails with, where it does."""
    return stand_in.fail.words if stand_in.fail and stand_in.fail.how == "line" else ""


def _delete(stand_in: StandIn, body: Body) -> Response:
    if refusal := _refusal(stand_in, body):
        return refusal
    stand_in.models.remove(body["model"])
    return Response()


def _status_lines(stand_in: StandIn, body: Body, lines: list[Body]) -> Response:
    if body.get("stream", True):
        return _Stream(_each(lines), stand_in, Reply())
    return _error(500, lines[-1]["error"]) if "error" in lines[-1] else JSONResponse(lines[-1])


def _refusal(stand_in: StandIn, body: Body) -> Response | None:
    name = body.get("model") or ""
    if not name:
        return _error(400, "model is required")
    if name not in stand_in.models and f"{name}:latest" not in stand_in.models:
        return _error(404, f"model '{name}' not found")
    if body.get("tools") and "tools" not in stand_in.capabilities:
        return _error(400, f"registry.ollama.ai/library/{name} does not support tools")
    if body.get("think") and "thinking" not in stand_in.capabilities:
        return _error(400, f'"{name}" does not support thinking')
    return None


def _error(status: int, words: str) -> Response:
    return JSONResponse({"error": words}, status_code=status)


def _stamp(body: Body) -> Body:
    return {"model": body["model"], "created_at": _now()}


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


async def _each(lines: Sequence[Body]) -> Lines:
    for line in lines:
        yield line
