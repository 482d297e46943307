"""Citations: a reply back to the passages that it rests on, by its marks such as [2] or by its own words."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from memory.passages import PATH_SEPARATOR, Citation, Passage
from models.engines.extractive_evidence import STOP_WORDS
from models.engines.extractive_sentences import HAN

WORDS_ALIKE: Final = 5
"""So many words in a row that stand in a passage too are taken from it."""
HAN_ALIKE: Final = 8
"""So many Chinese characters in a row that stand in a passage too are taken from it."""
SHARE_ALIKE: Final = 0.6
"""A reply whose numbers all stand in a passage rests on it from this share of its content words on."""
LEAST_CONTENT: Final = 3
"""Fewer words of content, numbers among them, are shared by chance."""

_MARK = re.compile(r"\[(\d{1,3})\]")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(rf"\d+(?:[.,:]\d+)*|[^\W\d_{HAN}]+|[{HAN}]")


def cited(reply: str, passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """The passages that a reply names, in the order of first mention; passage 1 is the first that was given.

    A mark that names no given passage is nobody's citation. A reply that names none rests on the passages whose words
    it clearly shares, in the order in which they were given; on nothing where it shares none.
    """
    marks = dict.fromkeys(int(mark) for mark in _MARK.findall(reply))
    named = [passages[mark - 1] for mark in marks if 0 < mark <= len(passages)]
    said = _MARK.sub(" ", reply)
    return tuple(
        Citation(p.document, p.heading, (p.start, p.end), p.score, p.text, page=p.page)
        for p in (named or [passage for passage in passages if rests_on(said, passage.text)])
    )


def source_line(reply: str, passages: Sequence[Passage], language: str) -> str:
    """A sentence that names the source as one says it aloud, for a reply that only gives its number; else empty.

    The number is on the screen alone, so whoever listens would not know where an answer comes from.
    """
    marks = [int(mark) for mark in _MARK.findall(reply)]
    named = [passages[mark - 1] for mark in dict.fromkeys(marks) if 0 < mark <= len(passages)]
    said = _MARK.sub(" ", reply).casefold()
    if not named or any(passage.document.casefold() in said for passage in named):
        return ""
    first = named[0]
    heading = first.heading.rpartition(PATH_SEPARATOR)[2]
    heading = "" if heading == first.document else heading
    if language == "zh":
        page = f"第{first.page}页" if first.page else ""
        return f"依据是《{first.document}》{heading and f'“{heading}”一节'}{page}。"
    page = f", page {first.page}" if first.page else ""
    return f" That is according to {first.document}{heading and f', {heading}'}{page}."


def rests_on(reply: str, passage: str) -> bool:
    """Whether a reply clearly shares a piece with a passage: words in a row, or its numbers and most of its content."""
    ours, theirs = _words(reply), _words(passage)
    if _runs(ours, WORDS_ALIKE, han=False) & _runs(theirs, WORDS_ALIKE, han=False):
        return True
    if _runs(ours, HAN_ALIKE, han=True) & _runs(theirs, HAN_ALIKE, han=True):
        return True
    content, known = _content(ours), _content(theirs)
    numbers = {word for word in content if _NUMBER.fullmatch(word)}
    words = content - numbers
    if not numbers or not words or len(content) < LEAST_CONTENT:
        return False
    return numbers <= known and len(words & known) >= SHARE_ALIKE * len(words)


def _words(text: str) -> list[str]:
    """Its words, numbers and single Chinese characters, in order."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _runs(words: Sequence[str], length: int, *, han: bool) -> set[tuple[str, ...]]:
    """All stretches of that length that are Chinese characters, or words and numbers, throughout."""
    stretches = (tuple(words[at : at + length]) for at in range(len(words) - length + 1))
    return {stretch for stretch in stretches if all(_is_han(word) is han for word in stretch)}


def _content(words: Sequence[str]) -> set[str]:
    """Words that say something of a subject, numbers, and pairs of Chinese characters."""
    pairs = {first + second for first, second in pairwise(words) if _is_han(first + second)}
    return pairs | {word for word in words if not _is_han(word) and word not in STOP_WORDS}


def _is_han(word: str) -> bool:
    return bool(re.fullmatch(f"[{HAN}]+", word))
