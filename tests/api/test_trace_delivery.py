"""Spans on their way to a collector that is there, away, deaf or rude; and none where tracing is off."""

import logging
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from anyio.to_thread import run_sync
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import get_tracer_provider
from typer.testing import CliRunner

from api.terminal.commands import app
from api.tracing.delivery import CollectorExporter, LastWords
from api.tracing.opening import open_tracing
from configs.errors import ConfigError, PackageNotInstalled
from configs.settings import load_settings
from configs.tracing import Tracing
from tests.collector import collector, values

pytestmark = pytest.mark.anyio

SECRET = "swordfish"
SCRIPTED = {
    "TINGSHUO_PERSONA": "companion",
    "TINGSHUO_CHAT__ENGINE": "fake",
    "TINGSHUO_CHAT__FAKE__REPLIES": f'["The {SECRET} opens it."]',
    "TINGSHUO_EMBEDDINGS__ENGINE": "hashed",
    "TINGSHUO_TEXT_TO_SPEECH__ENGINE": "fake",
}


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SCRIPTED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def absent() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_span_comes_to_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=attic")
    # It would tell the command line, which holds a question.
    monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process")
    with collector() as opened:
        async with open_tracing(Tracing(endpoint=opened.url)) as tracer:
            assert tracer
            with tracer.start_as_current_span("one", attributes={"number": 1}):
                pass
        assert opened.paths == ["/v1/traces"]
        assert values(opened.spans["one"].attributes) == {"number": 1}
        assert opened.resource["service.name"] == "tingshuo"
        assert opened.resource["deployment.environment.name"] == "attic"
        assert not any(name.startswith("process.command") for name in opened.resource)


async def test_who_sends_may_be_named_as_opentelemetry_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "kitchen")
    with collector() as opened:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", opened.url)
        async with open_tracing(load_settings().tracing) as tracer:
            assert tracer
            tracer.start_span("one").end()
        assert opened.resource["service.name"] == "kitchen"


async def test_other_libraries_tell_nothing() -> None:
    """What they would say of a turn may hold its words."""
    with collector() as opened:
        async with open_tracing(Tracing(endpoint=opened.url)):
            get_tracer_provider().get_tracer("langchain").start_span(SECRET).end()
        assert opened.requests == []


