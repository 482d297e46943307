"""Turns: what was asked, said and heard, kept in the ledger."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from sqlite3 import Connection, Row
from typing import Any, Literal

from memory.ledger import Ledger
from memory.passages import Citation

Outcome = Literal["completed", "interrupted", "failed"]
RestsOn = Literal["model", "documents", "memory", "nothing"]
"""What a reply was made from: a model's own words, passages, memories, or nothing (a refusal)."""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """One call of a tool."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One finished turn of a conversation."""

    id: str
    conversation: str
    user: str
    persona: str
    question: str
    reply: str
    """The display text, as generated."""
    heard: str
    """What was heard of the reply."""
    outcome: Outcome
    language: str
    """Two letters."""
    citations: tuple[Citation, ...]
    timings_ms: Mapping[str, float]
    """Milliseconds by stage."""
    created_at: datetime
    """With a time zone; kept in UTC."""
    tools: tuple[StoredCall, ...] = ()
    rests_on: RestsOn = "documents"
    memory: str | None = None
    """Who remembers it: None nobody, "" all personas that share, else the persona of that name."""
    recalled: tuple[int, ...] = ()
    """The ids of the memories that were recalled for it, which its reply may repeat."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation, as its turns tell."""

    id: str
    turns: int
    started_at: datetime
    """UTC."""
    last_at: datetime
    """UTC."""


class Turns:
    """The turns in a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def add(self, *turns: StoredTurn) -> None:
        """Keeps turns; one whose id is already there is left as it is."""
        rows = [_values(turn) for turn in turns]
        columns, marks = ", ".join(rows[0]), ", ".join("?" for _ in rows[0])
        statement = f"INSERT INTO turns ({columns}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING"
        await self._ledger.write(
            lambda connection: connection.executemany(statement, [tuple(row.values()) for row in rows])
        )

    async def one(self, turn: str) -> StoredTurn | None:
        """The turn of an id; None where none is kept."""
        rows = await self._ledger.read(lambda c: c.execute("SELECT * FROM turns WHERE id = ?", (turn,)).fetchall())
        return stored_turn(rows[0]) if rows else None

    async def of(self, conversation: str, limit: int = 100, *, user: str | None = None) -> tuple[StoredTurn, ...]:
        """The last turns of a conversation, at most `limit`, the oldest first; of one user, where it is named."""
        statement = """
            SELECT * FROM turns WHERE conversation = :conversation AND (:user IS NULL OR user = :user)
            ORDER BY created_at DESC, number DESC LIMIT :limit
        """
        values = {"conversation": conversation, "user": user, "limit": limit}
        rows = await self._ledger.read(lambda c: c.execute(statement, values).fetchall())
        return tuple(stored_turn(row) for row in reversed(rows))

    async def users(self, conversation: str) -> frozenset[str]:
        """Whose turns a conversation holds."""
        statement = "SELECT DISTINCT user FROM turns WHERE conversation = ?"
        rows = await self._ledger.read(lambda c: c.execute(statement, (conversation,)).fetchall())
        return frozenset(row["user"] for row in rows)

    async def conversations(self, user: str) -> tuple[Conversation, ...]:
        """A user's conversations, the latest first."""
        statement = """
            SELECT conversation, count(*) AS turns, min(created_at) AS started_at, max(created_at) AS last_at
            FROM turns WHERE user = ? GROUP BY conversation ORDER BY last_at DESC, conversation
        """
        rows = await self._ledger.read(lambda c: c.execute(statement, (user,)).fetchall())
        return tuple(
            Conversation(row["conversation"], row["turns"], *(_time(row[key]) for key in ("started_at", "last_at")))
            for row in rows
        )

    async def holding(self, user: str, words: str) -> tuple[str, ...]:
        """The ids of a user's turns that hold these words, in what was asked, replied or passed to tools."""
        statement = r"""
            SELECT id FROM turns WHERE user = :user AND (question LIKE :words ESCAPE '\' OR reply LIKE :words ESCAPE '\'
            OR heard LIKE :words ESCAPE '\' OR tools LIKE :words ESCAPE '\')
        """
        escaped = re.sub(r"([%_\\])", r"\\\1", " ".join(words.split()))
        values = {"user": user, "words": f"%{escaped}%"}
        rows = await self._ledger.read(lambda c: c.execute(statement, values).fetchall())
        return tuple(row["id"] for row in rows)


def lower_marks(connection: Connection) -> None:
    """To be called when turns were deleted: the number of the last one is given out again, to a turn that no memory
    has looked at.
    """
    connection.execute("""
        UPDATE memory_spaces SET last_turn = min(last_turn, (SELECT coalesce(max(number), 0) FROM turns)),
        distilled = min(distilled, (SELECT coalesce(max(number), 0) FROM turns))
    """)


def _values(turn: StoredTurn) -> dict[str, str | None]:
    values = {
        "id": turn.id,
        "conversation": turn.conversation,
        "user": turn.user,
        "persona": turn.persona,
        "question": turn.question,
        "reply": turn.reply,
        "heard": turn.heard,
        "outcome": turn.outcome,
        "language": turn.language,
        "citations": json.dumps([asdict(citation) for citation in turn.citations], ensure_ascii=False),
        "timings_ms": json.dumps(dict(turn.timings_ms)),
        # One zone and one width, so that the text sorts as the time does.
        "created_at": turn.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "tools": json.dumps([asdict(call) for call in turn.tools], ensure_ascii=False),
        "rests_on": turn.rests_on,
        "memory": turn.memory,
        "recalled": json.dumps(list(turn.recalled)),
    }
    # Half a surrogate pair, which JSON can carry, has no UTF-8.
    return {key: value and value.encode("utf-8", "replace").decode("utf-8") for key, value in values.items()}


def stored_turn(row: Row) -> StoredTurn:
    """The turn that a row of the table holds."""
    values = {key: row[key] for key in row.keys() if key != "number"}  # noqa: SIM118  # a Row iterates over its values
    citations = [{**stored, "span": tuple(stored["span"])} for stored in json.loads(row["citations"])]
    values["citations"] = tuple(Citation(**stored) for stored in citations)
    values["tools"] = tuple(StoredCall(**stored) for stored in json.loads(row["tools"]))
    values["recalled"] = tuple(json.loads(row["recalled"]))
    values["timings_ms"] = json.loads(row["timings_ms"])
    values["created_at"] = _time(row["created_at"])
    return StoredTurn(**values)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
