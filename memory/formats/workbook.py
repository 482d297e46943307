"""Workbooks as records, sheet by sheet; formulas count for what they last came to."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Final

import openpyxl
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from memory.formats.archive import office
from memory.formats.parse_limits import ParseLimits
from memory.formats.tabular import records

_PIECE: Final = 1_000_000
_OVERLAP: Final = 200
"""Bytes of a piece that are looked at again with the next one."""
_MERGE: Final = re.compile(rb"<(?:\w+:)?mergeCell [^>]{0,99}?ref=\"([A-Z]{1,3})(\d{1,7}):\1(\d{1,7})\"")


def workbook(content: bytes, limits: ParseLimits) -> str:
    """The sheets of an .xlsx file, each under its name. Raises as archive.office."""
    book = openpyxl.load_workbook(office(content, limits), read_only=True, data_only=True, keep_links=False)
    return "\n\n".join(part for sheet in book.worksheets for part in _sheet(sheet))


def _sheet(sheet: ReadOnlyWorksheet) -> Iterator[str]:
    sheet.reset_dimensions()  # what a file says of its size may be wrong
    name = f"## {' '.join(sheet.title.split())}"
    for paragraph in records(_merged(([_cell(cell) for cell in row] for row in sheet.iter_rows()), _merges(sheet))):
        if name:
            yield name
            name = ""
        yield paragraph


def _merges(sheet: ReadOnlyWorksheet) -> dict[int, dict[int, int]]:
    """Cells that were merged downwards: by the first row, from 1, the last one of each column, from 0."""
    found: dict[int, dict[int, int]] = {}
    before = b""
    with sheet.parent._archive.open(sheet._worksheet_path) as part:
        while piece := part.read(_PIECE):
            piece = before + piece
            for column, first, last in _MERGE.findall(piece):
                found.setdefault(int(first), {})[column_index_from_string(column.decode()) - 1] = int(last)
            before = piece[-_OVERLAP:]
    return found


def _merged(rows: Iterable[list[str]], merges: dict[int, dict[int, int]]) -> Iterator[list[str]]:
    """Rows with the value of a merged cell in each of its rows that says something else too."""
    running: dict[int, tuple[int, str]] = {}
    for number, row in enumerate(rows, 1):
        running = {column: merge for column, merge in running.items() if merge[0] >= number}
        if any(row):
            for column, (_, value) in running.items():
                if column < len(row):
                    row[column] = row[column] or value
                else:
                    row.extend([""] * (column - len(row)) + [value])
        for column, last in merges.get(number, {}).items():
            if column < len(row):
                running[column] = (last, row[column])
        yield row


def _cell(cell: ReadOnlyCell) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        if "%" in (cell.number_format or ""):
            return f"{100 * value:.10g}%"
        return str(value) if isinstance(value, int) else f"{value:.15g}"
    return str(value)
