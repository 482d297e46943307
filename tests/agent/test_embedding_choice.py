"""Which embeddings a store takes, and that an index made with others is kept or refused, never mixed."""

import shutil
from pathlib import Path

import pytest

from agent.store import open_store
from configs.errors import EmbeddingMismatch, ModelNotFound
from configs.settings import load_settings
from models.readiness import embedding_candidates
from models.selection import Choice
from tests.ollama_stand_in import unused_host

TINY = Path(__file__).parents[1] / "fixtures" / "tiny-encoder"

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__OLLAMA__HOST", unused_host())


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "office.md"
    path.write_text("# Office\n\nThe office in Paris opens at two.\n")
    return path


def put_encoder(data_folder: Path) -> Path:
    """The tiny encoder where `tingshuo pull` puts the one that the settings name."""
    folder = data_folder / "models" / "onnx-multilingual-e5-small"
    (folder / "onnx").mkdir(parents=True)
    shutil.copy(TINY / "model.onnx", folder / "onnx" / "model_quantized.onnx")
    shutil.copy(TINY / "tokenizer.json", folder)
    return folder


async def ingest(document: Path) -> Choice:
    async with open_store(load_settings()) as store:
        report = await store.knowledge.ingest([document])
        assert [file.error for file in report.files] == [None]
        return store.embeddings


async def test_without_ollama_an_encoder_that_was_fetched_serves(data_folder: Path, document: Path) -> None:
    put_encoder(data_folder)
    choice = await ingest(document)
    assert (choice.engine, choice.model, choice.embedded) == ("onnx", "multilingual-e5-small", False)
    assert choice.better.startswith("ollama (no Ollama answers")
    async with open_store(load_settings()) as store:
        found = await store.knowledge.search("When does the office open?", knowledge=["default"])
        assert "opens at two" in found.passages[0].text
        assert found.similarity is not None


async def test_an_encoder_that_comes_later_changes_nothing_until_reindex(data_folder: Path, document: Path) -> None:
    assert (await ingest(document)).engine == "hashed"
    put_encoder(data_folder)
    async with open_store(load_settings()) as store:
        assert (store.embeddings.engine, store.embeddings.remedy) == ("hashed", "tingshuo reindex")
    async with open_store(load_settings(), reindexing=True) as store:
        (done,) = (await store.knowledge.reindex()).done
    assert (done.before, done.model[:21]) == ("hashed-ngrams-1", "multilingual-e5-small")
    async with open_store(load_settings()) as store:
        assert store.embeddings.engine == "onnx"


async def test_another_prefix_is_another_model_and_is_refused(
    data_folder: Path, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_encoder(data_folder)
    await ingest(document)
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ONNX__QUERY_PREFIX", "question: ")
    async with open_store(load_settings()) as store:
        with pytest.raises(EmbeddingMismatch, match="'question: '") as refused:
            await store.knowledge.search("When does the office open?", knowledge=["default"])
    assert "tingshuo reindex" in refused.value.hint


async def test_an_encoder_that_has_gone_is_told_with_both_remedies(data_folder: Path, document: Path) -> None:
    folder = put_encoder(data_folder)
    await ingest(document)
    shutil.rmtree(folder)
    async with open_store(load_settings()) as store:
        with pytest.raises(ModelNotFound, match="indexed with multilingual-e5-small") as failed:
            await store.knowledge.search("When does the office open?", knowledge=["default"])
    assert "tingshuo pull --only onnx" in failed.value.hint
    assert "tingshuo reindex" in failed.value.hint


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [("onnx/model_quantized.onnx", "lacks onnx/model_quantized.onnx"), ("tokenizer.json", "lacks tokenizer.json")],
)
async def test_half_an_encoder_is_not_ready(data_folder: Path, lacking: str, reason: str) -> None:
    (put_encoder(data_folder) / lacking).unlink()
    _, found, _ = await embedding_candidates(load_settings())
    assert (found.engine, found.ready, found.remedy) == ("onnx", False, "tingshuo pull --only onnx")
    assert reason in found.reason


async def test_a_folder_that_does_not_say_how_it_pools_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ONNX__MODEL", str(TINY))
    _, found, _ = await embedding_candidates(load_settings())
    assert (found.ready, found.remedy[:30]) == (False, "Set `embeddings.onnx.pooling` ")
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ONNX__POOLING", "mean")
    _, found, _ = await embedding_candidates(load_settings())
    assert found.ready
