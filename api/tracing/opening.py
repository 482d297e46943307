"""Opens tracing where it is turned on, and the assistant with it; where it is off, nothing of it is imported."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.assistant import Assistant, open_assistant
from api.tracing.destination import destination
from configs.settings import Settings
from configs.tracing import Tracing

if TYPE_CHECKING:
    from fastapi import FastAPI
    from opentelemetry.trace import Tracer


@asynccontextmanager
async def open_tracing(tracing: Tracing) -> AsyncGenerator["Tracer | None", None]:
    """What makes spans, which are sent while it is open and for a moment in the end; None where tracing is off.

    Raises PackageNotInstalled, ConfigError.
    """
    url = destination(tracing)
    if not url:
        yield None
        return
    from api.tracing.delivery import delivered

    async with delivered(url) as tracer:
        yield tracer


@asynccontextmanager
async def open_traced(
    settings: Settings, *, folder: Path | None = None, hears: bool = True, speaks: bool = True
) -> AsyncGenerator[Assistant, None]:
    """As `open_assistant`; its turns are traced where tracing is on. Raises what both raise."""
    async with (
        open_tracing(settings.tracing) as tracer,
        open_assistant(settings, folder=folder, hears=hears, speaks=speaks) as assistant,
    ):
        trace_turns(assistant, tracer)
        yield assistant


def trace_turns(assistant: Assistant, tracer: "Tracer | None") -> None:
    """Has the turns of an assistant told as spans, where there is a tracer."""
    if tracer:
        from api.tracing.turn_spans import TurnSpans

        assistant.watchers.append(TurnSpans(tracer))


def trace_requests(app: "FastAPI", tracer: "Tracer | None") -> None:
    """Has the requests of an application that serves nobody yet told as spans, where there is a tracer."""
    if tracer:
        from api.tracing.request_spans import RequestSpans

        app.add_middleware(RequestSpans, tracer=tracer)
