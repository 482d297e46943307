"""Metrics and probes: what is counted, who may read it, and when turns are welcome."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from anyio import Event, create_task_group, fail_after, wait_all_tasks_blocked
from fastapi.responses import Response
from starlette.requests import Request

from agent.assistant import Assistant, open_assistant
from agent.events import TokensUsed, TurnEnded
from api.app import create_app
from api.metrics import Counter, Histogram, Metrics
from api.readiness import Readiness
from api.service import Service
from configs.errors import EngineUnavailable
from configs.settings import load_settings
from models.audio import from_floats, wav_bytes
from tests.api.guarded_app import bearer, created
from tests.conftest import Backend

pytestmark = pytest.mark.anyio

SAMPLE = re.compile(r'([a-z_]+)(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? (\d+(\.\d+)?(e-?\d+)?)')
"""A line of Prometheus' text format, as far as it is used here."""


def samples(text: str) -> dict[str, float]:
    """The samples by name and labels; each line is checked."""
    found = {}
    for line in text.removesuffix("\n").split("\n"):
        if not line.startswith(("# HELP ", "# TYPE ")):
            matched = SAMPLE.fullmatch(line)
            assert matched, line
            found[matched[1] + (matched[2] or "")] = float(matched[4])
    return found


def ended(**timings: float) -> TurnEnded:
    return TurnEnded(
        "t1", "c1", "completed", "secret question", "en", "secret reply", "", "", False, (), timings,
        usage=TokensUsed(12, 3), sounded=1.5,
    )  # fmt: skip


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def assistant(data_folder: Path) -> AsyncIterator[Assistant]:
    scripted = {name: {"engine": "fake"} for name in ("speech_to_text", "text_to_speech", "voice_activity")}
    chat = {"engine": "fake", "fake": {"replies": ["Two words."]}}
    settings = load_settings(persona="companion", chat=chat, embeddings={"engine": "hashed"}, **scripted)
    async with open_assistant(settings) as opened:
        yield opened


