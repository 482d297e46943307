"""Vector collections as the ledger knows them: which one a knowledge base or a memory space has, made by which model.

A collection is pending while its vectors are made anew, ready once searches go to it, retired when it is to go. Its
number is nobody else's, so that the index need not know whose it is.
"""

from collections.abc import Sequence
from functools import partial
from sqlite3 import Connection
from typing import Final, Literal

from memory.index import VectorIndex
from memory.ledger import Ledger

Owner = Literal["knowledge_base", "memory_space"]
"""What a collection belongs to; the column that says to which."""

_IN_USE: Final[dict[Owner, str]] = {
    "knowledge_base": "knowledge_base IN (SELECT knowledge_base FROM documents WHERE state = 'ready')",
    "memory_space": "id IN (SELECT embedded FROM memories WHERE state = 'kept')",
}
"""Collections that hold a vector which a search may need."""


def ready(connection: Connection, owners: Sequence[int], *, of: Owner = "knowledge_base") -> list[int]:
    """The collections that searches in these knowledge bases or memory spaces go to."""
    marks = ", ".join("?" for _ in owners)
    statement = f"SELECT id FROM collections WHERE state = 'ready' AND {of} IN ({marks}) ORDER BY id"
    return [row["id"] for row in connection.execute(statement, tuple(owners))]


def models_in_use(connection: Connection, *, of: Owner = "knowledge_base") -> dict[int, str | None]:
    """The embedding model of each collection that holds something to find; None where only the index knows it."""
    statement = f"SELECT id, embedding_model FROM collections WHERE state = 'ready' AND {_IN_USE[of]} ORDER BY id"
    return {row["id"]: row["embedding_model"] for row in connection.execute(statement)}


def remember(connection: Connection, collection: int, model: str) -> None:
    """Notes the embedding model of a collection."""
    connection.execute("UPDATE collections SET embedding_model = ? WHERE id = ?", (model, collection))


def ensure(connection: Connection, owner: int, model: str, *, of: Owner = "knowledge_base") -> int:
    """The collection of a knowledge base or memory space; one of that model where it had none."""
    connection.execute(
        f"INSERT INTO collections ({of}, state, embedding_model) VALUES (?, 'ready', ?) ON CONFLICT DO NOTHING",
        (owner, model),
    )
    return ready(connection, [owner], of=of)[0]


def add_pending(connection: Connection, owner: int, model: str, *, of: Owner = "knowledge_base") -> int:
    """A collection that is to take the place of its owner's present one."""
    statement = f"INSERT INTO collections ({of}, state, embedding_model) VALUES (?, 'pending', ?) RETURNING id"
    return int(connection.execute(statement, (owner, model)).fetchone()["id"])


def publish(connection: Connection, owner: int, collection: int, *, of: Owner = "knowledge_base") -> None:
    """Makes a pending collection its owner's own, and retires the one before it."""
    connection.execute(f"UPDATE collections SET state = 'retired' WHERE state = 'ready' AND {of} = ?", (owner,))
    connection.execute("UPDATE collections SET state = 'ready' WHERE id = ?", (collection,))


def leftovers(connection: Connection, *, of: Owner = "knowledge_base") -> tuple[int, ...]:
    """The collections that are to go. Who makes memory spaces anew leaves those of knowledge bases alone."""
    statement = f"SELECT id FROM collections WHERE state != 'ready' AND {of} IS NOT NULL ORDER BY id"
    return tuple(row["id"] for row in connection.execute(statement))


def purge(connection: Connection, collection: int) -> None:
    """Forgets a collection, once its vectors are gone."""
    connection.execute("DELETE FROM collections WHERE id = ?", (collection,))


async def sweep(ledger: Ledger, index: VectorIndex, *, of: Owner = "knowledge_base") -> None:
    """Deletes the collections that are to go, vectors first. Nobody may be making one anew meanwhile."""
    for collection in await ledger.read(partial(leftovers, of=of)):
        await index.drop(collection)
        await ledger.write(partial(purge, collection=collection))
