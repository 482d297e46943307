"""Spans on their way to a collector: in the background, and without a word but one when none can be reached."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from threading import Thread
from typing import Final

from anyio import CancelScope
from anyio.to_thread import run_sync
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer

from configs.errors import ConfigError

log = logging.getLogger(__name__)

LAST_TRY: Final = 0.75
"""Seconds for what is sent in the end: too short for a second try, so that an absent collector holds nobody up."""
LONGEST_END: Final = 2.0
"""Seconds after which what is still on its way is given up."""


@asynccontextmanager
async def delivered(url: str) -> AsyncGenerator[Tracer, None]:
    """Makes spans that are sent to a URL. Raises ConfigError where a variable of OpenTelemetry's is wrong."""
    library = LastWords()
    exporter, provider = _opened(url, library)
    if library.said:
        log.warning("OpenTelemetry: %s", library.said)
        library.said = ""
    try:
        yield provider.get_tracer("tingshuo", version("tingshuo"))
    finally:
        with CancelScope(shield=True):
            await run_sync(_end, provider, exporter, library)


class LastWords(logging.Handler):
    """Takes OpenTelemetry's own log, which tells of each try and with tracebacks; keeps what was said last."""

    said = ""

    def __init__(self) -> None:
        super().__init__()
        self._logger = logging.getLogger("opentelemetry")
        self._logger.addHandler(self)
        self._logger.propagate = logging.getLogger().isEnabledFor(logging.DEBUG)

    def close(self) -> None:
        """Gives it back."""
        self._logger.removeHandler(self)
        self._logger.propagate = True
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """One line of it."""
        self.said = " ".join(record.getMessage().split())[:300]


class CollectorExporter(SpanExporter):
    """Sends spans to a collector; of all that goes wrong it logs one line, until something goes well again."""

    def __init__(self, url: str, library: LastWords) -> None:
        """Raises ValueError, RuntimeError where a variable is wrong."""
        self._url = url
        self._library = library
        self._exporter: SpanExporter = OTLPSpanExporter(endpoint=url)
        self._away = False
        self._over = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends them, with tries and waits as OTEL_EXPORTER_OTLP_TIMEOUT allows; blocking."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            if result is SpanExportResult.SUCCESS:
                self._away = False
            else:
                self.give_up(self._library.said or "no answer")
        return result

    def hurry(self) -> None:
        """From now on each try is the last, also the one that is being made."""
        before = self._exporter
        self._exporter = OTLPSpanExporter(endpoint=self._url, timeout=LAST_TRY)
        before.shutdown()

    def give_up(self, why: str) -> None:
        """Says that spans are lost, unless that is known."""
        if not self._away and not self._over:
            self._away = True
            log.warning("traces cannot be sent to %s and are dropped; is a collector there? (%s)", self._url, why)

    def leave(self) -> None:
        """Whatever still comes of it, nobody waits for any longer."""
        self.give_up(f"no answer in {LONGEST_END:g} s")
        self._over = True

    def shutdown(self) -> None:
        """Nothing is sent any more."""
        self._exporter.shutdown()


def _opened(url: str, library: LastWords) -> tuple[CollectorExporter, TracerProvider]:
    """Not OpenTelemetry's global provider: what other libraries would tell there may hold words of the user's."""
    try:
        exporter = CollectorExporter(url, library)
        provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    except (ValueError, RuntimeError) as error:
        library.close()
        raise ConfigError(
            f"a variable of OpenTelemetry's is wrong: {error}", "Correct the OTEL_* variables."
        ) from error
    return exporter, provider


def _resource() -> Resource:
    """Who sends: as OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, and no command line, which holds a question."""
    found = Resource.create({"service.version": version("tingshuo")}).attributes
    kept = {name: value for name, value in found.items() if not name.startswith("process.command")}
    if str(kept["service.name"]).startswith("unknown_service"):
        kept["service.name"] = "tingshuo"
    return Resource(kept)


def _end(provider: TracerProvider, exporter: CollectorExporter, library: LastWords) -> None:
    """Sends the rest, if that is quick; blocking."""

    def end() -> None:
        provider.shutdown()
        library.close()

    exporter.hurry()
    # The provider would wait for half a minute, and a thread that waits for it must not hold up the process's end.
    ending = Thread(target=end, name="tracing-end", daemon=True)
    ending.start()
    ending.join(LONGEST_END)
    if ending.is_alive():
        exporter.leave()
