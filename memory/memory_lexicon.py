"""The memory's lexicon: the terms of each space in a table of its own, so that no query can see another's.

A statement's terms stand beside those of a reply, which are marked: a question about what the user has said must not
be answered by what was said back.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from sqlite3 import Connection
from typing import Final

from memory import lexical, personal_terms
from memory.personal_terms import stated
from memory.remembered import Kind
from memory.statements import statements

REPLY_MARK: Final = "\ue001"
"""Stands before a term of a reply. Of a private area, so that no text holds it and SQLite takes it for a letter."""
MOST_TERMS: Final = 12
"""Of those in a question, only so many are searched for: the rarest."""
MOST_ROWS: Final = 500
"""A term is looked up in so many of the newest memories that hold it."""

_VERSION: Final = f"{lexical.VERSION}_{personal_terms.VERSION}"
_PREFIX: Final = "memory_terms_"


@dataclass(frozen=True, slots=True)
class Extent:
    """How many memories a space keeps, and between which ids."""

    count: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Postings:
    """Where a term stands."""

    ids: tuple[int, ...]
    """The newest memories that hold it, the newest first."""
    count: int
    """How many hold it; estimated where there are more than `ids`."""


def terms_of(kind: Kind, text: str, reply: str) -> list[str]:
    """What a memory is found by."""
    own = text if kind != "turn" or statements(text) else ""
    answered = [REPLY_MARK + term for term in stated(f"{text}\n{reply}")] if reply else []
    return [*stated(own), *answered]


def add(connection: Connection, space: int, memory: int, kind: Kind, text: str, reply: str) -> None:
    """Adds the terms of a memory; the table is made where it is missing."""
    connection.execute(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {_table(space)} "
        "USING fts5 (terms, detail = none, columnsize = 0, tokenize = 'unicode61 remove_diacritics 0')"
    )
    terms = " ".join(terms_of(kind, text, reply))
    connection.execute(f"INSERT INTO {_table(space)} (rowid, terms) VALUES (?, ?)", (memory, terms))


def remove(connection: Connection, space: int, memories: Iterable[int]) -> None:
    """Deletes the terms of memories; `merge` takes them off the disk."""
    if _exists(connection, space):
        connection.executemany(f"DELETE FROM {_table(space)} WHERE rowid = ?", [(memory,) for memory in memories])


def merge(connection: Connection, space: int) -> None:
    """Makes one segment of all: a deleted memory's terms stand in the older ones until then."""
    if _exists(connection, space):
        connection.execute(f"INSERT INTO {_table(space)} ({_table(space)}) VALUES ('optimize')")


def drop(connection: Connection, space: int) -> None:
    """Deletes the table."""
    connection.execute(f"DROP TABLE IF EXISTS {_table(space)}")


def outdated(connection: Connection) -> list[int]:
    """The spaces that hold memories and whose terms another version of this program has made."""
    rows = connection.execute("SELECT DISTINCT space FROM memories WHERE state = 'kept'").fetchall()
    return [row["space"] for row in rows if not _exists(connection, row["space"])]


def rebuild(connection: Connection, space: int, memories: Iterable[tuple[int, Kind, str, str]]) -> None:
    """Makes the terms of a space anew from id, kind, text and reply of its memories."""
    for table in _tables(connection):
        if table.removeprefix(_PREFIX).split("_")[0] == str(space):
            connection.execute(f"DROP TABLE {table}")
    for memory in memories:
        add(connection, space, *memory)


def postings(
    connection: Connection,
    space: int,
    terms: Collection[str],
    extent: Extent,
    within: tuple[int, int] | None = None,
    *,
    replies: bool = False,
) -> dict[str, Postings]:
    """Where each of these terms stands in a space of that extent, or in its memories from one id to another; with
    `replies` also where a reply holds it.
    """
    if not _exists(connection, space):
        return {}
    table = _table(space)
    first, last = within or (extent.first, extent.last)
    statement = f"SELECT rowid FROM {table} WHERE {table} MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?"
    found: dict[str, Postings] = {}
    for term in terms:
        expression = f'"{term}" OR "{REPLY_MARK}{term}"' if replies else f'"{term}"'
        rows = connection.execute(statement, (expression, first, last, MOST_ROWS)).fetchall()
        if rows:
            ids = tuple(row[0] for row in rows)
            found[term] = Postings(ids, _count(ids, extent))
    return found


def best_matches(found: Mapping[str, Postings], memories: int, limit: int) -> list[int]:
    """The memories that hold the rarest terms, those with the most weight first, of equals the newest."""
    rarest = sorted(found, key=lambda term: found[term].count)[:MOST_TERMS]
    weights: dict[int, float] = {}
    for term in rarest:
        weight = math.log(1 + memories / found[term].count)
        for memory in found[term].ids:
            weights[memory] = weights.get(memory, 0.0) + weight
    return nsmallest(limit, weights, key=lambda memory: (-weights[memory], -memory))


def held(connection: Connection, space: int, memories: Sequence[int]) -> dict[int, frozenset[str]]:
    """All terms of each of these memories."""
    if not memories or not _exists(connection, space):
        return {}
    marks = ", ".join("?" for _ in memories)
    rows = connection.execute(f"SELECT rowid, terms FROM {_table(space)} WHERE rowid IN ({marks})", tuple(memories))
    return {row["rowid"]: frozenset(row["terms"].split()) for row in rows}


def _count(ids: Sequence[int], extent: Extent) -> int:
    """How many memories hold a term; where these are only the newest that do, the older are taken to be like them."""
    if len(ids) < MOST_ROWS:
        return len(ids)
    share = (ids[0] - ids[-1] + 1) / (extent.last - extent.first + 1)
    return min(extent.count, max(len(ids), round(len(ids) / share)))


def _table(space: int) -> str:
    return f"{_PREFIX}{space}_{_VERSION}"


def _exists(connection: Connection, space: int) -> bool:
    statement = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(statement, (_table(space),)).fetchone() is not None


def _tables(connection: Connection) -> list[str]:
    """All tables of terms, without those that SQLite keeps for them."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%' AND name GLOB ?",
        (f"{_PREFIX}*",),
    )
    return [row["name"] for row in rows]
