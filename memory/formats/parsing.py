"""Parsing: the program of the process that reads files nobody vouches for; it gets bytes and gives back text."""

import json
import struct
import sys
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Final

from configs.errors import DocumentUnreadable, RequestError, RequestTooLarge
from memory.formats.encoding import with_plain_ends
from memory.formats.parse_limits import ParseLimits

LENGTHS: Final = struct.Struct(">II")
"""What every message begins with: the bytes of its header, which is JSON, and of its body."""
LONGEST_REASON: Final = 300
"""Characters of an error's message."""

_DAMAGED_HINT: Final = "Open it in the program it was made with, and save it anew."


Reader = Callable[[bytes, ParseLimits], str | Iterable[str]]
"""The text of a file's bytes, or of its pages. Raises DocumentUnreadable, RequestTooLarge, or anything at all."""


def message(header: dict[str, Any], body: bytes) -> bytes:
    """A message as it goes through the pipe."""
    packed = json.dumps(header).encode()
    return LENGTHS.pack(len(packed), len(body)) + packed + body


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
    from memory.formats.sandbox import allow_time, confine, prepare, take_streams

    source, sink = take_streams()
    sys.excepthook = partial(_report, sink)
    prepare()
    confined = False
    while lengths := source.read(LENGTHS.size):
        header_length, body_length = LENGTHS.unpack(lengths)
        header = json.loads(source.read(header_length))
        limits = ParseLimits(**header["limits"])
        read = reader(header["kind"])
        # Only after the first reader has been brought: until then Python may keep what it compiles.
        if not confined:
            confine(limits.memory)
            confined = True
        allow_time(limits.seconds)
        _answer(sink, read, source.read(body_length), limits)


def _answer(sink: BinaryIO, read: Reader, content: bytes, limits: ParseLimits) -> None:
    try:
        found = read(content, limits)
        text, pages = joined([found] if isinstance(found, str) else found, limits)
    except RequestError as error:
        _send(sink, _failure(error), b"")
    except RecursionError:
        _send(sink, _failure(DocumentUnreadable("is nested too deeply", _DAMAGED_HINT)), b"")
    else:
        _send(sink, {"pages": [] if isinstance(found, str) else pages}, text.encode())


def _report(sink: BinaryIO, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """The hook for what nobody foresaw: parsers raise anything over a damaged file. The process ends after it."""
    if issubclass(kind, MemoryError):
        failure: RequestError = RequestTooLarge(
            "takes more memory than it may (`limits.parse_bytes`)", "Split it, or raise it."
        )
    else:
        reason = f"{kind.__name__}: {error}" if str(error) else kind.__name__
        failure = DocumentUnreadable(f"is damaged ({reason})", _DAMAGED_HINT)
    _send(sink, _failure(failure) | {"ended": True}, b"")


def _failure(error: RequestError) -> dict[str, Any]:
    reason = "".join(c for c in " ".join(error.message.split()) if c.isprintable())
    return {"too_large": isinstance(error, RequestTooLarge), "error": reason[:LONGEST_REASON], "hint": error.hint}


def _send(sink: BinaryIO, header: dict[str, Any], body: bytes) -> None:
    sink.write(message(header, body))
    sink.flush()


def _clean(text: str) -> str:
    """NFC, plain line ends, no control characters, no half of a character, no spaces around."""
    text = unicodedata.normalize("NFC", with_plain_ends(text)).strip()
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
