"""`tingshuo ingest`: documents into a knowledge base, with progress, and each failure with its remedy."""

from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import rich.progress
from anyio import Event, create_task_group
from anyio.to_thread import run_sync
from rich.console import Console

from agent.recordings import open_recordings
from agent.store import open_store
from api.errors import lines
from api.safe_text import safe
from api.terminal.screen import console, note
from configs.errors import AssistantError, DocumentUnreadable
from configs.settings import Settings
from memory.documents import SUFFIXES
from memory.ingestion import Ingestion, Progress
from memory.watching import watch

FAILED = DocumentUnreadable.exit_code


async def ingest(settings: Settings, paths: Sequence[Path], knowledge: str) -> int:
    """Takes the documents in, says what became of them, and returns the exit code."""
    async with open_store(settings) as store, open_recordings(settings) as hear:
        done, came = await _ingested(partial(store.knowledge.ingest, transcribe=hear), paths, knowledge)
    if not done.files:
        raise DocumentUnreadable(f"there is no document in {', '.join(map(str, paths))}", "Name files or folders.")
    return _report(done, came)


async def follow(settings: Settings, paths: Sequence[Path], knowledge: str) -> None:
    """Takes the documents in, and again whenever something in the paths has changed, until it is cancelled.

    What goes wrong after the first time is said, and tried again at the next change.
    """
    paths = await run_sync(_resolved, paths)
    async with (
        open_store(settings) as store,
        open_recordings(settings) as hear,
        create_task_group() as tasks,
    ):
        take_in = partial(store.knowledge.ingest, transcribe=hear)
        bell = _Bell()
        await tasks.start(watch, paths, bell.ring)
        _report(*await _ingested(take_in, paths, knowledge))
        note("Following changes (Ctrl-C ends)")
        while True:
            await bell.wait()
            try:
                done, came = await _ingested(take_in, paths, knowledge)
            except AssistantError as error:
                note(lines(error))
                continue
            if set(came) - {"unchanged"}:
                _report(done, came)


class _Bell:
    """Rung while nobody waits, it is heard by the next who does."""

    def __init__(self) -> None:
        self._rung = Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung = Event()


async def _ingested(
    take_in: Callable[..., Awaitable[Ingestion]], paths: Sequence[Path], name: str
) -> tuple[Ingestion, Counter[str]]:
    came: Counter[str] = Counter()
    with _bar() as draw:

        def count(progress: Progress) -> None:
            came.update([progress.outcome] if progress.outcome else [])
            draw(progress)

        try:
            return await take_in(paths, knowledge=name, progress=count), came
        except AssistantError:
            if came:
                note(f"{_counts(came)} before this happened:")
            raise


def _resolved(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        if not path.expanduser().exists():
            raise DocumentUnreadable(f"{str(path)!r} does not exist", "Check the path.")
    return [path.expanduser().resolve() for path in paths]


def _report(done: Ingestion, came: Counter[str]) -> int:
    for file in done.files:
        if file.error:
            note(lines(file.error))
    if done.others:
        note(f"{done.others} files of other kinds were left out; what can be read: {', '.join(SUFFIXES)}")
    passages = sum(file.passages for file in done.files)
    console().print(f"{safe(done.knowledge)}: {_counts(came)} ({passages} new passages)")
    return FAILED if came["failed"] else 0


def _counts(came: Counter[str]) -> str:
    order = ("added", "replaced", "unchanged", "removed", "failed")
    return ", ".join(f"{came[outcome]} {outcome}" for outcome in order if came[outcome])


@contextmanager
def _bar() -> Generator[Callable[[Progress], None], None, None]:
    """A progress bar on standard error, where that is a terminal."""
    stderr = Console(stderr=True)
    bar = rich.progress.Progress(console=stderr, transient=True, disable=not stderr.is_terminal)
    with bar:
        task = bar.add_task("Reading…", total=None)

        def draw(progress: Progress) -> None:
            part = progress.passages / progress.of_passages if progress.of_passages else 0.0
            done = progress.file if progress.outcome else progress.file - 1 + part
            name = safe(progress.path.name).replace("[", "\\[")
            bar.update(task, description=name, completed=done, total=progress.files)

        yield draw
