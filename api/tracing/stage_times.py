"""From the ledger of a turn to its stages, each with a beginning, an end and an outcome; knows no span."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agent.events import Outcome, TurnEnded
from agent.stages import Stage
from models.selection import Slot


@dataclass(frozen=True, slots=True)
class StageTime:
    """A stage of a turn, in milliseconds since the turn's first stamp."""

    name: str
    begin: float
    end: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Part:
    """What happens from the last of some stamps until another one."""

    name: str
    since: tuple[Stage, ...]
    until: Stage
    slot: Slot | None = None
    """Without an engine there it does not happen."""


PARTS: Final = (
    _Part("listening", ("speech_end",), "endpoint"),
    _Part("transcription", ("endpoint",), "transcript"),
    # Both are looked up in one go.
    _Part("retrieval", ("transcript",), "retrieval", "embeddings"),
    _Part("recall", ("transcript",), "recall", "embeddings"),
    _Part("first_token", ("transcript", "retrieval", "recall"), "first_token"),
    _Part("first_clause", ("first_token",), "first_clause", "text_to_speech"),
    _Part("first_audio", ("first_clause",), "first_audio", "text_to_speech"),
    _Part("generation", ("first_token",), "reply_end"),
    _Part("synthesis", ("first_audio",), "speech_done", "text_to_speech"),
    _Part("playback", ("first_audio",), "played", "text_to_speech"),
)


def stage_times(ended: TurnEnded, end: float) -> Iterator[StageTime]:
    """The stages of a turn that ended so many milliseconds after its first stamp.

    Those that were under way when it was cut or failed end with it, and have its outcome. Where a reply failed and an
    apology was said in its place, that is the generation's failure.
    """
    reached = ended.timings_ms
    for part in PARTS:
        begin = _begin(part, reached)
        if begin is None:
            continue
        if part.until in reached:
            apologized = part.until == "reply_end" and ended.outcome == "failed"
            yield StageTime(part.name, begin, reached[part.until], "failed" if apologized else "completed")
        elif ended.outcome in ("interrupted", "failed") and _is_under_way(part, ended):
            yield StageTime(part.name, begin, max(begin, end), ended.outcome)


def _begin(part: _Part, reached: Mapping[str, float]) -> float | None:
    """When a part began; the model's own searches, which come later, count for nothing."""
    latest = reached.get(part.until)
    return max(
        (reached[stage] for stage in part.since if stage in reached and (latest is None or reached[stage] <= latest)),
        default=None,
    )


def _is_under_way(part: _Part, ended: TurnEnded) -> bool:
    """Whether a part that was begun and not ended was being worked at when the turn ended."""
    engines = {choice.slot for choice in ended.engines}
    if part.slot and part.slot not in engines:
        return False
    match part.until:
        case "retrieval":
            return not {"retrieval", "recall", "first_token"} & ended.timings_ms.keys()
        case "recall":
            return False  # its look-up is told as `retrieval`
        case "first_token":
            return "embeddings" not in engines or "retrieval" in ended.timings_ms
        case "played":
            return ended.live
    return True
