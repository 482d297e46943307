"""Inspection: whether ledger and index hold together; in a process of its own, since a broken index hangs or kills."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

import anyio
from anyio.to_thread import run_sync

from configs.errors import AssistantError, ConfigError, IndexUnavailable, StorageError, VectorIndexDamaged
from configs.privacy import stay_local
from memory import vector_collections
from memory.folder import DataFolder, open_data_folder
from memory.index import EmbeddedIndex, VectorIndex
from memory.schema import MIGRATIONS
from memory.served_index import ServedIndex

SECONDS: Final = 120.0
"""What does not end within this hangs."""
SAMPLE: Final = 50
"""Vectors of each collection that are tried."""
LOST: Final = 0.05
"""An approximate index may miss so large a share of the sample."""

REINDEX: Final = "tingshuo reindex"
_BACKUP: Final = "Put a backup of ledger.sqlite3 in its place, or move it away to begin anew."
_KINDS: Final[Mapping[str, type[AssistantError]]] = {
    kind.__name__: kind for kind in (ConfigError, StorageError, VectorIndexDamaged, IndexUnavailable)
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found."""

    ledger: AssistantError | None = None
    """What is wrong with the ledger."""
    index: AssistantError | None = None
    """What is wrong with the index, or with the terms of lexical search."""
    vectors: int = 0
    """How many there must be."""
    tried: int = 0
    """How many were looked for by themselves."""
    skipped: str = ""
    """Why nothing was looked at."""


async def inspect(folder: Path, url: str = "", *, seconds: float = SECONDS) -> Inspection:
    """Looks at a data folder, and at the Chroma server at `url` if there is one, without changing them."""
    if not await run_sync(DataFolder(folder).ledger.exists):
        return Inspection(skipped="nothing is kept yet")
    out, how = "", f"did not end within {seconds:.0f} seconds"
    with anyio.move_on_after(seconds):
        command = [sys.executable, "-m", "memory.inspection", str(folder), url]
        async with await anyio.open_process(command, stderr=subprocess.DEVNULL) as child:
            assert child.stdout
            async for piece in child.stdout:
                out += piece.decode()
        how = "" if child.returncode == 0 else _ended(child.returncode or 0)
    said = Inspection()
    for line in out.splitlines():
        said = _read(said, json.loads(line))
    if how and not said.skipped:
        damage = VectorIndexDamaged(f"the check of the vector index {how}", f"`{REINDEX}` makes it anew.")
        return replace(said, index=said.index or damage)
    return said


def main() -> None:
    """The child: one line of JSON for each thing that is found out, so that what comes later cannot take it away."""
    stay_local()
    anyio.run(_look, DataFolder(Path(sys.argv[1])), sys.argv[2])


async def _look(folder: DataFolder, url: str) -> None:
    try:
        async with open_data_folder(folder.path):
            with closing(sqlite3.connect(folder.ledger)) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA query_only = ON")
                await _look_at(connection, folder, url)
    except StorageError as error:  # another process has the folder, or it cannot be written
        _say(skipped=error.message)


async def _look_at(connection: Connection, folder: DataFolder, url: str) -> None:
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] != len(MIGRATIONS):
            _say(skipped="the ledger is of another version of this program; any other command brings it up to date")
            return
        check_ledger(connection)
        name = connection.execute("SELECT id FROM identity").fetchone()["id"]
        check_terms(connection)
        collections = expected(connection)
    except sqlite3.DatabaseError as error:
        _say(ledger=StorageError(f"the ledger {str(folder.ledger)!r} is damaged: {error}", _BACKUP))
        return
    except StorageError as error:
        _say(**{"index" if isinstance(error, VectorIndexDamaged) else "ledger": error})
        return
    vectors = sum(len(one.wanted) for one in collections)
    _say(vectors=vectors)
    if not vectors:
        return
    try:
        index: VectorIndex = ServedIndex(url, name) if url else EmbeddedIndex(folder.index)
    except ConfigError as error:
        _say(index=error)
        return
    await _check(index, collections)
    await index.aclose()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a collection must hold, and may."""

    number: int
    wanted: frozenset[int]
    """Whose vectors it must hold."""
    known: frozenset[int]
    """Whose vectors it may hold."""


def check_ledger(connection: Connection) -> None:
    """Raises StorageError where SQLite finds its own file inconsistent."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise StorageError(f"the ledger is damaged: {'; '.join(' '.join(one.split()) for one in found)}", _BACKUP)


