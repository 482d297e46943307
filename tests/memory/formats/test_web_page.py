import pytest

from configs.errors import DocumentUnreadable
from memory.formats.web_page import web_page

PAGE = """<!DOCTYPE html><html><head><title>员工 手册</title><style>p { color: red }</style>
<script>alert("x")</script></head><body><nav><a href="/">Home</a></nav><!-- a remark -->
<h2>年假</h2><p>每年<b>二十五</b>天，见<a href="https://example.org/very/long">说明</a>。
<img src="x.png" alt="日历"></p>
<ul><li>one<li>two</ul><table><tr><th>City<th>Days<tr><td>Bonn<br>South<td><p>3</p></table>
<pre>code  here</pre><noscript>Turn it on</noscript></body></html>"""
TEXT = """# 员工 手册

## 年假

每年**二十五**天，见说明。
日历

- one
- two

| City | Days |
| --- | --- |
| Bonn South | 3 |

```
code  here
```"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_what_is_read_stays_and_what_is_not_goes(encoding: str) -> None:
    assert web_page(PAGE.encode(encoding)) == TEXT


def test_a_heading_of_level_1_is_the_title() -> None:
    assert web_page(b"<title>Site</title><h1>Leave</h1>text") == "# Leave\n\ntext"


def test_an_encoding_that_the_page_names_is_taken() -> None:
    assert web_page('<meta charset="windows-1252"><p>schöner Gruß'.encode("cp1252")) == "schöner Gruß"
    assert web_page('<meta charset="shift_jis"><p>東京の天気'.encode("shift_jis")) == "東京の天気"


@pytest.mark.parametrize("content", ["<p>schöner Gruß".encode("cp1252"), b'<meta charset="no-such"><p>sch\xf6n'])
def test_an_encoding_nobody_names_is_not_guessed(content: bytes) -> None:
    with pytest.raises(DocumentUnreadable, match="encoding"):
        web_page(content)


def test_an_empty_page_holds_nothing() -> None:
    assert web_page(b"<title>T</title><script>x</script>") == ""
