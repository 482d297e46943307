"""Both owners share one numbering, and neither sees or clears away what is the other's."""

import sqlite3
from collections.abc import Generator
from contextlib import closing

import pytest

from memory import vector_collections as collections
from memory.schema import MIGRATIONS
from memory.vector_collections import Owner

BASE, SPACE = "knowledge_base", "memory_space"


@pytest.fixture
def connection() -> Generator[sqlite3.Connection, None, None]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        for script in MIGRATIONS:
            connection.executescript(script)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("INSERT INTO knowledge_bases (id, name) VALUES (1, 'default')")
        connection.execute("INSERT INTO memory_spaces (id, user, persona) VALUES (1, 'owner', '')")
        yield connection


@pytest.mark.parametrize(("of", "other"), [(BASE, SPACE), (SPACE, BASE)])
def test_a_collection_is_swapped_without_touching_that_of_the_other(
    connection: sqlite3.Connection, of: Owner, other: Owner
) -> None:
    theirs = collections.ensure(connection, 1, "m", of=other)
    old = collections.ensure(connection, 1, "m", of=of)
    assert collections.ensure(connection, 1, "another", of=of) == old
    new = collections.add_pending(connection, 1, "n", of=of)
    assert len({theirs, old, new}) == 3
    assert collections.leftovers(connection, of=of) == (new,)
    collections.publish(connection, 1, new, of=of)
    assert collections.ready(connection, [1], of=of) == [new]
    assert collections.ready(connection, [1], of=other) == [theirs]
    assert collections.leftovers(connection, of=of) == (old,)
    assert collections.leftovers(connection, of=other) == ()
    collections.purge(connection, old)
    assert collections.leftovers(connection, of=of) == ()


def test_models_are_in_use_while_something_can_be_found_by_them(connection: sqlite3.Connection) -> None:
    base = collections.ensure(connection, 1, "m")
    space = collections.ensure(connection, 1, "n", of="memory_space")
    assert collections.models_in_use(connection) == collections.models_in_use(connection, of="memory_space") == {}
    connection.execute("""
        INSERT INTO documents (knowledge_base, source, title, digest, characters, passages, state, added_at)
        VALUES (1, 's', 't', 'd', 1, 1, 'ready', '2026-01-01')
    """)
    connection.execute(
        "INSERT INTO memories (space, kind, text, language, said_at, embedded) VALUES (1, 'note', 't', 'en', 's', ?)",
        (space,),
    )
    assert collections.models_in_use(connection) == {base: "m"}
    assert collections.models_in_use(connection, of="memory_space") == {space: "n"}
    connection.execute("UPDATE memories SET state = 'forgotten'")
    connection.execute("UPDATE documents SET state = 'retired'")
    assert collections.models_in_use(connection) == collections.models_in_use(connection, of="memory_space") == {}
