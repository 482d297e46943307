"""Ollama's own API, for frontends that connect to Ollama: personas are the models; it translates, answers nothing."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any, Final, Literal, TypeVar

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from agent.assistant import Assistant
from api.client_turns import Asked, ClientTurns
from api.guard.request_body import as_json, read
from api.ollama.answers import (
    OllamaChatLine,
    OllamaChatReply,
    OllamaGenerated,
    OllamaGenerateLine,
    OllamaModelList,
    OllamaRunningList,
    OllamaShown,
    OllamaVector,
    OllamaVectors,
    OllamaVersion,
)
from api.ollama.lines import MEDIA_TYPE, OllamaLines, failed, line
from api.ollama.models import TAG, OllamaModels, not_found
from api.ollama.request import Generating, Named, OllamaChat, OllamaEmbed, OllamaEmbeddings, OllamaGenerate
from api.openai.embedding_routes import MOST
from api.openapi import JSON, TEXT, answers, lines_of, refusals, sent
from api.service import Service, Streamed
from configs.errors import RequestError

VERSION: Final = "0.32.15"
"""The Ollama whose API this is: clients look whether it is new enough for them."""
Body = TypeVar("Body", bound=Named)
Form = Literal["chat", "generate"]
ELSEWHERE: Final = {
    **{f"/api/{name}": ["POST"] for name in ("create", "copy", "pull", "push", "me", "signout")},
    "/api/delete": ["DELETE"],
    "/api/blobs/{digest}": ["HEAD", "POST"],
}
"""What else Ollama has."""


class OllamaRoutes:
    """The routes below /api, over one assistant."""

    def __init__(self, assistant: Assistant, service: Service) -> None:
        self._service = service
        self._settings = assistant.settings
        self._turns = ClientTurns(assistant)
        self._models = OllamaModels(assistant)
        self._vectors = assistant.store.vectors
        self._embeds = assistant.store.embeddings.model or assistant.store.embeddings.engine
        self.router = APIRouter(tags=["ollama"])
        self._read_routes()
        self._reply_routes()
        self._embedding_routes()
        for path, methods in ELSEWHERE.items():
            self.router.api_route(path, methods=methods, include_in_schema=False)(self.others)

    def _read_routes(self) -> None:
        here = {"text/plain": {"schema": TEXT}}
        for path, route, told in (
            ("/", self.here, here),
            ("/api/version", self.version, {JSON: OllamaVersion}),
            ("/api/tags", self.tags, {JSON: OllamaModelList}),
        ):
            self.router.head(path, include_in_schema=False)(route)
            self.router.get(path, responses=answers("There it is.", told))(route)
        self.router.get("/api/ps", responses=answers("The personas.", {JSON: OllamaRunningList}))(self.ps)
        shown = answers("The persona.", {JSON: OllamaShown}) | refusals(404)
        self.router.post("/api/show", openapi_extra=sent({JSON: Named}), responses=shown)(self.show)

    def _reply_routes(self) -> None:
        refused = refusals(404, 409, 501, 507)
        chat = answers("The reply.", {JSON: OllamaChatReply, MEDIA_TYPE: lines_of(OllamaChatLine)})
        self.router.post("/api/chat", openapi_extra=sent({JSON: OllamaChat}), responses=chat | refused)(self.chat)
        generated = answers("The reply.", {JSON: OllamaGenerated, MEDIA_TYPE: lines_of(OllamaGenerateLine)})
        self.router.post("/api/generate", openapi_extra=sent({JSON: OllamaGenerate}), responses=generated | refused)(
            self.generate
        )

    def _embedding_routes(self) -> None:
        many = answers("The vectors.", {JSON: OllamaVectors}) | refusals(404)
        self.router.post("/api/embed", openapi_extra=sent({JSON: OllamaEmbed}), responses=many)(self.embed)
        one = answers("The vector.", {JSON: OllamaVector}) | refusals(404)
        self.router.post("/api/embeddings", openapi_extra=sent({JSON: OllamaEmbeddings}), responses=one)(
            self.embeddings
        )

    async def here(self) -> Response:
        """What clients look for to know that there is an Ollama."""
        return PlainTextResponse("Ollama is running")

    async def version(self) -> dict[str, str]:
        """Whose API this is."""
        return {"version": VERSION}

    async def tags(self) -> dict[str, Any]:
        """All personas."""
        return {"models": await run_sync(self._models.listed)}

    async def ps(self) -> dict[str, Any]:
        """The personas that have been asked here."""
        return {"models": await self._models.running()}

    async def show(self, request: Request) -> dict[str, Any]:
        """One persona."""
        asked = await self._read(request, Named)
        return await self._models.shown(await run_sync(self._models.find, asked.model))

    async def chat(self, request: Request) -> Response:
        """A persona's reply to a conversation that the caller keeps."""
        return await self._service.attend(request, partial(self._answer, request, OllamaChat, "chat"))

    async def generate(self, request: Request) -> Response:
        """A persona's reply to one prompt."""
        return await self._service.attend(request, partial(self._answer, request, OllamaGenerate, "generate"))

    async def embed(self, request: Request) -> dict[str, Any]:
        """One vector a text."""
        began, asked = time.monotonic_ns(), await self._read(request, OllamaEmbed)
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        vectors = await self._embedded(asked.model, [] if texts == [""] else texts)
        if asked.dimensions is not None and any(len(vector) != asked.dimensions for vector in vectors):
            raise RequestError(f"the vectors have {len(vectors[0])} dimensions", "Leave it out.", "dimensions")
        took = time.monotonic_ns() - began
        # Nobody counts the tokens.
        counts = {"total_duration": took, "load_duration": 0, "prompt_eval_count": 0}
        return {"model": asked.model, "embeddings": vectors, **counts}

    async def embeddings(self, request: Request) -> dict[str, Any]:
        """The vector of a text."""
        asked = await self._read(request, OllamaEmbeddings)
        vectors = await self._embedded(asked.model, [asked.prompt] if asked.prompt else [])
        return {"embedding": vectors[0] if vectors else []}

    async def others(self, request: Request) -> Response:
        """Models are not made or moved through this API."""
        raise HTTPException(501, f"{request.method} {request.url.path} is not served here")

    async def _answer(
        self, request: Request, kind: type[Generating], form: Form, all_read: Callable[[], object]
    ) -> Response:
        asked = await self._read(request, kind)
        asked.check()
        persona = await run_sync(self._models.find, asked.model)
        lines = OllamaLines(asked.model, form)
        if asked.loads:
            all_read()
            return await self._loaded(asked, persona, lines)
        wanted = await run_sync(asked.asked, persona)
        if asked.stream is not False:
            # A stream notices for itself when the caller leaves.
            return Streamed(self._service, partial(self._lines, request, wanted, lines), MEDIA_TYPE, failed=failed)
        all_read()
        async with self._service.turns.entered(), aclosing(self._turns.events(request, wanted)) as events:
            async for told in events:
                # What its lines would be is kept for the whole.
                list(lines.take(told))
        self._models.asked(persona)
        return await run_sync(lambda: JSONResponse(lines.whole()))

    async def _lines(self, request: Request, wanted: Asked, lines: OllamaLines) -> AsyncGenerator[bytes, None]:
        """The reply as it is made."""
        async with aclosing(self._turns.events(request, wanted)) as events:
            async for told in events:
                for one in lines.take(told):
                    yield line(one)
        self._models.asked(wanted.persona)
        yield line(lines.last())

    async def _loaded(self, asked: Generating, persona: str, lines: OllamaLines) -> Response:
        """Loads what the persona answers with, where nothing is asked of it."""
        if asked.unloads:
            raise HTTPException(501, "models stay loaded for as long as `chat.ollama.keep_alive` says")
        async with self._service.turns.entered():
            conversation = await self._models.open(persona)
            await conversation.warm()
        self._models.asked(persona)
        return JSONResponse(lines.loaded())

    async def _embedded(self, model: str, texts: list[str]) -> list[list[float]]:
        """One vector a text. Raises ModelNotServed, RequestError."""
        if model.removesuffix(TAG) != self._embeds.removesuffix(TAG):
            raise not_found(model)
        if len(texts) > MOST or not all(texts):
            raise RequestError("a text is empty, or there are too many", f"Send 1 to {MOST} texts.", "input")
        return await self._vectors.aembed_documents(texts) if texts else []

    async def _read(self, request: Request, kind: type[Body]) -> Body:
        """The body, whatever type it says that it has."""
        data = await read(request, self._settings.limits.audio_bytes * 4 // 3 + self._settings.server.json_bytes)
        return await run_sync(as_json, data, kind)
