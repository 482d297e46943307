"""The parser: documents that nobody vouches for are read in a process of its own, which may break without harm."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio

from configs.errors import DocumentUnreadable, RequestTooLarge
from configs.sandbox.process import ProcessLost, SandboxedProcess, program_of
from configs.settings import Limits
from memory.formats.parse_limits import ParseLimits
from memory.formats.parsing import request

FILES: Final = 200
"""After so many files the process is replaced."""

_PROGRAM: Final = program_of("memory.formats.parsing")
_BYTES_OF_CHARACTER: Final = 4
_UNPACKED_SHARE: Final = 4
"""A document's parts take about so many times their size in memory."""


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
        self._process = SandboxedProcess(_PROGRAM, FILES)

    async def parse(self, path: Path, kind: str, content: bytes) -> tuple[str, tuple[int, ...]]:
        """The text of a file and where its pages begin in it. `path` is only named, never opened.

        Raises DocumentUnreadable or RequestTooLarge. Whatever goes wrong concerns this file alone.
        """
        async with self._lock:
            try:
                async with self._process.working(self._limits.parse_seconds):
                    await self._process.send(request(kind, self._parse_limits, content))
                    longest = _BYTES_OF_CHARACTER * self._limits.document_characters
                    header, body = await self._process.receive(longest)
                    text, pages = body.decode(), _pages(header)
            except TimeoutError as error:
                limit = f"{self._limits.parse_seconds:g} s (`limits.parse_seconds`)"
                raise RequestTooLarge(
                    f"reading {str(path)!r} took longer than {limit}", "Split it, or raise that limit."
                ) from error
            except ProcessLost as lost:
                raise DocumentUnreadable(
                    f"{str(path)!r} cannot be read: the process that reads it {lost}",
                    "Open it in the program it was made with, and save it anew.",
                ) from lost
        if "error" in header:
            raise _failure(path, header)
        return text, pages

    async def aclose(self) -> None:
        """Ends the process, whatever it is doing."""
        await self._process.aclose()


@asynccontextmanager
async def open_parser(limits: Limits) -> AsyncIterator[Parser]:
    """A parser for some files; its process ends with the context."""
    parser = Parser(limits)
    try:
        yield parser
    finally:
        await parser.aclose()


def _pages(header: dict[str, Any]) -> tuple[int, ...]:
    pages = header.get("pages", [])
    if not isinstance(pages, list) or not all(isinstance(page, int) for page in pages) or pages != sorted(pages):
        raise ValueError("the pages are no places")
    return tuple(pages)


def _failure(path: Path, header: dict[str, Any]) -> DocumentUnreadable | RequestTooLarge:
    kind = RequestTooLarge if header.get("too_large") is True else DocumentUnreadable
    return kind(f"{str(path)!r} {header['error']}", str(header.get("hint", "")))
