"""Memories: what users have said, recalled and forgotten; the one door to it, behind which ledger and index agree."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from functools import partial
from sqlite3 import Connection
from typing import Any, Final

import anyio
from langchain_core.embeddings import Embeddings

from configs import settings
from configs.errors import IndexUnavailable, MemoryNotFound, RequestError, VectorIndexDamaged
from memory import facts, forgetting, memory_tables
from memory.forgetting import Sweeper
from memory.index import VectorIndex
from memory.ledger import Ledger
from memory.memory_tables import NewMemory
from memory.recollection import Recaller, Recollection
from memory.reindexing import Reindexable
from memory.remembered import Forgotten, Kind, Memory, NewFact, Space
from memory.remembering import Rememberer, vectors_of
from memory.turns import StoredTurn

__all__ = ["Forgotten", "Kind", "Memories", "Memory", "NewFact", "Recollection", "Space"]

PAGE: Final = 200
"""Rows of an export that are read at once."""
KINDS: Final[tuple[Kind, ...]] = ("turn", "fact", "note")


class Memories:
    """All memories in one ledger and one index.

    `similarity` is the cosine from which a memory counts as answering, for embeddings that know meaning; None for
    those that only compare characters. Errors of all calls: StorageError.
    """

    def __init__(
        self,
        ledger: Ledger,
        index: VectorIndex,
        embeddings: Embeddings,
        wanted: settings.Memory,
        *,
        similarity: float | None = None,
    ) -> None:
        self._ledger = ledger
        self._wanted = wanted
        self._rememberer = Rememberer(ledger, index, embeddings)
        self._recaller = Recaller(ledger, index, embeddings, wanted, similarity)
        self._sweeper = Sweeper(ledger, index)
        self._changing = anyio.Lock()
        """Held while vectors change, so that none of what is forgotten meanwhile stays."""

    async def recover(self) -> None:
        """Finishes what a killed process has left: vectors of what was forgotten, terms of an earlier version.

        Where the index is damaged or away that waits until it is not. Call it before anything else.
        """
        async with self._changing:
            await self._ledger.scrub()
            await self._rememberer.refresh()
            with suppress(VectorIndexDamaged, IndexUnavailable):
                await self._sweeper.sweep()

    async def catch_up(self) -> int:
        """Remembers what was said in the turns since the last call; how many memories are new.

        They are recalled by their words at once, by their meaning when their vectors are made. What an earlier call has
        left undone is done now. Raises EmbeddingMismatch, and EngineError where the embeddings are away.
        """
        new = await self._rememberer.look()
        async with self._changing:
            await self._sweeper.sweep()
            await self._rememberer.embed()
        return new

    async def recall(
        self, space: Space, question: str, *, without: Collection[str] = (), now: datetime | None = None
    ) -> Recollection:
        """What the user has said that answers a question, the best first; none where nothing does.

        `without`: the ids of turns that need no recalling. `now`, with a time zone, is what "yesterday" is reckoned
        from. Facts that have ended are left out unless the question asks about the past. Raises EmbeddingMismatch, and
        EngineError where the embeddings are away.
        """
        moment = now if now is not None else datetime.now().astimezone()
        return await self._recaller.recall(space, question, without, moment)

    async def profile(self, space: Space) -> str:
        """The facts that hold as dated lines, those of importance from 4 on first, then the newest; "" for none.

        At most `memory.profile_tokens`, as estimated.
        """
        return facts.profile(await self.current_facts(space), self._wanted.profile_tokens)

    async def note(
        self,
        space: Space,
        text: str,
        *,
        quote: str,
        turn: str | None,
        language: str,
        said_at: datetime,
        importance: int = 4,
    ) -> Memory:
        """Keeps what the user asked to remember; where the same holds already, that.

        Raises RequestError for an empty text, and EngineError where the embeddings are away; the note is kept even so,
        and recalled by its words.
        """
        new = NewMemory("note", text.strip(), turn, language, said_at, quote=quote, importance=importance)
        if not new.text:
            raise RequestError("there is nothing to remember", "Say what is to be remembered.")
        number = await self._ledger.write(partial(_note, space=space, new=new))
        await self._embed([number])
        return await self.get(space, number)

    async def spaces(self, user: str | None = None) -> tuple[Space, ...]:
        """The spaces of one user, or of all, in which anything is remembered."""
        return tuple((await self._ledger.read(partial(memory_tables.spaces, user=user))).values())

    async def undistilled(self, space: Space, limit: int = 10) -> tuple[StoredTurn, ...]:
        """The next turns that are remembered and that no facts have been drawn from, the oldest first."""
        return tuple(await self._ledger.read(partial(memory_tables.undistilled, space=space, limit=limit)))

    async def add_facts(
        self, space: Space, new: Sequence[NewFact], *, upto: Sequence[StoredTurn | str]
    ) -> tuple[Memory, ...]:
        """Adds what was drawn from the turns `upto` (or their ids), which count as distilled in the same transaction;
        those that came in.

        A fact whose quote does not stand in the user's words of its turn is left out, as is one that holds already.
        What a fact replaces ends when the fact was said; nothing is overwritten. Raises EngineError where the
        embeddings are away; the facts are kept even so.
        """
        turns = [turn if isinstance(turn, str) else turn.id for turn in upto]
        added = await self._ledger.write(partial(facts.add, space=space, facts=new, upto=turns))
        if added:
            await self._embed(added)
        kept = await self._by_id(space, added)
        return tuple(kept[number] for number in added if number in kept)

    async def current_facts(self, space: Space) -> tuple[Memory, ...]:
        """The facts and notes that hold, the newest first."""
        return tuple(await self._ledger.read(partial(facts.current, space=space)))

    async def list(
        self,
        space: Space,
        *,
        kind: Kind | None = None,
        closed: bool = False,
        search: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> tuple[Memory, ...]:
        """Memories, the newest first: of one kind or all, with `closed` also those that have ended.

        `search` is a part of their words, in upper or lower case. The id of the last one, as `before`, gives the next.
        """
        kinds = KINDS if kind is None else (kind,)
        wanted = partial(
            memory_tables.listed, kinds=kinds, closed=closed, search=search, limit=max(0, limit), before=before
        )

        def read(connection: Connection) -> Sequence[Memory]:
            number = memory_tables.find_space(connection, space)
            return () if number is None else wanted(connection, number)

        return tuple(await self._ledger.read(read))

    async def get(self, space: Space, number: int) -> Memory:
        """One memory. Raises MemoryNotFound."""
        return (await self._required(space, [number]))[number]

    async def edit(self, space: Space, number: int, text: str) -> Memory:
        """Gives a fact or note other words. Raises MemoryNotFound, and RequestError for a turn or an empty text."""
        memory = await self.get(space, number)
        if memory.kind == "turn":
            raise RequestError(
                "what was said in a turn cannot be changed", "Forget it, or add a note that puts it right."
            )
        if not text.strip():
            raise RequestError("the text is empty", "Forget the memory to be rid of it.")
        await self._ledger.write(partial(_edit, space=space, memory=memory, text=text.strip()))
        await self._ledger.scrub()
        await self._embed([number])
        return await self.get(space, number)

    async def export(self, space: Space) -> AsyncGenerator[dict[str, Any], None]:
        """Every turn of a space, the oldest first, then every memory, the newest first; each as JSON can hold it."""
        after = 0
        while turns := await self._ledger.read(
            partial(memory_tables.turns_after, space=space, after=after, limit=PAGE)
        ):
            for after, turn in turns:  # noqa: B007  # the last one counts
                yield {"type": "turn", **_plain(asdict(turn))}
        before: int | None = None
        while memories := await self.list(space, closed=True, limit=PAGE, before=before):
            before = memories[-1].id
            for memory in memories:
                yield {"type": "memory", **_plain(asdict(memory))}

    async def forget(self, space: Space, ids: Collection[int], *, turns: Collection[str] = ()) -> Forgotten:
        """Forgets memories and turns (by id) with all that belongs to them: a memory takes the turn in which it was
        said with it, and a turn all that was drawn from it. What one of them had ended holds again.

        Their words are off the disk when it returns, but for the agent's own state: see `forgotten_turns`. Turns of
        another user are left alone. Raises MemoryNotFound, before anything is gone.
        """
        memories = await self._required(space, ids)
        gone = await self._ledger.write(
            partial(forgetting.forget, space=space, ids=list(memories), turns=frozenset(turns))
        )
        await self._cleared()
        return gone

    async def withdraw(self, user: str, turns: Collection[str]) -> Forgotten:
        """Forgets turns of a user that others have taken the place of, and what was drawn from them; but not, as
        `forget` does, the turns whose replies may repeat it.
        """
        gone = await self._ledger.write(partial(forgetting.withdraw, user=user, turns=frozenset(turns)))
        await self._cleared()
        return gone

    async def forget_conversation(self, conversation: str) -> Forgotten:
        """Forgets all turns of a conversation, in whosever memory they are, with all that belongs to them."""
        gone = await self._ledger.write(partial(forgetting.forget_conversation, conversation=conversation))
        await self._cleared()
        return gone

    async def forget_all(self, user: str) -> Forgotten:
        """Forgets all that a user has said, in every space and outside of them."""
        gone = await self._ledger.write(partial(forgetting.forget_user, user=user))
        await self._cleared()
        return gone

    async def forgotten_turns(self) -> tuple[tuple[str, str], ...]:
        """Conversation and id of each turn that was forgotten here and may still stand in the agent's own state."""
        return await self._ledger.read(forgetting.forgotten_turns)

    async def scrubbed(self, turns: Collection[tuple[str, str]]) -> None:
        """Notes that these turns are gone from the agent's own state."""
        await self._ledger.write(partial(forgetting.scrubbed, turns=list(turns)))
        await self._ledger.scrub()

    @asynccontextmanager
    async def reindexable(self) -> AsyncGenerator[tuple[Reindexable, ...], None]:
        """What Knowledge.reindex is to make anew of the memory; its vectors do not change until the context ends."""
        async with self._changing:
            yield await self._ledger.read(vectors_of)

    async def _cleared(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._ledger.scrub()
            async with self._changing:
                with suppress(VectorIndexDamaged, IndexUnavailable):
                    await self._sweeper.sweep()
                await self._ledger.scrub()

    async def _embed(self, ids: Collection[int]) -> None:
        async with self._changing:
            await self._rememberer.embed(ids)

    async def _by_id(self, space: Space, ids: Collection[int]) -> dict[int, Memory]:
        def read(connection: Connection) -> dict[int, Memory]:
            number = memory_tables.find_space(connection, space)
            return {} if number is None else memory_tables.by_id(connection, number, ids)

        return await self._ledger.read(read)

    async def _required(self, space: Space, ids: Collection[int]) -> dict[int, Memory]:
        found = await self._by_id(space, ids)
        for number in ids:
            if number not in found:
                raise MemoryNotFound(f"there is no memory {number} here", "List the memories to see their numbers.")
        return found


def _note(connection: Connection, space: Space, new: NewMemory) -> int:
    for memory in facts.current(connection, space):
        if facts.folded(memory.text) == facts.folded(new.text):
            return memory.id
    return memory_tables.add(connection, memory_tables.ensure_space(connection, space), new)


def _edit(connection: Connection, space: Space, memory: Memory, text: str) -> None:
    number = memory_tables.find_space(connection, space)
    assert number is not None
    memory_tables.rewrite(connection, number, memory, text)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Times as text."""
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}
