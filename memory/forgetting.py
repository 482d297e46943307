"""Forgetting: words go in one transaction, and leave the disk with it; their vectors follow, whenever a kill comes."""

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from sqlite3 import Connection
from typing import Final

from memory import memory_lexicon, memory_tables, vector_collections
from memory.index import BATCH, VectorIndex
from memory.ledger import Ledger
from memory.memory_tables import marks, portions
from memory.remembered import Forgotten, Space
from memory.turns import lower_marks

LEAST_ECHO: Final = 4
"""Characters of a memory from which a reply that holds them is taken to repeat it."""
_DROP_WORDS: Final = "state = 'forgotten', text = '', reply = '', quote = '', subject = '', turn = NULL"


class Sweeper:
    """Clears away the vectors of what was forgotten. Callers see to it that one call runs at a time."""

    def __init__(self, ledger: Ledger, index: VectorIndex) -> None:
        self._ledger = ledger
        self._index = index

    async def sweep(self) -> None:
        """Drops the collections of users that are gone, and the vectors of single memories, each with its row.

        A vector is first overwritten: deleting alone leaves it in the index's file. A copy may stay in Chroma's log and
        free pages, which it does not clear; it is numbers, and no word is among them.
        """
        leftovers = partial(vector_collections.leftovers, of="memory_space")
        for collection in await self._ledger.read(leftovers):
            await self._index.drop(collection)
            await self._ledger.write(partial(vector_collections.purge, collection=collection))
        for collection, ids in (await self._ledger.read(vectors_left)).items():
            if collection:
                await self._erase(collection, ids)
            await self._ledger.write(partial(purge, ids=ids))
        await self._ledger.write(drop_empty_spaces)

    async def _erase(self, collection: int, ids: Sequence[int]) -> None:
        for at in range(0, len(ids), BATCH):
            await self._index.overwrite(collection, ids[at : at + BATCH])
            await self._index.delete(collection, ids[at : at + BATCH])


def forget(connection: Connection, space: Space, ids: Collection[int], turns: Collection[str]) -> Forgotten:
    """Takes the words of these memories of a space and of these turns of its user away; see Memories.forget."""
    number = memory_tables.find_space(connection, space)
    memories = {} if number is None else memory_tables.by_id(connection, number, ids)
    said = {memory.turn for memory in memories.values() if memory.turn is not None}
    return _forget(connection, set(memories), said | set(_turns_of(connection, space.user, turns)))


def withdraw(connection: Connection, user: str, turns: Collection[str]) -> Forgotten:
    """Takes these turns of a user away, with what was drawn from them; what others may repeat of them stays."""
    return _forget(connection, set(), set(_turns_of(connection, user, turns)), echoes=False)


def forget_conversation(connection: Connection, conversation: str) -> Forgotten:
    """Takes the words of a conversation's turns away, and of all that was drawn from them."""
    rows = connection.execute("SELECT id FROM turns WHERE conversation = ?", (conversation,))
    return _forget(connection, set(), {row["id"] for row in rows})


def forget_user(connection: Connection, user: str) -> Forgotten:
    """Takes everything of a user away but the numbers of collections that must still be dropped."""
    numbers = [row["id"] for row in connection.execute("SELECT id FROM memory_spaces WHERE user = ?", (user,))]
    turns = connection.execute("SELECT id FROM turns WHERE user = ?", (user,))
    gone = delete_turns(connection, [row["id"] for row in turns])
    memories = 0
    for space in numbers:
        memories += memory_tables.count(connection, space)
        connection.execute("DELETE FROM memories WHERE space = ?", (space,))
        memory_lexicon.drop(connection, space)
        connection.execute("UPDATE collections SET state = 'retired' WHERE memory_space = ?", (space,))
    drop_empty_spaces(connection)
    return Forgotten(memories, gone)


