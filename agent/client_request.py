"""A client's request for a completion: its messages are the whole history; how they came here, it does not know."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from agent.background_task import own_words
from agent.preparation import turns
from configs.errors import RequestError
from models.generation import Generation

AS_IT_WAS: Final = Generation()


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """What a client asks for."""

    persona: str
    user: str
    messages: tuple[AnyMessage, ...]
    chat: str = ""
    """The client's own id of the conversation; empty where it gives none."""
    speaker: str = ""
    """Which of its users the client says is speaking, where it may not name the user; it only parts conversations."""
    background: bool = False
    """The client asks for itself (a title, tags): no persona answers, and nothing is kept."""
    tools: tuple[dict[str, Any], ...] = ()
    """The client's own, in OpenAI's form; it runs them itself."""
    forced: bool = False
    """One of the tools must be called."""
    generation: Generation = AS_IT_WAS
    thread: str = ""
    """The ledger's conversation, where the door knows it."""
    keep: bool = True
    """Whether the turn is kept."""

    @property
    def conversation(self) -> str:
        """Which conversation of the ledger this is: the client's chat, or the one that began with the same words.

        The user and the persona are part of it, so that nobody goes on with what is another's.
        """
        if self.thread:
            return self.thread
        began = next((message.text for message in self.messages if isinstance(message, HumanMessage)), "")
        parts = [self.user, self.persona, self.speaker, "chat" if self.chat else "began", self.chat or began]
        return "client-" + hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Parted:
    """A client's messages, parted where the last question stands."""

    system: str
    """What the client tells the model before all else; empty for nothing."""
    earlier: list[list[AnyMessage]]
    """The turns before, each from a user's message on."""
    question: HumanMessage
    since: list[AnyMessage]
    """What followed the question: tool calls with their results, or the beginning of a reply."""

    @property
    def words(self) -> str:
        """What the user asks, in the user's own words."""
        return own_words(self.question.text).strip()

    @property
    def exchanges(self) -> list[tuple[str, str]]:
        """What was asked and answered before, the oldest first."""
        return [
            (own_words(turn[0].text), "".join(message.text for message in turn[1:] if isinstance(message, AIMessage)))
            for turn in self.earlier
            if isinstance(turn[0], HumanMessage)
        ]


def parted(messages: Sequence[AnyMessage]) -> Parted:
    """The messages in their parts. Raises RequestError where there is no question."""
    first = next((at for at, message in enumerate(messages) if isinstance(message, HumanMessage)), None)
    if first is None:
        raise RequestError("no message is a user's", "Send the question with the role user.", "messages")
    told = [message.text for message in messages[:first] if isinstance(message, SystemMessage)]
    greeting: list[AnyMessage] = [message for message in messages[:first] if not isinstance(message, SystemMessage)]
    *earlier, (question, *since) = turns(messages)
    assert isinstance(question, HumanMessage), "a turn begins with a user's message"
    return Parted("\n\n".join(told), [greeting, *earlier] if greeting else earlier, question, since)
