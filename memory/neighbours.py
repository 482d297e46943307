"""Neighbours: a short passage read along with those beside it, its span still exact; pure arithmetic over spans."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from memory.chunking import LONGEST, estimate_tokens
from memory.passages import Passage

WIDEST: Final = 1.5 * LONGEST
"""Tokens that a passage may have with its neighbours, as estimated."""
GAP: Final = 4
"""Characters between two passages of a heading that can only be white space; more might be a heading of that name."""


def widened(passage: Passage, section: Sequence[Passage], reach: int, apart: Collection[int] = ()) -> Passage:
    """The passage with up to `reach` after it and before it, as far as they make it no longer than WIDEST.

    `section`: the passages of its document and heading around it, in order, itself among them. Those in `apart` are
    read by themselves. The span is that of the wider text; `matched` keeps the one that answers.
    """
    at = next((at for at, one in enumerate(section) if one.id == passage.id), None)
    if at is None:
        return passage
    after = _grown(passage, section[at + 1 : at + 1 + reach], apart)
    wide = _grown(after, reversed(section[max(at - reach, 0) : at]), apart)
    return passage if wide is passage else replace(wide, matched=(passage.start, passage.end))


def _grown(passage: Passage, beside: Iterable[Passage], apart: Collection[int]) -> Passage:
    """With as many of those beside it, the nearest first, as fit."""
    for other in beside:
        first, last = sorted((passage, other), key=lambda one: one.start)
        gap = last.start - first.end
        # Between two passages of one section the ledger knows only how much white space there is.
        text = first.text + "\n" * gap + last.text[max(-gap, 0) :]
        if other.id in apart or gap > GAP or estimate_tokens(text) > WIDEST:
            return passage
        passage = replace(passage, text=text, start=first.start, end=max(first.end, last.end))
    return passage
