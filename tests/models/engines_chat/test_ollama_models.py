"""Ollama's models fetched and made: what is asked of it, and what its words mean."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from configs.errors import ConfigError, EngineFailed, EngineUnavailable, ModelNotFound
from configs.modelfile import Modelfile, parse_modelfile
from models.engines.ollama_models import Progress, create, is_local, pull, too_old
from tests.ollama_stand_in import Fail, StandIn, ollama_stand_in, unused_host

pytestmark = pytest.mark.anyio

BRAIN = parse_modelfile(
    "FROM qwen3:8b\nREQUIRES 0.14.0\nPARAMETER temperature 0.7\nPARAMETER stop A\nPARAMETER stop B\n"
    'SYSTEM """Be kind."""\n'
    "TEMPLATE {{ .Prompt }}\nRENDERER qwen3\nPARSER qwen3\nLICENSE MIT\nMESSAGE user Hi.\nMESSAGE assistant Hello."
)


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def ollama(server: StandIn) -> StandIn:
    server.reset()
    return server


async def all_of(progress: AsyncGenerator[Progress, None]) -> list[Progress]:
    async with aclosing(progress):
        return [step async for step in progress]


async def test_a_model_is_fetched_with_progress(ollama: StandIn) -> None:
    steps = await all_of(pull(ollama.host, "bge-m3"))
    assert ollama.bodies("/api/pull") == [{"model": "bge-m3", "stream": True}]
    assert steps[-1].status == "success"
    told = [(step.completed, step.total) for step in steps if step.layer and step.completed]
    assert told == [(5_225_374_720 * quarter // 4, 5_225_374_720) for quarter in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("words", "error", "remedy"),
    [
        ("pull model manifest: file does not exist", ModelNotFound, "FROM"),
        ('pull model manifest: Get "https://registry.ollama.ai/v2/": dial tcp: lookup registry.ollama.ai: no such host',
         EngineUnavailable, "HTTPS_PROXY"),
        ("pull model manifest: 412: The model you are attempting to pull requires a newer version of Ollama.",
         EngineFailed, "Update"),
        ("write /root/.ollama/models/blobs/x: no space left on device", EngineFailed, "OLLAMA_MODELS"),
        ("something else", EngineFailed, "log"),
    ],
)  # fmt: skip
async def test_what_hinders_a_pull_is_told_with_its_remedy(
    ollama: StandIn, words: str, error: type[Exception], remedy: str
) -> None:
    ollama.fail = Fail("line", words=words)
    with pytest.raises(error) as caught:
        await all_of(pull(ollama.host, "bge-m3"))
    assert remedy in caught.value.hint  # type: ignore[attr-defined]
    assert words in str(caught.value)


async def test_no_ollama_is_said(ollama: StandIn) -> None:
    with pytest.raises(EngineUnavailable, match="not running"):
        await all_of(pull(unused_host(), "bge-m3"))
    with pytest.raises(EngineUnavailable, match="no Ollama"):
        await all_of(create(unused_host(), "tingshuo-x", BRAIN, Path()))


async def test_a_model_is_made_of_fields_without_the_example_messages(ollama: StandIn, tmp_path: Path) -> None:
    for _ in range(2):
        await all_of(create(ollama.host, "tingshuo-x", BRAIN, tmp_path))
    body = {
        "model": "tingshuo-x",
        "from": "qwen3:8b",
        "system": "Be kind.",
        "parameters": {"temperature": 0.7, "stop": ["A", "B"]},
        "template": "{{ .Prompt }}",
        "license": ["MIT"],
        "renderer": "qwen3",
        "parser": "qwen3",
        "requires": "0.14.0",
        "stream": True,
    }
    assert ollama.bodies("/api/create") == [body, body]


async def test_what_ollama_lacks_is_not_fetched_on_the_way(ollama: StandIn, tmp_path: Path) -> None:
    ollama.models.clear()
    with pytest.raises(ModelNotFound, match="qwen3:8b") as caught:
        await all_of(create(ollama.host, "tingshuo-x", BRAIN, tmp_path))
    assert caught.value.hint.startswith("tingshuo pull")
    assert not ollama.bodies("/api/create")


async def test_an_old_ollama_is_refused(ollama: StandIn, tmp_path: Path) -> None:
    ollama.version = "0.13.9"
    with pytest.raises(EngineUnavailable, match=r"requires Ollama 0\.14\.0; .* has 0\.13\.9"):
        await all_of(create(ollama.host, "tingshuo-x", BRAIN, tmp_path))


@pytest.mark.parametrize(
    ("version", "required", "old"),
    [
        ("0.9.0", "0.14.0", True),
        ("0.14.0", "0.14.0", False),
        ("0.33.0-rc2", "0.33.0", False),
        ("1.0", "0.99.9", False),
        ("0.0.0", "0.14.0", False),
        ("0.14.0", "", False),
        ("0.14", "0.14.1", True),
    ],
)
def test_versions_are_compared_by_number(version: str, required: str, old: bool) -> None:
    assert too_old(version, required) is old


@pytest.mark.parametrize(
    "brain", [Modelfile("./weights.gguf"), Modelfile("qwen3:8b", adapter="a.gguf"), Modelfile("beside")]
)
async def test_files_are_left_to_ollamas_own_command(ollama: StandIn, tmp_path: Path, brain: Modelfile) -> None:
    (tmp_path / "beside").touch()
    with pytest.raises(ConfigError) as caught:
        await all_of(create(ollama.host, "tingshuo-x", brain, tmp_path))
    assert "ollama create" in caught.value.hint
    assert not ollama.requests


@pytest.mark.parametrize("name", ["qwen3:8b", "hf.co/Qwen/Qwen3-8B-GGUF:Q4_K_M", "registry.example/me/mine"])
def test_a_models_name_is_no_file(name: str, tmp_path: Path) -> None:
    assert not is_local(name, tmp_path)
