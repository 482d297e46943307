"""Facts: what a model has drawn from turns; only what rests on the user's words comes in, nothing is overwritten."""

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from sqlite3 import Connection

from memory import memory_tables
from memory.chunking import estimate_tokens
from memory.memory_tables import NewMemory
from memory.remembered import Memory, NewFact, Space
from memory.turns import StoredTurn

IMPORTANT = 4
"""From this importance on a fact stands with every question."""


def folded(text: str) -> str:
    """A text in the form in which words are compared: NFKC, one space for any white space, lower case."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def rests_on(fact: NewFact, turn: StoredTurn) -> bool:
    """Whether a fact's quote stands word for word in what the user said."""
    return bool(folded(fact.quote)) and folded(fact.quote) in folded(turn.question)


def add(connection: Connection, space: Space, facts: Sequence[NewFact], upto: Collection[str]) -> list[int]:
    """Adds facts, ends those that they replace, and notes that facts have been drawn from the turns `upto`; the ids of
    the facts that came in.
    """
    number = memory_tables.ensure_space(connection, space)
    known = {folded(memory.text) for memory in _current(connection, number)}
    added: list[int] = []
    for fact in facts:
        turn = memory_tables.turn_of(connection, space, fact.turn)
        if turn is None or not rests_on(fact, turn) or not fact.text.strip() or folded(fact.text) in known:
            continue
        known.add(folded(fact.text))
        added.append(memory_tables.add(connection, number, _new(fact, turn)))
        memory_tables.close(connection, number, fact.replaces, added[-1])
    memory_tables.mark_distilled(connection, number, upto)
    return added


def current(connection: Connection, space: Space) -> list[Memory]:
    """The facts and notes that hold, the newest first."""
    number = memory_tables.find_space(connection, space)
    return [] if number is None else _current(connection, number)


def profile(facts: Iterable[Memory], tokens: int) -> str:
    """Facts as dated lines, those of importance from 4 on first, as many as fit into so many tokens."""
    lines: list[str] = []
    ordered = sorted(facts, key=lambda fact: (fact.importance < IMPORTANT, -fact.said_at.timestamp(), -fact.id))
    for fact in ordered:
        line = f"{fact.said_at:%Y-%m-%d}: {' '.join(fact.text.split())}"
        if estimate_tokens("\n".join([*lines, line])) <= tokens:
            lines.append(line)
    return "\n".join(lines)


def _current(connection: Connection, space: int) -> list[Memory]:
    found = memory_tables.listed(connection, space, kinds=("fact", "note"))
    return sorted(found, key=lambda fact: (fact.said_at, fact.id), reverse=True)


def _new(fact: NewFact, turn: StoredTurn) -> NewMemory:
    return NewMemory(
        "fact",
        fact.text.strip(),
        fact.turn,
        turn.language,
        fact.said_at,
        quote=fact.quote,
        subject=fact.subject,
        importance=min(5, max(1, fact.importance)),
    )
