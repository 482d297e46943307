"""Formats: what kind a file is by its name, and what it is by its content; opens nothing."""

import re
from typing import Final, Literal

Kind = Literal["text", "markdown", "html", "pdf", "docx", "pptx", "xlsx", "epub", "csv", "json", "jsonl", "audio"]

KINDS: Final[dict[str, Kind]] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
    ".xlsx": "xlsx",
    ".epub": "epub",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".wav": "audio",
    ".mp3": "audio",
    ".m4a": "audio",
    ".flac": "audio",
    ".ogg": "audio",
    ".opus": "audio",
    ".webm": "audio",
}
"""By the end of the name, in lower case."""

HEAD: Final = 4096
"""How many of a file's first bytes tell what it is."""

_TEXTS: Final = frozenset[str]({"text", "markdown", "html", "csv", "json", "jsonl"})
_NAMES: Final[dict[str, str]] = {
    "pdf": "a PDF",
    "docx": "a Word document",
    "pptx": "a PowerPoint presentation",
    "xlsx": "an Excel workbook",
    "epub": "an EPUB book",
    "audio": "a sound recording",
    "zip": "a ZIP archive",
    "ole": "an Office document with a password, or of the old kind (.doc, .xls, .ppt)",
    "image": "a picture",
    "program": "a program",
    "archive": "an archive",
    "database": "an SQLite database",
}

_SIGNATURES: Final = (
    (rb"PK(?:\x03\x04|\x05\x06)", "zip"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*|RIFF.{4}WEBP|BM.{4}\0\0\0\0", "image"),
    (rb"RIFF.{4}WAVE|ID3[\x02-\x04]|\xff[\xf2-\xfb][^\xff]|fLaC|OggS|\x1aE\xdf\xa3|.{4}ftyp", "audio"),
    (rb"\x7fELF|MZ.\0|\xcf\xfa\xed\xfe", "program"),
    (rb"\x1f\x8b\x08|7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|BZh\d1AY|\xfd7zXZ\0|\x28\xb5\x2f\xfd", "archive"),
    (rb"SQLite format 3\0", "database"),
)
_PDF: Final = re.compile(rb"\A[\0\s\xef\xbb\xbf]{0,1024}%PDF-")
_PARTS: Final = (
    (b"mimetypeapplication/epub+zip", "epub"),
    (b"word/document", "docx"),
    (b"ppt/presentation", "pptx"),
    (b"xl/workbook", "xlsx"),
    (b"META-INF/container.xml", "epub"),
)


def sniff(content: bytes) -> str | None:
    """What the bytes are by the marks at their beginning; None for text, and for what has no mark.

    A ZIP archive is known for a document by the names in it, so give the whole file for one.
    """
    head = content[:HEAD]
    if _PDF.match(head):
        return "pdf"
    found = next((name for mark, name in _SIGNATURES if re.match(mark, head, re.DOTALL)), None)
    if found == "zip":
        return next((kind for part, kind in _PARTS if part in content), "zip")
    return found


def mismatch(kind: Kind, content: bytes) -> str | None:
    """What a file is instead of what its name says, in words; None where both agree, or where the bytes do not tell."""
    found = sniff(content)
    if found == kind:
        return None
    if found is not None:
        return _NAMES[found]
    # Sound without a mark (a bare stream of frames) is left to the decoder.
    return None if kind in _TEXTS or kind == "audio" else f"not {_NAMES[kind]}"
