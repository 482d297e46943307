import json

import pytest

from configs.errors import DocumentUnreadable
from memory.formats.json_records import json_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('[{"姓名": "张三", "工资": 30000}, {"姓名": "李四", "工资": null}]', "姓名: 张三; 工资: 30000\n\n姓名: 李四"),
        (
            '{"name": "x", "open": true, "tags": ["a", "b"], "at": {"city": "Bonn"}}',
            "name: x; open: true; tags: a, b; at.city: Bonn",
        ),
        (
            '{"price": 1.10, "big": 12345678901234567890.0, "e": 1e3}',
            "price: 1.10; big: 12345678901234567890.0; e: 1e3",
        ),
        ('["a", "b"]', "values: a, b"),
        ('"just\\ntext"', "value: just text"),
        ("{}", ""),
        ("  \n", ""),
        ('{"rooms": [{"n": 1}, {"n": 2}], "name": "inn"}', "rooms[1].n: 1; rooms[2].n: 2; name: inn"),
    ],
)
def test_values_are_read_with_their_paths(source: str, text: str) -> None:
    assert json_text(source.encode(), lines=False) == text


def test_large_parts_stand_below_their_names() -> None:
    orders = [{"id": number, "note": "x" * 100} for number in range(10)]
    source = json.dumps({"shop": "Corner", "orders": orders, "owner": {"name": "Ada", "history": "y" * 700}})
    assert json_text(source.encode(), lines=False).split("\n\n") == [
        "shop: Corner",
        "## orders",
        *(f"id: {number}; note: {'x' * 100}" for number in range(10)),
        "## owner",
        f"name: Ada; history: {'y' * 700}",
    ]


def test_each_line_is_a_value() -> None:
    source = '{"q": "年假几天？", "a": "25"}\n\n{"q": "x", "a": "y"}\n'
    assert json_text(source.encode("gbk"), lines=True) == "q: 年假几天？; a: 25\n\nq: x; a: y"


@pytest.mark.parametrize(
    ("source", "lines", "reason"),
    [
        (b'{"a": 1,}', False, "line 1"),
        (b'{"a": 1}\n{"b": 2}', False, "line 2"),
        (b'{"a": 1}\nnot\n', True, "line 2, column 1"),
        (b"[" * 101 + b"]" * 101 + b"", False, "nested too deeply"),
        (b"\xff\x00\x01" * 100, False, "not text"),
    ],
)
def test_what_is_no_json_says_where(source: bytes, lines: bool, reason: str) -> None:
    with pytest.raises(DocumentUnreadable, match=reason):
        json_text(source, lines=lines)


def test_a_hundred_levels_are_read_quickly() -> None:
    assert json_text(b"[" * 99 + b'"x"' + b"]" * 99, lines=False).endswith("x")
