"""The names that may be said to a persona, few and short enough for an ear; reads no document."""

import re
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


def names_in(texts: Iterable[str]) -> list[str]:
    """The names of people, animals and places in what was said, each once, in order.

    In English, capitalised words that begin no sentence; in Chinese, what something is said to be called.
    """
    found = dict[str, None]()
    for text in texts:
        for name in _ENGLISH.findall(text):
            found[name] = None
        for name in _CHINESE.findall(text):
            found[name] = None
    return list(found)


_ENGLISH = re.compile(
    r"(?<=[a-z,;] )(?!(?:I|I'm|I've|I'd|I'll|English|Chinese"
    r"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
    r"|January|February|March|April|May|June|July|August|September|October|November|December)\b)"
    r"[A-Z][\w'’]+(?: [A-Z][\w'’]+)*"
)
_CHINESE = re.compile(r"(?:叫做?|名叫|名字是|姓名是)(?:做)?([\u4e00-\u9fff]{2,4}?)(?=[，。！？、；,.!?\s的了和是在]|$)")
