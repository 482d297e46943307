"""Summaries of conversations in the ledger, and the turns that they do not cover yet; writes none itself."""

from dataclasses import dataclass
from sqlite3 import Connection

from memory.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Told:
    """One turn, as far as a summary needs it."""

    number: int
    question: str
    heard: str


@dataclass(frozen=True, slots=True)
class Unsummed:
    """What a summary should grow by."""

    before: str
    """The summary so far."""
    turns: tuple[Told, ...]
    """The turns that neither it nor the model's window holds, the oldest first."""


class SummaryStore:
    """One summary for each conversation that is longer than what the model sees."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def of(self, conversation: str) -> str:
        """The summary; empty where there is none."""
        statement = "SELECT text FROM summaries WHERE conversation = ?"
        row = await self._ledger.read(lambda c: c.execute(statement, (conversation,)).fetchone())
        return str(row["text"]) if row else ""

    async def unsummed(self, conversation: str, first_shown: str, limit: int) -> Unsummed:
        """At most `limit` turns before the first that the model still sees (its id), beyond the summary."""

        def query(connection: Connection) -> Unsummed:
            kept = connection.execute(
                "SELECT text, upto FROM summaries WHERE conversation = ?", (conversation,)
            ).fetchone()
            rows = connection.execute(
                """
                SELECT number, question, heard FROM turns WHERE conversation = ? AND number > ?
                AND number < (SELECT number FROM turns WHERE id = ?) ORDER BY number LIMIT ?
                """,
                (conversation, kept["upto"] if kept else 0, first_shown, limit),
            )
            return Unsummed(kept["text"] if kept else "", tuple(Told(**dict(row)) for row in rows))

        return await self._ledger.read(query)

    async def keep(self, conversation: str, text: str, last: int) -> None:
        """Keeps a summary up to the turn of that number, unless a turn in it has been forgotten meanwhile."""

        def change(connection: Connection) -> None:
            if connection.execute(
                "SELECT 1 FROM turns WHERE conversation = ? AND number = ?", (conversation, last)
            ).fetchone():
                connection.execute(
                    """
                    INSERT INTO summaries (conversation, text, upto) VALUES (?, ?, ?)
                    ON CONFLICT (conversation) DO UPDATE SET text = excluded.text, upto = excluded.upto
                    """,
                    (conversation, text, last),
                )

        await self._ledger.write(change)
