"""Presentations as Markdown, slide by slide, with their tables, charts and notes; pictures give their description."""

from collections.abc import Iterable, Iterator

import pptx
from pptx.chart.chart import Chart
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.shapes.autoshape import Shape
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape

from memory.formats.archive import office
from memory.formats.parse_limits import ParseLimits

_NO_TEXT = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)


def slides(content: bytes, limits: ParseLimits) -> Iterator[str]:
    """The text of each slide of a .pptx file. Raises as archive.office."""
    presentation = pptx.Presentation(office(content, limits))
    for number, slide in enumerate(presentation.slides):
        title = slide.shapes.title
        parts = []
        if title is not None and (words := " ".join(title.text_frame.text.split())):
            parts.append(f"{'#' if number == 0 else '##'} {words}")
        id_of_title = None if title is None else title.shape_id
        parts.extend(part for shape in _sorted(slide.shapes) if shape.shape_id != id_of_title for part in _texts(shape))
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) and notes.text.strip():
            parts.append(f"Notes: {_lines(notes.text)}")
        yield "\n\n".join(parts)


def _sorted(shapes: Iterable[BaseShape]) -> list[BaseShape]:
    """As they are read: from the top, then from the left."""
    return sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0))


def _texts(shape: BaseShape) -> Iterator[str]:
    if shape.is_placeholder and shape.placeholder_format.type in _NO_TEXT:
        return
    if isinstance(shape, GroupShape):
        for inner in _sorted(shape.shapes):
            yield from _texts(inner)
    elif isinstance(shape, GraphicFrame) and shape.has_table:
        yield _table([[" ".join(cell.text.split()) for cell in row.cells] for row in shape.table.rows])
    elif isinstance(shape, GraphicFrame) and shape.has_chart:
        yield from _chart(shape.chart)
    elif isinstance(shape, Shape):
        if text := _lines(shape.text_frame.text):
            yield text
    elif (description := shape.element.xpath(".//p:nvPicPr/p:cNvPr/@descr")) and description[0].strip():
        yield " ".join(description[0].split())


def _lines(text: str) -> str:
    return "\n".join(line for line in (" ".join(line.split()) for line in text.splitlines()) if line)


def _table(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    if lines:
        lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def _chart(chart: Chart) -> Iterator[str]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield _lines(chart.chart_title.text_frame.text)
    for plot in chart.plots:
        series = list(plot.series)
        rows = [["", *(str(each.name) for each in series)]]
        for at, category in enumerate(plot.categories):
            rows.append([str(category), *(_value(each.values, at) for each in series)])
        yield _table(rows)


def _value(values: tuple[float | None, ...], at: int) -> str:
    value = values[at] if at < len(values) else None
    return "" if value is None else f"{value:.15g}"
