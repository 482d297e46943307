"""The ledger: the one SQLite file that is the truth; knows transactions and migrations, not what the tables mean."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

from configs.errors import DataFolderLocked, DataFolderUnwritable, LedgerTooNew, StorageError
from memory.schema import MIGRATIONS

T = TypeVar("T")

_UNWRITABLE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Ledger:
    """Runs functions on the ledger, each in a transaction of its own, one at a time, in a thread.

    A cancelled call has either not begun or is finished and committed. Errors: DataFolderUnwritable when the disk is
    full or fails, StorageError when the file is damaged; after any exception the transaction is undone.
    """

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._turn = anyio.CapacityLimiter(1)

    @property
    def folder(self) -> Path:
        """Where the file lies."""
        return self._path.parent

    async def read(self, query: Callable[[Connection], T]) -> T:
        """What `query` returns; it sees one state of the ledger."""
        return await self._transact("BEGIN", query)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """What `change` returns, once it is on the disk."""
        return await self._transact("BEGIN IMMEDIATE", change)

    async def scrub(self) -> None:
        """Takes what was deleted off the disk: empties the write-ahead log, where old pages still stand."""

        def step() -> None:
            with _translated(self._path):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        await run_sync(step, limiter=self._turn)

    async def aclose(self) -> None:
        """Closes the file; no call may follow."""
        with anyio.CancelScope(shield=True):
            await run_sync(self._connection.close, limiter=self._turn)

    async def _transact(self, begin: str, work: Callable[[Connection], T]) -> T:
        def step() -> T:
            with _translated(self._path):
                self._connection.execute(begin)
                try:
                    result = work(self._connection)
                    self._connection.execute("COMMIT")
                    return result
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")

        return await run_sync(step, limiter=self._turn)


@asynccontextmanager
async def open_ledger(path: Path, migrations: Sequence[str] = MIGRATIONS) -> AsyncGenerator[Ledger, None]:
    """The ledger at a path, made or brought up to date first.

    Raises LedgerTooNew where a newer program has written it, and the errors of its calls.
    """
    ledger = Ledger(await run_sync(_connect, path, migrations), path)
    try:
        yield ledger
    finally:
        await ledger.aclose()


def _connect(path: Path, migrations: Sequence[str]) -> Connection:
    with _translated(path):
        # One thread at a time, though not always the same one: the capacity limiter sees to it.
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            for pragma in ("busy_timeout=5000", "journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
            _migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
        return connection


def _migrate(connection: Connection, path: Path, migrations: Sequence[str]) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(migrations):
        raise LedgerTooNew(
            f"the ledger {str(path)!r} has version {version}; this program knows up to {len(migrations)}",
            "Update the program, or give it another folder with TINGSHUO_DATA.",
        )
    for number, script in enumerate(migrations[version:], version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n;PRAGMA user_version={number};\nCOMMIT;")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


@contextmanager
def _translated(path: Path) -> Generator[None, None, None]:
    """SQLite's errors about the disk as ours; what remains is a mistake in the program, and stays as it is."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        primary = None if code is None else code & 0xFF
        if primary in _UNWRITABLE:
            raise DataFolderUnwritable(
                f"the ledger {str(path)!r} cannot be written: {error}",
                "Free some space on that disk and check the folder's permissions; nothing was half written.",
            ) from error
        if primary in _DAMAGED:
            raise StorageError(
                f"the ledger {str(path)!r} is damaged: {error}",
                "Put a backup of that file in its place, or move it away to begin anew.",
            ) from error
        if primary == sqlite3.SQLITE_BUSY:
            raise DataFolderLocked(
                f"another program holds the ledger {str(path)!r}", "Close it and try again."
            ) from error
        raise
