"""The queue of jobs as the ledger holds it: ingestions that wait, run or have ended; all of their SQL stands here."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final, Literal
from uuid import uuid4

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]

KEPT: Final = 1000
"""Jobs that have ended are forgotten when so many newer ones have been added."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent."""

    file: str
    """What it is called in the folder of uploads."""
    name: str
    """What its sender calls it, which names the document; never a path."""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a file, or with an empty path the whole job, failed."""

    path: str
    message: str
    hint: str
    kind: str = ""
    """The name of the error in configs.errors."""


@dataclass(frozen=True, slots=True)
class Job:
    """An ingestion in the background; what is counted is of its latest run."""

    id: str
    knowledge: str
    """The name of the knowledge base."""
    paths: tuple[Path, ...]
    """None of an upload."""
    watch: bool
    """It begins anew whenever something in the paths has changed, until it is cancelled."""
    state: JobState
    files: int
    done: int
    """Files that an outcome is known of."""
    outcomes: Mapping[str, int]
    """How many files came to what: "added", "replaced", "unchanged", "removed" or "failed"."""
    errors: tuple[JobError, ...]
    """The first of them."""
    created_at: datetime
    """UTC."""
    updated_at: datetime
    """UTC."""
    upload: Upload | None = None
    """The file that it is to take in, where that was sent."""


@dataclass(slots=True)
class Tally:
    """What a run has come to so far."""

    files: int = 0
    done: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    errors: list[JobError] = field(default_factory=list)


def add(
    connection: Connection, knowledge: str, paths: tuple[Path, ...], watch: bool = False, upload: Upload | None = None
) -> Job:
    """A job that waits."""
    now = _now()
    row = connection.execute(
        """
        INSERT INTO jobs (id, knowledge, paths, watch, state, created_at, updated_at, upload, name)
        VALUES (?, ?, ?, ?, 'waiting', ?, ?, ?, ?) RETURNING *
        """,
        (uuid4().hex, knowledge, json.dumps([str(path) for path in paths]), watch, now, now,
         upload and upload.file, upload and upload.name),
    ).fetchone()  # fmt: skip
    connection.execute(
        """
        DELETE FROM jobs WHERE (state = 'cancelled' OR state IN ('done', 'failed') AND NOT watch) AND number <= ? - ?
        """,
        (row["number"], KEPT),
    )
    return _job(row)


def get(connection: Connection, job: str) -> Job | None:
    """The job with that id."""
    row = connection.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()
    return _job(row) if row else None


def latest(connection: Connection, knowledge: str, name: str) -> Job | None:
    """The latest job for an upload of that name."""
    statement = "SELECT * FROM jobs WHERE knowledge = ? AND name = ? ORDER BY number DESC LIMIT 1"
    row = connection.execute(statement, (knowledge, name)).fetchone()
    return _job(row) if row else None


def all_jobs(connection: Connection) -> tuple[Job, ...]:
    """All jobs, the latest first."""
    return tuple(_job(row) for row in connection.execute("SELECT * FROM jobs ORDER BY number DESC"))


def count_watched(connection: Connection) -> int:
    """How many jobs watch their paths."""
    statement = "SELECT count(*) FROM jobs WHERE watch AND state != 'cancelled'"
    return int(connection.execute(statement).fetchone()[0])


def uploads(connection: Connection) -> frozenset[str]:
    """What the files are called that jobs which have not ended are to take in."""
    rows = connection.execute("SELECT upload FROM jobs WHERE upload IS NOT NULL AND state IN ('waiting', 'running')")
    return frozenset(row["upload"] for row in rows)


def forget(connection: Connection, knowledge: str, names: Iterable[str]) -> None:
    """Deletes the jobs that have taken in uploads of these names."""
    connection.executemany(
        "DELETE FROM jobs WHERE knowledge = ? AND name = ? AND state NOT IN ('waiting', 'running')",
        [(knowledge, name) for name in names],
    )


def recover(connection: Connection) -> None:
    """Lets those wait that were stopped half-way, and those that watch: much may have changed since."""
    connection.execute("""
        UPDATE jobs SET state = 'waiting' WHERE state = 'running' OR (watch AND state IN ('done', 'failed'))
    """)


def take(connection: Connection) -> Job | None:
    """The job that has waited longest, which now runs; None where none waits."""
    row = connection.execute(
        """
        UPDATE jobs SET state = 'running', files = 0, done = 0, outcomes = '{}', errors = '[]', updated_at = ?
        WHERE number = (SELECT number FROM jobs WHERE state = 'waiting' ORDER BY updated_at, number LIMIT 1)
        RETURNING *
        """,
        (_now(),),
    ).fetchone()
    return _job(row) if row else None


def note(connection: Connection, job: str, tally: Tally, state: JobState = "running") -> None:
    """Notes how far a job has come, or that it has ended; one that was cancelled stays so."""
    connection.execute(
        """
        UPDATE jobs SET state = ?, files = ?, done = ?, outcomes = ?, errors = ?, updated_at = ?
        WHERE id = ? AND state = 'running'
        """,
        (
            state,
            tally.files,
            tally.done,
            json.dumps(tally.outcomes),
            json.dumps([asdict(error) for error in tally.errors]),
            _now(),
            job,
        ),
    )


def again(connection: Connection, job: str) -> None:
    """Lets a job that has ended wait once more; one that was cancelled stays so."""
    connection.execute(
        "UPDATE jobs SET state = 'waiting', updated_at = ? WHERE id = ? AND state IN ('done', 'failed')", (_now(), job)
    )


def cancel(connection: Connection, job: str) -> None:
    """Ends a job; what has ended of itself, and watches nothing, stays as it is."""
    connection.execute(
        """
        UPDATE jobs SET state = 'cancelled', updated_at = ?
        WHERE id = ? AND (watch OR state IN ('waiting', 'running'))
        """,
        (_now(), job),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        knowledge=row["knowledge"],
        paths=tuple(map(Path, json.loads(row["paths"]))),
        watch=bool(row["watch"]),
        state=row["state"],
        files=row["files"],
        done=row["done"],
        outcomes=json.loads(row["outcomes"]),
        errors=tuple(JobError(**stored) for stored in json.loads(row["errors"])),
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        upload=Upload(row["upload"], row["name"]) if row["upload"] else None,
    )