def delete_turns(connection: Connection, turns: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Deletes turns and notes that the agent's state must lose them too; conversation and id of each."""
    gone: list[tuple[str, str]] = []
    for some in portions(turns):
        rows = connection.execute(f"SELECT conversation, id FROM turns WHERE id IN ({marks(some)})", tuple(some))
        gone += [(row["conversation"], row["id"]) for row in rows]
        connection.execute(f"DELETE FROM turns WHERE id IN ({marks(some)})", tuple(some))
    connection.executemany(
        "INSERT INTO forgotten_turns (conversation, turn) VALUES (?, ?) ON CONFLICT DO NOTHING", gone
    )
    lower_marks(connection)
    return tuple(gone)


def forgotten_turns(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Conversation and id of each turn that the agent's state may still hold."""
    rows = connection.execute("SELECT conversation, turn FROM forgotten_turns ORDER BY rowid")
    return tuple((row["conversation"], row["turn"]) for row in rows)


def scrubbed(connection: Connection, turns: Iterable[tuple[str, str]]) -> None:
    """Notes that the agent's state holds these turns no more."""
    connection.executemany("DELETE FROM forgotten_turns WHERE conversation = ? AND turn = ?", turns)


def vectors_left(connection: Connection) -> dict[int, list[int]]:
    """The forgotten memories whose rows remain, by collection of their space; 0 where it has none."""
    rows = connection.execute("""
        SELECT m.id, coalesce(c.id, 0) AS collection FROM memories m
        LEFT JOIN collections c ON c.memory_space = m.space AND c.state = 'ready'
        WHERE m.state = 'forgotten' ORDER BY collection, m.id
    """)
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row["collection"], []).append(row["id"])
    return found


def purge(connection: Connection, ids: Collection[int]) -> None:
    """Deletes the rows of forgotten memories, once their vectors are gone."""
    for some in portions(ids):
        connection.execute(f"DELETE FROM memories WHERE state = 'forgotten' AND id IN ({marks(some)})", tuple(some))


def drop_empty_spaces(connection: Connection) -> None:
    """Deletes the spaces that hold nothing and that no turn belongs to: else a user's name would stay."""
    connection.execute("""
        DELETE FROM memory_spaces WHERE NOT EXISTS (SELECT 1 FROM memories WHERE space = memory_spaces.id)
        AND NOT EXISTS (SELECT 1 FROM collections WHERE memory_space = memory_spaces.id)
        AND NOT EXISTS (SELECT 1 FROM turns WHERE user = memory_spaces.user AND memory = memory_spaces.persona)
    """)


def _forget(connection: Connection, ids: Collection[int], turns: Collection[str], *, echoes: bool = True) -> Forgotten:
    found = _kept(connection, "id", ids) | _kept(connection, "turn", turns)
    turns = {*turns, *(_echoes(connection, found) if echoes else ())}
    for some in portions(found):
        some_marks = marks(some)
        connection.execute(
            f"UPDATE memories SET closed_at = NULL, closed_by = NULL WHERE closed_by IN ({some_marks})", tuple(some)
        )
        connection.execute(f"UPDATE memories SET {_DROP_WORDS} WHERE id IN ({some_marks})", tuple(some))
    for space in set(found.values()):
        memory_lexicon.remove(connection, space, [memory for memory, of in found.items() if of == space])
        memory_lexicon.merge(connection, space)
    return Forgotten(len(found), delete_turns(connection, turns))


def _kept(connection: Connection, column: str, values: Collection[int] | Collection[str]) -> dict[int, int]:
    """The space of each memory that is kept and has one of these values in the column, by its id."""
    found: dict[int, int] = {}
    for some in portions(tuple(values)):
        wanted = f"SELECT id, space FROM memories WHERE state = 'kept' AND {column} IN ({marks(some)})"
        found |= {row["id"]: row["space"] for row in connection.execute(wanted, tuple(some))}
    return found


def _echoes(connection: Connection, memories: Collection[int]) -> set[str]:
    """The turns whose replies may repeat these memories: they were recalled for them, or stand there to the letter."""
    found: set[str] = set()
    for some in portions(memories):
        wanted = marks(some)
        rows = connection.execute(
            f"""
            SELECT t.id FROM turns t WHERE t.recalled != '[]'
            AND EXISTS (SELECT 1 FROM json_each(t.recalled) WHERE value IN ({wanted}))
            UNION
            SELECT t.id FROM memories m JOIN memory_spaces s ON s.id = m.space JOIN turns t ON t.user = s.user
            WHERE m.id IN ({wanted}) AND length(m.text) >= {LEAST_ECHO}
            AND (instr(t.reply, m.text) OR instr(t.heard, m.text))
            """,
            (*some, *some),
        )
        found |= {row["id"] for row in rows}
    return found


def _turns_of(connection: Connection, user: str, turns: Collection[str]) -> list[str]:
    """Those of these turns that are this user's."""
    return [
        row["id"]
        for some in portions(turns)
        for row in connection.execute(f"SELECT id FROM turns WHERE user = ? AND id IN ({marks(some)})", (user, *some))
    ]
