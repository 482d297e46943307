"""A user's rights over what is remembered of them: to see, correct, take along and erase it, down to the last copy."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.attendance import Attendance
from agent.checkpoints import PruningSaver, open_checkpoints
from agent.scrubbing import scrub
from agent.store import open_store
from configs.errors import RequestError
from configs.settings import Settings
from memory.memories import Memories
from memory.remembered import Forgotten, Memory, Space
from memory.turns import Turns

MOST = 100_000
"""Memories that are forgotten at once."""
LISTED = 100
"""Memories in one page, unless more are asked for."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What can be done with memories; each change holds on the disk when its call returns."""

    memories: Memories
    turns: Turns
    checkpoints: PruningSaver
    attendance: Attendance
    answers: Path
    """Where recordings of replies are."""

    async def forget(self, space: Space, ids: Collection[int]) -> Forgotten:
        """Erases memories, and the turns that they were said in. Raises MemoryNotFound."""
        gone = await self.memories.forget(space, ids)
        await self._scrub()
        return gone

    async def forget_about(self, space: Space, words: str) -> Forgotten:
        """Erases every memory, and every turn, that holds these words."""
        if not words.strip():
            raise RequestError("nothing was named to forget", "Name words that stand in what was said.")
        found = await self.memories.list(space, closed=True, search=words, limit=MOST)
        turns = await self.turns.holding(space.user, words)
        gone = await self.memories.forget(space, [memory.id for memory in found], turns=turns)
        await self._scrub()
        return gone

    async def forget_all(self, user: str) -> Forgotten:
        """Erases all that is kept of a user: memories of every persona, and all conversations."""
        gone = await self.memories.forget_all(user)
        await self._scrub()
        return gone

    async def _scrub(self) -> None:
        await scrub(self.memories, self.checkpoints, self.attendance, self.answers)


@asynccontextmanager
async def open_rights(settings: Settings) -> AsyncGenerator[Rights, None]:
    """The rights over the data folder, without any engine that hears, thinks or speaks."""
    async with (
        open_store(settings) as store,
        open_checkpoints(store.folder / "checkpoints.sqlite") as checkpoints,
    ):
        await store.memories.catch_up()
        yield Rights(store.memories, store.turns, checkpoints, Attendance(), store.folder / "answers")


def as_json(memory: Memory) -> dict[str, Any]:
    """A memory for a program."""
    return {
        "id": memory.id,
        "kind": memory.kind,
        "text": memory.text,
        "reply": memory.reply or None,
        "quote": memory.quote or None,
        "subject": memory.subject or None,
        "importance": memory.importance,
        "language": memory.language,
        "said_at": memory.said_at.isoformat(),
        "closed_at": memory.closed_at and memory.closed_at.isoformat(),
        "turn": memory.turn,
    }
