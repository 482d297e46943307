"""An application of one answer behind the guard: it tells who it was called by, and how much it was sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from anyio import sleep
from fastapi import FastAPI, Request, WebSocket
from starlette.exceptions import HTTPException

from api.guard.guards import guard
from api.guard.keys import KeyRing
from api.guard.principal import principal_of
from api.guard.refusal import error_response
from api.guard.scopes import Scope
from configs.errors import AssistantError
from configs.settings import Settings, load_settings

TOLD = ("/v1/ask", "/v1/chat/completions", "/v1/audio/transcriptions", "/v1/knowledge/documents", "/v1/memory")


def guarded_app(*, beyond: bool = False, **server: Any) -> tuple[FastAPI, Settings]:
    """The application, and the settings that it was made with."""
    settings = load_settings(server=server, limits={"audio_bytes": 100_000, "document_bytes": 50_000})
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False)

    async def handle(request: Request, error: Exception) -> Any:
        return error_response(error)

    async def told(request: Request) -> dict[str, Any]:
        caller, size = principal_of(request), len(await request.body())
        return {"name": caller.name, "user": caller.user, "trusted": caller.trusted, "bytes": size}

    for kind in (HTTPException, AssistantError):
        app.add_exception_handler(kind, handle)
    for path in (*TOLD, "/health", "/v1/models", "/v1/audio/voices", "/v1/unlisted"):
        app.add_api_route(path, told, methods=["GET", "POST", "DELETE"])

    @app.websocket("/v1/realtime")
    async def talk(socket: WebSocket) -> None:
        await socket.accept("realtime" if "realtime" in socket.scope["subprotocols"] else None)
        await socket.send_text(principal_of(socket).name)
        await socket.receive_text()

    guard(app, settings, beyond=beyond)
    return app, settings


def created(
    data: Path, name: str, *scopes: Scope, user: str | None = None, trusted_headers: bool = False, user_secret: str = ""
) -> str:
    """The token of a new key."""
    return KeyRing(data).create(
        name, scopes=frozenset(scopes), user=user or name, trusted_headers=trusted_headers, user_secret=user_secret
    )


@asynccontextmanager
async def calling(**server: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, on this machine."""
    transport = httpx.ASGITransport(guarded_app(**server)[0])
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8484") as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    """The header with a key."""
    return {"authorization": f"Bearer {token}"}


def error(answer: httpx.Response) -> str:
    """The code of a refusal, which must have OpenAI's form."""
    told = answer.json()["error"]
    assert told.keys() == {"message", "type", "param", "code", "hint"}
    assert answer.headers["x-request-id"]
    return str(told["code"])


class Pieces(httpx.AsyncByteStream):
    """A body of unknown length, one piece after the other; no generator, for nobody would close it."""

    def __init__(self, size: int, *, each: int = 10_000, after: float = 0) -> None:
        self._left, self._each, self._after = size, each, after

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._left <= 0:
            raise StopAsyncIteration
        await sleep(self._after)
        self._left -= self._each
        return b" " * self._each


async def sent(client: httpx.AsyncClient, path: str, stream: Pieces, headers: dict[str, str]) -> httpx.Response:
    """The answer to a body that is sent in pieces."""
    chunked = {"transfer-encoding": "chunked"} if "content-length" not in headers else {}
    url = client.base_url.join(path)
    return await client.send(httpx.Request("POST", url, headers=headers | chunked, stream=stream))
