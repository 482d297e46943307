"""What the catalogue keeps of a document, read back."""

import sqlite3
from collections.abc import Generator
from contextlib import closing

import pytest

from memory import catalogue
from memory.chunking import Chunk
from memory.schema import MIGRATIONS


@pytest.fixture
def connection() -> Generator[sqlite3.Connection, None, None]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        for script in MIGRATIONS:
            connection.executescript(script)
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection


def test_a_passage_keeps_its_place(connection: sqlite3.Connection) -> None:
    chunks = (Chunk("Leave › 年假", 3, 7, "二十五天", page=12), Chunk("", 9, 14, "plain"))
    new = catalogue.prepared("/handbook.pdf", "Handbook", "d1", "x" * 20, chunks)
    pending = catalogue.add_pending(connection, "default", "m", new)
    assert catalogue.passages(connection, pending.passages) == {}
    catalogue.publish(connection, pending, new.lexicon)
    found = catalogue.passages(connection, pending.passages).values()
    assert [(p.heading, p.start, p.end, p.text, p.page, p.score) for p in found] == [
        ("Leave › 年假", 3, 7, "二十五天", 12, 0.0),
        ("", 9, 14, "plain", None, 0.0),
    ]
    assert {(p.knowledge, p.document, p.source) for p in found} == {("default", "Handbook", "/handbook.pdf")}
