"""The tool by which a model looks into the documents; it reads and never writes."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol, runtime_checkable

from langchain.tools import ToolRuntime
from langchain_core.tools import tool

from memory.passages import Passage
from models.quoting import QuotedPassage, quote

NOTHING = "The documents hold nothing on this."


@runtime_checkable  # pydantic asks for it when it checks the runtime
class Searching(Protocol):
    """The context of a turn, which knows whose documents to search."""

    async def search(self, query: str) -> tuple[Sequence[Passage], int]:
        """The passages that answer, and the number that the first of them is cited by."""
        ...


@tool(response_format="content_and_artifact")
async def knowledge_search(
    query: Annotated[str, "The question, in the words that a document would use."],
    runtime: ToolRuntime[Searching, Any],
) -> tuple[str, tuple[Passage, ...]]:
    """Searches the user's documents. Use it when the answer may stand in them and no passage that answers is given."""
    passages, first = await runtime.context.search(query)
    if not passages:
        return NOTHING, ()
    return quote(numbered(passages, first)), tuple(passages)


def numbered(passages: Sequence[Passage], first: int = 1) -> list[QuotedPassage]:
    """Passages as a model sees them, numbered for citing."""
    return [QuotedPassage(number, p.document, p.heading, p.text) for number, p in enumerate(passages, first)]
