"""What is remembered, as data: whose, of what kind, in which words; knows no table."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["turn", "fact", "note"]
"""What the user said in a turn, what was drawn from it, or what was to be remembered by order."""


@dataclass(frozen=True, slots=True)
class Space:
    """Where memories are kept: nothing is ever looked up in another."""

    user: str
    persona: str = ""
    """Empty for the one that the user's personas share, else the persona that keeps it to itself."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One thing that is remembered."""

    id: int
    kind: Kind
    text: str
    """The user's own words of a turn (the question as it was asked, where only the reply is remembered); a fact or
    note itself."""
    reply: str
    """What was heard in reply, of a turn whose reply rests on the model alone; else empty."""
    quote: str
    """The user's words that a fact or note rests on; empty for a turn."""
    turn: str | None
    """The id of the turn in which it was said."""
    subject: str
    importance: int
    """1 to 5."""
    language: str
    """Two letters."""
    said_at: datetime
    """UTC."""
    closed_at: datetime | None
    """Until when a fact held; None while it does."""
    score: float = 0.0
    """How well it answers a question, 0 to 1; 0 where none was asked."""


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact that a model has drawn from a turn."""

    text: str
    subject: str
    importance: int
    """1 to 5."""
    turn: str
    """The id of the turn that it rests on."""
    quote: str
    """The user's words in that turn."""
    said_at: datetime
    """With a time zone."""
    replaces: tuple[int, ...] = ()
    """The ids of facts or notes that no longer hold."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten."""

    memories: int
    turns: tuple[tuple[str, str], ...]
    """Conversation and id of each turn that is gone, which the agent's own state must lose too."""
