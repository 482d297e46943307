"""Chat completions as OpenAI's clients ask for them: personas are the models; it translates, and answers nothing."""

import base64
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from agent.assistant import Assistant
from agent.events import SpeechReady, TurnEvent
from api.client_turns import Asked, ClientTurns, user_in
from api.guard.principal import principal_of
from api.guard.request_body import as_json, read
from api.openai.answers import ChatCompletionAnswer, ChatEvent
from api.openai.chat_completion import ChatCompletion
from api.openai.chat_request import ChatRequest
from api.openai.chat_sound import ChatSound, chat_sound
from api.openai.event_stream import MEDIA_TYPE, event, failed
from api.openai.model_routes import check_persona
from api.openapi import JSON, answers, events_of, refusals, sent
from api.service import Service, Streamed

DONE: Final = b"data: [DONE]\n\n"


class ChatRoutes:
    """The route of chat completions, over one assistant."""

    def __init__(self, assistant: Assistant, service: Service) -> None:
        self._assistant = assistant
        self._service = service
        self._turns = ClientTurns(assistant)
        self.router = APIRouter(prefix="/v1/chat", tags=["chat"])
        told = answers("The reply.", {JSON: ChatCompletionAnswer, MEDIA_TYPE: events_of(ChatEvent, "[DONE]")})
        told |= refusals(404, 409, 422, 507)
        self.router.post("/completions", openapi_extra=sent({JSON: ChatRequest}), responses=told)(self.completed)

    async def completed(self, request: Request) -> Response:
        """A persona's reply to a conversation that the caller keeps."""
        return await self._service.attend(request, partial(self._answer, request))

    async def _answer(self, request: Request, all_read: Callable[[], object]) -> Response:
        settings = self._assistant.settings
        data = await read(request, settings.limits.audio_bytes * 4 // 3 + settings.server.json_bytes)
        asked = await run_sync(as_json, data, ChatRequest)
        asked.check()
        await run_sync(check_persona, self._assistant.personas, asked.model)
        if asked.stream:
            # A stream notices for itself when the caller leaves.
            return Streamed(self._service, partial(self._chunks, request, asked), MEDIA_TYPE, failed=failed)
        all_read()
        return await self._whole(request, asked)

    async def _whole(self, request: Request, asked: ChatRequest) -> Response:
        """The completion in one piece."""
        completion = ChatCompletion(asked.model, str(request.base_url), spoken=asked.speaks)
        sound, heard = (await chat_sound(self._assistant, asked) if asked.speaks else None), bytearray()
        async with self._service.turns.entered(), aclosing(self._events(request, asked, sound)) as events:
            async for told in events:
                # What its chunks would be is kept for the whole.
                list(completion.take(told))
                if sound and isinstance(told, SpeechReady):
                    heard += await sound.push(told.chunk.audio)
        if sound:
            heard += await sound.finish()
            self._keep(request, asked, completion)
        encoded = base64.b64encode(heard).decode("ascii") if sound else None
        return await run_sync(lambda: JSONResponse(completion.whole(encoded)))

    async def _chunks(self, request: Request, asked: ChatRequest) -> AsyncGenerator[bytes, None]:
        """The completion as it is made."""
        completion = ChatCompletion(asked.model, str(request.base_url), spoken=asked.speaks)
        sound = await chat_sound(self._assistant, asked) if asked.speaks else None
        async with aclosing(self._events(request, asked, sound)) as events:
            async for told in events:
                for chunk in completion.take(told):
                    yield event(chunk)
                if sound and isinstance(told, SpeechReady) and (data := await sound.push(told.chunk.audio)):
                    for chunk in completion.sounding(data):
                        yield event(chunk)
        if sound:
            if rest := await sound.finish():
                for chunk in completion.sounding(rest):
                    yield event(chunk)
            self._keep(request, asked, completion)
        for chunk in completion.ending(usage=bool(asked.stream_options and asked.stream_options.include_usage)):
            yield event(chunk)
        yield DONE

    def _keep(self, request: Request, asked: ChatRequest, completion: ChatCompletion) -> None:
        """Keeps the words of a spoken reply, which its client may name by their sound."""
        user = principal_of(request).speaking_as(user_in(asked.user))
        self._turns.messages.keep(user, completion.audio_id, completion.ended.reply)

    async def _events(
        self, request: Request, asked: ChatRequest, sound: ChatSound | None
    ) -> AsyncGenerator[TurnEvent, None]:
        """The turn that answers. Raises as reading and answering do."""
        tools, forced = asked.offered()
        user = user_in(asked.user)
        wanted = Asked(asked.model, asked.messages, asked.generation(), tools, forced, user, asked.metadata)
        async with aclosing(self._turns.events(request, wanted, sound.speaker if sound else None)) as events:
            async for told in events:
                yield told
