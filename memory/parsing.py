"""Parsing: the program of the process that reads files nobody vouches for; it gets bytes and gives back text."""

import json
import struct
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Final

from configs.errors import DocumentUnreadable, RequestError, RequestTooLarge
from memory.encoding import with_plain_ends

LENGTHS: Final = struct.Struct(">II")
"""What every message begins with: the bytes of its header, which is JSON, and of its body."""
LONGEST_REASON: Final = 300
"""Characters of an error's message."""

_DAMAGED_HINT: Final = "Open it in the program it was made with, and save it anew."


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What one file may take."""

    seconds: float
    """Of computing."""
    memory: int
    """Bytes of the whole process."""
    characters: int
    """Of text."""
    pages: int
    unpacked: int
    """Bytes of a packed document, when it is unpacked."""
    ratio: int
    """How many times larger it may be then."""


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


def parse(kind: str, content: bytes, limits: ParseLimits) -> tuple[str, list[int]]:
    """The text of a file and the starts of its pages. Each kind brings its packages only when it is met."""
    match kind:
        case "pdf":
            from memory.pdf import pages

            return joined(pages(content, limits), limits)
        case "pptx":
            from memory.slides import slides

            return joined(slides(content, limits), limits)
        case _:
            return joined([_whole(kind, content, limits)], limits)[0], []


def _whole(kind: str, content: bytes, limits: ParseLimits) -> str:
    match kind:
        case "html":
            from memory.web_page import web_page

            return web_page(content)
        case "docx":
            from memory.word_document import word_document

            return word_document(content, limits)
        case "xlsx":
            from memory.workbook import workbook

            return workbook(content, limits)
        case "epub":
            from memory.book import book

            return book(content, limits)
        case "csv":
            from memory.tabular import table

            return table(content)
        case "json" | "jsonl":
            from memory.json_records import json_text

            return json_text(content, lines=kind == "jsonl")
    raise DocumentUnreadable(f"is of a kind that cannot be read ({kind})", "Convert it.")


def main() -> None:
    """Answers requests until there are no more. An error nobody foresaw is told, and ends the process."""
    from memory.sandbox import allow_time, confine, take_streams

    source, sink = take_streams()
    sys.excepthook = partial(_report, sink)
    confined = False
    while lengths := source.read(LENGTHS.size):
        header_length, body_length = LENGTHS.unpack(lengths)
        header = json.loads(source.read(header_length))
        limits = ParseLimits(**header["limits"])
        if not confined:
            confine(limits.memory)
            confined = True
        allow_time(limits.seconds)
        _answer(sink, header["kind"], source.read(body_length), limits)


def _answer(sink: BinaryIO, kind: str, content: bytes, limits: ParseLimits) -> None:
    try:
        text, pages = parse(kind, content, limits)
    except RequestError as error:
        _send(sink, _failure(error), b"")
    except RecursionError:
        _send(sink, _failure(DocumentUnreadable("is nested too deeply", _DAMAGED_HINT)), b"")
    else:
        _send(sink, {"pages": pages}, text.encode())


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
    large = isinstance(error, RequestTooLarge)
    return {"too_large": large, "error": error.message[:LONGEST_REASON], "hint": error.hint[:LONGEST_REASON]}


def _send(sink: BinaryIO, header: dict[str, Any], body: bytes) -> None:
    sink.write(message(header, body))
    sink.flush()


def _clean(text: str) -> str:
    """NFC, plain line ends, no control characters, no half of a character, no spaces around."""
    text = unicodedata.normalize("NFC", with_plain_ends(text)).strip()
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
