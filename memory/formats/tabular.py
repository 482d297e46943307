"""Tables as text: each row a paragraph that names its columns, so that one row says what it means by itself."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from configs.errors import DocumentUnreadable
from memory.formats.encoding import decode

LONGEST: Final = 600
"""Characters of a line of a record; a longer record goes on in another line, which begins with its first value."""

_DELIMITERS: Final = ",\t;|"
_SAMPLE: Final = 100_000
_SAMPLE_ROWS: Final = 50
"""Characters, and rows in them, that tell which delimiter it is."""
_LONGEST_CELL: Final = 10_000_000


def table(content: bytes) -> str:
    """Values separated by commas, tabs, semicolons or bars as records. Raises DocumentUnreadable."""
    text = decode(content)
    if text is None:
        raise DocumentUnreadable("is not text, or in an unknown encoding", "Save it as UTF-8.")
    csv.field_size_limit(_LONGEST_CELL)
    return "\n\n".join(records(csv.reader(io.StringIO(text), delimiter=_delimiter(text))))


def records(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table's rows as paragraphs of "column: value; ...".

    The first row with as many cells as there are columns names them; what stands above it, a title or a remark, is a
    paragraph of its own. A table whose first row is nothing but numbers has no names; its columns are counted.
    """
    names: list[str] | None = None
    above: list[list[str]] = []
    bare = False
    for cells in _cleaned(rows):
        if names is None and _filled(cells) < 2:
            above.append(cells)
            continue
        if names is None:
            yield from (" ".join(filter(None, row)) for row in above)
            above = []
            names = [] if all(_is_number(cell) for cell in cells if cell) else cells
            if bare := bool(names):
                continue
        bare = False
        pairs = [(_name(names, at), cell) for at, cell in enumerate(cells) if cell]
        yield record(pairs)
    if bare and names:
        yield "; ".join(filter(None, names))
    if above:  # a table of one column: its first cell names it
        first, *others = (next(filter(None, row)) for row in above)
        yield from [record([(first, cell)]) for cell in others] or [first]


def record(pairs: Sequence[tuple[str, str]]) -> str:
    """Named values as "name: value; ...", in lines that each can be understood by themselves."""
    lines: list[list[str]] = [[]]
    length = 0
    for name, value in pairs:
        part = f"{name}: {value}"
        if len(lines[-1]) > 1 and length + len(part) > LONGEST:
            first = f"{pairs[0][0]}: {pairs[0][1]}"
            lines.append([first[: LONGEST // 3]])
            length = len(lines[-1][0])
        lines[-1].append(part)
        length += len(part) + 2
    return "\n\n".join("; ".join(line) for line in lines)


def _cleaned(rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    """Rows that hold something, their cells on one line each."""
    for row in rows:
        cells = [" ".join(cell.split()) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    return cell.strip("-+%¥$€£ ").replace(",", "").replace(".", "", 1).isdecimal()


def _name(names: Sequence[str], at: int) -> str:
    return (names[at] if at < len(names) else "") or f"column {at + 1}"


def _delimiter(text: str) -> str:
    """The delimiter that gives the most rows the same number of cells, at least two; else a comma.

    One that breaks quotation marks is no delimiter, unless each does.
    """
    strictly = max(_DELIMITERS, key=lambda delimiter: _agreement(text, delimiter, strict=True))
    if _agreement(text, strictly, strict=True)[0]:
        return strictly
    return max(_DELIMITERS, key=lambda delimiter: _agreement(text, delimiter, strict=False))


def _agreement(text: str, delimiter: str, *, strict: bool) -> tuple[int, int]:
    """How many of the first rows have the most common number of cells, and that number."""
    reader = csv.reader(io.StringIO(text[:_SAMPLE]), delimiter=delimiter, strict=strict)
    try:
        widths = Counter(len(row) for row in islice(reader, _SAMPLE_ROWS) if len(row) > 1)
    except csv.Error:
        return 0, 0
    ((width, rows),) = widths.most_common(1) or [(1, 0)]
    return rows, width
