"""Uploads: files that were sent, kept in the data folder for as long as a document or a job needs them; reads none.

A file lies there under a name that nobody has chosen, so that no name which a sender gives it can do harm. What the
ledger does not know is nobody's: what was sent in part only, and what a process that was killed has left.
"""

import errno
import os
import unicodedata
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path
from sqlite3 import Connection
from typing import Final
from uuid import uuid4

import anyio
from anyio.to_thread import run_sync

from configs.errors import DataFolderUnwritable, RequestError, RequestTooLarge
from configs.settings import Limits
from memory import catalogue, job_queue
from memory.documents import kind_of, most_bytes, too_large
from memory.job_queue import Upload
from memory.ledger import Ledger

NAME_CHARACTERS: Final = 200
"""Of a file's name."""
_JOINERS: Final = str.maketrans("", "", "\u200c\u200d")
"""What holds an emoji of several parts, or letters of some scripts, together: not seen, but no harm."""


class IncomingUpload:
    """A file that is being sent; its calls block. See Uploads.incoming."""

    def __init__(self, path: Path, limits: Limits, room: int) -> None:
        self._path = path
        self._limits = limits
        self._room = room
        self._file: FileIO | None = None
        self._size = 0

    def write(self, data: bytes) -> None:
        """Adds the next bytes. Raises DataFolderUnwritable, RequestTooLarge over `limits.uploads_bytes`."""
        self._size += len(data)
        if self._size > self._room:
            raise RequestTooLarge(
                f"all uploads together would have more than {self._limits.uploads_bytes} bytes "
                "(`limits.uploads_bytes`)",
                "Remove documents that were uploaded, or raise that limit.",
            )
        try:
            if self._file is None:
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._file = FileIO(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise unwritable(self._path.parent, error) from error

    def end(self, name: str) -> Upload:
        """Puts the whole file on the disk, under the name that its sender gives it.

        Raises DocumentUnreadable and RequestTooLarge for a kind and a size that are not taken, RequestError for what
        is no name, DataFolderUnwritable.
        """
        name = file_name(name)
        kind = kind_of(Path(name))
        if self._size > most_bytes(kind, self._limits):
            raise too_large(Path(name), kind, self._limits)
        self.write(b"")
        try:
            assert self._file is not None
            os.fsync(self._file.fileno())
            self.close()
        except OSError as error:
            raise unwritable(self._path.parent, error) from error
        return Upload(self._path.name, name)

    def close(self) -> None:
        """Gives the file back to the system."""
        if self._file is not None:
            self._file.close()


class Uploads:
    """The folder of files that were sent."""

    def __init__(self, folder: Path, ledger: Ledger, limits: Limits) -> None:
        self._folder = folder
        self._ledger = ledger
        self._limits = limits
        self._incoming: set[str] = set()

    def path(self, upload: Upload) -> Path:
        """Where a file lies."""
        return self._folder / upload.file

    @asynccontextmanager
    async def incoming(self) -> AsyncGenerator[IncomingUpload, None]:
        """A file to be written; at the end it goes, unless the ledger knows it by then.

        Raises DataFolderUnwritable where the folder cannot be looked into.
        """
        there = await run_sync(_files, self._folder)
        file = uuid4().hex
        upload = IncomingUpload(self._folder / file, self._limits, self._limits.uploads_bytes - sum(there.values()))
        self._incoming.add(file)
        try:
            yield upload
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(upload.close)
                self._incoming.discard(file)
                await self.sweep()

    async def sweep(self) -> None:
        """Deletes the files that no document and no job needs. Raises DataFolderUnwritable and StorageError."""
        # Listed first: what was coming then still is, or stands in the ledger by now, or is nobody's.
        there = await run_sync(_files, self._folder)
        if going := there.keys() - self._incoming:
            going -= await self._ledger.read(_needed)
        if going:
            await run_sync(_delete, [self._folder / file for file in going])


def file_name(sent: str) -> str:
    """The name that a sender gives a file, without the folders in it. Raises RequestError for what is none."""
    name = unicodedata.normalize("NFC", sent.replace("\\", "/").rpartition("/")[2].strip())
    seen = name.translate(_JOINERS)
    if seen in ("", ".", "..") or not seen.isprintable() or len(name) > NAME_CHARACTERS:
        raise RequestError(
            f"{sent[:NAME_CHARACTERS]!r} cannot name a file",
            f"Give it a name of 1 to {NAME_CHARACTERS} characters that can be seen, such as handbook.pdf.",
            "name",
        )
    return name


def unwritable(folder: Path, error: OSError) -> DataFolderUnwritable:
    """What to say where nothing can be kept."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return DataFolderUnwritable(
        f"the uploads cannot be kept: {error.strerror}",
        "Free some space on the server's disk." if full else f"See that the server may write to its {folder.name!r}.",
    )


def _needed(connection: Connection) -> frozenset[str]:
    return catalogue.uploads(connection) | job_queue.uploads(connection)


def _files(folder: Path) -> dict[str, int]:
    """The size in bytes of each file."""
    sizes: dict[str, int] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:
                    continue  # gone meanwhile
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise unwritable(folder, error) from error
    return sizes


def _delete(paths: list[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(path.parent, error) from error
