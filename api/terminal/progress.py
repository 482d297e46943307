"""A bar on standard error that says how far something is; nothing where that is no terminal."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress


@contextmanager
def bar(title: str) -> Generator[Callable[[int, int], None], None, None]:
    """Draws the bar; told how much of how much is done."""
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as drawn:
        task = drawn.add_task(title, total=None)
        yield lambda done, of: drawn.update(task, completed=done, total=of)
