"""The HTTP door: requests in, answers and errors out as JSON; what an answer is, it does not know."""

import base64
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import Any, Final
from uuid import uuid4

from anyio.to_thread import run_sync
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from agent.assistant import Assistant
from agent.attendance import Attendance
from api.answer import Answer, Asked, answered, as_json, engines, in_order
from api.guard.guards import ANONYMOUS, guard
from api.guard.principal import Caller, Principal, principal_of
from api.guard.refusal import error_response
from api.metrics import Counted
from api.native.answers import AskAnswer, Health
from api.native.ask_request import OPENAPI, asked_in
from api.native.health_routes import HealthRoutes
from api.native.knowledge_routes import KnowledgeRoutes
from api.native.memory_routes import MemoryRoutes
from api.native.persona_routes import PersonaRoutes
from api.native.reference_routes import ReferenceRoutes
from api.native.turn_routes import TurnRoutes
from api.ollama.errors import OllamaErrors
from api.ollama.routes import OllamaRoutes
from api.openai.audio_routes import AudioRoutes
from api.openai.chat_routes import ChatRoutes
from api.openai.embedding_routes import EmbeddingRoutes
from api.openai.model_routes import ModelRoutes
from api.openai.response_routes import ResponseRoutes
from api.openapi import ABOUT, JSON, DocumentedApp, answers, refusals
from api.service import Service
from configs.errors import AssistantError, InsufficientPermissions
from models.audio import wav_bytes
from models.selection import Choice

METHODS: Final = ("GET", "HEAD", "POST", "PATCH", "DELETE")


def create_app(assistant: Assistant, service: Service, *, beyond: bool = False) -> FastAPI:
    """The application over an open assistant; `beyond` says that other machines can reach it."""
    # FastAPI's own pages would load scripts from elsewhere.
    app = DocumentedApp(
        title="Tingshuo", version=version("tingshuo"), description=ABOUT, openapi_url=None, docs_url=None,
        redoc_url=None, redirect_slashes=False, strict_content_type=False, generate_unique_id_function=_operation,
    )  # fmt: skip
    for kind in (RequestValidationError, HTTPException, AssistantError, Exception):
        app.add_exception_handler(kind, _handle)
    guard(app, assistant.settings, beyond=beyond)
    app.add_middleware(OllamaErrors)
    app.add_middleware(Counted, metrics=service.metrics)
    assistant.watchers.append(service.metrics.turn)
    asking = Attendance()

    @app.head("/health", include_in_schema=False)
    @app.get("/health", tags=["health"], responses=answers("Whether it does.", {JSON: Health}))
    async def health(caller: Caller) -> dict[str, Any]:
        """Whether questions can be asked, and who answers them; without a key only the first."""
        return {"ready": True} if caller is ANONYMOUS else health_of(assistant)

    @app.post(
        "/v1/ask", tags=["chat"], openapi_extra=OPENAPI,
        responses={**answers("The answer.", {JSON: AskAnswer}), **refusals(404, 409, 422, 507)},
    )  # fmt: skip
    async def ask(request: Request) -> Response:
        """One question, in words (JSON) or as a recording (audio/*), and its answer."""

        async def answer(all_read: Callable[[], object]) -> JSONResponse:
            asked = await asked_in(request, assistant.settings.limits, assistant.decoder)
            all_read()
            async with _permitted(assistant, asking, principal_of(request), asked) as own, service.turns.entered():
                found = await answered(assistant, own)
            return await run_sync(lambda: JSONResponse(as_json(found, _audio(found))))

        return await service.attend(request, answer)

    for router in (*_routers(assistant, service), ReferenceRoutes(app).router):
        app.include_router(router)
    return app


def _routers(assistant: Assistant, service: Service) -> Iterator[APIRouter]:
    """The routes of all areas, in the order in which they are looked through."""
    yield HealthRoutes(service).router
    yield MemoryRoutes(assistant).router
    yield KnowledgeRoutes(assistant, service).router
    yield AudioRoutes(assistant, service).router
    yield ModelRoutes(assistant).router
    yield ChatRoutes(assistant, service).router
    yield ResponseRoutes(assistant, service).router
    yield EmbeddingRoutes(assistant).router
    yield OllamaRoutes(assistant, service).router
    yield TurnRoutes(assistant).router
    yield PersonaRoutes(assistant).router


def health_of(assistant: Assistant) -> dict[str, Any]:
    """That the server is ready, with what, and where something better would be."""
    choices = in_order(assistant.choices)
    return {
        "ready": True,
        "version": version("tingshuo"),
        "data": str(assistant.settings.data),
        "tracing": assistant.settings.tracing.destination or None,
        "engines": engines(choices),
        "degraded": [*(_degraded(choice) for choice in choices if choice.better), *_behind(assistant)],
    }


def _behind(assistant: Assistant) -> list[str]:
    failure = assistant.keeper.failure
    return [f"memory: {failure.message}; {failure.hint}"] if failure else []


@asynccontextmanager
async def _permitted(
    assistant: Assistant, asking: Attendance, caller: Principal, asked: Asked
) -> AsyncGenerator[Asked, None]:
    """The question, as its caller may ask it. Raises InsufficientPermissions, also for another user's conversation."""
    user, conversation = caller.acting_as(asked.user), asked.conversation or uuid4().hex
    # Whose a new conversation is, is known when its first turn has ended.
    async with asking.turn(conversation):
        if await assistant.store.turns.users(conversation) - {user}:
            raise InsufficientPermissions(
                f"the conversation {conversation!r} is not one of {user!r}", "Leave it out, and begin a new one."
            )
        yield replace(asked, user=user, conversation=conversation)


async def _handle(request: Request, error: Exception) -> JSONResponse:
    response = error_response(error)
    if response.status_code == 405:
        response.headers["allow"] = ", ".join(_allowed(request))
    # What nobody foresaw is told from outside of what gives an answer its id.
    response.headers["x-request-id"] = request.state.request_id
    return response


def _allowed(request: Request) -> list[str]:
    """The methods of a path, which may be several routes."""

    def taken(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return [method for method in METHODS if taken(method)]


def _operation(route: APIRoute) -> str:
    """What the document calls a route."""
    return "_".join([*map(str, route.tags), route.name])


def _audio(answer: Answer) -> dict[str, Any] | None:
    if answer.sound is None:
        return None
    encoded = base64.b64encode(wav_bytes(answer.sound)).decode("ascii")
    return {"base64": encoded, "seconds": round(answer.sound.seconds, 3), "sample_rate": answer.sound.rate}


def _degraded(choice: Choice) -> str:
    return f"{choice.slot}: {choice.engine} serves; better: {choice.better}" + (
        f"; get it: {choice.remedy}" if choice.remedy else ""
    )
