"""The program of a process that reads files: it answers messages, confined; what a file is, its reader knows."""

import json
import sys
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Final

from configs.errors import RequestError, RequestTooLarge
from configs.sandbox.confinement import FILES, allow_time, confine, take_streams
from configs.sandbox.framing import LENGTHS, message

LONGEST_REASON: Final = 300
"""Characters of an error's message."""

Answer = tuple[dict[str, Any], bytes]
Read = Callable[[bytes], Answer]
"""The answer to a body. Raises RequestError, or anything at all, which ends the process."""


def run(
    reader: Callable[[dict[str, Any]], Read], unforeseen: Callable[[BaseException], RequestError], files: int = FILES
) -> None:
    """Answers messages until there are no more.

    `reader` brings what reads the body of a header, whose `limits` are `seconds` of computing and bytes of `memory`;
    `unforeseen` says what is told of an error that nobody foresaw, before the process ends.
    """
    source, sink = take_streams()
    sys.excepthook = partial(_report, sink, unforeseen)
    confined = False
    while lengths := source.read(LENGTHS.size):
        header_bytes, body_bytes = LENGTHS.unpack(lengths)
        header = json.loads(source.read(header_bytes))
        read = reader(header)
        # Only after the first reader has been brought: until then Python may keep what it compiles.
        if not confined:
            confine(header["limits"]["memory"], files)
            confined = True
        allow_time(header["limits"]["seconds"])
        try:
            answer = read(source.read(body_bytes))
        except RequestError as error:
            answer = _failure(error), b""
        _send(sink, *answer)


def _report(
    sink: BinaryIO,
    unforeseen: Callable[[BaseException], RequestError],
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
) -> None:
    """The hook for what nobody foresaw: readers raise anything over a damaged file. The process ends after it."""
    _send(sink, _failure(unforeseen(error)) | {"ended": True}, b"")


def _failure(error: RequestError) -> dict[str, Any]:
    reason = "".join(c for c in " ".join(error.message.split()) if c.isprintable())
    return {"too_large": isinstance(error, RequestTooLarge), "error": reason[:LONGEST_REASON], "hint": error.hint}


def _send(sink: BinaryIO, header: dict[str, Any], body: bytes) -> None:
    sink.write(message(header, body))
    sink.flush()
