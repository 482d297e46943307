"""EPUB books as Markdown: chapters in the order of reading, under the book's title."""

import posixpath
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from defusedxml.ElementTree import fromstring

from configs.errors import DocumentUnreadable
from memory.formats.archive import opened
from memory.formats.parse_limits import ParseLimits
from memory.formats.web_page import html_to_markdown, web_page_text

_HEADING: Final = re.compile(r"^(#{1,5})(?= )", re.MULTILINE)


def book(content: bytes, limits: ParseLimits) -> str:
    """The text of an .epub file. Raises as archive.opened, and DocumentUnreadable where it is locked or no book."""
    with opened(content, limits) as archive:
        package = _package(archive)
        tree = fromstring(archive.read(package))
        title = " ".join((tree.findtext(".//{*}metadata/{*}title") or "").split())
        chapters = [chapter for path in _spine(tree, package) if (chapter := _chapter(archive, path))]
    return "\n\n".join([f"# {title}", *chapters] if title else chapters)


def _package(archive: ZipFile) -> str:
    """The path of the file that says what the book is made of."""
    names = set(archive.namelist())
    if "META-INF/container.xml" not in names:
        raise DocumentUnreadable("is no EPUB book: it has no META-INF/container.xml", "Get it anew.")
    root = fromstring(archive.read("META-INF/container.xml")).find(".//{*}rootfile")
    path = "" if root is None else str(root.get("full-path"))
    if path not in names:
        raise DocumentUnreadable(f"is a damaged EPUB book: {path!r} is missing in it", "Get it anew.")
    return path


def _spine(tree: Element, package: str) -> Iterator[str]:
    items = {item.get("id"): item for item in tree.iterfind(".//{*}manifest/{*}item")}
    for reference in tree.iterfind(".//{*}spine/{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and "html" in str(item.get("media-type")) and "nav" not in str(item.get("properties")):
            yield posixpath.normpath(posixpath.join(posixpath.dirname(package), unquote(str(item.get("href")))))


def _chapter(archive: ZipFile, path: str) -> str:
    """A chapter, its headings one level down; nothing where it is missing or empty."""
    try:
        content = archive.read(path)
    except KeyError as error:
        raise DocumentUnreadable(f"is a damaged EPUB book: {path!r} is missing in it", "Get it anew.") from error
    if b"<" not in content[:4096]:
        raise DocumentUnreadable("is locked (DRM), or damaged", "Use a copy without a lock.")
    return _HEADING.sub(r"#\1", html_to_markdown(web_page_text(content)))
