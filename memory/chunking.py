"""Chunking: a document's text as passages with exact spans; knows structure and length, not meaning."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from memory.passages import PATH_SEPARATOR
from memory.script import IDEOGRAPH
from memory.structure import Block, Section, sections

LONGEST: Final = 500
"""Tokens in the longest passage, as estimated."""
OVERLAP: Final = 0.15
"""How much of a passage the next one repeats, at most, where a section had to be split."""

_TOKEN = re.compile(rf"{IDEOGRAPH}|[^\W_]+|[^\w\s]|_")
_LIST_ITEM = r"\n(?=[ \t]*(?:[-*+•]|\d+[.)、])[ \t])"
_SENTENCE_END = re.compile(rf"[。！？；…]+[”’」』）】》]*|[.!?;]+[\"'”’)\]]*(?=\s)|{_LIST_ITEM}")
_WORD_TOKENS: Final = 1.3


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage before it has a place in a knowledge base."""

    heading: str
    """The path of headings, joined by " › "."""
    start: int
    end: int
    text: str
    """The document's text from `start` to `end`."""
    page: int | None = None
    """That it begins on, from 1; None where the document has no pages."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is not split any more: a sentence, or a table or code block as a whole."""

    start: int
    end: int
    tokens: float
    ends_paragraph: bool


def chunk(
    text: str, *, markdown: bool, fallback_title: str, pages: Sequence[int] = (), records: bool = False
) -> tuple[str, tuple[Chunk, ...]]:
    """The document's title (its first heading of level 1, else the fallback) and its passages in order.

    No passage crosses a heading or the end of a page; every other line lies in at least one. A heading without text
    below it is a passage itself. `pages` are where the pages begin in the text. In a document of `records` no paragraph
    is cut that fits.
    """
    title, parts = sections(text, markdown=markdown)
    chunks = tuple(
        Chunk(PATH_SEPARATOR.join(section.path), start, end, text[start:end], page_at(pages, start))
        for section in parts
        for start, end in (span for blocks in _by_page(section, pages) for span in _spans(text, blocks, records))
    )
    return title or fallback_title, chunks


def page_at(pages: Sequence[int], start: int) -> int | None:
    """The page, from 1, that a character is on, given where the pages begin; None where there are none."""
    return bisect_right(pages, start) if pages else None


def estimate_tokens(text: str) -> float:
    """About how many tokens a language model makes of it: a Chinese character 1, an English word 1.3, a mark 0.5."""
    return sum(_weight(token) for token in _TOKEN.findall(text))


def _weight(token: str) -> float:
    if not token[0].isalnum():
        return 0.5
    if token[0] >= "\u3040":
        return 1.0
    # Long runs without a space (links, hashes) are many tokens.
    return max(_WORD_TOKENS, len(token) / 6)


def _by_page(section: Section, pages: Sequence[int]) -> Iterator[list[Block]]:
    """A passage on two pages would be cited with the wrong one."""
    for _, blocks in groupby(section.blocks, key=lambda block: page_at(pages, block.start)):
        yield list(blocks)


def _spans(text: str, blocks: Sequence[Block], records: bool) -> Iterator[tuple[int, int]]:
    """Where to cut blocks that stand together: nowhere if they are short, else into passages of like length."""
    pieces = [piece for block in blocks for piece in _pieces(text, block, records)]
    total = sum(piece.tokens for piece in pieces)
    if total <= LONGEST:
        if pieces:
            yield _trimmed(text, pieces[0].start, pieces[-1].end)
        return
    # Room for the overlap is left free.
    most = LONGEST * (1 - OVERLAP)
    target = total / -(-total // most)
    first = 0
    while first < len(pieces):
        last = _cut(pieces, first, target, most)
        room = LONGEST - sum(piece.tokens for piece in pieces[first:last])
        start = pieces[_overlapped(pieces, first, min(room, OVERLAP * target))].start
        yield _trimmed(text, start, pieces[last - 1].end)
        first = last


def _cut(pieces: Sequence[_Piece], first: int, target: float, most: float) -> int:
    """One past the last piece of the passage that begins at `first`: at the end of a paragraph if one is near."""
    tokens, last, paragraph = 0.0, first, None
    while last < len(pieces) and (last == first or tokens + pieces[last].tokens <= most):
        tokens += pieces[last].tokens
        last += 1
        if pieces[last - 1].ends_paragraph and 0.6 * target <= tokens:
            paragraph = last
        if tokens >= target:
            break
    return paragraph if paragraph is not None and last < len(pieces) else last


def _overlapped(pieces: Sequence[_Piece], first: int, room: float) -> int:
    """The piece to begin with instead of `first`, to repeat at most `room` tokens of what went before."""
    while first > 0 and pieces[first - 1].tokens <= room:
        first -= 1
        room -= pieces[first].tokens
    return first


def _pieces(text: str, block: Block, record: bool) -> Iterator[_Piece]:
    tokens = estimate_tokens(text[block.start : block.end])
    if (block.whole or record) and tokens <= LONGEST:
        yield _Piece(block.start, block.end, tokens, True)
        return
    cuts = _line_ends(text, block) if block.whole else _sentence_ends(text, block)
    spans = [piece for start, end in pairwise([block.start, *cuts, block.end]) for piece in _hard(text, start, end)]
    for start, end in spans:
        yield _Piece(start, end, estimate_tokens(text[start:end]), end == block.end)


def _sentence_ends(text: str, block: Block) -> list[int]:
    ends = (found.end() for found in _SENTENCE_END.finditer(text, block.start, block.end))
    return [end for end in ends if block.start < end < block.end]


def _line_ends(text: str, block: Block) -> list[int]:
    return [at + 1 for at in range(block.start, block.end - 1) if text[at] == "\n"]


def _hard(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence or line without its outer spaces, in pieces that fit: cut at a token, for want of anything better."""
    start, end = _trimmed(text, start, end)
    if start >= end:
        return
    most, tokens = LONGEST * (1 - OVERLAP), 0.0
    for found in _TOKEN.finditer(text, start, end):
        for at, weight in _slices(found):
            if tokens + weight > most:
                yield start, at
                start, tokens = at, 0.0
            tokens += weight
    yield start, end


def _slices(token: re.Match[str]) -> Iterator[tuple[int, float]]:
    """A token in parts of at most 600 characters: where each begins, and its weight."""
    for at in range(token.start(), token.end(), 600):
        yield at, _weight(token[0][at - token.start() :][:600])


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    inner = text[start:end]
    return start + len(inner) - len(inner.lstrip()), start + len(inner.rstrip())
