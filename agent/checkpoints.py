"""The agent's state between turns, in SQLite; keeps the newest checkpoint of a conversation only."""

import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiosqlite
from anyio.to_thread import run_sync
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from configs.errors import DataFolderUnwritable, StorageError

_PRUNE = """
DELETE FROM {table} WHERE thread_id = :thread AND checkpoint_id <
    (SELECT max(checkpoint_id) FROM checkpoints AS kept
     WHERE kept.thread_id = :thread AND kept.checkpoint_ns = {table}.checkpoint_ns)
"""

_SPACE = "See that the folder may be written and the disk has free space."
_DAMAGED = "Move that file away: documents and turns are kept elsewhere, and only what the model remembers is lost."

READY = 64
"""Conversations whose state is held in memory for their next turn."""


class PruningSaver(AsyncSqliteSaver):
    """A saver that forgets older checkpoints, and can have the newest one ready before a turn asks for it.

    Nobody travels in time here. A state that was made ready is handed out once, since LangGraph changes what it gets.
    """

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self._ready: dict[str, CheckpointTuple] = {}

    async def make_ready(self, thread: str) -> None:
        """Reads the newest state of a thread now, so that its next reader need not wait."""
        found = await super().aget_tuple({"configurable": {"thread_id": thread}})
        if found:
            self._ready[thread] = found
        while len(self._ready) > READY:
            del self._ready[next(iter(self._ready))]

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The state that was made ready, else what is stored."""
        if "checkpoint_id" not in config["configurable"] and (found := self._ready.pop(_thread(config), None)):
            return found
        return await super().aget_tuple(config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Stores a state."""
        self._ready.pop(_thread(config), None)
        return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Stores what a step has written."""
        self._ready.pop(_thread(config), None)
        await super().aput_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Forgets a conversation."""
        self._ready.pop(thread_id, None)
        await super().adelete_thread(thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Forgets the older checkpoints of the threads, or with "delete" all of them."""
        await self.setup()
        for thread in thread_ids:
            if strategy == "delete":
                await self.adelete_thread(thread)
                continue
            async with self.lock:
                for table in ("writes", "checkpoints"):
                    await self.conn.execute(_PRUNE.format(table=table), {"thread": thread})
                await self.conn.commit()

    async def scrub(self) -> None:
        """Takes what was deleted off the disk: empties the write-ahead log, where old pages still stand."""
        async with self.lock:
            await self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@asynccontextmanager
async def open_checkpoints(path: Path) -> AsyncGenerator[PruningSaver, None]:
    """The saver over one file.

    Raises DataFolderUnwritable where the file cannot be written, and StorageError where it is damaged.
    """
    # Before aiosqlite, whose thread outlives a connection that fails to open.
    await run_sync(_check, path)
    async with aiosqlite.connect(path) as connection:
        await connection.execute("PRAGMA secure_delete = ON")
        yield PruningSaver(connection)


def _check(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")
            connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise DataFolderUnwritable(f"{str(path)!r} cannot be written: {error}", _SPACE) from error
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{str(path)!r} is damaged: {error}", _DAMAGED) from error


def _thread(config: RunnableConfig) -> str:
    return str(config["configurable"]["thread_id"])
