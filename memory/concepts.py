"""Concepts: for each everyday word all others that mean the same, in both languages; knows no text."""

from collections.abc import Iterable
from functools import cache

from memory.lexical import stem
from memory.thesaurus import TABLE


@cache
def concepts() -> dict[str, tuple[str, ...]]:
    """For each word or phrase all that mean the same in any sense of it, itself first."""
    found: dict[str, dict[str, None]] = {}
    for meaning in TABLE.split(";"):
        english, _, chinese = meaning.partition("|")
        members = dict.fromkeys([*(stems(word) for word in _words(english)), *_words(chinese)])
        for member in members:
            found.setdefault(member, {member: None}).update(members)
    return {member: tuple(others) for member, others in found.items()}


def stems(phrase: str) -> str:
    """An English phrase as the stems of its words."""
    return " ".join(stem(word) for word in phrase.replace("-", " ").split())


def _words(part: str) -> Iterable[str]:
    return filter(None, (word.strip() for word in part.split(",")))
