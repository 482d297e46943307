"""Workbooks as records, sheet by sheet; formulas count for what they last came to."""

from collections.abc import Iterator
from datetime import date, datetime, time

import openpyxl
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from memory.archive import office
from memory.parsing import ParseLimits
from memory.tabular import records


def workbook(content: bytes, limits: ParseLimits) -> str:
    """The sheets of an .xlsx file, each under its name. Raises as archive.office."""
    book = openpyxl.load_workbook(office(content, limits), read_only=True, data_only=True, keep_links=False)
    return "\n\n".join(part for sheet in book.worksheets for part in _sheet(sheet))


def _sheet(sheet: ReadOnlyWorksheet) -> Iterator[str]:
    sheet.reset_dimensions()  # what a file says of its size may be wrong
    name = f"## {' '.join(sheet.title.split())}"
    for paragraph in records([_cell(cell) for cell in row] for row in sheet.iter_rows()):
        if name:
            yield name
            name = ""
        yield paragraph


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
