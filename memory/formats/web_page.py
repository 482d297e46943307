"""Web pages as Markdown: headings, lists and tables stay; scripts, styles and navigation go."""

import codecs
import re
from typing import Final

from bs4 import BeautifulSoup, Comment, Tag
from markdownify import ATX, MarkdownConverter

from configs.errors import DocumentUnreadable
from memory.formats.encoding import decode

_NOT_READ: Final = ("script", "style", "nav", "noscript", "template", "svg", "iframe", "object", "head", "button")
_DECLARED: Final = re.compile(rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_EMPTY_LINES: Final = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


class _Converter(MarkdownConverter):
    """Links and pictures are no more than their words, so that passages can be read aloud."""

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return text

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return " ".join(str(el.get("alt") or "").split())


def web_page(content: bytes) -> str:
    """A web page. Raises DocumentUnreadable where its encoding is not known."""
    return html_to_markdown(web_page_text(content))


def html_to_markdown(html: str, *, title: str | None = None) -> str:
    """The readable part of HTML. A page without a heading of level 1 gets `title`, or its own, for one."""
    soup = BeautifulSoup(html, "lxml")
    if title is None and soup.title is not None:
        title = " ".join(soup.title.get_text().split())
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for tag in soup.find_all(_NOT_READ):
        tag.extract()
    for cell in soup.find_all(["td", "th"]):
        _flatten(cell)
    converter = _Converter(
        heading_style=ATX, bullets="-", table_infer_header=True, escape_asterisks=False, escape_underscores=False
    )
    text = _EMPTY_LINES.sub("\n\n", converter.convert_soup(soup)).strip()
    return f"# {title}\n\n{text}" if title and text and soup.find("h1") is None else text


def _flatten(cell: Tag) -> None:
    """A cell's paragraphs on one line: a line break would end the row."""
    for inner in cell.find_all(["p", "br", "div"]):
        inner.insert_before(" ")
        inner.unwrap()


def web_page_text(content: bytes) -> str:
    text = decode(content)
    if text is None and (declared := _DECLARED.search(content[:4096])):
        try:
            text = content.decode(codecs.lookup(declared[1].decode()).name)
        except (LookupError, UnicodeDecodeError):
            text = None
    if text is None:
        raise DocumentUnreadable("is not text, or in an unknown encoding", "Save it as UTF-8.")
    return text
