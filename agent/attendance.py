"""Attendance: one turn at a time in a conversation, and whether anybody is being answered; runs no turn."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from anyio import CancelScope, Event, Lock, current_time, sleep_until


class Attendance:
    """Who is being answered."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()
        self._attended = 0
        self.ended = 0
        """How many turns have ended."""
        self._last = float("-inf")
        """When the last turn ended, by the event loop's clock."""
        self._changed = Event()
        self._quiet_work: CancelScope | None = None

    @asynccontextmanager
    async def turn(self, conversation: str) -> AsyncGenerator[None, None]:
        """Inside, no other turn of that conversation runs; those that wait come in order."""
        lock = self._locks.setdefault(conversation, Lock())
        async with lock:
            self._attended += 1
            if self._quiet_work:
                self._quiet_work.cancel()
            try:
                yield
            finally:
                self._attended -= 1
                self.ended += 1
                self._last = current_time()
                self._changed.set()
                self._changed = Event()

    async def wait_ended(self, before: int) -> int:
        """Waits until more turns than `before` have ended; how many have."""
        while self.ended <= before:
            await self._changed.wait()
        return self.ended

    async def quiet(self, seconds: float) -> None:
        """Waits until nobody has been answered for so long."""
        while self._attended or current_time() < self._last + seconds:
            if self._attended:
                await self._changed.wait()
            else:
                await sleep_until(self._last + seconds)

    @asynccontextmanager
    async def quietly(self) -> AsyncGenerator[CancelScope, None]:
        """Work that ends, as cancelled, when the next turn begins."""
        with CancelScope() as scope:
            self._quiet_work = scope
            try:
                if self._attended:
                    scope.cancel()
                yield scope
            finally:
                self._quiet_work = None
