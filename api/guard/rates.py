"""How much at once: a bucket of requests for each caller, and a gate with a bounded queue; knows no caller."""

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio import Semaphore, current_time

from configs.errors import RateLimitExceeded


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request."""

    limit: int
    """Requests a minute."""
    remaining: int
    reset: float
    """Seconds until all of them are there again."""

    def headers(self) -> dict[str, str]:
        """As OpenAI tells it."""
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
            "x-ratelimit-reset-requests": span(self.reset),
        }


class Bucket:
    """As many requests at once as fit in a minute, refilled evenly."""

    def __init__(self, per_minute: int) -> None:
        self._limit = per_minute
        self._left = float(per_minute)
        self._at = current_time()

    def take(self) -> Allowance:
        """Takes one request out. Raises RateLimitExceeded where there is none."""
        now, rate = current_time(), self._limit / 60
        self._left = min(self._limit, self._left + (now - self._at) * rate)
        self._at = now
        if self._left < 1:
            raise RateLimitExceeded(
                f"more than {self._limit} requests a minute", "Wait a little.", (1 - self._left) / rate
            )
        self._left -= 1
        return Allowance(self._limit, math.floor(self._left), (self._limit - self._left) / rate)


class Gate:
    """At most `limit` inside; at most `queue` more wait, in the order in which they came, and nobody else."""

    def __init__(self, limit: int, queue: int = 0, *, called: str = "requests") -> None:
        self._slots = Semaphore(limit)
        self._limit = limit
        self._room = limit + queue
        self._there = 0
        self._called = called

    @property
    def running(self) -> int:
        """How many are inside."""
        return min(self._there, self._limit)

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return self._there - self.running

    @asynccontextmanager
    async def entered(self) -> AsyncGenerator[None, None]:
        """Waits for a place, and holds it inside. Raises RateLimitExceeded where the queue is full."""
        if self._there >= self._room:
            raise RateLimitExceeded(f"{self._there} {self._called} are going on or waiting", "Try again in a moment.")
        self._there += 1
        try:
            async with self._slots:
                yield
        finally:
            self._there -= 1


def span(seconds: float) -> str:
    """A time as OpenAI writes it in headers: 120ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(round(seconds, 3), 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"
