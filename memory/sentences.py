"""Sentences: a passage cut into what can answer by itself: sentences, list items, rows of tables; knows no question."""

import re
from collections.abc import Iterator
from typing import Final

_END: Final = re.compile(
    r"[。！？；!?]+[”’」』）)\"']*|\.+[”’\"')]*(?=\s|$)|\n(?=[ \t]*(?:[-*+•]|\d+[.)、])[ \t])|\n[ \t]*\n\s*"
)
_RULE: Final = re.compile(r"[\s|:+-]*-[\s|:+-]*")


def sentences(text: str) -> list[str]:
    """The pieces in order; each row of a table with the table's first row before it."""
    found: list[str] = []
    for is_table, block in _blocks(text):
        pieces = _rows(block.split("\n")) if is_table else _split(block)
        found += [piece.strip() for piece in pieces if piece.strip()]
    return found


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """Lines that follow each other, by whether they are rows of a table."""
    lines: list[str] = []
    tabular = False
    for line in text.split("\n"):
        row = line.lstrip().startswith("|")
        if lines and row is not tabular:
            yield tabular, "\n".join(lines)
            lines = []
        tabular = row
        lines.append(line)
    yield tabular, "\n".join(lines)


def _rows(lines: list[str]) -> Iterator[str]:
    header, *rows = lines
    if not rows:
        yield header
    yield from (f"{header}\n{row}" for row in rows if not _RULE.fullmatch(row))


def _split(block: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(block):
        yield block[start : end.end()]
        start = end.end()
    yield block[start:]
