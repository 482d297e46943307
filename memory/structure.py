"""Structure: a document's sections and the blocks in them, as spans; reads Markdown's headings, tables and code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}(?!.*`)|~{3,})")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?=\n|\Z)")
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|\{#[\w-]+\}|[*`]+")
_LIST_OR_QUOTE = re.compile(r"[ \t]*(?:[-*+>]|\d+[.)])[ \t]")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a table or a code block."""

    start: int
    end: int
    whole: bool
    """Not to be split: a table or a code block."""


@dataclass(slots=True)
class Section:
    """What stands between one heading and the next."""

    path: tuple[str, ...]
    """The headings above the text, outermost first, without the one that is the document's title."""
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str
    fenced: bool
    """Of a code block, its fences included, or of the front matter."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def kind(self) -> str:
        if self.fenced:
            return "code"
        return "table" if self.text.lstrip().startswith("|") else "prose"


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    title: str
    first: int
    """The index of its first line."""
    last: int
    """The index of its last line: the next one, where the heading is underlined."""


def sections(text: str, *, markdown: bool) -> tuple[str, list[Section]]:
    """The first heading of level 1 (or nothing), and the sections that hold something.

    A heading is no part of a section, but one that has neither text nor headings below it is its own section's text.
    """
    lines = list(_lines(text, markdown))
    headings = list(_headings(lines)) if markdown else []
    title = next((heading for heading in headings if heading.level == 1 and heading.title), None)
    found: list[Section] = []
    path: list[_Heading] = []
    body = lines[: headings[0].first] if headings else lines
    found.append(Section((), list(_blocks(body))))
    for number, heading in enumerate(headings):
        following = headings[number + 1] if number + 1 < len(headings) else None
        path = [above for above in path if above.level < heading.level] + [heading]
        body = lines[heading.last + 1 : following.first if following else None]
        blocks = list(_blocks(body))
        if not blocks and (following is None or following.level <= heading.level):
            blocks = list(_blocks(lines[heading.first : heading.last + 1]))
        found.append(Section(tuple(h.title for h in path if h is not title and h.title), blocks))
    return title.title if title else "", [section for section in found if section.blocks]


def _lines(text: str, markdown: bool) -> Iterator[_Line]:
    start, fence = 0, ""
    front = _FRONT_MATTER.match(text) if markdown else None
    for line in text.split("\n"):
        mark = _FENCE.match(line) if markdown else None
        if front and start < front.end():
            yield _Line(start, line, True)
        elif fence:
            yield _Line(start, line, True)
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
        else:
            fence = mark[1] if mark else ""
            yield _Line(start, line, bool(fence))
        start += len(line) + 1


def _headings(lines: list[_Line]) -> Iterator[_Heading]:
    for at, line in enumerate(lines):
        if line.fenced:
            continue
        if marked := _HEADING.fullmatch(line.text):
            yield _Heading(len(marked[1]), _cleaned(marked[2] or ""), at, at)
        elif underline := _underline(line, lines[at + 1] if at + 1 < len(lines) else None):
            yield _Heading(1 if underline[1][0] == "=" else 2, _cleaned(line.text), at, at + 1)


def _underline(line: _Line, following: _Line | None) -> re.Match[str] | None:
    """What makes a heading of a line: the following one, where it is an underline and the line is mere text."""
    opens_block = _LIST_OR_QUOTE.match(line.text) or _UNDERLINE.fullmatch(line.text) or line.text.startswith("    ")
    if following is None or following.fenced or line.kind != "prose" or not line.text.strip() or opens_block:
        return None
    return _UNDERLINE.fullmatch(following.text)


def _cleaned(heading: str) -> str:
    return " ".join(_MARKUP.sub(lambda found: found[1] or "", heading).split())


def _blocks(lines: list[_Line]) -> Iterator[Block]:
    """Neighbouring lines of one kind, parted by empty lines, which in code part nothing."""
    group: list[_Line] = []
    for line in lines:
        empty = not line.text.strip() and not line.fenced
        if group and (empty or line.kind != group[0].kind):
            yield _block(group)
            group = []
        if not empty:
            group.append(line)
    if group:
        yield _block(group)


def _block(group: list[_Line]) -> Block:
    table = any(re.fullmatch(r"[\s|:]*-[-\s|:]*", line.text) and "|" in line.text for line in group)
    return Block(group[0].start, group[-1].end, group[0].kind != "prose" or table)