def check_terms(connection: Connection) -> None:
    """Raises VectorIndexDamaged where a passage that can be found has no terms."""
    without = connection.execute("""
        SELECT count(*) FROM passages p JOIN documents d ON d.id = p.document
        WHERE d.state = 'ready' AND p.id NOT IN (SELECT rowid FROM lexicon)
    """).fetchone()[0]
    if without:
        raise VectorIndexDamaged(f"{without} passages cannot be found by their words", f"`{REINDEX}` mends that.")


def expected(connection: Connection) -> tuple[Expected, ...]:
    """What each collection that searches go to must hold."""

    def numbers(statement: str, *values: int) -> frozenset[int]:
        return frozenset(row[0] for row in connection.execute(statement, values))

    found = []
    of_base = "SELECT p.id FROM passages p JOIN documents d ON d.id = p.document WHERE d.knowledge_base = ?"
    for row in connection.execute("SELECT id FROM knowledge_bases"):
        for collection in vector_collections.ready(connection, [row["id"]]):
            wanted = numbers(f"{of_base} AND d.state = 'ready'", row["id"])
            found.append(Expected(collection, wanted, numbers(of_base, row["id"])))
    of_space = "SELECT id FROM memories WHERE space = ?"
    for row in connection.execute("SELECT id FROM memory_spaces"):
        for collection in vector_collections.ready(connection, [row["id"]], of="memory_space"):
            wanted = numbers(f"{of_space} AND state = 'kept' AND embedded = ?", row["id"], collection)
            found.append(Expected(collection, wanted, numbers(of_space, row["id"])))
    return tuple(found)


async def _check(index: VectorIndex, collections: Sequence[Expected]) -> None:
    tried = 0
    try:
        for one in collections:
            tried += await check_vectors(index, one)
    except StorageError as error:
        _say(index=error)
    _say(tried=tried)


async def check_vectors(index: VectorIndex, one: Expected) -> int:
    """Looks for a sample of vectors by themselves; how many. Raises VectorIndexDamaged, IndexUnavailable."""
    if not one.wanted:
        return 0
    there = await index.ids(one.number)
    if missing := one.wanted - there:
        raise _damaged(f"{len(missing)} of {len(one.wanted)} vectors are missing")
    if strange := there - one.known:
        raise _damaged(f"{len(strange)} vectors belong to nothing that is kept")
    sample = random.sample(sorted(one.wanted), min(SAMPLE, len(one.wanted)))
    lost = await index.lost(one.number, sample)
    if len(lost) > LOST * len(sample):
        raise _damaged(f"{len(lost)} of {len(sample)} vectors do not find themselves")
    return len(sample)


def _damaged(what: str) -> VectorIndexDamaged:
    return VectorIndexDamaged(f"the vector index is damaged: {what}", f"`{REINDEX}` makes it anew.")


def _say(**found: AssistantError | str | int) -> None:
    def plain(value: AssistantError | str | int) -> object:
        if isinstance(value, AssistantError):
            return {"kind": type(value).__name__, "message": value.message, "hint": value.hint}
        return value

    sys.stdout.write(json.dumps({key: plain(value) for key, value in found.items()}) + "\n")
    sys.stdout.flush()


def _read(said: Inspection, found: Mapping[str, Any]) -> Inspection:
    def error(value: Mapping[str, str]) -> AssistantError:
        return _KINDS.get(value["kind"], StorageError)(value["message"], value["hint"])

    values: dict[str, Any] = {
        key: error(value) if key in ("ledger", "index") else value for key, value in found.items()
    }
    return replace(said, **values)


def _ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


if __name__ == "__main__":
    main()
