"""Partial transcripts by LocalAgreement-2: what two hypotheses in a row begin with is said; hears nothing itself."""

import re
from dataclasses import dataclass
from typing import Final

_CJK: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNIT: Final = re.compile(rf"\s*(?:[{_CJK}]|[^\W_{_CJK}]+(?:['’\-][^\W_{_CJK}]+)*|[^\w\s]|_)")


@dataclass(frozen=True, slots=True)
class Partial:
    """What somebody has said so far."""

    text: str
    """All of it; what follows the stable part may still change."""
    stable: str
    """The beginning that will not change, save by the final transcript."""


class LocalAgreement:
    """Follows one utterance as its hypotheses grow.

    A word, or a character of Chinese, is stable as soon as two hypotheses in a row begin with all that leads up to it;
    a mark only when something stable follows it, since every hypothesis ends with one.
    """

    def __init__(self) -> None:
        self._last: list[str] = []
        self._stable: list[str] = []

    def push(self, hypothesis: str) -> Partial:
        """Takes the next hypothesis on the utterance from its beginning."""
        found = units(hypothesis)
        agreed = _without_last_marks(_common(self._last, found))
        settled = len(self._stable)
        if agreed[:settled] == self._stable:
            self._stable = agreed
        self._last = found
        rest = found[len(self._stable) :]
        return Partial("".join([*self._stable, *rest]), "".join(self._stable))


def units(text: str) -> list[str]:
    """A text in words, characters of Chinese, and marks, each with the space before it; they join to the text."""
    return _UNIT.findall(text.strip())


def _common(one: list[str], other: list[str]) -> list[str]:
    """What both begin with."""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return one[:same]


def _without_last_marks(found: list[str]) -> list[str]:
    while found and not found[-1].strip()[0].isalnum():
        found = found[:-1]
    return found
