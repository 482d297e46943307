"""Watching: tells that something in some paths has changed, as the operating system tells it; reads no file."""

import os
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import TaskStatus
from anyio.to_thread import run_sync

from configs.errors import DocumentUnreadable
from memory.documents import SUFFIXES

if TYPE_CHECKING:
    from watchfiles import Change

LOOK_AGAIN: Final = 60.0
"""Seconds until paths that are away, or may lie on another drive now, are looked at again."""

_Places = tuple[tuple[int, int] | None, ...]


async def watch(
    paths: Sequence[Path],
    changed: Callable[[], None],
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Calls `changed` after each change in these files and folders, until it is cancelled.

    Changes that come quickly one after another are told as one. Paths that are away are waited for, and their coming
    back is a change. From `task_status` on, nothing is missed. Raises DocumentUnreadable where the system cannot watch.
    """
    while True:
        before = await run_sync(_places, paths)
        if None not in before:
            await _until_replaced(paths, before, changed, task_status)
        else:
            task_status.started()
            await anyio.sleep(LOOK_AGAIN)
        task_status = anyio.TASK_STATUS_IGNORED
        if await run_sync(_places, paths) != before:
            changed()


async def _until_replaced(
    paths: Sequence[Path], places: _Places, changed: Callable[[], None], task_status: TaskStatus[None]
) -> None:
    from watchfiles import awatch

    def counts(change: "Change", name: str) -> bool:
        return is_heeded(paths, Path(name), gone=change.name == "deleted")

    stop = anyio.Event()
    batches = awatch(
        *paths, watch_filter=counts, stop_event=stop, rust_timeout=int(LOOK_AGAIN * 1000), yield_on_timeout=True
    )
    try:
        async with anyio.create_task_group() as tasks, aclosing(batches):
            tasks.start_soon(_ring_when_cancelled, stop)
            # The watch begins before anybody else runs: from here to its first wait nothing is awaited.
            task_status.started()
            async for batch in batches:
                if batch:
                    changed()
                if await run_sync(_places, paths) != places:
                    break
            tasks.cancel_scope.cancel()
    except* FileNotFoundError:
        pass  # gone at this moment, which its place will tell
    except* (OSError, RuntimeError) as group:
        error = group.exceptions[0]
        raise DocumentUnreadable(
            f"{', '.join(map(repr, map(str, paths)))} cannot be watched: {error}",
            "Watch fewer folders, or on Linux raise fs.inotify.max_user_watches with sysctl.",
        ) from error


async def _ring_when_cancelled(stop: anyio.Event) -> None:
    """The thread that waits for changes looks at `stop` many times a second, but knows nothing of being cancelled."""
    try:
        await anyio.sleep_forever()
    finally:
        stop.set()


def is_heeded(paths: Sequence[Path], path: Path, *, gone: bool) -> bool:
    """Whether a change of this path may change what is ingested: no hidden file, and of a kind that can be read."""
    inside = [path.relative_to(root).parts for root in paths if path.is_relative_to(root)]
    if not any(all(not part.startswith(".") for part in parts) for parts in inside):
        return False
    return gone or path.suffix.lower() in SUFFIXES or path.is_dir()


def _places(paths: Sequence[Path]) -> _Places:
    """Which drive and file each path leads to; None where it is away."""
    return tuple(_place(path) for path in paths)


def _place(path: Path) -> tuple[int, int] | None:
    try:
        there = os.stat(path)
    except OSError:
        return None
    return there.st_dev, there.st_ino
