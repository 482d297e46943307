"""What the server counts, in the text format of Prometheus; it holds numbers alone, and no word or name of a user's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from agent.events import TurnEnded
from api.answer_status import AnswerStatus

MEDIA_TYPE: Final = "text/plain; version=0.0.4"
UNROUTED: Final = "none"
"""The route of a request that met none, or was refused before: its path is the caller's own words."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
BUCKETS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds in seconds."""

Labels = tuple[str, ...]


@dataclass
class Counter:
    """Numbers that only grow, one for each combination of labels."""

    name: str
    told: str
    labels: Sequence[str] = ()
    _values: dict[Labels, float] = field(default_factory=dict)

    def add(self, amount: float, *labels: str) -> None:
        """Counts; the labels stand in the order of their names."""
        self._values[labels] = self._values.get(labels, 0.0) + amount

    def lines(self) -> Iterator[str]:
        """Its samples."""
        yield from _head(self.name, self.told, "counter")
        for labels, value in sorted(self._values.items()):
            yield _sample(self.name, zip(self.labels, labels, strict=True), value)


@dataclass
class Histogram:
    """How often values fell below each bound, for each value of one label."""

    name: str
    told: str
    label: str
    bounds: Sequence[float] = BUCKETS
    _counts: dict[str, list[int]] = field(default_factory=dict)
    _sums: dict[str, float] = field(default_factory=dict)

    def observe(self, value: float, label: str) -> None:
        """Counts one value."""
        counts = self._counts.setdefault(label, [0] * (len(self.bounds) + 1))
        counts[sum(value > bound for bound in self.bounds)] += 1
        self._sums[label] = self._sums.get(label, 0.0) + value

    def lines(self) -> Iterator[str]:
        """Its samples; each bucket holds those below it as well."""
        yield from _head(self.name, self.told, "histogram")
        for label, counts in sorted(self._counts.items()):
            below = 0
            for bound, count in zip([*map(_number, self.bounds), "+Inf"], counts, strict=True):
                below += count
                yield _sample(f"{self.name}_bucket", [(self.label, label), ("le", bound)], below)
            yield _sample(f"{self.name}_sum", [(self.label, label)], self._sums[label])
            yield _sample(f"{self.name}_count", [(self.label, label)], below)


class Metrics:
    """Everything that is counted since the server began."""

    def __init__(self) -> None:
        self._requests = Counter("tingshuo_requests_total", "Requests answered.", ("method", "route", "status"))
        self._turns = Counter("tingshuo_turns_total", "Turns that have ended.", ("outcome",))
        self._stages = Histogram(
            "tingshuo_turn_stage_seconds", "Time from the beginning of a turn until it reached a stage.", "stage"
        )
        self._tokens = Counter("tingshuo_tokens_total", "Tokens that models read and wrote in turns.", ("direction",))
        self._audio = Counter("tingshuo_audio_seconds_total", "Sound that was heard and spoken.", ("direction",))

    def request(self, method: str, route: str, status: int) -> None:
        """Counts a request that was answered; a method of the caller's own making has no name here."""
        self._requests.add(1, method if method in METHODS else "other", route, str(status))

    def turn(self, ended: TurnEnded) -> None:
        """Counts a turn, its stages, its tokens and its sound."""
        self._turns.add(1, ended.outcome)
        for stage, milliseconds in ended.timings_ms.items():
            self._stages.observe(milliseconds / 1000, stage)
        if ended.usage:
            self._tokens.add(ended.usage.input, "input")
            self._tokens.add(ended.usage.output, "output")
        if ended.transcript:
            self.heard(ended.transcript.seconds)
        if ended.sounded:
            self.spoken(ended.sounded)

    def heard(self, seconds: float) -> None:
        """Counts sound that the ears were given."""
        self._audio.add(seconds, "heard")

    def spoken(self, seconds: float) -> None:
        """Counts sound that a voice has made."""
        self._audio.add(seconds, "spoken")

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """All of it; `gauges` says by name what is so at this moment: what that is, and the number."""
        lines = [
            line for counted in (self._requests, self._turns, self._stages, self._tokens, self._audio)
            for line in counted.lines()
        ]  # fmt: skip
        for name, (told, value) in gauges.items():
            lines += [*_head(name, told, "gauge"), _sample(name, (), value)]
        return "\n".join([*lines, ""])


class Counted:
    """Counts each request by its route and its status, from outside of all that could refuse it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, and counts it when it is over; one that nobody answered is a 500."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = AnswerStatus(send)

        try:
            await self._app(scope, receive, answer)
        finally:
            # The router puts it there.
            route = getattr(scope.get("route"), "path_format", UNROUTED)
            self._metrics.request(scope.get("method", "WEBSOCKET"), route, answer.status)


def _head(name: str, told: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    # No label holds a quote, a backslash or the end of a line: all are names of ours.
    inside = ",".join(f'{label}="{said}"' for label, said in labels)
    return f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))
