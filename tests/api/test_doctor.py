"""What `tingshuo doctor` finds out, and that it disturbs nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.terminal.commands import app
from memory.folder import open_data_folder
from models.gpus import Gpu

pytestmark = pytest.mark.anyio

SLOTS = {"chat", "embeddings", "speech_to_text", "text_to_speech", "voice_activity"}


@pytest.fixture(autouse=True)
def no_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    for section in ("CHAT", "EMBEDDINGS"):
        # Port 9 is for discarding; nobody listens there.
        monkeypatch.setenv(f"TINGSHUO_{section}__OLLAMA__HOST", "http://127.0.0.1:9")


def doctor() -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(app, ["doctor", "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_a_fresh_machine_is_well_and_told_what_would_be_better(data_folder: Path) -> None:
    code, found = doctor()
    assert code == 0
    engines = found["engines"]
    assert isinstance(engines, dict)
    assert engines.keys() == SLOTS
    assert engines["chat"]["embedded"] is True
    assert "127.0.0.1:9" in engines["chat"]["better"]
    assert "ollama pull" in engines["chat"]["remedy"]
    assert found["variables"]
    assert not data_folder.exists()


def test_for_a_person_every_slot_and_remedy_has_its_line() -> None:
    out = CliRunner().invoke(app, ["doctor"]).stdout
    for slot in SLOTS:
        assert f"\n{slot} " in f"\n{out}"
    assert "get it: ollama serve" in out


@pytest.mark.parametrize(
    ("cards", "lines"),
    [
        (
            [Gpu("RTX 3050", 4096 << 20, 3000 << 20), Gpu("RTX 4090", 24564 << 20, 24000 << 20)],
            ["RTX 4090, 25.8 GB, 25.2 GB free", "num_ctx: 32768", "OLLAMA_KV_CACHE_TYPE=f16 ollama serve"],
        ),
        ([Gpu("RTX 3050", 4096 << 20, 3000 << 20)], ["too small for qwen3:8b"]),
        ([], ["none found by nvidia-smi"]),
    ],
)
def test_the_memory_of_the_largest_gpu_is_divided(
    monkeypatch: pytest.MonkeyPatch, cards: list[Gpu], lines: list[str]
) -> None:
    monkeypatch.setattr("api.terminal.doctor.find_gpus", lambda: cards)
    out = CliRunner().invoke(app, ["doctor"]).stdout
    for line in lines:
        assert line in out
    found = doctor()[1]
    assert isinstance(found["gpus"], list)
    assert [gpu["name"] for gpu in found["gpus"]] == [card.name for card in cards]
    assert (found["best_settings"] is not None) is (len(cards) == 2)


def test_weights_that_are_missing_are_to_be_pulled() -> None:
    engines = doctor()[1]["engines"]
    assert isinstance(engines, dict)
    assert engines["speech_to_text"]["remedy"] == "tingshuo pull --only whisper"
    assert "tingshuo pull --only ollama" in engines["chat"]["remedy"]


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("TINGSHUO_CHAT__ENGINE", "ollama", "chat"),
        ("TINGSHUO_TEXT_TO_SPEECH__ENGINE", "gramophone", "text_to_speech"),
        ("TINGSHUO_PERSONA", "nobody", "persona"),
        ("TINGSHUO_SERVER__PORT", "many", "settings"),
        ("TINGSHUO_CONFIG", "/nowhere.yaml", "settings"),
        ("TINGSHUO_DATA", "/dev/null/data", "data"),
    ],
)
def test_what_is_configured_and_cannot_work_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, part: str
) -> None:
    monkeypatch.setenv(variable, value)
    code, found = doctor()
    assert code == 1
    assert isinstance(found["problems"], dict)
    assert list(found["problems"]) == [part]
    assert found["problems"][part]["hint"]


def test_it_tells_where_traces_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor()[1]["tracing"] is None
    assert "tracing" not in CliRunner().invoke(app, ["doctor"]).stdout
    monkeypatch.setenv("TINGSHUO_TRACING__ENDPOINT", "http://127.0.0.1:4318")
    code, found = doctor()
    assert (code, found["tracing"]) == (0, "http://127.0.0.1:4318/v1/traces")
    assert "told to http://127.0.0.1:4318/v1/traces" in CliRunner().invoke(app, ["doctor"]).stdout


def test_a_package_for_traces_that_is_missing_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_TRACING__ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr("api.tracing.destination.NEEDED", ("opentelemetry.exporter.nobody.proto",))
    code, found = doctor()
    assert code == 1
    assert isinstance(found["problems"], dict)
    assert "EXTRAS=otel" in found["problems"]["tracing"]["hint"]


async def test_a_folder_in_use_is_no_problem_and_stays_in_use(data_folder: Path) -> None:
    async with open_data_folder(data_folder):
        for _ in range(2):
            code, found = other_doctor()
            assert code == 0
            data = found["data"]
            assert isinstance(data, dict)
            assert (data["locked"], data["locked_by"]) == (True, os.getpid())
    code, found = other_doctor()
    assert isinstance(found["data"], dict)
    assert found["data"]["locked"] is False


def other_doctor() -> tuple[int, dict[str, object]]:
    """As a program of its own, which shares no lock with this one."""

    done = subprocess.run(
        [sys.executable, "-m", "api.cli", "doctor", "--json"], capture_output=True, text=True, check=False
    )
    return done.returncode, json.loads(done.stdout)


def test_the_index_is_checked(tmp_path: Path, data_folder: Path) -> None:
    assert doctor()[1]["index"] == {"state": "not checked", "vectors": 0, "tried": 0, "why": "nothing is kept yet"}
    document = tmp_path / "a.md"
    document.write_text("# A\n\nAbout a river.\n")
    assert CliRunner().invoke(app, ["ingest", str(document)]).exit_code == 0
    out = CliRunner().invoke(app, ["doctor"]).stdout
    assert "\nindex           fine (1 vectors, 1 of them looked for)\n" in out
    shutil.rmtree(data_folder / "chroma")
    code, found = doctor()
    assert code == 1
    assert isinstance(found["index"], dict)
    assert isinstance(found["problems"], dict)
    assert found["index"]["state"] == "damaged"
    assert "tingshuo reindex" in found["problems"]["index"]["hint"]
    assert "-> tingshuo reindex" in CliRunner().invoke(app, ["doctor"]).stdout
    assert CliRunner().invoke(app, ["reindex"]).exit_code == 0
    assert doctor()[0] == 0