@pytest.fixture
async def client(assistant: Assistant, service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(assistant, service), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


def test_a_histogram_is_written_as_prometheus_defines_it() -> None:
    histogram = Histogram("wait_seconds", "Waiting.", "stage", (0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(value, "first_token")
    # https://prometheus.io/docs/instrumenting/exposition_formats: cumulative, `le` inclusive, +Inf equal to the count.
    assert list(histogram.lines()) == [
        "# HELP wait_seconds Waiting.",
        "# TYPE wait_seconds histogram",
        'wait_seconds_bucket{stage="first_token",le="0.1"} 2',
        'wait_seconds_bucket{stage="first_token",le="1"} 3',
        'wait_seconds_bucket{stage="first_token",le="+Inf"} 4',
        'wait_seconds_sum{stage="first_token"} 7.65',
        'wait_seconds_count{stage="first_token"} 4',
    ]


def test_a_counter_adds_up_by_its_labels() -> None:
    counter = Counter("tokens_total", "Tokens.", ("direction",))
    for amount, direction in ((2, "input"), (0.5, "output"), (3, "input")):
        counter.add(amount, direction)
    assert list(counter.lines())[2:] == ['tokens_total{direction="input"} 5', 'tokens_total{direction="output"} 0.5']


def test_a_turn_is_counted_without_a_word_of_it() -> None:
    metrics = Metrics()
    metrics.turn(ended(transcript=0.0, first_token=250.0))
    text = metrics.text({"now": ("Now.", 1.0)})
    told = samples(text)
    assert told['tingshuo_turns_total{outcome="completed"}'] == 1
    assert told['tingshuo_turn_stage_seconds_bucket{stage="first_token",le="0.2"}'] == 0
    assert told['tingshuo_turn_stage_seconds_bucket{stage="first_token",le="0.3"}'] == 1
    assert told['tingshuo_turn_stage_seconds_sum{stage="first_token"}'] == 0.25
    assert told['tingshuo_tokens_total{direction="input"}'] == 12
    assert told['tingshuo_tokens_total{direction="output"}'] == 3
    assert told['tingshuo_audio_seconds_total{direction="spoken"}'] == 1.5
    assert told["now"] == 1
    assert not re.search("secret|t1|c1", text)


async def test_requests_are_counted_by_route_and_turns_by_outcome(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/ask", json={"text": "Hello?", "user": "ann", "conversation": "c9"})).is_success
    asked = {"model": "companion", "messages": [{"role": "user", "content": "Hello?"}]}
    assert (await client.post("/v1/chat/completions", json=asked)).is_success
    assert (await client.get("/v1/models/nobody")).status_code == 404
    assert (await client.get("/secret-path")).status_code == 404
    assert (await client.request("SECRET", "/v1/ask")).status_code == 405
    answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    told = samples(answer.text)
    assert told['tingshuo_requests_total{method="POST",route="/v1/ask",status="200"}'] == 1
    assert told['tingshuo_requests_total{method="GET",route="/v1/models/{model}",status="404"}'] == 1
    assert told['tingshuo_requests_total{method="GET",route="none",status="404"}'] == 1
    assert told['tingshuo_requests_total{method="other",route="/v1/ask",status="405"}'] == 1
    assert told['tingshuo_turns_total{outcome="completed"}'] == 2
    assert told['tingshuo_turn_stage_seconds_count{stage="first_audio"}'] == 1
    assert told['tingshuo_audio_seconds_total{direction="spoken"}'] > 0
    assert (told["tingshuo_engine_running"], told["tingshuo_engine_queue"], told["tingshuo_ready"]) == (0, 0, 0)
    for word in ("secret", "nobody", "ann", "c9", "Hello"):
        assert word not in answer.text


async def test_sound_is_counted_where_it_is_heard_and_spoken(client: httpx.AsyncClient) -> None:
    second = wav_bytes(from_floats((0.3 * np.sin(np.arange(16_000) / 5)).astype(np.float32), 16_000))
    recording: Any = {"content": second, "headers": {"content-type": "audio/wav"}}
    assert (await client.post("/v1/ask?speak=false", **recording)).is_success
    files = {"file": ("a.wav", second, "audio/wav")}
    assert (await client.post("/v1/audio/transcriptions", files=files, data={"model": "whisper-1"})).is_success
    told = samples((await client.get("/metrics")).text)
    assert told['tingshuo_audio_seconds_total{direction="heard"}'] == pytest.approx(2.0)
    assert 'tingshuo_audio_seconds_total{direction="spoken"}' not in told
    wanted = {"model": "tts-1", "input": "Two words.", "response_format": "pcm"}
    sound = await client.post("/v1/audio/speech", json=wanted)
    told = samples((await client.get("/metrics")).text)
    # PCM is 24 kHz of 16 bits here; half a frame may go in resampling.
    assert told['tingshuo_audio_seconds_total{direction="spoken"}'] == pytest.approx(
        len(sound.content) / 48_000, abs=0.05
    )


async def test_the_queue_of_the_engines_is_told(client: httpx.AsyncClient, service: Service) -> None:
    leave, entered = Event(), 0

    async def hold() -> None:
        nonlocal entered
        async with service.turns.entered():
            entered += 1
            await leave.wait()

    async with create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(hold)
        await wait_all_tasks_blocked()
        told = samples((await client.get("/metrics")).text)
        leave.set()
    # Four turns at once is the service's own number.
    assert (told["tingshuo_engine_running"], told["tingshuo_engine_queue"]) == (4, 2)
    assert entered == 6


async def test_probes_need_no_key_and_metrics_need_an_admins(client: httpx.AsyncClient, data_folder: Path) -> None:
    admin, chat = created(data_folder, "boss", "admin"), created(data_folder, "ann", "chat")
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 503
    assert (await client.get("/metrics")).status_code == 401
    assert (await client.get("/metrics", headers=bearer(chat))).status_code == 403
    told = samples((await client.get("/metrics", headers=bearer(admin))).text)
    assert told['tingshuo_requests_total{method="GET",route="none",status="403"}'] == 1


async def test_it_is_ready_when_it_is_warm_and_until_it_ends(
    client: httpx.AsyncClient, assistant: Assistant, service: Service
) -> None:
    warming = await client.get("/health/ready")
    assert (warming.status_code, warming.json()["state"]) == (503, "warming")
    await service.readiness.warm(assistant)
    assert (await client.get("/health/ready")).json() == {"ready": True, "state": "ready"}
    await service.drain()
    ending = await client.get("/health/ready")
    assert ending.status_code == 503
    assert ending.json() == {"ready": False, "state": "draining", "reason": "the server is shutting down"}
    assert (await client.get("/health/live")).json() == {"live": True}
    assert (await client.post("/v1/ask", json={"text": "Hello?"})).status_code == 503


async def test_an_engine_that_failed_is_named_to_those_with_a_key(
    client: httpx.AsyncClient, assistant: Assistant, service: Service, data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    failed: dict[str, EngineUnavailable] = {"chat": EngineUnavailable("10.0.0.7 is away", "Start it.")}
    monkeypatch.setattr(assistant, "failures", lambda: failed)
    async with create_task_group() as tasks:
        tasks.start_soon(service.readiness.warm, assistant)
        while service.readiness.state == "warming":
            await wait_all_tasks_blocked()
        told = await client.get("/health/ready")
        created(data_folder, "ann", "chat")
        anonymous = await client.get("/health/ready")
        tasks.cancel_scope.cancel()
    assert told.status_code == 503
    assert told.json()["reason"] == "chat: 10.0.0.7 is away; Start it."
    assert (anonymous.status_code, anonymous.json()) == (503, {"ready": False, "state": "failed"})


class TestInVirtualTime:
    @pytest.fixture
    def anyio_backend(self, trio_virtual: Backend) -> Backend:
        return trio_virtual

    async def test_an_engine_that_failed_is_tried_again(self) -> None:
        class Recovering:
            tries = 0

            async def warm(self) -> None:
                self.tries += 1

            def failures(self) -> dict[str, EngineUnavailable]:
                return {"chat": EngineUnavailable("away")} if self.tries < 3 else {}

        readiness, recovering = Readiness(), Recovering()
        await readiness.warm(recovering)  # type: ignore[arg-type]
        assert (recovering.tries, readiness.state) == (3, "ready")

    async def test_the_end_waits_for_running_turns_and_takes_no_new_ones(self) -> None:
        service, going, leave = Service(), Event(), Event()
        request = Request({"type": "http", "headers": []}, _never)

        async def answer(all_read: object) -> Response:
            going.set()
            await leave.wait()
            return Response("done")

        async def first() -> None:
            assert (await service.attend(request, answer)).status_code == 200

        drained = Event()

        async def drain() -> None:
            await service.drain()
            drained.set()

        async with create_task_group() as tasks:
            tasks.start_soon(first)
            await going.wait()
            tasks.start_soon(drain)
            await wait_all_tasks_blocked()
            assert service.readiness.state == "draining"
            assert not drained.is_set()
            with fail_after(1):
                assert (await service.attend(request, answer)).status_code == 503
            leave.set()
            await drained.wait()


async def _never() -> dict[str, object]:
    await Event().wait()
    raise AssertionError
