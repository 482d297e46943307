"""The process of a command: signals, streams, warnings and logs; the only place that ends it."""

import codecs
import io
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from api.errors import INTERRUPTED, TERMINATED, ending
from configs.privacy import stay_local

T = TypeVar("T")

QUOTING = ("aiosqlite", "websockets")
"""Loggers that write down what they are handed: questions, replies, keys."""


@contextmanager
def guarded() -> Generator[None, None, None]:
    """Whatever happens inside becomes an exit code and at most a few lines on standard error."""
    stay_local()
    _prepare_streams()
    be_quiet()
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    with reported():
        yield


@contextmanager
def reported() -> Generator[None, None, None]:
    """Errors become lines on standard error and SystemExit; with TINGSHUO_DEBUG set, the traceback comes first."""
    try:
        yield
        sys.stdout.flush()
    except (Exception, BaseExceptionGroup, KeyboardInterrupt) as error:
        if _passes(error):
            raise
        code, text = ending(error)
        if os.environ.get("TINGSHUO_DEBUG"):
            traceback.print_exception(error)
        if isinstance(error, BrokenPipeError):
            _drop_output()
        elif text:
            print(text, file=sys.stderr)  # noqa: T201  # rich may be what failed
        raise SystemExit(code) from error


@contextmanager
def interruptible() -> Generator[None, None, None]:
    """Inside, Ctrl-C raises KeyboardInterrupt, so that what is open is closed; outside it ends the process at once."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Runs an event loop; Ctrl-C cancels what runs in it, and is raised when that has ended."""
    import anyio

    with interruptible():
        return anyio.run(main)


def be_quiet(*, verbose: bool = False) -> None:
    """Libraries say only what goes wrong, on standard error; or everything."""
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger().setLevel(logging.DEBUG if verbose else logging.WARNING)
    for name in QUOTING:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(verbose)
    if not sys.warnoptions:
        warnings.simplefilter("default" if verbose else "ignore")


def _prepare_streams() -> None:
    """A terminal that cannot show a character gets its escape instead of an error; unreadable input is marked."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        # UTF-8 holds all that is ASCII, so nothing that a locale without a character set lets through is lost.
        ascii_only = codecs.lookup(sys.stdin.encoding).name == "ascii"
        sys.stdin.reconfigure(encoding="utf-8" if ascii_only else None, errors="replace")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _leave(number: int, frame: FrameType | None) -> None:
    """Nothing is open: raising in the midst of an import or of the interpreter's end would only make noise."""
    if number == signal.SIGTERM:
        os._exit(TERMINATED)
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


def _passes(error: BaseException) -> bool:
    """Whether it is typer's own way to end a command or to refuse its arguments."""
    return type(error).__module__.partition(".")[0] == "typer"


def _drop_output() -> None:
    """The reader has gone: the interpreter's last flush must not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
