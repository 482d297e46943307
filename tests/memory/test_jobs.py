"""Ingestions in the background: their order, what they tell, their end, and what they do after a restart."""

import shutil
import wave
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest

from configs.errors import DocumentUnreadable, EngineUnavailable, JobNotFound, RequestError, RequestTooLarge
from memory import job_queue, jobs, watching
from memory.documents import Transcribe
from memory.job_queue import Job, JobState
from memory.jobs import Jobs
from memory.knowledge import Knowledge
from memory.ledger import Ledger

pytestmark = pytest.mark.anyio

on_both_backends = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, word in (("a", "river"), ("b", "mountain")):
        (folder / f"{name}.md").write_text(f"# Title {name}\n\nThis is about a {word}.\n")
    return folder


@pytest.fixture
def queue(ledger: Ledger, knowledge: Knowledge) -> Jobs:
    return Jobs(ledger, knowledge)


@asynccontextmanager
async def running(queue: Jobs, transcribe: Transcribe | None = None) -> AsyncGenerator[None, None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(queue.run, transcribe)
        yield
        tasks.cancel_scope.cancel()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what files and threads bring about."""
    with anyio.fail_after(20):
        while not await condition():  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def ended(queue: Jobs, job: Job, state: JobState = "done") -> Job:
    async def is_so() -> bool:
        return (await queue.get(job.id)).state == state

    await until(is_so)
    return await queue.get(job.id)


async def found(knowledge: Knowledge, question: str) -> bool:
    return (await knowledge.search(question, knowledge=["default"])).answerable


class Talk:
    """A recording that is being heard until it is let go."""

    def __init__(self, path: Path) -> None:
        with wave.open(str(path), "wb") as sound:
            sound.setparams((1, 2, 16000, 0, "NONE", ""))
            sound.writeframes(bytes(3200))
        self.begun, self.go = anyio.Event(), anyio.Event()

    async def transcribe(self, path: Path) -> str:
        self.begun.set()
        await self.go.wait()
        return "A talk about volcanoes."


@on_both_backends
async def test_jobs_are_worked_through_in_order_and_tell_what_came_of_them(queue: Jobs, documents: Path) -> None:
    (documents / "b.md").write_bytes(b"\x89PNG\0\0")
    first = await queue.add([documents])
    second = await queue.add([documents / "a.md"], knowledge="other")
    assert (first.state, first.watch, first.paths, first.knowledge) == ("waiting", False, (documents,), "default")
    async with running(queue):
        await ended(queue, second)
        third = await ended(queue, await queue.add([documents / "b.md"]), "failed")
    first = await queue.get(first.id)
    assert (first.state, first.files, first.done, first.outcomes) == ("done", 2, 2, {"added": 1, "failed": 1})
    assert [Path(error.path).name for error in first.errors] == ["b.md"]
    assert "b.md" in first.errors[0].message
    assert first.errors[0].hint
    assert first.updated_at <= (await queue.get(second.id)).updated_at
    assert [job.id for job in await queue.all()] == [third.id, second.id, first.id]


async def test_what_cannot_be_a_job_is_refused(queue: Jobs, documents: Path, tmp_path: Path) -> None:
    for paths in ([tmp_path / "gone"], [tmp_path / "a\0b"], []):
        with pytest.raises(DocumentUnreadable):
            await queue.add(paths)
    with pytest.raises(RequestError, match="cannot name"):
        await queue.add([documents], knowledge=" ")
    with pytest.raises(JobNotFound, match="'nobody'"):
        await queue.get("nobody")
    with pytest.raises(JobNotFound):
        await queue.cancel("nobody")
    for _ in range(jobs.WATCHED):
        last = await queue.add([documents], watch=True)
    with pytest.raises(RequestTooLarge, match="16 jobs"):
        await queue.add([documents], watch=True)
    await queue.cancel(last.id)
    await queue.add([documents], watch=True)


@on_both_backends
async def test_a_job_is_cancelled_while_it_waits_and_while_it_runs(
    queue: Jobs, knowledge: Knowledge, documents: Path
) -> None:
    talk = Talk(documents / "b.wav")
    first, second = await queue.add([documents]), await queue.add([documents], knowledge="other")
    third = await queue.add([documents / "b.md"])
    async with running(queue, talk.transcribe):
        await talk.begun.wait()
        assert (await queue.cancel(second.id)).state == "cancelled"
        assert (await queue.cancel(first.id)).state == "cancelled"
        await ended(queue, third)
        assert (await queue.cancel(third.id)).state == "done"
    assert (await queue.get(first.id)).state == "cancelled"
    assert await knowledge.knowledge_bases() == ("default",)
    assert {document.title for document in await knowledge.documents()} == {"Title a", "Title b"}


@on_both_backends
async def test_a_job_that_was_stopped_goes_on_at_the_next_start(
    queue: Jobs, ledger: Ledger, knowledge: Knowledge, documents: Path
) -> None:
    talk = Talk(documents / "b.wav")
    job = await queue.add([documents])
    async with running(queue, talk.transcribe):
        await talk.begun.wait()
    assert (await queue.get(job.id)).state == "running"
    talk.go.set()
    queue = Jobs(ledger, knowledge)
    async with running(queue, talk.transcribe):
        job = await ended(queue, job)
    assert job.outcomes == {"unchanged": 2, "added": 1}
    assert await found(knowledge, "volcanoes")


@on_both_backends
async def test_a_job_that_watches_follows_its_files_until_it_is_cancelled(
    queue: Jobs, knowledge: Knowledge, documents: Path
) -> None:
    job = await queue.add([documents], watch=True)
    async with running(queue):
        assert (await ended(queue, job)).outcomes == {"added": 2}
        (documents / "a.md").write_text("# Title a\n\nThis is about a volcano.\n")
        await until(partial(found, knowledge, "volcano"))
        (documents / "b.md").unlink()
        (documents / "new").mkdir()
        (documents / "new" / "c.md").write_text("# Title c\n\nThis is about a desert.\n")
        await until(partial(found, knowledge, "desert"))
        await ended(queue, job)
        assert not await found(knowledge, "mountain")
        assert (await queue.cancel(job.id)).state == "cancelled"
        (documents / "a.md").write_text("# Title a\n\nThis is about a glacier.\n")
        await ended(queue, await queue.add([documents / "new"]))
        assert (await queue.get(job.id)).state == "cancelled"
    assert not await found(knowledge, "glacier")


async def test_a_job_that_watches_catches_up_after_a_restart(
    queue: Jobs, ledger: Ledger, knowledge: Knowledge, documents: Path
) -> None:
    job = await queue.add([documents], watch=True)
    async with running(queue):
        await ended(queue, job)
    (documents / "a.md").write_text("# Title a\n\nThis is about a volcano.\n")
    async with running(Jobs(ledger, knowledge)):
        await until(partial(found, knowledge, "volcano"))


async def test_a_folder_that_comes_back_is_taken_up_again(
    queue: Jobs, knowledge: Knowledge, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_AGAIN", 0.05)
    job = await queue.add([documents], watch=True)
    async with running(queue):
        await ended(queue, job)
        away = await anyio.Path(documents).rename(documents.with_name("away"))
        job = await ended(queue, job, "failed")
        assert "does not exist" in job.errors[0].message
        assert len(await knowledge.documents()) == 2
        await anyio.to_thread.run_sync(shutil.copytree, away, documents)
        (documents / "a.md").write_text("# Title a\n\nThis is about a volcano.\n")
        await until(partial(found, knowledge, "volcano"))


async def test_an_engine_that_was_away_is_tried_again(
    queue: Jobs, knowledge: Knowledge, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "RETRY", 0.05)
    ingest, failures = knowledge.ingest, [EngineUnavailable("Ollama is away", "Start it.")]

    async def failing(*args: object, **options: object) -> object:
        if failures:
            raise failures.pop()
        return await ingest(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(knowledge, "ingest", failing)
    job = await queue.add([documents], watch=True)
    async with running(queue):
        await until(partial(found_base, knowledge))
        job = await ended(queue, job)
    assert job.outcomes == {"added": 2}


async def found_base(knowledge: Knowledge) -> bool:
    return bool(await knowledge.knowledge_bases())


async def test_jobs_that_ended_long_ago_are_forgotten(
    queue: Jobs, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "KEPT", 10)
    watching = await queue.add([documents], watch=True)
    for _ in range(job_queue.KEPT + 5):
        job = await queue.add([documents])
        await queue.cancel(job.id)
    kept = {job.id for job in await queue.all()}
    assert len(kept) == job_queue.KEPT + 1
    assert watching.id in kept
