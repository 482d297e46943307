"""The server as a program of its own, over real sockets."""

import base64
import io
import shutil
import signal
import sqlite3
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import NO_OLLAMA, QUESTIONS, Process, running

WAV = {"content-type": "audio/wav"}


@pytest.fixture(scope="module")
def server(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Process]]:
    """One server for all tests here: its address, and its process."""

    data = shutil.copytree(prepared, tmp_path_factory.mktemp("served") / "data")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**NO_OLLAMA, "TINGSHUO_LIMITS__AUDIO_BYTES": "300000"}.items():
            patch.setenv(name, value)
        patch.setenv("TINGSHUO_DATA", str(data))
        with running("serve", "--port", "0") as started:
            yield address(started), started


def until(so: Callable[[], bool]) -> None:
    """Waits until something is so; the test's own time limit ends it."""
    while not so():
        time.sleep(0.02)


def address(process: Process) -> str:
    line = process.line(error=True)
    assert line.startswith("Serving at "), line
    return line.split()[2]


@pytest.fixture
def client(server: tuple[str, Process]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server[0], timeout=30, trust_env=False) as opened:
        yield opened


def test_a_recording_is_answered_with_a_recording(client: httpx.Client) -> None:
    answer = client.post("/v1/ask", content=(QUESTIONS / "vacation.wav").read_bytes(), headers=WAV).json()
    assert "vacation" in answer["transcript"]
    assert "25 days" in answer["reply"]["text"]
    assert answer["reply"]["citations"][0]["document"] == "Employee Handbook"
    with wave.open(io.BytesIO(base64.b64decode(answer["audio"]["base64"]))) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(answer["audio"]["seconds"], abs=0.001)


def test_health_says_what_serves_and_what_would_be_better(client: httpx.Client) -> None:
    health = client.get("/health").json()
    assert health["ready"] is True
    assert health["engines"]["chat"]["embedded"] is True
    assert any(line.startswith("chat: ") and "ollama" in line for line in health["degraded"])


def test_a_stream_without_a_length_is_stopped_at_the_limit(client: httpx.Client) -> None:
    refused = client.post("/v1/ask", content=(bytes(50_000) for _ in range(10)), headers=WAV)
    assert refused.status_code == 413
    assert "300000" in refused.json()["error"]["message"]
    assert client.get("/health").status_code == 200


def test_many_callers_at_once_are_all_answered(client: httpx.Client) -> None:
    answers: list[dict[str, Any]] = []

    def ask(text: str) -> None:
        answers.append(client.post("/v1/ask", json={"text": text, "speak": False}).json())

    questions = ["How long is the probation period?", "年假有多少天？"] * 4
    threads = [threading.Thread(target=ask, args=(text,)) for text in questions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = [answer["reply"]["text"] for answer in answers]
    assert sum("three months" in text for text in texts) == 4
    assert sum("25天" in text for text in texts) == 4


def test_a_port_that_is_taken_is_told_before_anything_is_loaded(
    server: tuple[str, Process], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINGSHUO_DATA", str(tmp_path / "never"))
    done = Process("serve", "--port", server[0].rpartition(":")[2]).ended()
    assert done.code == 69
    assert "--port" in done.err
    assert not (tmp_path / "never").exists()


def test_a_running_turn_is_ended_with_the_server_and_kept(handbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_CHAT__ENGINE", "fake")
    monkeypatch.setenv("TINGSHUO_CHAT__FAKE__TOKEN", "600")
    got: list[httpx.Response] = []
    with running("serve", "--port", "0") as own:
        url = address(own)
        body = {"text": "Tell me a story", "persona": "companion", "speak": False}
        asking = threading.Thread(target=lambda: got.append(httpx.post(f"{url}/v1/ask", json=body, timeout=30)))
        asking.start()
        until(lambda: "\ntingshuo_engine_running 1\n" in httpx.get(f"{url}/metrics", trust_env=False).text)
        own.interrupt(signal.SIGTERM)
        own.interrupt(signal.SIGTERM)
        done = own.ended()
        asking.join()
    assert (done.code, done.err) == (0, "")
    assert got[0].status_code == 503
    with closing(sqlite3.connect(handbook / "ledger.sqlite3")) as ledger:
        assert ledger.execute("SELECT outcome FROM turns").fetchall() == [("interrupted",)]


def test_readiness_goes_first_and_a_running_turn_ends_well(handbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_CHAT__ENGINE", "fake")
    monkeypatch.setenv("TINGSHUO_CHAT__FAKE__REPLIES", '["One two three four five six."]')
    monkeypatch.setenv("TINGSHUO_CHAT__FAKE__TOKEN", "0.2")
    got: list[httpx.Response] = []
    with running("serve", "--port", "0") as own, httpx.Client(base_url=address(own), trust_env=False) as probe:
        body = {"text": "Tell me a story", "persona": "companion", "speak": False}
        asking = threading.Thread(target=lambda: got.append(httpx.post(f"{probe.base_url}/v1/ask", json=body)))
        until(lambda: probe.get("/health/ready").status_code == 200)
        asking.start()
        until(lambda: "\ntingshuo_engine_running 1\n" in probe.get("/metrics").text)
        own.interrupt(signal.SIGTERM)
        until(lambda: probe.get("/health/ready").status_code == 503)
        ready, live, refused = probe.get("/health/ready"), probe.get("/health/live"), probe.post("/v1/ask", json=body)
        asking.join()
        done = own.ended()
    assert (done.code, done.err) == (0, "")
    assert (ready.json()["state"], live.status_code) == ("draining", 200)
    assert refused.status_code == 503
    assert (got[0].status_code, got[0].json()["outcome"]) == (200, "completed")


@pytest.mark.parametrize("after", [0.2, 0.5, 0.9])
def test_a_server_that_is_ended_while_it_opens_says_nothing_and_leaves_the_folder_free(
    handbook: Path, after: float
) -> None:
    with running("serve", "--port", "0") as own:
        time.sleep(after)
        own.interrupt(signal.SIGTERM)
        done = own.ended()
    # Before the interpreter has begun, the signal itself ends the process.
    assert done.code in (0, 143, -signal.SIGTERM)
    assert done.err == "" or done.err.startswith("Serving at ")
    assert len(done.err.splitlines()) <= 1
    with running("serve", "--port", "0") as again:
        assert address(again)
