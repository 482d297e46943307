"""Responses as OpenAI's clients ask for them, over the same turns as chat completions; it answers nothing itself."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from uuid import uuid4

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from agent.assistant import Assistant
from agent.events import TurnEnded, TurnEvent
from api.client_turns import Asked, ClientTurns, chat_in, user_in
from api.guard.principal import principal_of
from api.guard.request_body import as_json, read
from api.openai.answers import ResponseAnswer, ResponseEvent
from api.openai.chat_request import Message
from api.openai.event_stream import MEDIA_TYPE, named
from api.openai.model_routes import check_persona
from api.openai.response_chain import Chain, ResponseChains
from api.openai.response_events import ResponseEvents
from api.openai.response_request import ResponseRequest
from api.openapi import JSON, answers, events_of, refusals, sent
from api.service import Service, Streamed
from configs.errors import AssistantError, RequestError


class ResponseRoutes:
    """The route of responses, over one assistant."""

    def __init__(self, assistant: Assistant, service: Service) -> None:
        self._assistant = assistant
        self._service = service
        self._turns = ClientTurns(assistant)
        self._chains = ResponseChains(assistant.store.turns)
        self.router = APIRouter(prefix="/v1/responses", tags=["chat"])
        told = answers("The response.", {JSON: ResponseAnswer, MEDIA_TYPE: events_of(ResponseEvent)})
        self.router.post(
            "", openapi_extra=sent({JSON: ResponseRequest}), responses=told | refusals(404, 409, 422, 507)
        )(self.responded)

    async def responded(self, request: Request) -> Response:
        """A persona's reply, to a conversation that the caller keeps or that went before here."""
        return await self._service.attend(request, partial(self._answer, request))

    async def _answer(self, request: Request, all_read: Callable[[], object]) -> Response:
        settings = self._assistant.settings
        data = await read(request, settings.limits.audio_bytes * 4 // 3 + settings.server.json_bytes)
        asked = await run_sync(as_json, data, ResponseRequest)
        await run_sync(check_persona, self._assistant.personas, asked.model)
        wanted = await self._wanted(request, asked)
        response = ResponseEvents(asked, str(request.base_url))
        if asked.stream:

            def failed(error: AssistantError) -> bytes:
                return named(response.failed(error))

            pieces = partial(self._pieces, request, wanted, response)
            return Streamed(self._service, pieces, MEDIA_TYPE, failed=failed)
        all_read()
        async with self._service.turns.entered(), aclosing(self._events(request, wanted, response)) as events:
            async for told in events:
                # What its events would be is kept for the whole.
                list(response.take(told))
        return await run_sync(lambda: JSONResponse(response.response()))

    async def _pieces(self, request: Request, wanted: Asked, response: ResponseEvents) -> AsyncGenerator[bytes, None]:
        """The response as it is made."""
        async with aclosing(self._events(request, wanted, response)) as events:
            async for told in events:
                for one in response.take(told):
                    yield named(one)

    async def _events(
        self, request: Request, wanted: Asked, response: ResponseEvents
    ) -> AsyncGenerator[TurnEvent, None]:
        """The turn that answers; calls of the client's tools are remembered before their caller knows of them."""
        async with aclosing(self._turns.events(request, wanted)) as events:
            async for told in events:
                if isinstance(told, TurnEnded) and wanted.keep and (call := response.call):
                    last = max(at for at, message in enumerate(wanted.messages) if message.role == "user")
                    user = principal_of(request).speaking_as(wanted.user)
                    self._chains.wait(user, response.turn, [*wanted.messages[last + 1 :], call])
                yield told

    async def _wanted(self, request: Request, asked: ResponseRequest) -> Asked:
        """What the turn is asked. Raises RequestError."""
        said = user_in(asked.user)
        user = principal_of(request).speaking_as(said)
        if not isinstance(asked.input, str):
            asked.input = await self._chains.resolved(asked.input, user)
        chat = asked.as_chat()
        tools, forced = chat.offered()
        before = await self._before(request, asked, user)
        system = [Message(role="system", content=asked.instructions)] if asked.instructions else []
        messages = [*system, *before.messages, *chat.messages]
        _check_results(messages)
        return Asked(
            asked.model, messages, chat.generation(), tools, forced, said, asked.metadata,
            conversation=before.conversation, keep=asked.stored,
        )  # fmt: skip

    async def _before(self, request: Request, asked: ResponseRequest, user: str) -> Chain:
        """What the request follows. One that follows nothing begins a conversation of its own."""
        if asked.previous_response_id:
            return await self._chains.before(asked.previous_response_id, user)
        items = [] if isinstance(asked.input, str) else asked.input
        told = [item for item in items if item.role not in ("system", "developer")]
        if len(told) > 1:
            return Chain(await self._chains.conversation_of(told, user), [])
        named = chat_in(asked.metadata or {}, request.headers, self._assistant.settings.server.forwarded)
        return Chain("" if named else f"client-{uuid4().hex}", [])


def _check_results(messages: list[Message]) -> None:
    """Raises RequestError for a result of a call that nobody made."""
    calls = {call.id for message in messages for call in message.tool_calls or ()}
    for message in messages:
        if message.role == "tool" and message.tool_call_id not in calls:
            raise RequestError(
                f"there is no call {message.tool_call_id!r} that this is the output of",
                "Send the call as well: calls are known until the server ends.",
                "input",
            )
