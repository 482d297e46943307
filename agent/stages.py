"""The latency ledger of one turn: when each stage was first reached; knows no engine."""

from typing import Literal, get_args

from anyio import current_time

Stage = Literal[
    "speech_end", "endpoint", "transcript", "retrieval", "recall", "first_token", "first_clause", "first_audio",
    "reply_end", "speech_done", "played",
]  # fmt: skip
"""In the order in which a turn reaches them. A typed question begins at `transcript`."""

ORDER: tuple[Stage, ...] = get_args(Stage)


class Stages:
    """Monotonic stamps, in seconds of the event loop's clock."""

    def __init__(self) -> None:
        self._reached: dict[Stage, float] = {}

    def mark(self, stage: Stage, at: float | None = None) -> None:
        """Notes that a stage is reached; only the first time counts."""
        self._reached.setdefault(stage, current_time() if at is None else at)

    def at(self, stage: Stage) -> float | None:
        """When a stage was reached, or None."""
        return self._reached.get(stage)

    @property
    def began(self) -> float | None:
        """The first stamp, or None."""
        return min(self._reached.values(), default=None)

    def milliseconds(self) -> dict[str, float]:
        """How long after the first stamp each stage was reached, in order."""
        origin = self.began or 0.0
        return {stage: round((self._reached[stage] - origin) * 1000, 1) for stage in ORDER if stage in self._reached}
