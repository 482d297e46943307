"""The parser: files that nobody vouches for are read in a process of its own, which may break without harm."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from configs.errors import DocumentUnreadable, RequestTooLarge
from configs.settings import Limits
from memory.formats.parse_limits import ParseLimits
from memory.formats.parsing import LENGTHS, request

FILES: Final = 200
"""After so many files the process is replaced: what a parser leaves behind does not add up."""

_PROGRAM: Final = "import sys; sys.path[:] = sys.argv[1:]; from memory.formats.parsing import main; main()"
_HEADER_BYTES: Final = 1_000_000
_BYTES_OF_CHARACTER: Final = 4
_UNPACKED_SHARE: Final = 4
"""A document's parts take about so many times their size in memory."""
_LOST: Final = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    anyio.IncompleteRead,
    OSError,
    ValueError,
)
"""The process has ended in the middle of a file, or answers nonsense."""


class Parser:
    """One process at a time, started when it is needed; one file at a time. See open_parser."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parse_limits = ParseLimits(
            seconds=limits.parse_seconds,
            memory=limits.parse_bytes,
            characters=limits.document_characters,
            pages=limits.document_pages,
            unpacked=limits.parse_bytes // _UNPACKED_SHARE,
            ratio=limits.archive_ratio,
        )
        self._lock = anyio.Lock()
        self._process: Process | None = None
        self._files = 0

    async def parse(self, path: Path, kind: str, content: bytes) -> tuple[str, tuple[int, ...]]:
        """The text of a file and where its pages begin in it. `path` is only named, never opened.

        Raises DocumentUnreadable or RequestTooLarge. Whatever goes wrong concerns this file alone.
        """
        async with self._lock:
            sound = False
            try:
                with anyio.fail_after(self._limits.parse_seconds):
                    header, body = await self._exchange(kind, content)
                text, pages = body.decode(), _pages(header)
                self._files += 1
                sound = not header.get("ended") and self._files < FILES
            except TimeoutError as error:
                limit = f"{self._limits.parse_seconds:g} s (`limits.parse_seconds`)"
                raise RequestTooLarge(
                    f"reading {str(path)!r} took longer than {limit}", "Split it, or raise that limit."
                ) from error
            except _LOST as error:
                raise await self._broken(path) from error
            finally:
                if not sound:
                    await self.aclose()
        if "error" in header:
            raise _failure(path, header)
        return text, pages

    async def aclose(self) -> None:
        """Ends the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is None:
            return
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            await process.aclose()

    async def _exchange(self, kind: str, content: bytes) -> tuple[dict[str, Any], bytes]:
        if self._process is None:
            with anyio.CancelScope(shield=True):
                self._process, self._files = await _started(), 0
        assert self._process is not None
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        await stdin.send(request(kind, self._parse_limits, content))
        stream = BufferedByteReceiveStream(stdout)
        header_bytes, body_bytes = LENGTHS.unpack(await stream.receive_exactly(LENGTHS.size))
        if header_bytes > _HEADER_BYTES or body_bytes > _BYTES_OF_CHARACTER * self._limits.document_characters:
            raise ValueError("the answer is too long")
        header = json.loads(await stream.receive_exactly(header_bytes))
        if not isinstance(header, dict):
            raise ValueError("the answer has no header")
        return header, await stream.receive_exactly(body_bytes)

    async def _broken(self, path: Path) -> DocumentUnreadable | RequestTooLarge:
        """What to say of a file that the process broke over."""
        with anyio.move_on_after(1):
            if self._process is not None:
                await self._process.wait()
        code = None if self._process is None else self._process.returncode
        if code == -signal.SIGXCPU:
            limit = f"{self._limits.parse_seconds:g} s (`limits.parse_seconds`)"
            return RequestTooLarge(f"reading {str(path)!r} took longer than {limit}", "Split it, or raise that limit.")
        how = "gave no sense" if code is None else f"was ended by {signal.Signals(-code).name}" if code < 0 else "broke"
        return DocumentUnreadable(
            f"{str(path)!r} cannot be read: the process that reads it {how}",
            "Open it in the program it was made with, and save it anew.",
        )


@asynccontextmanager
async def open_parser(limits: Limits) -> AsyncIterator[Parser]:
    """A parser for some files; its process ends with the context."""
    parser = Parser(limits)
    try:
        yield parser
    finally:
        await parser.aclose()


async def _started() -> Process:
    """Without the environment, the working folder and what site-packages would run at the start of Python."""
    return await anyio.open_process(
        [sys.executable, "-I", "-S", "-X", "utf8", "-c", _PROGRAM, *_places()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )


def _places() -> list[str]:
    """Where modules come from."""
    ours = str(Path(__file__).resolve().parents[2])
    return list(dict.fromkeys([*(os.path.abspath(place) for place in sys.path), ours]))


def _pages(header: dict[str, Any]) -> tuple[int, ...]:
    pages = header.get("pages", [])
    if not isinstance(pages, list) or not all(isinstance(page, int) for page in pages) or pages != sorted(pages):
        raise ValueError("the pages are no places")
    return tuple(pages)


def _failure(path: Path, header: dict[str, Any]) -> DocumentUnreadable | RequestTooLarge:
    kind = RequestTooLarge if header.get("too_large") is True else DocumentUnreadable
    return kind(f"{str(path)!r} {header['error']}", str(header.get("hint", "")))
