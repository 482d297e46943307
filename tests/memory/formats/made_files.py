"""Files made for tests: office documents by the programs' own libraries, PDF and the hostile ones byte by byte."""

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import cache

import docx
import openpyxl
import pptx

LAUGHS = (
    b'<!DOCTYPE lolz [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (at + 1, b"&%c;" % at * 10) for at in range(ord("a"), ord("j")))
    + b"]>"
)
"""Entity j is ten thousand million times "lol"."""
THEFT = b'<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>'
MAIN_PARTS = {
    "docx": "word/document.xml",
    "pptx": "ppt/slides/slide1.xml",
    "xlsx": "xl/worksheets/sheet1.xml",
}


@cache
def office(kind: str, word: str = "HELLO") -> bytes:
    """The least document of that kind that says `word`."""
    file = io.BytesIO()
    if kind == "docx":
        document = docx.Document()
        document.add_paragraph(word)
        document.save(file)
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        for row in (["name", "number"], [word, 1]):
            book.worksheets[0].append(row)
        book.save(file)
    else:
        presentation = pptx.Presentation()
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        assert slide.shapes.title is not None
        slide.shapes.title.text = word
        presentation.save(file)
    return file.getvalue()


def changed(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A packed document with one part changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return file.getvalue()


def with_entities(kind: str, declaration: bytes) -> bytes:
    """An office document that declares XML entities and uses one."""

    def declare(xml: bytes) -> bytes:
        at = xml.index(b"?>") + 2 if xml.startswith(b"<?xml") else 0
        return xml[:at] + declaration + xml[at:].replace(b"HELLO", b"&j;")

    return changed(office(kind), MAIN_PARTS[kind], declare)


def packed(parts: dict[str, str | bytes]) -> bytes:
    """A ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return file.getvalue()


def pdf(contents: Sequence[bytes], *, font: bytes = b"", more: Sequence[bytes] = (), packing: bytes = b"") -> bytes:
    """A PDF with a page for each content stream, drawn with the font /F; `more` are objects from number 4 on."""
    font = font or b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    first = 4 + len(more)
    kids = b" ".join(b"%d 0 R" % (first + 2 * number) for number in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(contents)),
        font,
        *more,
    ]
    for content in contents:
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>"
        objects += [page % (len(objects) + 2), stream(content, packing)]
    return _file(objects)


def stream(content: bytes, packing: bytes = b"") -> bytes:
    """A stream object."""
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), packing, content)


def lines(*texts: bytes) -> bytes:
    """A content stream that writes lines one below the other; a text is a PDF string with its brackets."""
    return b"BT /F 12 Tf 14 TL 50 750 Td " + b" T* ".join(text + b" Tj" for text in texts) + b" ET"


def chinese_pdf(*pages: Sequence[str]) -> bytes:
    """A PDF with lines of Chinese: a font that is named by identity, and a map from its codes to characters."""
    characters = sorted({character for page in pages for line in page for character in line})
    codes = {character: number for number, character in enumerate(characters, 1)}
    pairs = "\n".join(f"<{codes[c]:04x}> <{c.encode('utf-16-be').hex()}>" for c in characters)
    to_unicode = (
        f"1 begincodespacerange <0000> <ffff> endcodespacerange {len(characters)} beginbfchar\n{pairs}\nendbfchar"
    )
    contents = [
        lines(*(b"<" + "".join(f"{codes[c]:04x}" for c in line).encode() + b">" for line in page)) for page in pages
    ]
    return pdf(
        contents,
        font=b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[4 0 R]/ToUnicode 5 0 R>>",
        more=(
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X/DW 1000/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
            b"/Supplement 0>>>>",
            stream(to_unicode.encode()),
        ),
    )


def deflated(size: int) -> bytes:
    """That many bytes of nothing, packed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(size // 1_000_000)) + packer.flush()


def _file(objects: Sequence[bytes]) -> bytes:
    content, places = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    return bytes(content)
