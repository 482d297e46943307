"""What was heard of a reply: by the sample clock, or by the client's word; plays nothing itself."""

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from tools.clauses import Clause
from tools.speech_output import SpeechChunk

GRACE = 2.0
"""Seconds for which a client's acknowledgement may be late."""
ROUNDING = 0.01
"""Seconds by which a client's word may be short: it counts in milliseconds, or in buffers."""
PACE = {"zh": 0.2, "en": 0.065}
"""Seconds that a spoken character sounds, until a clause of the reply has shown it."""


@dataclass(slots=True)
class _Part:
    """What was handed out of one clause."""

    clause: Clause
    spoken: str
    language: str
    start: float
    """Seconds of sound before it."""
    seconds: float = 0.0
    complete: bool = False


class Playback:
    """Follows one reply from the first chunk that is handed out."""

    def __init__(self, clock: Callable[[], float] = anyio.current_time, *, grace: float = GRACE) -> None:
        """`clock` must be the one that `anyio.sleep` goes by."""
        self._clock = clock
        self._grace = grace
        self._parts: list[_Part] = []
        self._total = 0.0
        """Seconds of sound handed out."""
        self._silent_from = 0.0
        """When all of it has sounded, by the clock."""
        self._acknowledged: float | None = None
        self._acknowledged_at = 0.0
        self._news = anyio.Event()
        self._pace = dict(PACE)

    def add(self, chunk: SpeechChunk) -> None:
        """Notes a chunk that is handed out now; it sounds after those before it, or now if they have all sounded."""
        if not self._parts or self._parts[-1].clause != chunk.clause:
            self._parts.append(_Part(chunk.clause, chunk.spoken, chunk.language, self._total))
        part, seconds = self._parts[-1], chunk.audio.seconds
        part.seconds += seconds
        part.complete = part.complete or chunk.last
        self._total += seconds
        self._silent_from = max(self._clock(), self._silent_from) + seconds
        if part.complete and part.seconds and part.spoken:
            self._pace[part.language] = part.seconds / len(part.spoken)

    def acknowledge(self, seconds: float) -> None:
        """The client has really played that much since the reply began; from now on only its word counts."""
        before = self._acknowledged
        if math.isnan(seconds) or (before is not None and seconds <= before):
            return
        self._acknowledged, self._acknowledged_at = max(0.0, min(seconds, self._total)), self._clock()
        self._news.set()
        self._news = anyio.Event()

    def heard(self) -> int:
        """How many characters of the display text have been heard until now."""
        position = self._position()
        index = bisect_right(self._parts, position, key=lambda part: part.start) - 1
        if index < 0:
            return 0
        part = self._parts[index]
        return part.clause.start + _spoken_until(part.clause.display, self._share(part, position - part.start))

    async def wait_played(self) -> None:
        """Waits until everything that was added so far has sounded, or a client is silent about it for too long."""
        target, due = self._total, self._silent_from
        while self._acknowledged is None and self._clock() < due:
            with anyio.move_on_after(due - self._clock()):
                await self._news.wait()
        while self._acknowledged is not None and self._acknowledged < target - ROUNDING:
            expected = max(due, self._acknowledged_at + target - self._acknowledged)
            with anyio.move_on_after(expected + self._grace - self._clock()) as patience:
                await self._news.wait()
            if patience.cancelled_caught:
                return

    def _position(self) -> float:
        """Seconds of sound that have been heard, and a little, so that rounding does not hold back an end."""
        if self._acknowledged is not None:
            return self._acknowledged + ROUNDING
        return self._total - max(0.0, self._silent_from - self._clock()) + 1e-6

    def _share(self, part: _Part, seconds: float) -> float:
        """How much of a part has been heard, 0 to 1; 1 only when it is known to be whole."""
        if part.complete:
            return min(1.0, seconds / part.seconds) if part.seconds else 1.0
        expected = self._pace.get(part.language, PACE["en"]) * len(part.spoken)
        known = max(expected, part.seconds)
        return min(seconds / known, 1 - 1e-9) if known else 0.0


def _spoken_until(display: str, share: float) -> int:
    """How many characters that share is, down to the end of a word or of a Chinese character."""
    end = int(len(display) * share)
    while 0 < end < len(display) and not _parts_words(display[end - 1], display[end]):
        end -= 1
    return end


def _parts_words(before: str, after: str) -> bool:
    """Whether a text may be cut between these characters."""
    if unicodedata.combining(after) or after in "\u200d\ufe0f" or before == "\u200d":
        return False
    return before.isspace() or after.isspace() or before >= "\u2e80" or after >= "\u2e80"
