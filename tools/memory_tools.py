"""The tools by which a model keeps, looks up and erases what a user told it; others judge what may be."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol, runtime_checkable

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from memory.remembered import Memory
from models.quoting import QuotedMemory, quote_memories

NOTHING: Final = "The user has said nothing on this."


@runtime_checkable  # pydantic asks for it when it checks the runtime
class Remembering(Protocol):
    """The context of a turn, which knows whose memory this is and what the user has really said."""

    async def remember(self, text: str) -> str:
        """Keeps what the user has asked to remember; what to tell the user."""
        ...

    async def recall(self, query: str) -> Sequence[Memory]:
        """What the user has said on this; with an empty query what matters most."""
        ...

    async def forget(self, what: str) -> str:
        """Erases what the user has asked to forget; what to tell the user."""
        ...


@tool
async def remember(
    text: Annotated[str, "What to remember, in the user's own words."], runtime: ToolRuntime[Remembering, Any]
) -> str:
    """Keeps something for good. Use it only when the user asks you in this message to remember something."""
    return await runtime.context.remember(text)


@tool
async def recall(
    query: Annotated[str, "What to look for; empty for all that matters about the user."],
    runtime: ToolRuntime[Remembering, Any],
) -> str:
    """Looks up what the user has told you in earlier conversations, or asks what you know about them."""
    found = await runtime.context.recall(query)
    return quote_memories(as_quoted(found)) if found else NOTHING


@tool
async def forget(
    what: Annotated[str, "What to forget; empty for what was said just before."],
    runtime: ToolRuntime[Remembering, Any],
) -> str:
    """Erases something for good. Use it only when the user asks you in this message to forget something."""
    return await runtime.context.forget(what)


MEMORY_TOOLS: Final[dict[str, BaseTool]] = {tool.name: tool for tool in (remember, recall, forget)}


def as_quoted(memories: Sequence[Memory]) -> list[QuotedMemory]:
    """Memories as a model sees them."""
    kinds = {"turn": "said", "fact": "fact", "note": "to remember"}
    return [
        QuotedMemory(memory.said_at.astimezone().date().isoformat(), kinds[memory.kind], memory.text, memory.reply)
        for memory in memories
    ]
