"""`tingshuo ingest`: documents into a knowledge base, with progress, and each failure with its remedy."""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import rich.progress
from rich.console import Console

from agent.store import open_store
from api.errors import lines
from api.safe_text import safe
from api.terminal import console, note
from configs.errors import AssistantError, DocumentUnreadable
from configs.settings import Settings
from memory.documents import SUFFIXES
from memory.ingestion import Ingestion, Progress

FAILED = DocumentUnreadable.exit_code


async def ingest(settings: Settings, paths: Sequence[Path], knowledge: str) -> int:
    """Takes the documents in, says what became of them, and returns the exit code."""
    came: Counter[str] = Counter()
    async with open_store(settings) as store:
        with _bar() as draw:

            def follow(progress: Progress) -> None:
                came.update([progress.outcome] if progress.outcome else [])
                draw(progress)

            try:
                done = await store.knowledge.ingest(paths, knowledge=knowledge, progress=follow)
            except AssistantError:
                if came:
                    note(f"{_counts(came)} before this happened:")
                raise
    if not done.files:
        raise DocumentUnreadable(f"there is no document in {', '.join(map(str, paths))}", "Name files or folders.")
    return _report(done, came)


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
