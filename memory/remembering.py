"""Remembering: turns into memories, words first and vectors after; what a document said never gets in."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from sqlite3 import Connection
from typing import Final

from anyio.to_thread import run_sync
from langchain_core.embeddings import Embeddings

from memory import memory_lexicon, memory_tables
from memory.facts import folded
from memory.index import VectorIndex
from memory.ingestion import BATCH, model_of
from memory.ledger import Ledger
from memory.memory_tables import NewMemory
from memory.remembered import Space
from memory.script import IDEOGRAPH
from memory.statements import statements
from memory.turns import StoredTurn
from memory.vector_collections import Owner

TURNS: Final = 64
"""Turns that are looked at in one transaction; meanwhile nothing is recalled."""
LONGEST_REPLY: Final = 600
"""Characters of a reply that are remembered."""


_TIGHT: Final = re.compile(rf"(?:{IDEOGRAPH}|[。！？；…])$")


class Rememberer:
    """Makes memories of turns, and vectors of memories. Callers see to it that one call runs at a time."""

    def __init__(self, ledger: Ledger, index: VectorIndex, embeddings: Embeddings) -> None:
        self._ledger = ledger
        self._index = index
        self._embeddings = embeddings

    async def refresh(self) -> None:
        """Makes terms anew that another version of this program has made."""
        for space in await self._ledger.read(memory_lexicon.outdated):
            await self._ledger.write(partial(_rebuild, space=space))

    async def look(self) -> int:
        """Makes memories of the turns that have not been looked at; how many are new. They can be recalled at once."""
        new = 0
        while batch := await self._ledger.write(_look):
            new += sum(batch)
        return new

    async def embed(self, ids: Collection[int] = ()) -> None:
        """Makes the vectors that are missing: of these memories, or of all. Raises EmbeddingMismatch, EngineError."""
        model = model_of(self._embeddings)
        claim = partial(memory_tables.claim, model=model, limit=BATCH, ids=ids)
        while found := await self._ledger.write(claim):
            embed = partial(self._embeddings.embed_documents, list(found.texts.values()))
            vectors = await run_sync(embed, abandon_on_cancel=True)
            await self._index.add(found.collection, model, list(found.texts), vectors)
            embedded = partial(memory_tables.set_embedded, collection=found.collection, texts=found.texts)
            await self._ledger.write(embedded)


@dataclass
class SpaceVectors:
    """The vectors of a space, as they are made anew; see Reindexable. Used once."""

    name: str
    owner: int
    of: Owner = "memory_space"
    _embedded: dict[int, str] = field(default_factory=dict)

    def count(self, connection: Connection) -> int:
        """The memories that are kept."""
        return memory_tables.count(connection, self.owner)

    def texts(self, connection: Connection, after: int, limit: int) -> Mapping[int, str]:
        """What is embedded of them."""
        batch = memory_tables.texts_after(connection, self.owner, after, limit)
        self._embedded |= batch
        return batch

    def publish(self, connection: Connection, collection: int) -> None:
        """Notes whose vectors the collection has: those added or reworded meanwhile still need one."""
        memory_tables.drop_embedded(connection, self.owner)
        memory_tables.set_embedded(connection, collection, self._embedded)


def vectors_of(connection: Connection) -> tuple[SpaceVectors, ...]:
    """The vectors of all spaces that hold a memory."""
    return tuple(
        SpaceVectors(f"memory of {space.user}{f' ({space.persona})' if space.persona else ''}", number)
        for number, space in memory_tables.spaces(connection, None).items()
    )


def remembered(turn: StoredTurn, noted: Sequence[str] = ()) -> NewMemory | None:
    """What is remembered of a turn: what the user told in it, and what was heard of a reply that rests on the model
    alone; None where that is nothing. `noted`: what was kept as notes of the same turn.
    """
    told = [sentence for sentence in statements(turn.question) if not _is_noted(sentence, noted)]
    reply = turn.heard.strip() if turn.rests_on == "model" and turn.outcome != "failed" else ""
    if noted and not told:
        return None
    if not told and not reply:
        return None
    text = _joined(told) if told else turn.question.strip()
    return NewMemory("turn", text, turn.id, turn.language, turn.created_at, reply=reply[:LONGEST_REPLY])


def _is_noted(sentence: str, noted: Sequence[str]) -> bool:
    return any(folded(sentence) in folded(note) or folded(note) in folded(sentence) for note in noted)


def _joined(sentences: Sequence[str]) -> str:
    """Sentences as one text; Chinese needs no space between them."""
    text = ""
    for sentence in sentences:
        tight = not text or _TIGHT.search(text)
        text += sentence if tight else f" {sentence}"
    return text


def _look(connection: Connection) -> list[bool]:
    """Looks at the next turns; for each whether a memory came of it."""
    found: list[bool] = []
    for number, turn in memory_tables.unseen_turns(connection, TURNS):
        space = memory_tables.ensure_space(connection, Space(turn.user, turn.memory or ""))
        new = remembered(turn, memory_tables.noted_in(connection, space, turn.id))
        if new is not None:
            memory_tables.add(connection, space, new)
        memory_tables.mark_seen(connection, space, number)
        found.append(new is not None)
    return found


def _rebuild(connection: Connection, space: int) -> None:
    memories = memory_tables.listed(connection, space, closed=True)
    rows = ((memory.id, memory.kind, memory.text, memory.reply) for memory in reversed(memories))
    memory_lexicon.rebuild(connection, space, rows)
