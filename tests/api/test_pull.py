"""`tingshuo pull`: what is fetched for which settings, what is left alone, and that one failure stops no other."""

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from api.terminal.commands import app
from api.terminal.transfer import tenths, transfer
from memory.folder import open_data_folder
from models.engines import chattts_loading
from models.hub import open_hub
from models.weights import CHATTTS_FILES, whisper_repository
from tests.hub_stand_in import HubStandIn, hub_stand_in
from tests.ollama_stand_in import Fail, StandIn, ollama_stand_in, unused_host

WHISPER = {"config.json": b"{}", "tokenizer.json": b"[]", "vocabulary.json": b"[1]", "model.bin": bytes(5000)}
TURBO = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"
ENCODER = {"onnx/model_quantized.onnx": bytes(4000), "tokenizer.json": b"{}"}
CHATTTS = {name: name.encode() * 50 for name in CHATTTS_FILES}


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def ollama(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    server.reset()
    server.models.clear()
    for section in ("CHAT", "EMBEDDINGS"):
        monkeypatch.setenv(f"TINGSHUO_{section}__OLLAMA__HOST", server.host)
    return server


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    with hub_stand_in() as stand_in:
        stand_in.files.update({f"{TURBO}/{name}": content for name, content in WHISPER.items()})
        stand_in.files.update({f"Xenova/multilingual-e5-small/{name}": content for name, content in ENCODER.items()})
        stand_in.files.update({f"2Noise/ChatTTS/{name}": content for name, content in CHATTTS.items()})
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        yield stand_in


def pull(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["pull", *arguments])


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_everything_that_the_persona_needs_is_fetched(ollama: StandIn, hub: HubStandIn, data_folder: Path) -> None:
    done = pull("--yes")
    assert done.exit_code == 0, done.stderr
    assert [body["model"] for body in ollama.bodies("/api/pull")] == ["qwen3:8b", "qwen3-embedding:0.6b"]
    assert contents(data_folder / "models" / "faster-whisper-large-v3-turbo") == WHISPER
    assert not (data_folder / "models" / "chattts").exists()
    out = done.stdout
    assert "chat            ollama qwen3:8b: " in out
    assert "embeddings      ollama qwen3-embedding:0.6b: " in out
    assert "speech_to_text  faster-whisper: large-v3-turbo in " in out
    for line in ("qwen3:8b: from Ollama's library", "whisper large-v3-turbo: 5 kB into ", "model.bin: 100 % of 5 kB"):
        assert line in done.stderr


def test_again_there_is_nothing_to_fetch(ollama: StandIn, hub: HubStandIn) -> None:
    assert pull().exit_code == 0
    ollama.requests.clear()
    hub.requests.clear()
    done = pull()
    assert done.exit_code == 0
    assert not ollama.bodies("/api/pull")
    assert not hub.gets()
    assert "into" not in done.stderr


def test_without_the_hub_what_is_all_here_is_enough(
    ollama: StandIn, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pull("--yes").exit_code == 0
    monkeypatch.setenv("HF_ENDPOINT", f"http://{unused_host().removeprefix('http://')}")
    monkeypatch.setattr("api.terminal.pull.open_hub", partial(open_hub, pauses=()))
    again = pull("--yes")
    assert again.exit_code == 0, again.stderr
    assert "not compared with the Hub" in again.stderr
    (data_folder / "models" / "faster-whisper-large-v3-turbo" / "model.bin").unlink()
    assert pull("--yes").exit_code == 69


def test_without_ollama_the_rest_is_fetched_all_the_same(
    ollama: StandIn, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    monkeypatch.setenv("TINGSHUO_CHAT__OLLAMA__HOST", unused_host())
    done = pull()
    assert done.exit_code == 69
    assert "error: qwen3:8b cannot be fetched: no Ollama answers" in done.stderr
    assert [body["model"] for body in ollama.bodies("/api/pull")] == ["qwen3-embedding:0.6b"]
    assert contents(data_folder / "models" / "faster-whisper-large-v3-turbo") == WHISPER


def test_what_ollama_cannot_fetch_stops_nothing_else(ollama: StandIn, data_folder: Path) -> None:
    ollama.fail = Fail("line", words="pull model manifest: file does not exist")
    done = pull()
    assert done.exit_code == 69
    assert done.stderr.count("cannot fetch") == 2
    assert (data_folder / "models" / "faster-whisper-large-v3-turbo" / "model.bin").is_file()


@pytest.mark.parametrize(
    ("only", "ollama_asked", "folders"),
    [
        ("ollama", True, []),
        ("onnx", False, ["onnx-multilingual-e5-small"]),
        ("whisper", False, ["faster-whisper-large-v3-turbo"]),
        ("chattts", False, ["chattts"]),
    ],
)
def test_one_part_alone(ollama: StandIn, data_folder: Path, only: str, ollama_asked: bool, folders: list[str]) -> None:
    assert pull("--only", only).exit_code == 0
    assert bool(ollama.bodies("/api/pull")) is ollama_asked
    models = data_folder / "models"
    assert sorted(path.name for path in models.glob("*") if path.is_dir()) == folders


def test_engines_that_are_named_otherwise_need_nothing(
    ollama: StandIn, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, engine in (
        ("CHAT", "extractive"), ("EMBEDDINGS", "hashed"), ("SPEECH_TO_TEXT", "pocketsphinx"),
    ):  # fmt: skip
        monkeypatch.setenv(f"TINGSHUO_{variable}__ENGINE", engine)
    assert pull().exit_code == 0
    assert not ollama.bodies("/api/pull")
    assert not hub.requests


def test_the_encoder_comes_where_no_ollama_embeds(
    ollama: StandIn, hub: HubStandIn, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = data_folder / "models" / "onnx-multilingual-e5-small"
    assert pull().exit_code == 0
    assert not folder.exists()
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__OLLAMA__HOST", unused_host())
    done = pull()
    assert done.exit_code == 69, "the embedding model of Ollama could not be fetched"
    assert contents(folder) == ENCODER
    assert "embeddings      onnx multilingual-e5-small: multilingual-e5-small in " in done.stdout


def test_an_unknown_encoder_is_told_which_there_are(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ONNX__MODEL", "huge")
    done = pull("--only", "onnx")
    assert done.exit_code == 69
    assert "no encoder 'huge'" in done.stderr
    assert "bge-small-zh-v1.5" in done.stderr
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ONNX__MODEL", str(tmp_path))
    done = pull("--only", "onnx")
    assert done.exit_code == 0
    assert str(tmp_path) in done.stderr
    assert not hub.requests


def test_chattts_is_checked_against_the_packages_own_hashes(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    hashes = {chattts_loading.hash_key(name): sha256(content).hexdigest() for name, content in CHATTTS.items()}
    monkeypatch.setattr(chattts_loading, "is_installed", lambda: True)
    monkeypatch.setattr(chattts_loading, "released_hashes", lambda: hashes)
    assert pull("--only", "chattts").exit_code == 0
    assert contents(data_folder / "models" / "chattts") == CHATTTS
    hub.files["2Noise/ChatTTS/asset/gpt/config.json"] = CHATTTS["asset/gpt/config.json"][::-1]
    (data_folder / "models" / "chattts" / "asset" / "gpt" / "config.json").unlink()
    done = pull("--only", "chattts")
    assert done.exit_code == 70
    assert "config.json came damaged" in done.stderr


def test_an_unknown_size_is_told_which_there_are(monkeypatch: pytest.MonkeyPatch, hub: HubStandIn) -> None:
    monkeypatch.setenv("TINGSHUO_SPEECH_TO_TEXT__FASTER_WHISPER__MODEL", "huge")
    done = pull("--only", "whisper")
    assert done.exit_code == 69
    assert "no model 'huge'" in done.stderr
    assert "large-v3-turbo" in done.stderr
    assert not hub.requests


def test_a_folder_of_the_users_own_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, hub: HubStandIn, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINGSHUO_SPEECH_TO_TEXT__FASTER_WHISPER__MODEL", str(tmp_path))
    done = pull("--only", "whisper")
    assert done.exit_code == 0
    assert str(tmp_path) in done.stderr
    assert not hub.requests


def test_the_sizes_are_those_of_faster_whisper() -> None:
    assert whisper_repository("large-v3-turbo") == TURBO
    assert whisper_repository("small") == "Systran/faster-whisper-small"


def test_too_little_room_is_said_before_anything_comes(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.downloads.SPARE", 1 << 60)
    done = pull("--only", "whisper")
    assert done.exit_code == 74
    assert "are free" in done.stderr
    assert not hub.gets()


@pytest.mark.anyio
async def test_a_running_server_does_not_stand_in_the_way(data_folder: Path) -> None:
    command = [sys.executable, "-m", "api.cli", "pull", "--only", "whisper"]
    async with open_data_folder(data_folder):
        done = await anyio.run_process(command, check=False)
    assert done.returncode == 0, done.stderr
    assert contents(data_folder / "models" / "faster-whisper-large-v3-turbo") == WHISPER


def test_ctrl_c_leaves_what_came(hub: HubStandIn, data_folder: Path) -> None:
    hub.hold_after = 2000
    command = [sys.executable, "-m", "api.cli", "pull", "--only", "whisper", "--yes"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if "model.bin: 40 %" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.communicate(timeout=20)[1]
    assert process.returncode == 130, rest
    assert rest == "interrupted\n"
    part = data_folder / "models" / "faster-whisper-large-v3-turbo" / "model.bin.part"
    assert part.read_bytes() == bytes(2000)


@pytest.mark.parametrize(("typed", "code", "fetched"), [("n\n", 1, False), ("\n", 0, True)])
def test_at_a_terminal_it_asks_first(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, fetched: bool
) -> None:
    monkeypatch.setattr("api.terminal.commands.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    done = CliRunner().invoke(app, ["pull", "--only", "whisper"], input=typed)
    assert done.exit_code == code
    assert "Fetch this?" in done.stderr
    assert bool(hub.gets()) is fetched


def test_on_a_terminal_a_file_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = io.StringIO()
    terminal = Console(file=drawn, force_terminal=True, width=100)
    monkeypatch.setattr("api.terminal.transfer.Console", lambda **options: terminal)
    with transfer() as follow:
        follow("asset/[gpt].bin", 500_000, 1_000_000)
        follow("asset/[gpt].bin", 1_000_000, 1_000_000)
    assert "asset/[gpt].bin" in drawn.getvalue()
    assert "1.0/1.0 MB" in drawn.getvalue()


def test_elsewhere_than_on_a_terminal_a_tenth_is_a_line() -> None:
    said: list[str] = []
    tell = tenths(said.append)
    for done in (0, 50, 99, 100, 101, 555, 1000, 1000):
        tell("model.bin", done, 1000)
    assert said == [f"model.bin: {share} % of 1 kB" for share in (0, 10, 50, 100)]
