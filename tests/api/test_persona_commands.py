"""`tingshuo persona`: what is listed, what the model is told, what Ollama is made to hold, and new ones that work."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.terminal.commands import app
from configs.modelfile import read_modelfile
from configs.persona import load_persona, persona_folders
from tests.ollama_stand_in import StandIn, ollama_stand_in, unused_host


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def ollama(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    server.reset()
    monkeypatch.setenv("TINGSHUO_CHAT__OLLAMA__HOST", server.host)
    return server


def persona(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["persona", *arguments])


def found(*arguments: str) -> Any:
    done = persona(*arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_everyone_is_listed_with_their_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_PERSONA", "documents")
    listed = {one["name"]: one for one in found("list")}
    assert {name: one["in_use"] for name, one in listed.items()} == {
        "companion": False,
        "default": False,
        "documents": True,
    }
    companion = listed["companion"]
    assert (companion["language"], companion["model"], companion["grounded"], companion["from"]) == (
        "zh",
        "tingshuo-companion",
        "never",
        "qwen3:8b",
    )
    assert all(Path(file).is_file() for one in listed.values() for file in one["files"].values())
    out = persona("list").stdout
    assert "Documents 文档专家 (in use)" in out
    assert companion["files"]["modelfile"] in out


def test_one_with_a_fault_is_listed_with_it(data_folder: Path) -> None:
    (data_folder / "personas").mkdir(parents=True)
    (data_folder / "personas" / "broken.yaml").write_text("languages: zh\n", encoding="utf-8")
    broken = next(one for one in found("list") if one["name"] == "broken")
    assert "broken.yaml, line 1" in broken["error"]
    assert "broken.yaml, line 1" in persona("list").stdout
    assert persona("show", "broken").exit_code == 78


def test_shown_is_what_the_model_gets(data_folder: Path) -> None:
    shown = found("show", "companion")
    brain = read_modelfile(Path(shown["files"]["modelfile"]))
    assert shown["system_prompt"].startswith(brain.system)
    assert "像老朋友打电话那样说话" in shown["system_prompt"]
    assert "<passages>" in shown["system_prompt"]
    assert [(message["role"], message["content"]) for message in shown["messages"]] == list(brain.messages)
    assert shown["parameters"]["num_ctx"] == 8192
    out = persona("show", "companion").stdout
    for text in (brain.system, brain.messages[0].content, "temperature: 0.7", "speed: 0.95"):
        assert text in out


def test_what_other_voices_ignore_is_said(data_folder: Path) -> None:
    assert "act with ChatTTS only" not in persona("show", "companion").stdout
    (data_folder / "personas").mkdir(parents=True)
    (data_folder / "personas" / "default.yaml").write_text("voice: {laugh: 1, break: 3}\n", encoding="utf-8")
    out = persona("show", "default").stdout
    assert (
        "pitch: 1.0, oral: unset, laugh: 1, break: 3\n                oral, laugh and break act with ChatTTS only\n"
        in out
    )
    assert found("show", "default")["voice"]["break"] == 3


@pytest.mark.parametrize("command", ["show", "apply"])
def test_nobody_is_an_error_that_names_who_there_is(command: str) -> None:
    done = persona(command, "nobody")
    assert done.exit_code == 78
    assert "companion, default, documents" in done.stderr


def test_the_context_of_the_settings_is_every_persona_s(ollama: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_CHAT__OLLAMA__NUM_CTX", "16384")
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ENGINE", "hashed")
    for name in ("default", "companion", "documents"):
        assert found("show", name)["parameters"]["num_ctx"] == 16384
        assert persona("apply", name).exit_code == 0
        asked = CliRunner().invoke(app, ["ask", "你好", "--persona", name, "--no-speech"])
        assert asked.exit_code == 0, asked.stderr
    created, chats = ollama.bodies("/api/create"), ollama.bodies("/api/chat")
    assert [body["parameters"]["num_ctx"] for body in created] == [16384] * 3
    assert chats
    assert {body["options"]["num_ctx"] for body in chats} == {16384}


def test_apply_makes_the_model_and_again_the_same(ollama: StandIn) -> None:
    for _ in range(2):
        done = persona("apply", "companion")
        assert done.exit_code == 0, done.stderr
    first, second = ollama.bodies("/api/create")
    assert first == second
    assert (first["model"], first["from"]) == ("tingshuo-companion", "qwen3:8b")
    assert "tingshuo-companion" in done.stdout
    assert "success" in done.stderr


def test_the_example_messages_reach_the_model_once(ollama: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ENGINE", "hashed")
    assert persona("apply", "companion").exit_code == 0
    done = CliRunner().invoke(app, ["ask", "你好", "--persona", "companion", "--no-speech"])
    assert done.exit_code == 0, done.stderr
    (asked,) = (body for body in ollama.bodies("/api/chat") if body["messages"][-1]["content"].endswith("你好"))
    assert asked["model"] == "tingshuo-companion"
    # What Ollama puts before a request's messages are those that the model was created with.
    (created,) = ollama.bodies("/api/create")
    prompt = [*created.get("messages", []), *asked["messages"]]
    assert [message["role"] for message in prompt] == ["system", *["user", "assistant"] * 2, "user"]
    assert sum(message["content"] == "今天好累啊。" for message in prompt) == 1


def test_a_knowledge_base_that_is_not_there_is_an_error_in_use(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for section in ("CHAT", "EMBEDDINGS"):
        monkeypatch.setenv(f"TINGSHUO_{section}__OLLAMA__HOST", unused_host())
    assert persona("new", "mine").exit_code == 0
    body = data_folder / "personas" / "mine.yaml"
    body.write_text(body.read_text(encoding="utf-8").replace("- default", "- recipes"), encoding="utf-8")
    done = CliRunner().invoke(app, ["ask", "How long does bread bake?", "--persona", "mine", "--no-speech"])
    assert done.exit_code == 65
    assert "no knowledge base 'recipes'" in done.stderr
    assert "tingshuo ingest" in done.stderr


def test_what_ollama_lacks_is_to_be_pulled(ollama: StandIn) -> None:
    ollama.models.clear()
    done = persona("apply", "default")
    assert done.exit_code == 69
    assert "try: tingshuo pull" in done.stderr


def test_without_ollama_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_CHAT__OLLAMA__HOST", unused_host())
    assert persona("apply", "default").exit_code == 69


def test_a_model_of_its_own_is_never_written_over(ollama: StandIn, data_folder: Path) -> None:
    (data_folder / "personas").mkdir(parents=True)
    (data_folder / "personas" / "mine.yaml").write_text("model: qwen3:8b\n", encoding="utf-8")
    (data_folder / "personas" / "mine.Modelfile").write_text("FROM qwen3:8b\n", encoding="utf-8")
    done = persona("apply", "mine")
    assert done.exit_code == 78
    assert "qwen3:8b" in done.stderr
    assert not ollama.bodies("/api/create")


@pytest.mark.parametrize("source", ["default", "companion", "documents"])
def test_a_new_one_is_like_its_source_but_for_its_name(data_folder: Path, source: str) -> None:
    done = persona("new", "my-own_2", "--from", source)
    assert done.exit_code == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert paths == [data_folder / "personas" / f"my-own_2.{kind}" for kind in ("yaml", "Modelfile")]
    made, like = (load_persona(name, persona_folders(data_folder)) for name in ("my-own_2", source))
    assert made.title.en == made.title.zh == "my-own_2"
    assert made.model == "tingshuo-my-own_2"
    changed = {"name": like.name, "title": like.title, "model": like.model}
    assert made.model_copy(update=changed) == like
    assert "# None" not in paths[0].read_text(encoding="utf-8")


def test_what_a_modelfile_names_beside_itself_is_found_from_the_new_one(data_folder: Path) -> None:
    folder = data_folder / "personas"
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "own.yaml").write_text("", encoding="utf-8")
    (folder / "own.yaml").write_text("modelfile: weights/own.Modelfile\nmodel: ready\n", encoding="utf-8")
    (folder / "weights" / "own.Modelfile").write_text("FROM ./own.gguf\n", encoding="utf-8")
    assert persona("new", "next", "--from", "own").exit_code == 0
    made = load_persona("next", persona_folders(data_folder))
    assert (made.brain.from_, made.model) == (str(folder / "weights" / "own.gguf"), "tingshuo-next")


@pytest.mark.parametrize("name", ["Mine", "小明", "../up", ".hidden", "", "a" * 41, "default"])
def test_a_name_that_cannot_be_or_is_taken_is_refused(data_folder: Path, name: str) -> None:
    done = persona("new", name)
    assert done.exit_code == 65
    assert not data_folder.exists()


def test_nothing_is_written_over(data_folder: Path) -> None:
    brain = data_folder / "personas" / "mine.Modelfile"
    brain.parent.mkdir(parents=True)
    brain.write_text("FROM tiny\n", encoding="utf-8")
    assert persona("new", "mine").exit_code == 65
    assert brain.read_text(encoding="utf-8") == "FROM tiny\n"
    assert not brain.with_suffix(".yaml").exists()


def test_a_folder_that_cannot_be_written_is_named(data_folder: Path) -> None:
    data_folder.mkdir()
    (data_folder / "personas").touch()
    done = persona("new", "mine")
    assert done.exit_code == 74
    assert "personas" in done.stderr
