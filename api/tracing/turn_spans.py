"""A turn and its stages as spans, made when it has ended; they hold times, numbers and names of ours, and no word."""

import secrets
from collections.abc import Iterator
from hashlib import blake2b
from time import time_ns
from typing import Final

from anyio import current_time
from opentelemetry.trace import Tracer, set_span_in_context
from opentelemetry.trace.status import StatusCode

from agent.events import Outcome, TurnEnded
from api.tracing.stage_times import stage_times
from configs.errors import AssistantError

OUTCOME: Final = "tingshuo.outcome"

Attribute = tuple[str, str | int]


class TurnSpans:
    """Is told how each turn has ended; in the task of a request its spans hang below that one's."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._pepper = secrets.token_bytes(16)
        """For hashes that can be compared with each other, and with none of another process."""

    def __call__(self, ended: TurnEnded) -> None:
        """Makes the spans; quick, and sends nothing itself."""
        now, clock = time_ns(), current_time()
        began = clock if ended.began is None else ended.began
        origin = now - _nanoseconds(1000 * (clock - began))
        turn = self._tracer.start_span("turn", start_time=origin, attributes=dict(self._attributes(ended)))
        if ended.outcome == "failed":
            turn.set_status(StatusCode.ERROR)
        inside = set_span_in_context(turn)
        for stage in stage_times(ended, 1000 * (clock - began)):
            attributes = dict(_outcome(stage.outcome, ended.error))
            begin, end = (origin + _nanoseconds(at) for at in (stage.begin, stage.end))
            span = self._tracer.start_span(stage.name, inside, start_time=begin, attributes=attributes)
            if stage.outcome == "failed":
                span.set_status(StatusCode.ERROR)
            span.end(end)
        turn.end(now)

    def _attributes(self, ended: TurnEnded) -> Iterator[Attribute]:
        """OpenTelemetry's conventions for generative AI, where they fit, and what is our own."""
        engines = {choice.slot: choice for choice in ended.engines}
        yield "tingshuo.turn.id", ended.turn
        yield from _outcome(ended.outcome, ended.error)
        yield "gen_ai.operation.name", "invoke_agent"
        yield (
            "gen_ai.conversation.id",
            blake2b(ended.conversation.encode(), key=self._pepper, digest_size=8).hexdigest(),
        )
        yield "gen_ai.output.type", "speech" if "text_to_speech" in engines else "text"
        if chat := engines.get("chat"):
            yield "gen_ai.provider.name", chat.engine
            if chat.model:
                yield "gen_ai.request.model", chat.model
        if ended.usage:
            yield "gen_ai.usage.input_tokens", ended.usage.input
            yield "gen_ai.usage.output_tokens", ended.usage.output
        for slot, choice in engines.items():
            yield f"tingshuo.engine.{slot}", choice.engine


def _outcome(outcome: Outcome, error: AssistantError | None) -> Iterator[Attribute]:
    yield OUTCOME, outcome
    if outcome == "failed" and error:
        # Its kind alone: a message may quote what was asked.
        yield "error.type", type(error).__name__


def _nanoseconds(milliseconds: float) -> int:
    return round(milliseconds * 1_000_000)
