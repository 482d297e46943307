"""The memory's tables: spaces and memories as the ledger holds them; all of their SQL but the terms' stands here.

A memory is found from the transaction that adds it on. One that is forgotten loses its words, its terms and its turn
in one transaction; its row stays until its vector is gone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection, Row
from typing import Final, TypeVar

from memory import memory_lexicon, vector_collections
from memory.memory_lexicon import Extent
from memory.remembered import Kind, Memory, Space
from memory.turns import StoredTurn, stored_turn

T = TypeVar("T")

_COLUMNS: Final = "id, kind, text, reply, quote, turn, subject, importance, language, said_at, closed_at"
_OF_SPACE: Final = "user = :user AND memory = :persona"
MARKS: Final = 500
"""Values in one statement."""
COUNTED: Final = 2000
"""Of more memories of a kind only the newest are counted; the rest are taken to lie as close together."""


@dataclass(frozen=True, slots=True)
class NewMemory:
    """A memory on its way in."""

    kind: Kind
    text: str
    turn: str | None
    language: str
    said_at: datetime
    reply: str = ""
    quote: str = ""
    subject: str = ""
    importance: int = 3


@dataclass(frozen=True, slots=True)
class Unembedded:
    """Memories of one space that have no vector yet."""

    collection: int
    """Where it is to be."""
    texts: dict[int, str]


def find_space(connection: Connection, space: Space) -> int | None:
    """The number of a space; None where nothing was ever kept in it."""
    row = connection.execute(
        "SELECT id FROM memory_spaces WHERE user = ? AND persona = ?", (space.user, space.persona)
    ).fetchone()
    return None if row is None else int(row["id"])


def ensure_space(connection: Connection, space: Space) -> int:
    """The number of a space, which is made where it is missing."""
    connection.execute(
        "INSERT INTO memory_spaces (user, persona) VALUES (?, ?) ON CONFLICT DO NOTHING", (space.user, space.persona)
    )
    found = find_space(connection, space)
    assert found is not None
    return found


def spaces(connection: Connection, user: str | None) -> dict[int, Space]:
    """The spaces of one user, or of all, that hold a memory, by number."""
    rows = connection.execute(
        """
        SELECT id, user, persona FROM memory_spaces s WHERE (user = :user OR :user IS NULL)
        AND EXISTS (SELECT 1 FROM memories WHERE space = s.id AND state = 'kept') ORDER BY user, persona
        """,
        {"user": user},
    )
    return {row["id"]: Space(row["user"], row["persona"]) for row in rows}


def unseen_turns(connection: Connection, limit: int) -> list[tuple[int, StoredTurn]]:
    """The next turns that are to be remembered and have not been looked at, with their numbers, the oldest first."""
    # Turns are looked at in the order of their numbers, whosever they are: none is left below the highest mark,
    # unless all that its user had was forgotten.
    rows = connection.execute(
        """
        SELECT t.* FROM turns t LEFT JOIN memory_spaces s ON s.user = t.user AND s.persona = t.memory
        WHERE t.memory IS NOT NULL AND t.number > coalesce(s.last_turn, 0)
        AND t.number > (SELECT coalesce(max(last_turn), 0) FROM memory_spaces) ORDER BY t.number LIMIT ?
        """,
        (limit,),
    )
    return [(row["number"], stored_turn(row)) for row in rows]


def mark_seen(connection: Connection, space: int, number: int) -> None:
    """Notes that a space's turns up to this one have been looked at."""
    connection.execute("UPDATE memory_spaces SET last_turn = max(last_turn, ?) WHERE id = ?", (number, space))


def mark_distilled(connection: Connection, space: int, turns: Iterable[str]) -> None:
    """Notes that facts have been drawn from these turns, and from those before them."""
    for turn in turns:
        connection.execute(
            """
            UPDATE memory_spaces SET distilled = max(distilled, coalesce((SELECT number FROM turns WHERE id = ?), 0))
            WHERE id = ?
            """,
            (turn, space),
        )


def undistilled(connection: Connection, space: Space, limit: int) -> list[StoredTurn]:
    """The next remembered turns that no facts have been drawn from, the oldest first."""
    rows = connection.execute(
        """
        SELECT t.* FROM turns t JOIN memories m ON m.turn = t.id JOIN memory_spaces s ON s.id = m.space
        WHERE s.user = ? AND s.persona = ? AND m.kind = 'turn' AND m.state = 'kept' AND t.number > s.distilled
        ORDER BY t.number LIMIT ?
        """,
        (space.user, space.persona, limit),
    )
    return [stored_turn(row) for row in rows]


