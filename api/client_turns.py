"""The turn that answers a client which keeps its own history, whichever API it speaks; knows no reply's form."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import Request

from agent.assistant import Assistant
from agent.background_task import is_background_task
from agent.client_request import ClientRequest
from agent.events import TurnEvent
from api.guard.forwarded import UNNAMED, forwarded_conversation, forwarded_task, said
from api.guard.principal import principal_of
from api.openai.chat_messages import ChatMessages
from api.openai.chat_request import Message
from api.question import check_names
from api.turn_stream import turn_events
from configs.server import ForwardedHeaders
from models.generation import Generation
from tools.speech_output import Speaker

CHAT_KEYS: Final = ("conversation_id", "chat_id", "session_id", "thread_id")
"""What a request's `metadata` may call the conversation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for; its headers say the rest."""

    persona: str
    messages: Sequence[Message]
    generation: Generation
    tools: tuple[dict[str, Any], ...] = ()
    """In OpenAI's form."""
    forced: bool = False
    """One of the tools must be called."""
    user: str = ""
    """Who is speaking; empty where the client does not say."""
    metadata: Mapping[str, Any] | None = None
    conversation: str = ""
    """The ledger's, where it is known."""
    keep: bool = True
    """Whether the turn is kept."""


class ClientTurns:
    """Turns for such clients, over one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self.messages = ChatMessages(assistant)
        self._assistant = assistant

    async def events(
        self, request: Request, asked: Asked, speaker: Callable[[str], Speaker] | None = None
    ) -> AsyncGenerator[TurnEvent, None]:
        """The turn, inside the gate of turns; close it with `aclosing`. Raises as reading and answering do."""
        wanted = await self._wanted(request, asked)
        make = partial(self._assistant.completion, wanted, speaker=speaker)
        async with aclosing(turn_events(make)) as events:
            async for told in events:
                yield told

    async def _wanted(self, request: Request, asked: Asked) -> ClientRequest:
        """What the agent is asked. Raises RequestError, and as decoding and hearing do."""
        caller, names = principal_of(request), self._assistant.settings.server.forwarded
        user = caller.speaking_as(asked.user)
        messages = await self.messages.read(asked.messages, user)
        return ClientRequest(
            persona=asked.persona,
            user=user,
            messages=messages,
            chat=chat_in(asked.metadata or {}, request.headers, names),
            speaker="" if caller.trusted else asked.user,
            background=forwarded_task(request.headers, names) != "" or is_background_task(messages),
            tools=asked.tools,
            forced=asked.forced,
            generation=asked.generation,
            thread=asked.conversation,
            keep=asked.keep,
        )


def chat_in(metadata: Mapping[str, Any], headers: Headers, names: ForwardedHeaders) -> str:
    """What the client calls the conversation; empty where it does not."""
    named = (said(str(metadata[key])) for key in CHAT_KEYS if isinstance(metadata.get(key), str | int))
    return forwarded_conversation(headers, names) or next((name for name in named if name not in ("", UNNAMED)), "")


def user_in(given: str | dict[str, Any] | None) -> str:
    """Who the client's `user` says is speaking: a text, or an object with an `id` or `email`; empty where it does not.

    A name alone is nobody's own. Raises RequestError for one that cannot be a user.
    """
    if isinstance(given, dict):
        given = next((str(given[key]) for key in ("id", "email") if isinstance(given.get(key), str | int)), "")
    user = said(given or "")
    if user:
        check_names(user=user)
    return user
