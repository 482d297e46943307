"""Word documents as Markdown; pictures, and files that a document refers to, are not opened."""

from typing import Final

import mammoth
from defusedxml import defuse_stdlib

from memory.formats.archive import office
from memory.formats.parse_limits import ParseLimits
from memory.formats.web_page import html_to_markdown

_STYLES: Final = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
"""


def word_document(content: bytes, limits: ParseLimits) -> str:
    """The text of a .docx file with its headings, lists, tables and notes. Raises as archive.office."""
    defuse_stdlib()
    file = office(content, limits)
    html = mammoth.convert_to_html(
        file, style_map=_STYLES, include_embedded_style_map=False, convert_image=_no_picture
    ).value
    return html_to_markdown(html)


def _no_picture(image: object) -> list[object]:
    return []
