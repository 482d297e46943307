import os
import sqlite3
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path
from sqlite3 import Connection

import anyio
import pytest

from configs.errors import DataFolderUnwritable, LedgerTooNew, StorageError
from memory.ledger import Ledger, open_ledger
from memory.schema import MIGRATIONS

pytestmark = pytest.mark.anyio

FIRST = "CREATE TABLE words (word TEXT NOT NULL); CREATE INDEX words_by_word ON words (word);"
SECOND = "ALTER TABLE words ADD COLUMN length INTEGER; UPDATE words SET length = length(word);"


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


def insert(connection: Connection, *words: str) -> None:
    connection.executemany("INSERT INTO words (word) VALUES (?)", [(word,) for word in words or ("hello",)])


def pragma(connection: Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


async def words(ledger: Ledger) -> list[str]:
    return [row["word"] for row in await ledger.read(lambda c: c.execute("SELECT word FROM words").fetchall())]


async def test_keeps_what_was_written_beyond_its_end(path: Path) -> None:
    async with open_ledger(path, [FIRST]) as ledger:
        await ledger.write(insert)
    async with open_ledger(path, [FIRST]) as ledger:
        assert await words(ledger) == ["hello"]


async def test_is_set_up_to_survive_and_to_forget(path: Path) -> None:
    async with open_ledger(path) as ledger:
        assert await ledger.read(lambda c: pragma(c, "journal_mode")) == "wal"
        assert await ledger.read(lambda c: pragma(c, "foreign_keys")) == 1
        assert await ledger.read(lambda c: pragma(c, "secure_delete")) == 1


async def test_an_exception_undoes_the_whole_transaction(path: Path) -> None:
    def fail(connection: Connection) -> None:
        insert(connection)
        raise LookupError

    async with open_ledger(path, [FIRST]) as ledger:
        with pytest.raises(LookupError):
            await ledger.write(fail)
        assert await words(ledger) == []
        await ledger.write(insert)
        assert await words(ledger) == ["hello"]


async def test_cancelling_leaves_no_half_of_a_transaction(path: Path) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        insert(connection, "first")
        begun.set()
        assert cancelled.wait(10)
        insert(connection, "second")

    async with open_ledger(path, [FIRST]) as ledger:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ledger.write, slow)
            await anyio.to_thread.run_sync(begun.wait)
            tasks.start_soon(ledger.write, insert)  # still waits its turn, so it never begins
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
            cancelled.set()
        assert await words(ledger) == ["first", "second"]


async def test_many_writers_at_once_each_have_their_turn(path: Path) -> None:
    async with open_ledger(path, [FIRST]) as ledger:
        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(ledger.write, lambda c, n=number: insert(c, str(n)))
        assert sorted(map(int, await words(ledger))) == list(range(50))


async def test_an_old_file_is_brought_up_to_date_once(path: Path) -> None:
    async with open_ledger(path, [FIRST]) as ledger:
        await ledger.write(insert)
    for _ in range(2):
        async with open_ledger(path, [FIRST, SECOND]) as ledger:
            rows = await ledger.read(lambda c: c.execute("SELECT word, length FROM words").fetchall())
            assert [tuple(row) for row in rows] == [("hello", 5)]


async def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    async with open_ledger(path, [FIRST]) as ledger:
        await ledger.write(insert)
    with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
        async with open_ledger(path, [FIRST, SECOND + "DELETE FROM no_such_table;"]):
            pass
    async with open_ledger(path, [FIRST, SECOND]) as ledger:
        assert await words(ledger) == ["hello"]


async def test_refuses_a_file_of_a_newer_program(path: Path) -> None:
    async with open_ledger(path, [FIRST, SECOND]):
        pass
    with pytest.raises(LedgerTooNew, match="version 2; this program knows up to 1"):
        async with open_ledger(path, [FIRST]):
            pass


async def test_the_product_begins_with_a_version(path: Path) -> None:
    async with open_ledger(path) as ledger:
        version = await ledger.read(lambda c: c.execute("PRAGMA user_version").fetchone()[0])
    assert version == len(MIGRATIONS) >= 1


async def test_a_damaged_file_is_named_with_its_remedy(path: Path) -> None:
    async with open_ledger(path, [FIRST]) as ledger:
        await ledger.write(lambda c: insert(c, *(f"word {number}" for number in range(2000))))
    damage(path)
    with pytest.raises(StorageError, match="damaged") as caught:
        async with open_ledger(path, [FIRST]) as ledger:
            await words(ledger)
    assert "backup" in caught.value.hint


async def test_a_file_that_is_no_database_is_not_touched(path: Path) -> None:
    shopping = b"This is a shopping list, not a database. " * 100
    await anyio.Path(path).write_bytes(shopping)
    with pytest.raises(StorageError, match="damaged"):
        async with open_ledger(path, [FIRST]):
            pass
    assert await anyio.Path(path).read_bytes() == shopping


async def test_a_full_disk_undoes_the_transaction(path: Path) -> None:
    def limit(connection: Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 2}")

    async with open_ledger(path, [FIRST]) as ledger:
        await ledger.write(insert)
        await ledger.read(limit)
        with pytest.raises(DataFolderUnwritable, match="full") as caught:
            await ledger.write(lambda c: insert(c, *["x" * 1000] * 100))
        assert "space" in caught.value.hint
        assert await words(ledger) == ["hello"]
        await ledger.read(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchone())
        await ledger.write(insert)


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path, None, None]:
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)]
    if os.name != "posix" or os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


async def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    async with open_ledger(small_disk / "ledger.sqlite3", [FIRST]) as ledger:
        await ledger.write(insert)
        with pytest.raises(DataFolderUnwritable):
            await ledger.write(lambda c: insert(c, *["x" * 1000] * 2000))
        assert await words(ledger) == ["hello"]
    async with open_ledger(small_disk / "ledger.sqlite3", [FIRST]) as ledger:
        assert await words(ledger) == ["hello"]


async def test_what_was_deleted_is_off_the_disk(path: Path) -> None:
    async with open_ledger(path, [FIRST]) as ledger:
        await ledger.write(lambda c: insert(c, "a-secret-word"))
        await ledger.write(lambda c: c.execute("DELETE FROM words"))
        await ledger.scrub()
        assert not any(b"a-secret-word" in file.read_bytes() for file in path.parent.iterdir())
