"""From a passage to the sentences that can be quoted, without their Markdown; knows no question."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

HAN: Final = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

ABBREVIATIONS: Final = frozenset(
    {
        "dr",
        "mr",
        "mrs",
        "ms",
        "prof",
        "st",
        "jr",
        "sr",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "approx",
        "dept",
        "fig",
        "inc",
        "ltd",
    }
    | {"co", "corp", "mt", "ave", "ext", "tel", "min", "max", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep"}
    | {"sept", "oct", "nov", "dec", "mon", "tue", "wed", "thu", "fri", "sat", "sun"}
)
"""Words whose full stop does not end a sentence, without it."""

_END = re.compile(r"[。！？!?…]+[”’」』）)\"'\]]*|\.+[”’\"')\]]*(?=\s|$)|\.+(?=[" + HAN + "])")
_MARKER = re.compile(
    r"^\s*(?:[-*+•·▪‣]\s+|\d{1,3}[.)、]\s*(?!\d)|[（(][\d一二三四五六七八九十]{1,3}[)）]\s*|[一二三四五六七八九十]{1,3}、\s*)"
)
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_RULE_ROW = re.compile(r"^[\s|:+-]*-[\s|:+-]*$")
_CALENDAR = re.compile(r"\s*(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.I)
_MARKUP: Final = (
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[\^[^\]]*\]"), ""),
    (re.compile(r"<br\s*/?>", re.I), " "),
    (re.compile(r"</?[a-z][^<>]*>", re.I), ""),
    (re.compile(r"(\*\*\*|\*\*|\*|~~|`+)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<!\w)(__|_)(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"),
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, list item or table row."""

    text: str
    context: str = ""
    """What stands over it in the passage: the last heading, and the line that a list follows."""
    paragraph: int = 0
    """The place of its paragraph, list item or row in the passage."""


def sentences(text: str) -> list[Sentence]:
    """The sentences of a Markdown passage, in order; headings and lines that announce a list are context only."""
    found: list[Sentence] = []
    heading = lead = ""
    for place, (kind, block) in enumerate(_blocks(text)):
        if kind == "heading":
            heading, lead = block, ""
            continue
        if kind == "prose":
            lead = ""
        for piece in [block] if kind == "row" else split(block):
            if kind == "prose" and piece.endswith((":", "：")):
                lead = piece
            elif re.search(r"\w", piece):
                found.append(Sentence(piece, f"{heading} {lead}".strip(), place))
    return found


def split(text: str) -> list[str]:
    """Plain text cut after its sentences; decimals, initials and abbreviations stay whole."""
    pieces, start = [], 0
    for end in _END.finditer(text):
        if not _is_abbreviated(text[start : end.start()], text[end.end() :], end.group()):
            pieces.append(text[start : end.end()])
            start = end.end()
    return [piece.strip() for piece in [*pieces, text[start:]] if piece.strip()]


def _is_abbreviated(before: str, after: str, mark: str) -> bool:
    if mark != "." or not after.strip():
        return False
    word = re.split(rf"[\s({HAN}]", before)[-1].casefold()
    following = after.lstrip()
    if following[0].islower():
        return True
    if word in ("a.m", "p.m"):
        return bool(_CALENDAR.match(following))
    if word == "no":
        return following[0].isdigit()
    return word in ABBREVIATIONS or bool(re.fullmatch(r"(?:[a-z]\.)*[a-z]", word))


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Kind ("heading", "prose", "item", "row") and plain text of each block: lines of one paragraph are joined."""
    open_kind = gathered = ""
    for kind, line in [*_lines(text), ("blank", "")]:
        if kind == "prose" and gathered:
            gathered = _joined(gathered, line)
            continue
        if gathered:
            yield open_kind, _plain(gathered)
            gathered = ""
        if kind in ("heading", "row"):
            yield kind, _plain(line)
        elif kind != "blank":
            open_kind, gathered = kind, line


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Kind and content of each line; the rows of a table carry its header."""
    header: list[str] = []
    for line, following in pairwise([*_unquoted(text.splitlines()), ""]):
        cells = _cells(line)
        if not cells:
            header = []
            yield _line(line.strip())
        elif _cells(following) and _RULE_ROW.match(following):
            header = cells
        elif not _RULE_ROW.match(line):
            yield "row", _row(header, cells)


def _unquoted(lines: list[str]) -> Iterator[str]:
    """Lines without the marks of a block quote, which a blank line sets apart."""
    inside = False
    for line in lines:
        if bool(mark := _QUOTE.match(line)) != inside:
            inside = not inside
            yield ""
        yield line[mark.end() :] if mark else line


def _line(line: str) -> tuple[str, str]:
    if not line or line.startswith(("```", "~~~")) or re.fullmatch(r"(?:[-*_=]\s*){3,}", line):
        return "blank", ""
    if line.startswith("#"):
        return "heading", line.strip("# ")
    if marker := _MARKER.match(line):
        return "item", line[marker.end() :].strip()
    return "prose", line


def _cells(line: str) -> list[str]:
    """The cells of a table row, or nothing where the line is none."""
    stripped = line.strip()
    if not stripped.startswith("|") or stripped.count("|") < 2:
        return []
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", stripped.strip("|"))]


def _row(header: list[str], row: list[str]) -> str:
    """A table row as words: "header: cell, header: cell"."""
    chinese = bool(re.search(f"[{HAN}]", "".join(header + row)))
    colon, comma = ("：", "，") if chinese else (": ", ", ")
    pairs = zip([*header, *[""] * len(row)], row, strict=False)
    return comma.join(f"{name}{colon}{cell}" if name else cell for name, cell in pairs if cell)


def _joined(before: str, line: str) -> str:
    """Lines of one paragraph; Chinese needs no space between them."""
    tight = re.search(f"[{HAN}，。、；：！？]$", before) and re.match(f"[{HAN}（《“]", line)
    return before + ("" if tight else " ") + line


def _plain(text: str) -> str:
    """Without inline Markdown and HTML."""
    for pattern, kept in _MARKUP:
        text = pattern.sub(kept, text)
    return " ".join(text.replace("\\|", "|").split())
