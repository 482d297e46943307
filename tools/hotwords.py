"""The names that may be said to a persona, few and short enough for an ear; reads no document."""

from collections.abc import Iterable
from typing import Final

MOST: Final = 30
"""Terms."""
LONGEST: Final = 40
"""Characters of one term; a longer title is a sentence, and nobody says it."""
CHARACTERS: Final = 200
"""Of all terms, with a space between two: a prompt that is longer tempts Whisper to write it down as heard."""


def hotwords(names: Iterable[str]) -> tuple[str, ...]:
    """The first of the names that there is room for, each once."""
    taken: list[str] = []
    room = CHARACTERS
    for name in dict.fromkeys(" ".join(name.split()) for name in names):
        if name and len(name) <= min(LONGEST, room) and len(taken) < MOST:
            taken.append(name)
            room -= len(name) + 1
    return tuple(taken)
