"""Blank memory: what is allocated is filled first, so that a library that writes it out unused leaks no words to disk.

Chroma's index writes the space that it keeps for vectors to come as it got it from the C library, with whatever stood
there before: pieces of documents, of questions. glibc can fill what it hands out; elsewhere nothing is changed.
"""

import ctypes
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Final

M_PERTURB: Final = -6
"""mallopt(3): the byte that freed memory is filled with, its complement what is allocated; 0 fills nothing."""
FILLING: Final = 0xFF
"""So that what is allocated is zero."""

_lock = Lock()
_inside = 0


@contextmanager
def blank_memory() -> Generator[None, None, None]:
    """Inside, in whatever thread, memory is handed out filled; it costs as much as writing it."""
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _inside
    with _lock:
        before, _inside = _inside, _inside + change
        if (before == 0) != (_inside == 0):
            _perturb(FILLING if _inside else 0)


def _perturb(byte: int) -> None:
    if mallopt := getattr(_LIBC, "mallopt", None):
        mallopt(M_PERTURB, byte)


_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
