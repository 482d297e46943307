"""Citations: the marks in a reply, such as [2], back to the passages they name."""

import re
from collections.abc import Sequence

from memory.passages import Citation, Passage

_MARK = re.compile(r"\[(\d{1,3})\]")


def cited(reply: str, passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """The passages that a reply names, in the order of first mention; passage 1 is the first that was given.

    A mark that names no given passage is nobody's citation. A reply that names none rests on all it was given.
    """
    marks = dict.fromkeys(int(mark) for mark in _MARK.findall(reply))
    named = [passages[mark - 1] for mark in marks if 0 < mark <= len(passages)]
    return tuple(
        Citation(document=p.document, heading=p.heading, span=(p.start, p.end), score=p.score, text=p.text)
        for p in (named or passages)
    )
