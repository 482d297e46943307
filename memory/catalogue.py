"""The catalogue: knowledge bases, documents and passages as the ledger holds them; all of their SQL stands here.

A document is pending while its vectors are made, ready once it can be found, retired when it is to go. The lexicon
holds ready documents only, so that one transaction makes a document findable, and the one it replaces not.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection, Row
from typing import Final

from memory import vector_collections
from memory.chunking import Chunk
from memory.lexical import VERSION, index_terms, match_expression
from memory.passages import Passage

CONTEXT_WEIGHT = 2.0
"""What a term in the title or a heading weighs against one in the text."""
OPENING: Final = 300
"""Characters in which a document says what it is about."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document that can be found."""

    id: int
    knowledge: str
    """The name of its knowledge base."""
    title: str
    source: str
    """The path of its file; of an upload its name alone."""
    characters: int
    passages: int
    digest: str
    """SHA-256 of the file, in hexadecimal."""
    added_at: datetime
    """UTC."""
    uploaded: bool = False
    """Whether its file was sent, and is kept in the data folder."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document on its way in."""

    source: str
    title: str
    digest: str
    characters: int
    chunks: tuple[Chunk, ...]
    lexicon: tuple[tuple[str, str], ...]
    """For each chunk its context's and its own terms, joined by spaces."""
    upload: str | None = None
    """What its file is called in the folder of uploads, if it is kept there."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """The passages of a knowledge base that are to go."""

    knowledge_base: int
    collection: int | None
    """Where their vectors are."""
    passages: tuple[int, ...]
    whole: bool
    """Nothing else is in it: the knowledge base goes too."""


@dataclass(frozen=True, slots=True)
class Pending:
    """The ids of a document that cannot be found yet."""

    knowledge_base: int
    collection: int
    document: int
    passages: tuple[int, ...]


_INSERT_TERMS: Final = "INSERT INTO lexicon (rowid, scope, context, body) VALUES (?, ?, ?, ?)"
_DOCUMENTS: Final = """
    SELECT d.id, k.name AS knowledge, title, source, characters, passages, digest, added_at,
        upload IS NOT NULL AS uploaded
    FROM documents d JOIN knowledge_bases k ON k.id = d.knowledge_base WHERE state = 'ready'
"""
_TEXTS: Final = """
    SELECT p.id, d.title, p.heading, p.text FROM passages p JOIN documents d ON d.id = p.document
    WHERE d.state = 'ready' AND d.knowledge_base = ?
