"""Where the model's view of a client's long history begins; kept, so that prompts begin the same for several turns."""

from collections.abc import Sequence
from typing import Final

from langchain_core.messages import AnyMessage

KEPT: Final = 1_000
"""Conversations; the oldest are forgotten, which costs their model one reading more."""


class Cuts:
    """The turn that each conversation's view begins with."""

    def __init__(self) -> None:
        self._cuts: dict[str, tuple[int, str]] = {}

    def of(self, conversation: str, earlier: Sequence[Sequence[AnyMessage]]) -> int:
        """How many of the oldest turns are out of view; 0 for a history that is another by now."""
        at, text = self._cuts.get(conversation, (0, ""))
        return at if at < len(earlier) and earlier[at][0].text == text else 0

    def keep(self, conversation: str, earlier: Sequence[Sequence[AnyMessage]], cut: int) -> None:
        """So many turns are out of view."""
        self._cuts.pop(conversation, None)
        if 0 < cut < len(earlier):
            self._cuts[conversation] = cut, earlier[cut][0].text
        if len(self._cuts) > KEPT:
            del self._cuts[next(iter(self._cuts))]
