"""A file on its way onto the disk: its part, the room that it needs, and the check that gives it its name."""

import hashlib
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from configs.errors import DataFolderLocked, DataFolderUnwritable, EngineFailed

SPARE: Final = 200_000_000
"""Bytes that stay free on the disk."""


@dataclass(frozen=True, slots=True)
class Download:
    """One file that is to be fetched; its methods block."""

    url: str
    path: Path
    size: int
    """Bytes."""
    sha256: str = ""
    """What it must hash to; empty where nobody says."""

    @property
    def part(self) -> Path:
        """Where it grows."""
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def here(self) -> int:
        """How many of its bytes are on the disk, by their number alone."""
        return self.size if size_of(self.path) == self.size else min(size_of(self.part), self.size)

    def is_complete(self) -> bool:
        """Whether it is there, whole and undamaged."""
        return self.path.is_file() and size_of(self.path) == self.size and self.sha256 in ("", sha256_of(self.path))

    def finish(self) -> None:
        """Gives the whole part its name; deletes a damaged one. Raises EngineFailed and DataFolderUnwritable."""
        with writing(self.part):
            size, found = size_of(self.part), sha256_of(self.part)
            if size == self.size and self.sha256 in ("", found):
                self.part.replace(self.path)
                return
            self.part.unlink()
        raise EngineFailed(
            f"{self.path.name} came damaged from {self.url}: {size} bytes that hash to {found}, where {self.size} bytes"
            + (f" that hash to {self.sha256} are expected" if self.sha256 else " are expected"),
            "It is deleted: pull again, or set HF_ENDPOINT to another mirror.",
        )


def check_space(downloads: Sequence[Download], folder: Path) -> None:
    """Raises DataFolderUnwritable where the disk cannot hold what is still to come. Blocking."""
    needed = sum(download.size - download.here for download in downloads)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    if needed and needed + SPARE > free:
        raise DataFolderUnwritable(
            f"{folder} needs {needed / 1e9:.2f} GB and {SPARE / 1e9:.1f} GB to spare; {free / 1e9:.2f} GB are free",
            "Free space, name a smaller model, or set TINGSHUO_DATA to a folder on a larger disk.",
        )


@contextmanager
def alone(folder: Path) -> Generator[None, None, None]:
    """Keeps other pulls into this folder out. Raises DataFolderLocked and DataFolderUnwritable. Blocking."""
    lock = FileLock(folder / "pull.lock", thread_local=False)
    try:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(blocking=False)
    except Timeout as error:
        raise DataFolderLocked(f"another pull is writing into {folder}", "Wait for it to end.") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing(path: Path) -> Generator[None, None, None]:
    """Turns what the disk does into DataFolderUnwritable."""
    try:
        yield
    except Timeout:
        raise
    except OSError as error:
        raise DataFolderUnwritable(
            f"{path} cannot be written: {error.strerror or error}", "Free space, or grant access."
        ) from error


def sha256_of(path: Path) -> str:
    """A file's SHA-256 in hexadecimal; blocking, a second a gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_of(path: Path) -> int:
    """A file's bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