def turn_of(connection: Connection, space: Space, turn: str) -> StoredTurn | None:
    """A turn that this space remembers; None for any other."""
    row = connection.execute(
        f"SELECT * FROM turns WHERE id = :turn AND {_OF_SPACE}",
        {"turn": turn, "user": space.user, "persona": space.persona},
    ).fetchone()
    return None if row is None else stored_turn(row)


def turns_after(connection: Connection, space: Space, after: int, limit: int) -> list[tuple[int, StoredTurn]]:
    """The next turns that this space remembers, with their numbers."""
    rows = connection.execute(
        f"SELECT * FROM turns WHERE {_OF_SPACE} AND number > :after ORDER BY number LIMIT :limit",
        {"user": space.user, "persona": space.persona, "after": after, "limit": limit},
    )
    return [(row["number"], stored_turn(row)) for row in rows]


def add(connection: Connection, space: int, new: NewMemory) -> int:
    """Adds a memory with its terms, without its vector."""
    values = (space, new.kind, *_clean(new.text, new.reply, new.quote), new.turn, *_clean(new.subject), new.importance)
    row = connection.execute(
        """
        INSERT INTO memories (space, kind, text, reply, quote, turn, subject, importance, language, said_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
        """,
        (*values, new.language, _text(new.said_at)),
    ).fetchone()
    memory_lexicon.add(connection, space, row["id"], new.kind, new.text, new.reply)
    return int(row["id"])


def close(connection: Connection, space: int, ids: Iterable[int], by: int) -> None:
    """Ends facts and notes when the one that takes their place was said; those that have ended stay as they are."""
    connection.executemany(
        """
        UPDATE memories SET closed_by = :by, closed_at = (SELECT said_at FROM memories WHERE id = :by)
        WHERE id = :id AND id != :by AND space = :space AND state = 'kept' AND kind != 'turn' AND closed_at IS NULL
        """,
        [{"id": number, "by": by, "space": space} for number in ids],
    )


def rewrite(connection: Connection, space: int, memory: Memory, text: str) -> None:
    """Gives a memory other words; its vector is to be made anew."""
    connection.execute("UPDATE memories SET text = ?, embedded = NULL WHERE id = ?", (*_clean(text), memory.id))
    memory_lexicon.remove(connection, space, [memory.id])
    memory_lexicon.add(connection, space, memory.id, memory.kind, text, memory.reply)
    memory_lexicon.merge(connection, space)


def by_id(connection: Connection, space: int, ids: Collection[int]) -> dict[int, Memory]:
    """Those of these memories that the space keeps."""
    found: dict[int, Memory] = {}
    for some in portions(ids):
        rows = connection.execute(
            # The plus signs keep SQLite from going through the whole space.
            f"SELECT {_COLUMNS} FROM memories WHERE +space = ? AND +state = 'kept' AND id IN ({marks(some)})",
            (space, *some),
        )
        found |= {row["id"]: _memory(row) for row in rows}
    return found


def listed(
    connection: Connection,
    space: int,
    *,
    kinds: Sequence[Kind] = ("turn", "fact", "note"),
    closed: bool = False,
    search: str | None = None,
    limit: int = -1,
    before: int | None = None,
) -> list[Memory]:
    """Memories of these kinds, the newest first; see Memories.list."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM memories WHERE space = :space AND state = 'kept' AND kind IN ({_quoted(kinds)})
        AND (:closed OR closed_at IS NULL) AND (:before IS NULL OR id < :before)
        AND (:search IS NULL OR text || char(10) || reply || char(10) || quote LIKE :search ESCAPE '\\')
        ORDER BY id DESC LIMIT :limit
        """,
        {"space": space, "closed": closed, "search": _pattern(search), "limit": limit, "before": before},
    )
    return [_memory(row) for row in rows]


def noted_in(connection: Connection, space: int, turn: str) -> list[str]:
    """The user's words of the notes that were made in a turn."""
    rows = connection.execute(
        "SELECT quote FROM memories WHERE turn = ? AND space = ? AND kind = 'note' AND state = 'kept'", (turn, space)
    )
    return [row["quote"] for row in rows]


def said_between(connection: Connection, space: int, begin: datetime, end: datetime) -> tuple[int, int] | None:
    """The first and the last id of what was said from `begin` until before `end`; None where nothing was."""
    row = connection.execute(
        """
        SELECT min(id) AS first, max(id) AS last FROM memories
        WHERE space = ? AND state = 'kept' AND said_at >= ? AND said_at < ?
        """,
        (space, _text(begin), _text(end)),
    ).fetchone()
    return None if row["first"] is None else (row["first"], row["last"])


def said_in(connection: Connection, space: int, begin: datetime, end: datetime, limit: int) -> list[Memory]:
    """What was said from `begin` until before `end`, the newest first."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM memories WHERE space = ? AND state = 'kept' AND said_at >= ? AND said_at < ?
        ORDER BY said_at DESC, id DESC LIMIT ?
        """,
        (space, _text(begin), _text(end), limit),
    )
    return [_memory(row) for row in rows]


