"""One measured figure, and the statistics that make it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table."""

    what: str
    value: str
    aim: str
    conditions: str


def spread(milliseconds: Sequence[float]) -> str:
    """The median, the 95th percentile and the worst, in milliseconds."""
    p95 = quantiles(milliseconds, n=20)[-1] if len(milliseconds) > 1 else milliseconds[0]
    return f"p50 {median(milliseconds):.1f} ms, p95 {p95:.1f} ms, max {max(milliseconds):.1f} ms"
