"""Vector collections as the ledger knows them: which one a knowledge base has, and the model it was made with.

A collection is pending while its vectors are made anew, ready once searches go to it, retired when it is to go.
"""

from collections.abc import Sequence
from sqlite3 import Connection


def ready(connection: Connection, bases: Sequence[int]) -> list[int]:
    """The collections that searches in these knowledge bases go to."""
    marks = ", ".join("?" for _ in bases)
    statement = f"SELECT id FROM collections WHERE state = 'ready' AND knowledge_base IN ({marks}) ORDER BY id"
    return [row["id"] for row in connection.execute(statement, tuple(bases))]


def models_in_use(connection: Connection) -> dict[int, str | None]:
    """The embedding model of each collection that holds a ready document; None where only the index knows it."""
    rows = connection.execute("""
        SELECT id, embedding_model FROM collections WHERE state = 'ready'
        AND knowledge_base IN (SELECT knowledge_base FROM documents WHERE state = 'ready') ORDER BY id
    """)
    return {row["id"]: row["embedding_model"] for row in rows}


def remember(connection: Connection, collection: int, model: str) -> None:
    """Notes the embedding model of a collection."""
    connection.execute("UPDATE collections SET embedding_model = ? WHERE id = ?", (model, collection))


def ensure(connection: Connection, base: int, model: str) -> int:
    """The collection of a knowledge base; one of that model where it had none."""
    connection.execute(
        """
        INSERT INTO collections (knowledge_base, state, embedding_model) VALUES (?, 'ready', ?)
        ON CONFLICT DO NOTHING
        """,
        (base, model),
    )
    return ready(connection, [base])[0]


def add_pending(connection: Connection, base: int, model: str) -> int:
    """A collection that is to take the place of the knowledge base's own."""
    statement = "INSERT INTO collections (knowledge_base, state, embedding_model) VALUES (?, 'pending', ?) RETURNING id"
    return int(connection.execute(statement, (base, model)).fetchone()["id"])


def publish(connection: Connection, base: int, collection: int) -> None:
    """Makes a pending collection the knowledge base's own, and retires the one before it."""
    connection.execute("UPDATE collections SET state = 'retired' WHERE state = 'ready' AND knowledge_base = ?", (base,))
    connection.execute("UPDATE collections SET state = 'ready' WHERE id = ?", (collection,))


def leftovers(connection: Connection) -> tuple[int, ...]:
    """The collections that are to go."""
    return tuple(row["id"] for row in connection.execute("SELECT id FROM collections WHERE state != 'ready'"))


def purge(connection: Connection, collection: int) -> None:
    """Forgets a collection, once its vectors are gone."""
    connection.execute("DELETE FROM collections WHERE id = ?", (collection,))
