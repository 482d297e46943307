"""`tingshuo reindex`: embeddings that come and go, and an index that is damaged, met as a person meets them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.store import open_store
from api.terminal.commands import app
from configs.errors import EngineUnavailable
from configs.settings import load_settings
from models.selection import Choice
from tests.ollama_stand_in import StandIn, ollama_stand_in, unused_host

pytestmark = pytest.mark.anyio

MODEL = "qwen3-embedding:0.6b"


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def document(tmp_path: Path) -> Path:
    document = tmp_path / "fruit.md"
    document.write_text("# Fruit\n\n## Apples\n\nApples are harvested in September.\n")
    return document


def tingshuo(*arguments: str, host: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"TINGSHUO_EMBEDDINGS__OLLAMA__HOST": host})


def search(host: str) -> Result:
    return tingshuo("knowledge", "search", "when are apples harvested", host=host)


async def choice_at(host: str, monkeypatch: pytest.MonkeyPatch) -> Choice:
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__OLLAMA__HOST", host)
    async with open_store(load_settings()) as store:
        return store.embeddings


def test_an_ollama_that_turns_up_changes_nothing_until_reindex(server: StandIn, document: Path) -> None:
    server.reset()
    nobody = unused_host()
    assert tingshuo("ingest", str(document), host=nobody).exit_code == 0
    assert "answer this" in search(server.host).stdout
    assert not server.bodies("/api/embed")
    assert tingshuo("ingest", str(document), host=server.host).exit_code == 0
    done = tingshuo("reindex", host=server.host)
    assert (done.exit_code, done.stdout) == (0, f"default: 1 passages reindexed (hashed-ngrams-1 -> {MODEL})\n")
    assert "Embedding with ollama" in done.stderr
    server.requests.clear()
    assert "Apples" in search(server.host).stdout
    assert server.bodies("/api/embed")


def test_an_ollama_that_goes_away_is_named_with_both_remedies(server: StandIn, document: Path) -> None:
    server.reset()
    nobody = unused_host()
    assert tingshuo("ingest", str(document), host=server.host).exit_code == 0
    refused = search(nobody)
    assert refused.exit_code == EngineUnavailable.exit_code
    assert f"indexed with {MODEL}" in refused.stderr
    assert "ollama serve" in refused.stderr
    assert "tingshuo reindex" in refused.stderr
    assert "Apples" not in refused.stdout
    assert tingshuo("knowledge", "list", host=nobody).exit_code == 0
    done = tingshuo("reindex", "--knowledge", "default", host=nobody)
    assert (done.exit_code, done.stdout) == (0, f"default: 1 passages reindexed ({MODEL} -> hashed-ngrams-1)\n")
    assert "Apples" in search(nobody).stdout
    assert "Apples" in search(server.host).stdout


async def test_what_would_be_better_is_said_with_its_remedy(
    server: StandIn, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reset()
    nobody = unused_host()
    assert (await choice_at(server.host, monkeypatch)).engine == "ollama"
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__OLLAMA__HOST", nobody)
    async with open_store(load_settings()) as store:
        await store.knowledge.ingest([document])
    kept = await choice_at(server.host, monkeypatch)
    assert (kept.engine, kept.remedy) == ("hashed", "tingshuo reindex")
    assert kept.better.startswith("ollama (Ollama ")
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ENGINE", "ollama")
    assert (await choice_at(server.host, monkeypatch)).engine == "ollama"


def test_another_engine_by_name_is_refused_with_a_remedy_that_works(
    server: StandIn, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reset()
    assert tingshuo("ingest", str(document), host=server.host).exit_code == 0
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ENGINE", "hashed")
    refused = search(server.host)
    assert refused.exit_code == 74
    assert "`tingshuo reindex`" in refused.stderr
    assert tingshuo("reindex", host=server.host).exit_code == 0
    assert "Apples" in search(server.host).stdout


def test_a_damaged_index_is_moved_aside(document: Path, data_folder: Path) -> None:
    nobody = unused_host()
    assert tingshuo("ingest", str(document), host=nobody).exit_code == 0
    (data_folder / "chroma" / "chroma.sqlite3").write_bytes(b"This is a shopping list. " * 1000)
    assert tingshuo("knowledge", "list", host=nobody).exit_code == 0
    refused = search(nobody)
    assert refused.exit_code == 74
    assert "`tingshuo reindex`" in refused.stderr
    done = tingshuo("reindex", host=nobody)
    assert (done.exit_code, done.stdout) == (0, "default: 1 passages reindexed (hashed-ngrams-1)\n")
    assert str(data_folder / "chroma.broken-1") in done.stderr
    assert "Apples" in search(nobody).stdout
    shutil.rmtree(data_folder / "chroma")
    assert tingshuo("reindex", host=nobody).exit_code == 0
    assert "Apples" in search(nobody).stdout


def test_help_names_it() -> None:
    assert " reindex " in CliRunner().invoke(app, ["--help"]).stdout
    assert CliRunner().invoke(app, ["reindex", "--help"]).exit_code == 0


def test_what_is_not_there_is_said(document: Path) -> None:
    nobody = unused_host()
    done = tingshuo("reindex", host=nobody)
    assert done.exit_code == 0
    assert "No documents" in done.stderr
    assert tingshuo("ingest", str(document), host=nobody).exit_code == 0
    assert tingshuo("reindex", "--knowledge", "other", host=nobody).exit_code == 65