async def test_an_absent_collector_costs_one_line_and_no_time(absent: str, caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    async with open_tracing(Tracing(endpoint=absent)) as tracer:
        assert tracer
        for _ in range(2_000):
            tracer.start_span("one").end()
    assert time.monotonic() - began < 2
    (line,) = warnings_in(caplog)
    assert f"{absent}/v1/traces" in line
    assert "\n" not in line


async def test_a_deaf_collector_holds_up_the_end_for_two_seconds_at_most(caplog: pytest.LogCaptureFixture) -> None:
    with collector() as opened:
        opened.answers.clear()
        async with open_tracing(Tracing(endpoint=opened.url)) as tracer:
            assert tracer
            tracer.start_span("one").end()
            began = time.monotonic()
        took = time.monotonic() - began
    assert took < 2.5
    assert len(warnings_in(caplog)) == 1


async def test_a_deaf_collector_that_is_being_sent_to_is_left_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    with collector() as opened:
        opened.answers.clear()
        async with open_tracing(Tracing(endpoint=opened.url)) as tracer:
            assert tracer
            tracer.start_span("one").end()
            await run_sync(opened.asked.wait, 10)
            tracer.start_span("two").end()
            began = time.monotonic()
        took = time.monotonic() - began
        (left,) = (thread for thread in threading.enumerate() if thread.name == "tracing-end")
    await run_sync(left.join, 10)
    assert not left.is_alive()
    assert took < 2.5
    # Nor is anything told of what comes of it later.
    assert len(warnings_in(caplog)) == 1


def test_a_rude_collector_is_told_of_once_until_it_is_polite(caplog: pytest.LogCaptureFixture) -> None:
    span = TracerProvider(shutdown_on_exit=False).get_tracer("tests").start_span("one")
    assert isinstance(span, ReadableSpan)
    span.end()
    told = []
    with collector() as opened, closing(LastWords()) as library:
        exporter = CollectorExporter(f"{opened.url}/v1/traces", library)
        for opened.status in (401, 401, 200, 401):
            exporter.export([span])
            told.append(len(warnings_in(caplog)))
        exporter.shutdown()
        assert len(opened.requests) == 1
    assert told == [1, 1, 1, 2]
    assert all("401" in line and opened.url in line for line in warnings_in(caplog))


def test_a_question_at_the_terminal_is_traced(
    scripted: None, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    with collector() as opened:
        monkeypatch.setenv("TINGSHUO_TRACING__ENDPOINT", opened.url)
        done = CliRunner().invoke(app, ["ask", f"What about the {SECRET}?", "--user", SECRET, "--conversation", SECRET])
        assert (done.exit_code, done.stderr) == (0, "")
        assert SECRET in done.stdout
        spans = opened.spans
    assert set(spans) == {
        "turn", "retrieval", "first_token", "first_clause", "first_audio", "generation", "synthesis",
    }  # fmt: skip
    turn = spans["turn"]
    assert turn.parent_span_id == b""
    assert values(turn.attributes)["tingshuo.outcome"] == "completed"
    for name, span in spans.items():
        assert turn.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= turn.end_time_unix_nano
        assert name == "turn" or span.parent_span_id == turn.span_id
    assert abs(turn.end_time_unix_nano / 1e9 - time.time()) < 60
    assert not any(SECRET.encode() in body for body in opened.bodies)


def test_a_typed_conversation_is_traced_and_an_absent_collector_is_one_line(
    scripted: None, monkeypatch: pytest.MonkeyPatch, absent: str, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TINGSHUO_TRACING__ENDPOINT", absent)
    done = CliRunner().invoke(app, ["chat"], input="Hello?\nAnd now?\n")
    assert done.exit_code == 0
    assert done.stdout.count(SECRET) == 2
    assert "Traceback" not in done.stderr
    assert [line for line in warnings_in(caplog) if absent in line] == warnings_in(caplog)
    assert len(warnings_in(caplog)) == 1


@pytest.mark.parametrize("command", [["ask", "Hello?"], ["serve", "--port", "0"]])
def test_a_missing_package_is_told_before_anything_is_opened(
    scripted: None, monkeypatch: pytest.MonkeyPatch, data_folder: Path, command: list[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr("api.tracing.destination.NEEDED", ("opentelemetry.exporter.nobody.proto",))

    def bind(*where: object, **how: object) -> None:
        raise AssertionError("bound")

    monkeypatch.setattr("api.listening.bind", bind)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 78
    assert "pip install opentelemetry-exporter-otlp-proto-http" in done.stderr
    assert not data_folder.exists()


async def test_a_missing_package_is_an_error_only_where_tracing_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.tracing.destination.NEEDED", ("opentelemetry.exporter.nobody.proto",))
    async with open_tracing(Tracing()) as tracer:
        assert tracer is None
    with pytest.raises(PackageNotInstalled):
        async with open_tracing(Tracing(endpoint="http://127.0.0.1:4318")):
            pass


async def test_a_variable_of_the_librarys_that_is_wrong_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")
    with pytest.raises(ConfigError, match="max_export_batch_size"):
        async with open_tracing(Tracing(endpoint="http://127.0.0.1:4318")):
            pass


async def test_one_that_the_library_can_do_without_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "soon")
    async with open_tracing(Tracing(endpoint="http://127.0.0.1:4318")):
        pass
    (line,) = warnings_in(caplog)
    assert "OTEL_BSP_SCHEDULE_DELAY" in line


def test_where_tracing_is_off_nothing_of_it_is_loaded() -> None:
    code = """
import sys, anyio
from api.tracing.opening import open_traced
from configs.settings import load_settings

async def main():
    async with open_traced(load_settings(), hears=False) as assistant:
        await assistant.ask(text="Hello?", speak=False)
        assert assistant.watchers == []

anyio.run(main)
ours = {"api.tracing.delivery", "api.tracing.turn_spans", "api.tracing.request_spans"}
theirs = {name for name in sys.modules if name.startswith("opentelemetry.exporter")}
print(sorted(theirs | ours & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
