"""Parsing: the program of the process that reads files nobody vouches for; it gets bytes and gives back text."""

import mimetypes
import sys
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from configs.errors import DocumentUnreadable, RequestError, RequestTooLarge
from configs.sandbox.framing import message
from configs.sandbox.program import Answer, Read, run
from memory.formats.encoding import with_plain_ends
from memory.formats.parse_limits import ParseLimits

_RECURSION: Final = 5_000
"""Real documents are nested less deeply; more would overflow the C stack of a parser."""
_DAMAGED_HINT: Final = "Open it in the program it was made with, and save it anew."


Reader = Callable[[bytes, ParseLimits], str | Iterable[str]]
"""The text of a file's bytes, or of its pages. Raises DocumentUnreadable, RequestTooLarge, or anything at all."""


def request(kind: str, limits: ParseLimits, content: bytes) -> bytes:
    """What asks for the text of a file."""
    return message({"kind": kind, "limits": asdict(limits)}, content)


def joined(parts: Iterable[str], limits: ParseLimits) -> tuple[str, list[int]]:
    """The pages of a document, or its one part, as one text; and where each begins.

    Raises RequestTooLarge over `limits.characters`.
    """
    pieces: list[str] = []
    starts: list[int] = []
    at = 0
    for number, part in enumerate(parts, 1):
        if number > limits.pages:
            raise RequestTooLarge(
                f"has more than {limits.pages} pages (`limits.document_pages`)", "Split it, or raise that limit."
            )
        clean = _clean(part)
        if clean and at:
            pieces.append("\n\n")
            at += 2
        starts.append(at)
        pieces.append(clean)
        at += len(clean)
        if at > limits.characters:
            raise RequestTooLarge(
                f"has more than {limits.characters} characters of text (`limits.document_characters`)",
                "Split it, or raise that limit.",
            )
    return "".join(pieces), starts


def reader(kind: str) -> Reader:
    """What reads that kind of file. Brings the packages for it, and only those."""
    match kind:
        case "pdf":
            from memory.formats.pdf import pages

            return pages
        case "pptx":
            from memory.formats.slides import slides

            return slides
        case "docx":
            from memory.formats.word_document import word_document

            return word_document
        case "xlsx":
            from memory.formats.workbook import workbook

            return workbook
        case "epub":
            from memory.formats.book import book

            return book
        case "html":
            from memory.formats.web_page import web_page

            return lambda content, _: web_page(content)
        case "csv":
            from memory.formats.tabular import table

            return lambda content, _: table(content)
        case "json" | "jsonl":
            from memory.formats.json_records import json_text

            return lambda content, _: json_text(content, lines=kind == "jsonl")
    raise ValueError(f"no reader for {kind!r}")


def main() -> None:
    """Answers requests until there are no more. An error nobody foresaw is told, and ends the process."""
    sys.setrecursionlimit(_RECURSION)
    mimetypes.init([])  # else it reads the system's files
    # openpyxl would bring it only to know arrays in cells, which files have none of.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    run(_reading, _unforeseen)


def _reading(header: dict[str, Any]) -> Read:
    return partial(_read, reader(header["kind"]), ParseLimits(**header["limits"]))


def _read(read: Reader, limits: ParseLimits, content: bytes) -> Answer:
    try:
        found = read(content, limits)
        text, pages = joined([found] if isinstance(found, str) else found, limits)
    except RecursionError as error:
        raise DocumentUnreadable("is nested too deeply", _DAMAGED_HINT) from error
    return {"pages": [] if isinstance(found, str) else pages}, text.encode()


def _unforeseen(error: BaseException) -> RequestError:
    if isinstance(error, MemoryError):
        return RequestTooLarge("takes more memory than it may (`limits.parse_bytes`)", "Split it, or raise it.")
    kind = type(error).__name__
    return DocumentUnreadable(f"is damaged ({kind}: {error})" if str(error) else f"is damaged ({kind})", _DAMAGED_HINT)


def _clean(text: str) -> str:
    """NFC, plain line ends, no control characters, no half of a character, no spaces around."""
    text = unicodedata.normalize("NFC", with_plain_ends(text)).strip()
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
