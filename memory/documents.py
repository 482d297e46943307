"""Documents: files on disk as text, or the reason why not; knows nothing of what they say."""

import hashlib
import os
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anyio.to_thread import run_sync

from configs.errors import DocumentUnreadable, RequestTooLarge
from configs.settings import Limits
from memory.chunking import page_at
from memory.formats.encoding import decode
from memory.formats.kinds import KINDS, Kind, mismatch
from memory.formats.parser import Parser, open_parser

SUFFIXES: Final = tuple(KINDS)
"""The kinds of files that can be read."""

Transcribe = Callable[[Path], Awaitable[str]]
"""Hears a recording: what was said in it. Raises RequestError where it is no sound, or holds no speech."""

_MARKED: Final = frozenset[Kind]({"markdown", "html", "docx", "pptx", "xlsx", "epub", "json"})
_RECORDS: Final = frozenset[Kind]({"csv", "json", "jsonl", "xlsx"})


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file before it is read."""

    path: Path
    """Absolute, without symbolic links; of an upload its name alone."""
    kind: Kind
    digest: str
    """SHA-256 of the file's bytes, in hexadecimal."""
    content: bytes
    """Empty for a recording, which is heard from the disk."""
    lies_at: Path
    """Where its bytes are."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that has been read."""

    path: Path
    """Absolute, without symbolic links; of an upload its name alone."""
    text: str
    """NFC, with "\\n" at the ends of lines; every character span counts in it."""
    digest: str
    """SHA-256 of the file's bytes, in hexadecimal."""
    kind: Kind = "text"
    pages: tuple[int, ...] = ()
    """Where each page or slide begins in the text; empty where there are none."""

    @property
    def markdown(self) -> bool:
        """Whether headings, tables and code are marked."""
        return self.kind in _MARKED

    @property
    def records(self) -> bool:
        """Whether each paragraph is a record that can be understood by itself, such as the row of a table."""
        return self.kind in _RECORDS


@dataclass(frozen=True, slots=True)
class Found:
    """The files that are meant."""

    files: tuple[Path, ...]
    """In order, each once."""
    others: int
    """Files of other kinds that were passed over in folders."""
    failed: tuple[tuple[Path, DocumentUnreadable], ...]
    """What could not be looked into: links that lead in a circle, folders that may not be read."""


_Failed = list[tuple[Path, DocumentUnreadable]]


def find_files(paths: Iterable[Path], limits: Limits) -> Found:
    """The files that are meant: those named, and all in the folders named that are of a kind that can be read.

    In folders, hidden files are skipped and so are links that lead out. Raises RequestTooLarge when there are more
    than `limits.documents`.
    """
    found: dict[Path, None] = {}
    failed: _Failed = []
    others = 0
    for path in paths:
        start = _resolved(path, failed)
        for file in () if start is None else _inside(start, failed):
            if file != start and not _is_readable(file):
                others += 1
                continue
            found[file] = None
            if len(found) > limits.documents:
                raise RequestTooLarge(
                    f"there are more than {limits.documents} files (`limits.documents`)",
                    "Ingest fewer folders at a time, or raise that limit.",
                )
    return Found(tuple(found), others, tuple(failed))


async def load(path: Path, limits: Limits, *, lies_at: Path | None = None) -> SourceFile:
    """A file's bytes and digest; `lies_at` is where they are, if not at its path.

    Raises DocumentUnreadable; RequestTooLarge over `limits.document_bytes`, or for a recording over
    `limits.audio_bytes`.
    """
    return await run_sync(_load, path, limits, lies_at or path)


async def read(
    file: SourceFile, limits: Limits, *, parser: Parser | None = None, transcribe: Transcribe | None = None
) -> Document:
    """The text of a file.

    What is no plain text is read by `parser`, in a process of its own, or by one for this file alone; a recording is
    heard by `transcribe`. Raises DocumentUnreadable, RequestTooLarge over `limits.document_characters` or
    `limits.document_pages`, and what `transcribe` raises.
    """
    pages: tuple[int, ...] = ()
    if file.kind == "audio":
        text = await _heard(file, transcribe)
    elif file.kind in ("text", "markdown"):
        text = await run_sync(_decoded, file)
    elif parser is None:
        async with open_parser(limits) as own:
            text, pages = await own.parse(file.path, file.kind, file.content)
    else:
        text, pages = await parser.parse(file.path, file.kind, file.content)
    if not text.strip():
        raise DocumentUnreadable(f"{str(file.path)!r} holds no text", _EMPTY.get(file.kind, _EMPTY_TEXT))
    if len(text) > limits.document_characters:
        limit = f"{limits.document_characters} characters of text (`limits.document_characters`)"
        raise RequestTooLarge(f"{str(file.path)!r} has more than {limit}", "Split it, or raise that limit.")
    return Document(file.path, text, file.digest, file.kind, pages)


