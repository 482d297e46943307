"""PDF as text, page by page: lines that were broken are mended, what stands on every page is read once."""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import DependencyError, LimitReachedError, PdfReadError

from configs.errors import DocumentUnreadable, RequestTooLarge
from memory.formats.parse_limits import ParseLimits

_REPEATED_SHARE: Final = 0.5
_FEW_PAGES: Final = 4
"""On so few pages nothing is taken for a header."""
_FULL: Final = 0.8
"""Of the width of the widest line: a line that long was broken by the margin."""
_STREAM_SHARE: Final = 16
_STREAM_BYTES: Final = 75_000_000
"""What one packed stream may become: so many bytes, and no more than such a part of the memory."""
_WIDE: Final = "WF"
_CJK: Final = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_PAGE_NUMBER: Final = re.compile(
    r"[-–—•·\s]*(?:page\s*)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?[-–—•·\s]*|第\s*\d{1,4}\s*页(?:\s*[/,，]?\s*共\s*\d{1,4}\s*页)?",
    re.IGNORECASE,
)
_COMPATIBLE: Final = re.compile("[\u2e80-\u2fdf\ufb00-\ufb06]")
"""Radicals and ligatures that fonts give out in place of characters."""
_HYPHENATED: Final = re.compile(r"(?<=[a-zäöüßéèà])[-\u00ad\u2010]\n(?=[a-zäöüßéèà])")
_STARTS_ANEW: Final = re.compile(
    r"\s*(?:[-•·●○◆■□▪►*]|\(?\d+[.)、．）]|[（(][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十]+、|第[一二三四五六七八九十百\d]+[章节条款部分])"
)
_ENDS: Final = "。！？：；.!?:;…”」』》"


def pages(content: bytes, limits: ParseLimits) -> Iterator[str]:
    """The text of each page. Raises DocumentUnreadable where it is encrypted or damaged, or RequestTooLarge."""
    most = min(_STREAM_BYTES, limits.memory // _STREAM_SHARE)
    configuration = Configuration(
        jbig2dec_binary=None,
        array_based_stream_maximum_output_length=most,
        brotli_maximum_output_length=most,
        lzw_maximum_output_length=most,
        run_length_maximum_output_length=most,
        zlib_maximum_output_length=most,
    )
    try:
        with apply_configuration(configuration):
            texts = _texts(content, limits)
    except LimitReachedError as error:
        raise RequestTooLarge(f"is too large when it is unpacked ({error})", "Look where it comes from.") from error
    except (PdfReadError, DependencyError) as error:
        raise DocumentUnreadable(f"is damaged ({error})", "Print it to a new PDF.") from error
    yield from (_mended(lines) for lines in _without_repeated(texts))


def _texts(content: bytes, limits: ParseLimits) -> list[list[str]]:
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted:
        _decrypt(reader)
    # What it says of itself may be wrong, so the pages are counted too.
    said = reader.root_object.get("/Pages", {}).get_object().get("/Count")
    if isinstance(said, int) and said > limits.pages:
        raise _too_large(f"{limits.pages} pages (`limits.document_pages`)")
    found: list[list[str]] = []
    characters = 0
    for number, page in enumerate(reader.pages, 1):
        if number > limits.pages:
            raise _too_large(f"{limits.pages} pages (`limits.document_pages`)")
        text = page.extract_text()
        characters += len(text)
        if characters > 2 * limits.characters:
            raise _too_large(f"{limits.characters} characters of text (`limits.document_characters`)")
        found.append([_plain(line) for line in text.splitlines()])
    return found


def _too_large(limit: str) -> RequestTooLarge:
    return RequestTooLarge(f"has more than {limit}", "Split it, or raise that limit.")


def _decrypt(reader: PdfReader) -> None:
    """Many files are encrypted with an empty password, only to forbid printing."""
    try:
        opened = reader.decrypt("")
    except (DependencyError, NotImplementedError):
        opened = 0  # type: ignore[assignment]
    if not opened:
        raise DocumentUnreadable("is encrypted", "Save it without a password.")


def _plain(line: str) -> str:
    return _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), line).rstrip()


def _without_repeated(texts: Sequence[list[str]]) -> Iterator[list[str]]:
    """The pages without page numbers, and without a first or last line that half of the pages share, but once."""
    edges = [{line.strip() for line in _edges(lines)} for lines in texts]
    counts = Counter(line for page in edges for line in page)
    many = max(_FEW_PAGES, _REPEATED_SHARE * len(texts))
    repeated = {line for line, count in counts.items() if line and count > many}
    numbered = sum(any(_PAGE_NUMBER.fullmatch(line) for line in page) for page in edges) > many
    seen: set[str] = set()
    for lines in texts:
        kept = list(lines)
        for at in (0, -1):
            while kept and not kept[at].strip():
                kept.pop(at)
            line = kept[at].strip() if kept else ""
            if line in seen or (numbered and line and _PAGE_NUMBER.fullmatch(line)):
                kept.pop(at)
            elif line in repeated:
                seen.add(line)
        yield kept


def _edges(lines: list[str]) -> list[str]:
    filled = [line for line in lines if line.strip()]
    return [filled[0], filled[-1]] if filled else []


def _mended(lines: Sequence[str]) -> str:
    """The lines of a page, joined where a word or a Chinese sentence was broken by the margin."""
    widest = max((_width(line) for line in lines if re.search(f"[{_CJK}]", line)), default=0)
    pieces = list(lines[:1])
    for before, after in pairwise(lines):
        broken = _width(before) >= _FULL * widest and before[-1:] not in _ENDS and not _STARTS_ANEW.match(after)
        chinese = re.search(f"[{_CJK}]$", before) and re.match(rf"\s*[{_CJK}]", after)
        pieces.append(after.lstrip() if broken and chinese else "\n" + after)
    return _HYPHENATED.sub("", "".join(pieces))


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in _WIDE else 1 for character in line.strip())
