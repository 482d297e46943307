"""Documents: files on disk as text, or the reason why not; knows nothing of what they say."""

import codecs
import hashlib
import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from configs.errors import DocumentUnreadable, RequestTooLarge
from configs.settings import Limits

SUFFIXES: Final = (".md", ".txt")
"""The kinds of files that can be read."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL_SHARE: Final = 0.05
"""Text with more control characters than this is not text."""
_COMMON_SHARE: Final = 0.7
"""GB18030 gives some meaning to nearly any bytes; real Chinese keeps mostly to the characters of GB 2312."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that has been read."""

    path: Path
    """Absolute, without symbolic links."""
    text: str
    """With "\\n" at the ends of lines; every character span counts in it."""
    digest: str
    """SHA-256 of the file's bytes, in hexadecimal."""

    @property
    def markdown(self) -> bool:
        """Whether headings, tables and code are marked."""
        return self.path.suffix.lower() == ".md"


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


def read_document(path: Path, limits: Limits) -> Document:
    """The text of a file. Raises DocumentUnreadable, or RequestTooLarge over `limits.document_bytes`."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise DocumentUnreadable(f"the name {str(path)!r} is not UTF-8", "Rename it.") from error
    if os.path.exists(path) and not _is_readable(path):
        raise DocumentUnreadable(
            f"{str(path)!r} is of a kind that cannot be read ({path.suffix or 'no suffix'})",
            f"Kinds that can: {', '.join(SUFFIXES)}. Convert it to one of them.",
        )
    content = _bytes(path, limits)
    text = decode(content)
    if text is None:
        raise DocumentUnreadable(f"{str(path)!r} is not text, or in an unknown encoding", "Save it as UTF-8.")
    if not text.strip():
        raise DocumentUnreadable(f"{str(path)!r} holds no text", "Write something in it, or leave it out.")
    return Document(path, text, hashlib.sha256(content).hexdigest())


def decode(content: bytes) -> str | None:
    """UTF-8, UTF-16 or GB18030 as text with plain line ends; None where it is none of them, or not text."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _plain(_decoded(content[len(mark) :], encoding))
    if b"\0" in content:
        return _plain(_decoded(content, _utf16_order(content)))
    if (text := _decoded(content, "utf-8")) is not None:
        return _plain(text)
    text = _decoded(content, "gb18030")
    return _plain(text) if text is not None and _looks_chinese(text) else None


def _is_readable(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


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
    except (OSError, RuntimeError) as error:  # before Python 3.13 a link in a circle is a RuntimeError
        reason = f"{str(path)!r} leads nowhere: {str(error)!r}"
        failed.append((path, DocumentUnreadable(reason, "Mend that link, or leave it out.")))
        return None


def _bytes(path: Path, limits: Limits) -> bytes:
    try:
        if not path.is_file():
            reason = "is not a regular file" if path.exists() else "does not exist"
            raise DocumentUnreadable(f"{str(path)!r} {reason}", "Check the path.")
        with path.open("rb") as file:
            content = file.read(limits.document_bytes + 1)
    except OSError as error:
        raise DocumentUnreadable(f"{str(path)!r} cannot be opened: {error.strerror}", "Check the path.") from error
    if len(content) > limits.document_bytes:
        raise RequestTooLarge(
            f"{str(path)!r} has more than {limits.document_bytes} bytes (`limits.document_bytes`)",
            "Split it, or raise that limit.",
        )
    return content


def _decoded(content: bytes, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _utf16_order(content: bytes) -> str | None:
    """UTF-16 without its mark: half the bytes of Latin text are zero, all on one side; else None."""
    even, odd = content[::2].count(0), content[1::2].count(0)
    if len(content) % 2 or max(even, odd) * 10 < len(content) or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _plain(text: str | None) -> str | None:
    if text is None:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    controls = sum(unicodedata.category(character) in {"Cc", "Cn", "Co"} for character in text) - sum(
        text.count(space) for space in "\n\t\f"
    )
    return None if "\0" in text or controls > _CONTROL_SHARE * len(text) else text


def _looks_chinese(text: str) -> bool:
    foreign = [character for character in text if ord(character) > 127]
    return len("".join(foreign).encode("gb2312", "ignore")) >= _COMMON_SHARE * 2 * len(foreign)
