"""Jobs: ingestions that go on in the background, one after another, and after a restart; the ledger says what is to do.

A job that watches its paths begins anew when something in them has changed, and a while after it has failed.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup, TaskStatus
from anyio.to_thread import run_sync

from configs.errors import (
    AssistantError,
    DocumentUnreadable,
    JobNotFound,
    RateLimitExceeded,
    RequestTooLarge,
    StorageError,
)
from memory import job_queue
from memory.documents import Transcribe
from memory.ingestion import Progress
from memory.job_queue import Job, JobError, JobState, Tally, Upload
from memory.knowledge import Knowledge, check_name
from memory.ledger import Ledger
from memory.watching import watch

log = logging.getLogger(__name__)

ERRORS: Final = 100
"""Errors that are kept of one run; all are counted."""
WATCHED: Final = 16
"""Jobs that may watch at a time: each takes a thread."""
NOTED: Final = 1.0
"""Seconds between two notes of how far a job is."""
QUEUED: Final = 1000
"""Uploads that may wait at a time."""
RETRY: Final = 60.0
"""Seconds until a job that watches is tried again when it has failed."""


class Jobs:
    """Adds and ends jobs at any time; they are worked through while `run` runs."""

    def __init__(self, ledger: Ledger, knowledge: Knowledge) -> None:
        self._ledger = ledger
        self._knowledge = knowledge
        self._wake = anyio.Event()
        self._scopes: dict[str, CancelScope] = {}
        """What ends the run of a job."""
        self._watches: dict[str, CancelScope] = {}
        self._again: set[str] = set()
        """Watching jobs whose files have changed, or that are to be tried once more."""
        self._retrying: set[str] = set()
        self._blind: dict[str, AssistantError] = {}
        """Why jobs that should watch cannot."""
        self._end = anyio.Event()
        """Of the next job that ends."""

    async def add(self, paths: Sequence[Path], *, knowledge: str = "default", watch: bool = False) -> Job:
        """A job that waits for its turn.

        Raises DocumentUnreadable for a path that does not exist, RequestError for a name that cannot be used, and
        RequestTooLarge where too many jobs watch already.
        """
        check_name(knowledge)
        resolved = await run_sync(_resolved, paths)
        if watch and await self._ledger.read(job_queue.count_watched) >= WATCHED:
            raise RequestTooLarge(
                f"{WATCHED} jobs watch their paths already", "Cancel one, or give several paths to one job."
            )
        job = await self._ledger.write(partial(job_queue.add, knowledge=knowledge, paths=resolved, watch=watch))
        self._wake.set()
        return job

    async def add_upload(self, upload: Upload, *, knowledge: str = "default") -> Job:
        """A job that takes in a file which was sent, and lets it go if it cannot be taken in.

        Raises RequestError for a name that cannot be used, RateLimitExceeded where too many uploads wait already.
        """
        check_name(knowledge)
        if len(await self._ledger.read(job_queue.uploads)) >= QUEUED:
            raise RateLimitExceeded(f"{QUEUED} uploads wait already", "Send it again later.", retry_after=RETRY)
        job = await self._ledger.write(partial(job_queue.add, knowledge=knowledge, paths=(), upload=upload))
        self._wake.set()
        return job

    async def finished(self, job: str) -> Job:
        """The job with that id, once it has ended. Raises JobNotFound."""
        while True:
            end = self._end
            found = await self.get(job)
            if found.state not in ("waiting", "running"):
                return found
            await end.wait()

    async def get(self, job: str) -> Job:
        """The job with that id. Raises JobNotFound."""
        found = await self._ledger.read(partial(job_queue.get, job=job))
        if found is None:
            raise JobNotFound(f"there is no job {job!r}", "It may have ended long ago; list the jobs.")
        return found

    async def latest(self, name: str, *, knowledge: str) -> Job | None:
        """The latest job that was to take in an upload of that name."""
        return await self._ledger.read(partial(job_queue.latest, knowledge=knowledge, name=name))

    async def all(self) -> tuple[Job, ...]:
        """All jobs that have not been forgotten, the latest first."""
        return await self._ledger.read(job_queue.all_jobs)

    async def cancel(self, job: str) -> Job:
        """Ends a job; documents that are in stay in. One that has ended stays as it is. Raises JobNotFound."""
        await self.get(job)
        await self._ledger.write(partial(job_queue.cancel, job=job))
        for scopes in (self._watches, self._scopes):
            if job in scopes:
                scopes[job].cancel()
        await self._ended()
        return await self.get(job)

    async def run(self, transcribe: Transcribe | None = None) -> None:
        """Works through the jobs until it is cancelled; those that were stopped half-way come first.

        `transcribe` hears recordings. Where the ledger cannot be written, it says so and tries again later.
        """
        async with anyio.create_task_group() as tasks:
            while True:
                try:
                    await self._work(tasks, transcribe)
                except StorageError as error:
                    log.warning("%s (%s)", error.message, error.hint)
                    await anyio.sleep(RETRY)

    async def _work(self, tasks: TaskGroup, transcribe: Transcribe | None) -> None:
        await self._ledger.write(job_queue.recover)
        while True:
            self._wake = anyio.Event()
            while self._again:
                await self._ledger.write(partial(job_queue.again, job=self._again.pop()))
            job = await self._ledger.write(job_queue.take)
            if job is None:
                await self._wake.wait()
                continue
            with CancelScope() as self._scopes[job.id]:
                await self._begin(job, tasks, transcribe)
            del self._scopes[job.id]
            await self._ended()

    async def _ended(self) -> None:
        """Lets go of the file that a job has not taken in, and of those who wait for its end."""
        try:
            await self._knowledge.uploads.sweep()
        except StorageError as error:  # the next sweep tries again
            log.warning("%s (%s)", error.message, error.hint)
        self._end.set()
        self._end = anyio.Event()

    async def _begin(self, job: Job, tasks: TaskGroup, transcribe: Transcribe | None) -> None:
        if (await self.get(job.id)).state != "running":  # cancelled before there was anything to stop
            return
        if job.watch and job.id not in self._watches:
            self._blind.pop(job.id, None)
            await tasks.start(self._watch, job)
        state = await self._ingest(job, transcribe)
        if state == "failed" and job.watch and job.id not in self._retrying:
            self._retrying.add(job.id)
            tasks.start_soon(self._retry, job.id)

    async def _watch(self, job: Job, *, task_status: TaskStatus[None]) -> None:
        def changed() -> None:
            self._again.add(job.id)
            self._wake.set()

        with CancelScope() as self._watches[job.id]:
            try:
                await watch(job.paths, changed, task_status=task_status)
            except DocumentUnreadable as error:
                self._blind[job.id] = error
                changed()
        del self._watches[job.id]

    async def _retry(self, job: str) -> None:
        await anyio.sleep(RETRY)
        self._retrying.discard(job)
        self._again.add(job)
        self._wake.set()

    async def _ingest(self, job: Job, transcribe: Transcribe | None) -> JobState:
        tally = Tally()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._note, job, tally)
            stopped = self._blind.get(job.id)
            known = self._knowledge
            ingest = partial(known.ingest_upload, job.upload) if job.upload else partial(known.ingest, job.paths)
            try:
                await ingest(knowledge=job.knowledge, progress=partial(_count, tally), transcribe=transcribe)
            except AssistantError as error:
                stopped = error
            tasks.cancel_scope.cancel()
        if stopped:
            tally.errors.insert(0, JobError("", stopped.message, stopped.hint, type(stopped).__name__))
        all_failed = tally.done > 0 and tally.outcomes.get("failed") == tally.done
        state: JobState = "failed" if stopped or all_failed else "done"
        await self._ledger.write(partial(job_queue.note, job=job.id, tally=tally, state=state))
        return state

    async def _note(self, job: Job, tally: Tally) -> None:
        while True:
            await anyio.sleep(NOTED)
            with suppress(StorageError):  # the note at the end tells it
                await self._ledger.write(partial(job_queue.note, job=job.id, tally=tally))


def _count(tally: Tally, progress: Progress) -> None:
    tally.files = progress.files
    if progress.outcome is None:
        return
    tally.done += 1
    tally.outcomes[progress.outcome] = tally.outcomes.get(progress.outcome, 0) + 1
    if progress.error and len(tally.errors) < ERRORS:
        error = progress.error
        tally.errors.append(JobError(str(progress.path), error.message, error.hint, type(error).__name__))


def _resolved(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Where the paths lead, wherever the program is run the next time."""
    found = []
    for path in paths:
        try:
            found.append(path.expanduser().resolve(strict=True))
        except (OSError, RuntimeError, ValueError) as error:
            raise DocumentUnreadable(f"{str(path)!r} does not exist", "Check the path.") from error
    if not found:
        raise DocumentUnreadable("there is nothing to ingest", "Name files or folders.")
    return tuple(found)