def claim(connection: Connection, model: str, limit: int, ids: Collection[int] = ()) -> Unembedded | None:
    """The next memories of some space, or those of these ids, that have no vector yet, and the collection that is to
    hold it; None where all have one.
    """
    only = f"AND id IN ({marks(ids)})" if ids else ""
    rows = connection.execute(
        f"""
        SELECT id, space, text FROM memories WHERE embedded IS NULL AND state = 'kept' {only}
        ORDER BY space, id LIMIT ?
        """,
        (*ids, limit),
    ).fetchall()
    if not rows:
        return None
    space = rows[0]["space"]
    collection = vector_collections.ensure(connection, space, model, of="memory_space")
    return Unembedded(collection, {row["id"]: row["text"] for row in rows if row["space"] == space})


def texts_after(connection: Connection, space: int, after: int, limit: int) -> dict[int, str]:
    """What is embedded of a space's next memories, by their ids in order."""
    rows = connection.execute(
        "SELECT id, text FROM memories WHERE space = ? AND state = 'kept' AND id > ? ORDER BY id LIMIT ?",
        (space, after, limit),
    )
    return {row["id"]: row["text"] for row in rows}


def set_embedded(connection: Connection, collection: int, texts: dict[int, str]) -> None:
    """Notes that the vectors of these memories are in that collection; those reworded meanwhile wait for new ones."""
    connection.executemany(
        "UPDATE memories SET embedded = ? WHERE id = ? AND text = ?",
        [(collection, number, text) for number, text in texts.items()],
    )


def drop_embedded(connection: Connection, space: int) -> None:
    """Notes that no memory of a space has a vector."""
    connection.execute("UPDATE memories SET embedded = NULL WHERE space = ?", (space,))


def count(connection: Connection, space: int) -> int:
    """How many memories a space keeps."""
    statement = "SELECT count(*) FROM memories WHERE space = ? AND state = 'kept'"
    return int(connection.execute(statement, (space,)).fetchone()[0])


def extent(connection: Connection, space: int) -> Extent:
    """How many memories a space keeps, estimated where there are many, and between which ids."""
    total, firsts, lasts = 0, [], []
    for kind in ("turn", "fact", "note"):
        kept = f"FROM memories WHERE space = {space:d} AND state = 'kept' AND kind = '{kind}'"
        # Each by itself, so that the index gives it without being read through.
        first, last, before = (
            connection.execute(statement).fetchone()
            for statement in (
                f"SELECT min(id) {kept}",
                f"SELECT max(id) {kept}",
                f"SELECT id {kept} ORDER BY id DESC LIMIT 1 OFFSET {COUNTED}",
            )
        )
        if first[0] is None:
            continue
        firsts.append(first[0])
        lasts.append(last[0])
        if before is None:
            total += connection.execute(f"SELECT count(*) {kept}").fetchone()[0]
        else:
            total += round(COUNTED * (last[0] - first[0] + 1) / (last[0] - before[0]))
    return Extent(total, min(firsts, default=0), max(lasts, default=0))


def collection_of(connection: Connection, space: int) -> int | None:
    """The collection that holds vectors of the space; None while there are none."""
    for collection in vector_collections.ready(connection, [space], of="memory_space"):
        statement = "SELECT 1 FROM memories WHERE space = ? AND state = 'kept' AND embedded = ? LIMIT 1"
        if connection.execute(statement, (space, collection)).fetchone():
            return collection
    return None


def _memory(row: Row) -> Memory:
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118  # a Row iterates over its values
    values["said_at"] = datetime.fromisoformat(row["said_at"])
    values["closed_at"] = datetime.fromisoformat(row["closed_at"]) if row["closed_at"] else None
    return Memory(**values)


def _text(time: datetime) -> str:
    # One zone and one width, so that the text sorts as the time does.
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _clean(*texts: str) -> tuple[str, ...]:
    # Half a surrogate pair, which JSON can carry, has no UTF-8.
    return tuple(text.encode("utf-8", "replace").decode("utf-8") for text in texts)


def _pattern(search: str | None) -> str | None:
    if search is None:
        return None
    for special in "\\%_":
        search = search.replace(special, f"\\{special}")
    return f"%{search}%"


def _quoted(kinds: Iterable[Kind]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def portions(values: Collection[T]) -> Iterable[list[T]]:
    everything = list(values)
    return (everything[at : at + MARKS] for at in range(0, len(everything), MARKS))


def marks(values: Collection[object]) -> str:
    return ", ".join("?" for _ in values)