def page_of(document: Document, start: int) -> int | None:
    """The page, from 1, that a character of the text is on; None where the document has no pages."""
    return page_at(document.pages, start)


_EMPTY_TEXT: Final = "Write something in it, or leave it out."
_EMPTY: Final[dict[Kind, str]] = {
    "pdf": "Its pages seem to be pictures: run text recognition (OCR) on it first, or leave it out.",
    "audio": "No speech was heard in it; leave it out.",
}


async def _heard(file: SourceFile, transcribe: Transcribe | None) -> str:
    if transcribe is None:
        raise DocumentUnreadable(
            f"{str(file.path)!r} is a recording, and there is nothing to hear it with",
            "Set up speech to text (`tingshuo doctor` says what is missing), or leave it out.",
        )
    return unicodedata.normalize("NFC", await transcribe(file.lies_at)).strip()


def _decoded(file: SourceFile) -> str:
    text = decode(file.content)
    if text is None:
        raise DocumentUnreadable(f"{str(file.path)!r} is not text, or in an unknown encoding", "Save it as UTF-8.")
    return unicodedata.normalize("NFC", text)


def _is_readable(path: Path) -> bool:
    return path.suffix.lower() in KINDS


def _inside(path: Path, failed: _Failed) -> Iterator[Path]:
    if not os.path.isdir(path):
        yield path
        return

    def fail(error: OSError) -> None:
        folder = Path(error.filename)
        reason = f"the folder {str(folder)!r} cannot be read: {error.strerror}"
        failed.append((folder, DocumentUnreadable(reason, "See that this user may read it.")))

    for folder, folders, files in os.walk(path, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            file = _resolved(Path(folder) / name, failed)
            if file is not None and file.is_relative_to(path):
                yield file


def _resolved(path: Path, failed: _Failed) -> Path | None:
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a name with a zero byte; before 3.13 links in a circle
        reason = f"{str(path)!r} leads nowhere: {str(error)!r}"
        failed.append((path, DocumentUnreadable(reason, "Mend that link, or leave it out.")))
        return None


def kind_of(path: Path) -> Kind:
    """What a file is by its name. Raises DocumentUnreadable for what cannot be read."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise DocumentUnreadable(
            f"{str(path)!r} is of a kind that cannot be read ({path.suffix or 'no suffix'})",
            f"Kinds that can: {', '.join(SUFFIXES)}. Convert it to one of them.",
        )
    return kind


def most_bytes(kind: Kind, limits: Limits) -> int:
    """How many bytes a file of that kind may have."""
    return limits.audio_bytes if kind == "audio" else limits.document_bytes


def too_large(path: Path, kind: Kind, limits: Limits) -> RequestTooLarge:
    """What to say of a file that has more."""
    limit = f"{most_bytes(kind, limits)} bytes (`limits.{'audio' if kind == 'audio' else 'document'}_bytes`)"
    return RequestTooLarge(f"{str(path)!r} has more than {limit}", "Split it, or raise that limit.")


def _load(path: Path, limits: Limits, lies_at: Path) -> SourceFile:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise DocumentUnreadable(f"the name {str(path)!r} is not UTF-8", "Rename it.") from error
    if not _is_readable(path) and not os.path.exists(lies_at):
        raise DocumentUnreadable(f"{str(path)!r} does not exist", "Check the path.")
    kind = kind_of(path)
    content = _bytes(path, kind, limits, lies_at)
    if content and (what := mismatch(kind, content)):
        raise DocumentUnreadable(
            f"{str(path)!r} is named {path.suffix}, but it is {what}",
            "Give it the name it should have, or save it anew.",
        )
    return SourceFile(path, kind, hashlib.sha256(content).hexdigest(), b"" if kind == "audio" else content, lies_at)


def _bytes(path: Path, kind: Kind, limits: Limits, lies_at: Path) -> bytes:
    most = most_bytes(kind, limits)
    try:
        if not lies_at.is_file():
            reason = "is not a regular file" if lies_at.exists() else "does not exist"
            raise DocumentUnreadable(f"{str(path)!r} {reason}", "Check the path.")
        with lies_at.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise DocumentUnreadable(f"{str(path)!r} cannot be opened: {error.strerror}", "Check the path.") from error
    if len(content) > most:
        raise too_large(path, kind, limits)
    return content
