"""The agent's state between turns, in SQLite; keeps the newest checkpoint of a conversation only."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

_PRUNE = """
DELETE FROM {table} WHERE thread_id = :thread AND checkpoint_id <
    (SELECT max(checkpoint_id) FROM checkpoints AS kept
     WHERE kept.thread_id = :thread AND kept.checkpoint_ns = {table}.checkpoint_ns)
"""


class PruningSaver(AsyncSqliteSaver):
    """A saver that can forget all but the newest checkpoint of a thread; nobody travels in time here."""

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


@asynccontextmanager
async def open_checkpoints(path: Path) -> AsyncGenerator[PruningSaver, None]:
    """The saver over one file."""
    async with aiosqlite.connect(path) as connection:
        await connection.execute("PRAGMA secure_delete = ON")
        yield PruningSaver(connection)
