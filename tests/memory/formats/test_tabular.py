import pytest

from configs.errors import DocumentUnreadable
from memory.chunking import chunk
from memory.formats.tabular import record, records, table

STAFF = '姓名,部门,工资\n张三,研发部,30000\n李四,市场部,"2,500"\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_each_row_says_what_it_means_in_every_usual_encoding(encoding: str) -> None:
    assert (
        table(STAFF.encode(encoding))
        == "姓名: 张三; 部门: 研发部; 工资: 30000\n\n姓名: 李四; 部门: 市场部; 工资: 2,500"
    )


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = [["city", "price, net"], ["Berlin", "1,50"], ["Köln", "2,00"]]
    quoted = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    assert table(quoted.encode()) == "city: Berlin; price, net: 1,50\n\ncity: Köln; price, net: 2,00"


def test_a_decimal_comma_does_not_hide_the_semicolon() -> None:
    assert table(b"name;price\na;1,5\nb;2,5\n") == "name: a; price: 1,5\n\nname: b; price: 2,5"


@pytest.mark.parametrize(
    ("rows", "paragraphs"),
    [
        ([["2024 年工资表"], [], ["姓名", "工资"], ["张三", "3"]], ["2024 年工资表", "姓名: 张三; 工资: 3"]),
        ([["a", "", "c"], ["1", "2", "3", "4"]], ["a: 1; column 2: 2; c: 3; column 4: 4"]),
        ([["a", "b"], ["1", ""], ["", "2"], ["", ""]], ["a: 1", "b: 2"]),
        ([["1", "2.5"], ["3", "-4%"]], ["column 1: 1; column 2: 2.5", "column 1: 3; column 2: -4%"]),
        ([["name"], ["Ada"], ["Alan"]], ["name: Ada", "name: Alan"]),
        ([["only"]], ["only"]),
        ([["a", "", "b"]], ["a; b"]),
        ([["a", "b"], ["line one\nline two", " x  y "]], ["a: line one line two; b: x y"]),
        ([["year", "2023", "2024"], ["profit", "1", "2"]], ["year: profit; 2023: 1; 2024: 2"]),
        ([], []),
    ],
)
def test_rows_as_records(rows: list[list[str]], paragraphs: list[str]) -> None:
    assert list(records(rows)) == paragraphs


def test_a_long_record_goes_on_below_its_first_value() -> None:
    lines = record([("name", "Ada"), *((f"note {number}", "x" * 100) for number in range(12))]).split("\n\n")
    assert len(lines) > 1
    assert all(line.startswith("name: Ada; note ") for line in lines)
    assert all(len(line) < 720 for line in lines)
    assert sum(line.count("x" * 100) for line in lines) == 12


def test_a_passage_never_begins_or_ends_within_a_row() -> None:
    rows = [["姓名", "部门", "城市"], *([f"员工{number}", f"部门{number}", f"城市{number}"] for number in range(300))]
    text = "\n\n".join(records(rows))
    whole = {f"姓名: 员工{number}; 部门: 部门{number}; 城市: 城市{number}" for number in range(300)}
    _, chunks = chunk(text, markdown=False, fallback_title="x", records=True)
    assert len(chunks) > 5
    assert {row for found in chunks for row in found.text.split("\n\n")} == whole


def test_what_is_no_text_is_told_so() -> None:
    with pytest.raises(DocumentUnreadable, match="not text"):
        table(b"\xff\x00\x01" * 100)
