"""Encoding: bytes as text in one of the encodings of Chinese and English, or not at all; guesses at nothing else."""

import codecs
import unicodedata
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL_SHARE: Final = 0.05
"""Text with more control characters than this is not text."""
_COMMON_SHARE: Final = 0.7
"""GB18030 gives some meaning to nearly any bytes; real Chinese keeps mostly to the characters of GB 2312."""


def decode(content: bytes) -> str | None:
    """UTF-8, UTF-16 or GB18030 as text with plain line ends; None where it is none of them, or not text."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _plain(_decoded(content[len(mark) :], encoding))
    if b"\0" in content:
        return _plain(_decoded(content, _utf16_order(content)))
    if (text := _decoded(content, "utf-8")) is not None:
        return _plain(text)
    text = _decoded(content, "gb18030")
    return _plain(text) if text is not None and _looks_chinese(text) else None


def with_plain_ends(text: str) -> str:
    """The text with "\\n" at the ends of its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _utf16_order(content: bytes) -> str | None:
    """UTF-16 without its mark: half the bytes of Latin text are zero, all on one side; else None."""
    even, odd = content[::2].count(0), content[1::2].count(0)
    if len(content) % 2 or max(even, odd) * 10 < len(content) or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _plain(text: str | None) -> str | None:
    if text is None:
        return None
    text = with_plain_ends(text)
    controls = sum(unicodedata.category(character) in {"Cc", "Cn", "Co"} for character in text) - sum(
        text.count(space) for space in "\n\t\f"
    )
    return None if "\0" in text or controls > _CONTROL_SHARE * len(text) else text


def _looks_chinese(text: str) -> bool:
    foreign = [character for character in text if ord(character) > 127]
    return len("".join(foreign).encode("gb2312", "ignore")) >= _COMMON_SHARE * 2 * len(foreign)
