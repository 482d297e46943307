"""The data folder: everything that is kept, held by one process at a time; knows no file's contents."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.to_thread import run_sync
from filelock import FileLock, Timeout

from configs.errors import DataFolderLocked, DataFolderUnwritable


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where things lie in the data folder."""

    path: Path

    @property
    def ledger(self) -> Path:
        """The SQLite file that is the truth."""
        return self.path / "ledger.sqlite3"

    @property
    def index(self) -> Path:
        """The folder of the vector index."""
        return self.path / "chroma"

    @property
    def uploads(self) -> Path:
        """The folder of files that callers have sent."""
        return self.path / "uploads"


@asynccontextmanager
async def open_data_folder(path: Path) -> AsyncGenerator[DataFolder, None]:
    """The data folder, made where it is missing and locked until the end; a killed process frees it as well.

    Raises DataFolderLocked while another holder has it, DataFolderUnwritable where it cannot be made or written.
    """
    folder, lock = await run_sync(_claim, path)
    try:
        yield folder
    finally:
        with anyio.CancelScope(shield=True):
            await run_sync(lock.release)


def _claim(path: Path) -> tuple[DataFolder, FileLock]:
    folder = path.expanduser().absolute()
    holder = folder / "holder.pid"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Without the kernel's lock there is no exclusion that a killed process would give up.
        lock = FileLock(folder / "lock", mode=0o600, thread_local=False, fallback_to_soft=False)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise DataFolderLocked(
            f"the data folder {str(folder)!r} is in use by process {_pid(holder)}",
            "Stop that process, or give this one another folder with TINGSHUO_DATA.",
        ) from error
    except (OSError, NotImplementedError) as error:
        raise _unwritable(folder, error) from error
    try:
        holder.write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError as error:
        lock.release()
        raise _unwritable(folder, error) from error
    return DataFolder(folder), lock


def _pid(holder: Path) -> str:
    try:
        return holder.read_text(encoding="ascii").strip() or "unknown"
    except (OSError, UnicodeDecodeError):
        return "unknown"


def _unwritable(folder: Path, error: Exception) -> DataFolderUnwritable:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return DataFolderUnwritable(
        f"the data folder {str(folder)!r} cannot be written: {reason}",
        "Give this user a folder that can be written, with free space, or name another one with TINGSHUO_DATA.",
    )
