"""The shape of JSON that has not been parsed: how deep, how many, and how much of it is no sound or picture."""

import re

from configs.errors import RequestError, RequestTooLarge

DEPTH = 64
"""Levels of lists and objects within each other."""

ENTRIES = 10_000
"""Of one list or object."""

PIECES = 100_000
"""Strings, commas and brackets in all."""

_PIECE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
"""Possessive, so that a string without an end is read once, not once for each quote in it."""

_LOAD = re.compile(rb'"(?:data:[^",\\]{1,200},)?[A-Za-z0-9+/=_-]*"?')
"""A string of base64, alone or as a data URL."""

_LONG = 1_000
"""Bytes from which a string of base64 counts as a sound or a picture."""


def check_shape(data: bytes, most: int) -> None:
    """Raises RequestError for what is not UTF-8 JSON or too deep, RequestTooLarge for more than `most` bytes or pieces.

    Only the shape is read, in time that grows with the length; whether it is JSON, the parser says.
    """
    if b"\0" in data:
        # UTF-16 and UTF-32 would pass as another text here than in the parser.
        raise RequestError("the body is not JSON in UTF-8", "Send UTF-8.")
    entries, size = [0], len(data)
    for number, match in enumerate(_PIECE.finditer(data)):
        piece = match.group()
        if number >= PIECES:
            raise RequestTooLarge(f"the JSON has more than {PIECES} parts", "Send less at once.")
        if piece[:1] == b'"':
            size -= len(piece) if len(piece) > _LONG and _LOAD.fullmatch(piece) else 0
        else:
            _count(entries, piece)
    if size > most:
        raise RequestTooLarge(f"the JSON is larger than {most} bytes", "Send less at once.")


def _count(entries: list[int], piece: bytes) -> None:
    """Keeps the number of entries of each list and object that is open."""
    if piece == b",":
        entries[-1] += 1
        if entries[-1] >= ENTRIES:
            raise RequestTooLarge(f"a list in the JSON has more than {ENTRIES} entries", "Send fewer at once.")
    elif piece in b"[{":
        entries.append(0)
        if len(entries) > DEPTH + 1:
            raise RequestError(f"the JSON is nested more than {DEPTH} deep", "Send it flatter.")
    elif len(entries) > 1:
        entries.pop()
