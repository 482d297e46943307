"""How far a transfer is: bars on a terminal, a line for each tenth elsewhere; on standard error."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import rich.progress
from rich.console import Console

from api.safe_text import safe
from api.terminal.screen import amount, note

Follow = Callable[[str, int, int], None]
"""Takes a file's name, the bytes that are there, and all of them."""


@contextmanager
def transfer() -> Generator[Follow, None, None]:
    """Shows how far each file is, as it is told."""
    stderr = Console(stderr=True)
    if not stderr.is_terminal:
        yield tenths(note)
        return
    columns = (
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        rich.progress.TransferSpeedColumn(),
        rich.progress.TimeRemainingColumn(),
    )
    with rich.progress.Progress(*columns, console=stderr) as shown:
        tasks: dict[str, rich.progress.TaskID] = {}

        def draw(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = shown.add_task(safe(name), total=None)
            shown.update(tasks[name], completed=done, total=total)

        yield draw


def tenths(say: Callable[[str], None]) -> Follow:
    """Says a line whenever a file has got a tenth further."""
    said: dict[str, int] = {}

    def tell(name: str, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 10
        if said.get(name) != tenth:
            said[name] = tenth
            say(f"{name}: {10 * tenth} % of {amount(total)}")

    return tell
