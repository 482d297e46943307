"""Word, PowerPoint and Excel, each read by the process that reads what nobody vouches for."""

import io
from collections.abc import AsyncGenerator, Callable
from datetime import date, datetime
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from configs.settings import Limits
from memory.formats.parser import Parser, open_parser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def parser() -> AsyncGenerator[Parser, None]:
    async with open_parser(Limits()) as parser:
        yield parser


def saved(save: Callable[[io.BytesIO], None]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


async def test_word(parser: Parser) -> None:
    document = docx.Document()
    document.add_heading("员工手册", 0)
    document.add_heading("Leave", 1)
    document.add_paragraph("每年二十五天。\u00a0Up to 5 days carry_over * at most.")
    document.add_heading("Steps", 2)
    for step in ("Ask", "Wait"):
        document.add_paragraph(step, style="List Number")
    table = document.add_table(2, 2)
    for at, word in enumerate(("City", "Days", "Bonn", "3")):
        table.cell(at // 2, at % 2).text = word
    text, pages = await parser.parse(Path("/a.docx"), "docx", saved(document.save))
    assert pages == ()
    assert text.replace("\u00a0", " ").split("\n\n") == [
        "# 员工手册",
        "# Leave",
        "每年二十五天。 Up to 5 days carry_over * at most.",
        "## Steps",
        "1. Ask\n2. Wait",
        "| City | Days |\n| --- | --- |\n| Bonn | 3 |",
    ]


async def test_powerpoint(parser: Parser) -> None:
    presentation = pptx.Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[0])
    first.shapes.title.text = "季度 报告"
    first.placeholders[1].text = "Acme"
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Sales"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
    for at, word in enumerate(("City", "Units", "Bonn", "1|2")):
        table.cell(at // 2, at % 2).text = word
    below = second.shapes.add_textbox(Inches(1), Inches(6), Inches(4), Inches(1))
    below.text_frame.text = "Below"
    above = second.shapes.add_group_shape().shapes.add_textbox(Inches(1), Inches(2), Inches(4), Inches(1))
    above.text_frame.text = "Above\n\nin two lines"
    second.notes_slide.notes_text_frame.text = "说慢一点"
    third = presentation.slides.add_slide(presentation.slide_layouts[6])
    data = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = ["2023", "2024"]
    data.add_series("Profit", (1.5, None))  # type: ignore[no-untyped-call]
    third.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(1), Inches(4), Inches(3), data)
    text, pages = await parser.parse(Path("/a.pptx"), "pptx", saved(presentation.save))
    slides = [text[start:end].strip() for start, end in zip(pages, [*pages[1:], None], strict=True)]
    assert slides == [
        "# 季度 报告\n\nAcme",
        "## Sales\n\nAbove\nin two lines\n\n| City | Units |\n| --- | --- |\n| Bonn | 1/2 |"
        "\n\nBelow\n\nNotes: 说慢一点",
        "|  | Profit |\n| --- | --- |\n| 2023 | 1.5 |\n| 2024 |  |",
    ]


async def test_excel(parser: Parser) -> None:
    book = openpyxl.Workbook()
    staff = book.worksheets[0]
    staff.title = "员工"
    staff.append(["2024 年员工表"])
    staff.append([])
    staff.append(["姓名", "入职", "比例", "工资", "在职"])
    staff.append(["张三", date(2020, 5, 1), 0.255, 30000, True])
    staff.append(["李四", datetime(2021, 1, 2, 9, 30), 0.1, 0.1 + 0.2, None])
    for cell in ("C4", "C5"):
        staff[cell].number_format = "0.0%"
    book.create_sheet("Empty")
    book.create_sheet("Prices").append(["item", "price"])
    book.worksheets[2].append(["pen", 1.5])
    text, pages = await parser.parse(Path("/a.xlsx"), "xlsx", saved(book.save))
    assert pages == ()
    assert text.split("\n\n") == [
        "## 员工",
        "2024 年员工表",
        "姓名: 张三; 入职: 2020-05-01; 比例: 25.5%; 工资: 30000; 在职: true",
        "姓名: 李四; 入职: 2021-01-02 09:30; 比例: 10%; 工资: 0.3",
        "## Prices",
        "item: pen; price: 1.5",
    ]


async def test_merged_cells_count_for_every_row(parser: Parser) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["部门", "姓名"], ["研发", "张三"], [None, "李四"], ["市场", "王五"]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    text, _ = await parser.parse(Path("/a.xlsx"), "xlsx", saved(book.save))
    assert text.split("\n\n")[1:] == ["部门: 研发; 姓名: 张三", "部门: 研发; 姓名: 李四", "部门: 市场; 姓名: 王五"]


async def test_a_wide_title_is_no_row_of_names(parser: Parser) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Prices 2024"], ["item", "price"], ["pen", 2]):
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    text, _ = await parser.parse(Path("/a.xlsx"), "xlsx", saved(book.save))
    assert text.split("\n\n")[1:] == ["Prices 2024", "item: pen; price: 2"]


async def test_a_cell_far_away_costs_nothing(parser: Parser) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a", "b"])
    book.worksheets[0]["XFD1048576"] = 7
    text, _ = await parser.parse(Path("/a.xlsx"), "xlsx", saved(book.save))
    assert text == "## Sheet\n\ncolumn 16384: 7"
