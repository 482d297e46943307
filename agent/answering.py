"""Answering: what comes before and after a model's own words, whoever keeps the history; no prompt is made here."""

import re
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from typing import Final

from langchain_core.messages import HumanMessage

from agent.citations import source_line
from agent.closest import closest
from agent.events import (
    MemoriesRecalled,
    MemoryErased,
    PassagesFound,
    Refused,
    ReplyEvent,
    ReplyRests,
    TextDelta,
    ToolCalled,
)
from agent.inquiry import Inquiry
from agent.lookup import Found, Lookup, Retrieve
from agent.prompt import acknowledgement, caveat, refusal
from agent.remembrance import Remembrance, TurnMemory
from agent.support import unsupported
from agent.turn_context import TurnContext
from configs.persona import Persona
from memory.statements import is_question, sentences, statements
from models.engines.extractive_memories import is_personal
from tools.memory_requests import Forget, Remember, Tell, request_in

Generate = Callable[[TurnContext, Inquiry], AsyncGenerator[ReplyEvent, None]]
"""What the model says, and what it does meanwhile."""

_OWN: Final = re.compile(r"\b(?:i|me|my|mine|we|us|our|ours|i'm|i've|we're|we've)\b|我|咱|俺", re.I)


class Answering:
    """How one persona answers: it looks up, obeys or refuses without a model, and says what a model's words lack."""

    def __init__(
        self, persona: Persona, *, embedded: bool, retrieve: Retrieve, remembrance: Remembrance | None = None
    ) -> None:
        self.embedded = embedded
        """Whether no language model answers."""
        self.lookup = Lookup(retrieve, remembrance)
        self._strict = persona.grounded == "always"
        self._grounded = self._strict or (embedded and persona.grounded == "when_embedded")
        self._retrieve = retrieve
        self._remembrance = remembrance

    def begin(self, inquiry: Inquiry) -> TurnContext:
        """What a turn lends to the model, before anything is looked up."""
        memory = TurnMemory(self._remembrance, inquiry) if self._remembrance else None
        return TurnContext(HumanMessage(inquiry.text, id=inquiry.turn), inquiry.at, self._retrieve, memory)

    async def answer(
        self, context: TurnContext, inquiry: Inquiry, seen: Collection[str], generate: Generate
    ) -> AsyncGenerator[ReplyEvent, None]:
        """The whole reply; `seen` are the turns whose words need not be recalled. Raises as its parts do."""
        if self.embedded and context.memory and (request := request_in(inquiry.text)):
            async for event in _obeyed(context.memory, request):
                yield event
            return
        found = await self.lookup.look(inquiry, seen)
        context.take(found)
        yield PassagesFound(context.given, found.retrieval.answerable)
        if context.memories:
            yield MemoriesRecalled(context.memories)
        if self._grounded and not context.given and (self._strict or not context.memories):
            for event in self._ungrounded(inquiry, found):
                yield event
            return
        async with aclosing(self._reply(context, inquiry, generate)) as reply:
            async for event in reply:
                yield event

    async def _reply(
        self, context: TurnContext, inquiry: Inquiry, generate: Generate
    ) -> AsyncGenerator[ReplyEvent, None]:
        """What the model says, and what must be said about it."""
        # Now and in the end, since a turn that is cut never comes to its end.
        yield ReplyRests(context.rests_on(free=not self.embedded))
        said = ""
        async with aclosing(generate(context, inquiry)) as reply:
            async for event in reply:
                said += event.text if isinstance(event, TextDelta) else ""
                yield event
        if words := self._remarks(context, inquiry, said):
            yield TextDelta(words)
        if context.memory and context.memory.erased is not None:
            yield MemoryErased(context.memory.erased)
        yield ReplyRests(context.rests_on(free=not self.embedded))

    def _remarks(self, context: TurnContext, inquiry: Inquiry, said: str) -> str:
        """The source of what was said, and what of it no document bears out."""
        if context.for_program:
            return ""
        line = source_line(said, [*context.given, *context.found], inquiry.language)
        lacking = unsupported(said, context.texts) if self._strict else ()
        return line + (caveat(lacking, inquiry.language) if lacking else "")

    def _ungrounded(self, inquiry: Inquiry, found: Found) -> list[ReplyEvent]:
        """What is said where there is nothing to answer from: what is told needs no answer."""
        if self._remembrance and _only_tells(inquiry.text):
            return [TextDelta(acknowledgement(inquiry.language)), ReplyRests("nothing")]
        if self._strict:
            words = refusal(inquiry.language)
        else:
            personal = self._remembrance is not None and is_personal(inquiry.text)
            near = found.recollection.nearest
            words = closest(found.retrieval.nearest, near, inquiry.language, personal=personal)
        return [Refused(), TextDelta(words), ReplyRests("nothing")]


async def _obeyed(memory: TurnMemory, request: Remember | Tell | Forget) -> AsyncGenerator[ReplyEvent, None]:
    """What is asked of the memory itself, done without a language model, by the tools that one would call."""
    match request:
        case Remember(text):
            yield ToolCalled("remember", {"text": text})
            yield TextDelta(await memory.remember(text))
        case Tell():
            yield ToolCalled("recall", {"query": ""})
            found = await memory.recall("")
            yield MemoriesRecalled(tuple(found))
            yield TextDelta(memory.telling(found))
        case Forget(what):
            yield ToolCalled("forget", {})
            yield TextDelta(await memory.forget(what))
            if memory.erased is not None:
                yield MemoryErased(memory.erased)
    yield ReplyRests("nothing")


def _only_tells(text: str) -> bool:
    """Whether somebody tells something of their own and asks nothing."""
    return bool(_OWN.search(text) and statements(text)) and not any(map(is_question, sentences(text)))
