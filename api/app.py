"""The HTTP door: requests in, answers and errors out as JSON; what an answer is, it does not know."""

import base64
import ipaddress
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.assistant import Assistant
from api.answer import Answer, answered, as_json, engines, in_order
from api.ask_request import OPENAPI, asked_in
from api.audio_routes import AudioRoutes
from api.knowledge_routes import KnowledgeRoutes
from api.memory_routes import MemoryRoutes
from api.refusal import error_response
from api.service import Service
from configs.errors import AssistantError
from models.audio import wav_bytes
from models.selection import Choice


def create_app(assistant: Assistant, service: Service) -> FastAPI:
    """The application over an open assistant."""
    # The pages at /docs would load scripts from elsewhere.
    app = FastAPI(title="Tingshuo", version=version("tingshuo"), docs_url=None, redoc_url=None, redirect_slashes=False)
    for kind in (RequestValidationError, HTTPException, AssistantError, Exception):
        app.add_exception_handler(kind, _handle)
    app.add_middleware(OnlyLocalNames)

    @app.head("/health", include_in_schema=False)
    @app.get("/health")
    async def health() -> dict[str, Any]:
        """Whether questions can be asked, and who answers them."""
        return health_of(assistant)

    @app.post("/v1/ask", openapi_extra=OPENAPI)
    async def ask(request: Request) -> Response:
        """One question, in words (JSON) or as a recording (audio/*), and its answer."""

        async def answer(all_read: Callable[[], object]) -> JSONResponse:
            asked = await asked_in(request, assistant.settings.limits)
            all_read()
            found = await answered(assistant, asked)
            return await run_sync(lambda: JSONResponse(as_json(found, _audio(found))))

        return await service.attend(request, answer)

    app.include_router(MemoryRoutes(assistant).router)
    app.include_router(KnowledgeRoutes(assistant).router)
    app.include_router(AudioRoutes(assistant, service).router)
    return app


class OnlyLocalNames:
    """Answers only where it is called by a name of this machine.

    A web page elsewhere can point its own name at this machine; the Host header tells.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it with 421."""
        headers = dict(scope.get("headers", ()))
        host = headers.get(b"host", b"localhost").decode("latin-1")
        if scope["type"] == "http" and not is_local_name(host):
            refused = HTTPException(421, f"this server does not answer to the name {host!r}: call it 127.0.0.1")
            await error_response(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_local_name(host: str) -> bool:
    """Whether a Host header names this machine's loopback."""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def health_of(assistant: Assistant) -> dict[str, Any]:
    """That the server is ready, with what, and where something better would be."""
    choices = in_order(assistant.choices)
    return {
        "ready": True,
        "version": version("tingshuo"),
        "data": str(assistant.settings.data),
        "engines": engines(choices),
        "degraded": [*(_degraded(choice) for choice in choices if choice.better), *_behind(assistant)],
    }


def _behind(assistant: Assistant) -> list[str]:
    failure = assistant.keeper.failure
    return [f"memory: {failure.message}; {failure.hint}"] if failure else []


async def _handle(request: Request, error: Exception) -> JSONResponse:
    return error_response(error)


def _audio(answer: Answer) -> dict[str, Any] | None:
    if answer.sound is None:
        return None
    encoded = base64.b64encode(wav_bytes(answer.sound)).decode("ascii")
    return {"base64": encoded, "seconds": round(answer.sound.seconds, 3), "sample_rate": answer.sound.rate}


def _degraded(choice: Choice) -> str:
    return f"{choice.slot}: {choice.engine} serves; better: {choice.better}" + (
        f"; get it: {choice.remedy}" if choice.remedy else ""
    )