"""


def prepared(
    source: str, title: str, digest: str, text: str, chunks: Sequence[Chunk], upload: str | None = None
) -> NewDocument:
    """A document with its terms; slow for a long one, so not within a transaction."""
    lexicon = tuple(_terms(title, chunk.heading, chunk.text) for chunk in chunks)
    return NewDocument(source, title, digest, len(text), tuple(chunks), lexicon, upload)


def knowledge_bases(connection: Connection) -> dict[str, int]:
    """The ids of the knowledge bases that hold a ready document, by name."""
    rows = connection.execute("""
        SELECT name, id FROM knowledge_bases
        WHERE id IN (SELECT knowledge_base FROM documents WHERE state = 'ready') ORDER BY name
    """)
    return {row["name"]: row["id"] for row in rows}


def documents(connection: Connection, knowledge: str | None = None) -> tuple[StoredDocument, ...]:
    """The ready documents of one knowledge base or of all, by name and source."""
    statement = f"{_DOCUMENTS} AND (k.name = :knowledge OR :knowledge IS NULL) ORDER BY k.name, source"
    return tuple(_document(row) for row in connection.execute(statement, {"knowledge": knowledge}))


def document(connection: Connection, number: int) -> StoredDocument | None:
    """The ready document with that id."""
    row = connection.execute(f"{_DOCUMENTS} AND d.id = ?", (number,)).fetchone()
    return _document(row) if row else None


def uploads(connection: Connection) -> frozenset[str]:
    """What the files of documents are called that are kept in the folder of uploads."""
    rows = connection.execute("SELECT upload FROM documents WHERE state != 'retired' AND upload IS NOT NULL")
    return frozenset(row["upload"] for row in rows)


def add_pending(connection: Connection, knowledge: str, model: str, new: NewDocument) -> Pending:
    """Adds a document that cannot be found yet, to be embedded with that model."""
    connection.execute("INSERT INTO knowledge_bases (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (knowledge,))
    base = connection.execute("SELECT id FROM knowledge_bases WHERE name = ?", (knowledge,)).fetchone()["id"]
    document = connection.execute(
        """
        INSERT INTO documents (knowledge_base, source, title, digest, characters, passages, state, added_at, upload)
        VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?) RETURNING id
        """,
        (base, new.source, new.title, new.digest, new.characters, len(new.chunks), _now(), new.upload),
    ).fetchone()["id"]
    insert = 'INSERT INTO passages (document, heading, text, start, "end", page) VALUES (?, ?, ?, ?, ?, ?) RETURNING id'
    rows = ((document, chunk.heading, chunk.text, chunk.start, chunk.end, chunk.page) for chunk in new.chunks)
    passages = tuple(connection.execute(insert, row).fetchone()["id"] for row in rows)
    return Pending(base, vector_collections.ensure(connection, base, model), document, passages)


def publish(connection: Connection, pending: Pending, lexicon: Iterable[tuple[str, str]]) -> bool:
    """Makes a pending document ready, and retires the one of the same source; whether there was one."""
    earlier = connection.execute(
        """
        SELECT id FROM documents WHERE state = 'ready' AND knowledge_base = ?
        AND source = (SELECT source FROM documents WHERE id = ?)
        """,
        (pending.knowledge_base, pending.document),
    ).fetchall()
    retire(connection, [row["id"] for row in earlier])
    scope = _scope(pending.knowledge_base)
    rows = ((number, scope, *terms) for number, terms in zip(pending.passages, lexicon, strict=True))
    connection.executemany(_INSERT_TERMS, rows)
    connection.execute("UPDATE documents SET state = 'ready' WHERE id = ?", (pending.document,))
    return bool(earlier)


def retire(connection: Connection, ids: Iterable[int]) -> None:
    """Makes documents impossible to find; what is left of them goes with `purge`."""
    for document in ids:
        connection.execute(
            "DELETE FROM lexicon WHERE rowid IN (SELECT id FROM passages WHERE document = ?)", (document,)
        )
        connection.execute("UPDATE documents SET state = 'retired' WHERE id = ?", (document,))


def leftovers(connection: Connection) -> tuple[Leftover, ...]:
    """What pending and retired documents have left behind, one entry a knowledge base."""
    ready = set(knowledge_bases(connection).values())
    rows = connection.execute("""
        SELECT d.knowledge_base, p.id FROM documents d JOIN passages p ON p.document = d.id
        WHERE d.state != 'ready' ORDER BY p.id
    """).fetchall()
    empty = {row["id"] for row in connection.execute("SELECT id FROM knowledge_bases")} - ready
    found: dict[int, list[int]] = {base: [] for base in sorted(empty)}
    for row in rows:
        found.setdefault(row["knowledge_base"], []).append(row["id"])
    return tuple(
        Leftover(base, next(iter(vector_collections.ready(connection, [base])), None), tuple(ids), base not in ready)
        for base, ids in found.items()
    )


def purge(connection: Connection, leftover: Leftover) -> None:
    """Deletes the rows of what is left over, once its vectors are gone."""
    connection.execute(
        "DELETE FROM documents WHERE state != 'ready' AND knowledge_base = ?", (leftover.knowledge_base,)
    )
    if leftover.whole:
        connection.execute("DELETE FROM collections WHERE knowledge_base = ?", (leftover.knowledge_base,))
        connection.execute("DELETE FROM knowledge_bases WHERE id = ?", (leftover.knowledge_base,))
    # A deleted row's terms stand in the full-text index until it is merged.
    connection.execute("INSERT INTO lexicon (lexicon) VALUES ('optimize')")


def texts(connection: Connection, base: int, after: int, limit: int) -> dict[int, tuple[str, str, str]]:
    """Title, heading and text of the next passages that can be found in a knowledge base, by their ids in order."""
    rows = connection.execute(f"{_TEXTS} AND p.id > ? ORDER BY p.id LIMIT ?", (base, after, limit))
    return {row["id"]: (row["title"], row["heading"], row["text"]) for row in rows}


def rewrite_lexicon(connection: Connection, base: int) -> None:
    """Makes the terms of a knowledge base anew from its passages."""
    connection.execute(f"DELETE FROM lexicon WHERE rowid IN (SELECT id FROM ({_TEXTS}))", (base,))
    scope, rows = _scope(base), connection.execute(_TEXTS, (base,))
    terms = ((row["id"], scope, *_terms(row["title"], row["heading"], row["text"])) for row in rows)
    connection.executemany(_INSERT_TERMS, terms)


def is_outdated(connection: Connection) -> bool:
    """Whether the terms in the lexicon are those of another version of this program."""
    return bool(connection.execute("SELECT version FROM analysis").fetchone()["version"] != VERSION)


def refresh_lexicon(connection: Connection) -> None:
    """Makes all terms anew."""
    for base in knowledge_bases(connection).values():
        rewrite_lexicon(connection, base)
    connection.execute("UPDATE analysis SET version = ?", (VERSION,))


def count_passages(connection: Connection, bases: Sequence[int]) -> int:
    """How many passages can be found in these knowledge bases."""
    statement = f"SELECT sum(passages) FROM documents WHERE state = 'ready' AND knowledge_base IN ({_marks(bases)})"
    return int(connection.execute(statement, tuple(bases)).fetchone()[0] or 0)


def frequencies(connection: Connection, bases: Sequence[int], terms: Iterable[str]) -> dict[str, int]:
    """In how many passages of these knowledge bases each term stands."""
    statement = "SELECT count(*) FROM lexicon WHERE lexicon MATCH ?"
    scopes = [_scope(base) for base in bases]
    return {term: connection.execute(statement, (match_expression([term], scopes),)).fetchone()[0] for term in terms}


def count_matches(connection: Connection, bases: Sequence[int], terms: Sequence[str]) -> int:
    """In how many passages of these knowledge bases any of the terms stands."""
    if not terms:
        return 0
    expression = match_expression(terms, [_scope(base) for base in bases])
    return int(connection.execute("SELECT count(*) FROM lexicon WHERE lexicon MATCH ?", (expression,)).fetchone()[0])


def best_matches(connection: Connection, bases: Sequence[int], terms: Sequence[str], limit: int) -> list[int]:
    """The ids of the passages that hold the terms best, by BM25."""
    if not terms:
        return []
    expression = match_expression(terms, [_scope(base) for base in bases])
    rows = connection.execute(
        "SELECT rowid FROM lexicon WHERE lexicon MATCH ? ORDER BY bm25(lexicon, 0, ?, 1) LIMIT ?",
        (expression, CONTEXT_WEIGHT, limit),
    )
    return [row["rowid"] for row in rows]


def passages(connection: Connection, ids: Collection[int]) -> dict[int, Passage]:
    """Those of these passages that can be found, with score 0."""
    rows = connection.execute(
        f"""
        SELECT p.id, k.name AS knowledge, d.title AS document, d.source, p.heading, p.text, p.start, p."end", p.page
        FROM passages p JOIN documents d ON d.id = p.document JOIN knowledge_bases k ON k.id = d.knowledge_base
        WHERE d.state = 'ready' AND p.id IN ({_marks(ids)})
        """,
        tuple(ids),
    )
    return {row["id"]: Passage(**dict(row), score=0.0) for row in rows}


def sections(connection: Connection, ids: Collection[int], reach: int) -> dict[int, list[Passage]]:
    """For each of these passages those of its document and heading, up to `reach` before and after it, in order."""
    rows = connection.execute(
        f"""
        SELECT p.id AS center, n.id FROM passages p JOIN passages n
        ON n.document = p.document AND n.heading = p.heading AND n.id BETWEEN p.id - ? AND p.id + ?
        WHERE p.id IN ({_marks(ids)}) ORDER BY n.id
        """,
        (reach, reach, *ids),
    ).fetchall()
    there = passages(connection, {row["id"] for row in rows})
    around: dict[int, list[Passage]] = {number: [] for number in ids}
    for row in rows:
        if row["id"] in there:
            around[row["center"]].append(there[row["id"]])
    return around


def openings(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    """For each of these passages what its document begins with, where that stands under no heading."""
    rows = connection.execute(
        f"""
        SELECT p.id, substr(o.text, 1, ?) AS text FROM passages p
        JOIN passages o ON o.id = (SELECT min(id) FROM passages WHERE document = p.document) AND o.heading = ''
        WHERE p.id IN ({_marks(ids)})
        """,
        (OPENING, *ids),
    )
    return {row["id"]: row["text"] for row in rows}


def terms_of(connection: Connection, ids: Collection[int]) -> dict[int, frozenset[str]]:
    """All terms of each passage that can be found, those of its title and headings among them."""
    rows = connection.execute(
        f"SELECT rowid, context || ' ' || body AS terms FROM lexicon WHERE rowid IN ({_marks(ids)})", tuple(ids)
    )
    return {row["rowid"]: frozenset(row["terms"].split()) for row in rows}


def _document(row: Row) -> StoredDocument:
    added_at, uploaded = datetime.fromisoformat(row["added_at"]), bool(row["uploaded"])
    return StoredDocument(**{**dict(row), "added_at": added_at, "uploaded": uploaded})


def _terms(title: str, heading: str, text: str) -> tuple[str, str]:
    return " ".join(index_terms(f"{title}\n{heading}")), " ".join(index_terms(text))


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _scope(base: int) -> str:
    return f"kb{base}"


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" for _ in values)
