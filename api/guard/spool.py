"""Recordings on their way in: small ones in memory, large ones in a file without a name; it reads none of them."""

import errno
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from anyio import CancelScope
from anyio.to_thread import run_sync

from configs.errors import DataFolderUnwritable

IN_MEMORY: Final = 1_000_000
"""Bytes from which a recording goes to the disk."""


class Spool:
    """The bytes of one recording; its calls block. See spooled."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self.file = file
        self._folder = folder

    def write(self, data: bytes) -> None:
        """Adds the next bytes. Raises DataFolderUnwritable."""
        try:
            self.file.write(data)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise DataFolderUnwritable(
                f"the recording cannot be kept while it is heard: {error.strerror}",
                "Free some space on the server's disk."
                if full
                else f"See that the server may write to {self._folder.name!r}.",
            ) from error


@asynccontextmanager
async def spooled(folder: Path) -> AsyncGenerator[Spool, None]:
    """A place for a recording's bytes, in `folder` where they are many; they are gone with the context."""
    file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY, dir=str(folder))  # noqa: SIM115  # closed below, in a thread
    try:
        yield Spool(file, folder)
    finally:
        with CancelScope(shield=True):
            await run_sync(file.close)
