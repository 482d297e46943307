"""Embeddings on ONNX Runtime against vectors that NumPy reckons from the same weights; a tiny encoder, no download."""

import json
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from anyio import create_task_group, fail_after
from anyio.to_thread import run_sync

from configs.errors import ConfigError, EngineError, EngineFailed, ModelNotFound
from configs.sentence_encoder import OnnxEmbedding, Pooling
from models.engines.onnx_embeddings import OnnxEmbeddings, open_embeddings
from models.engines.onnx_encoder import Window
from models.engines.silero import bundled_model
from models.sentence_encoders import PUBLISHED, identity, recipe

TINY = Path(__file__).parents[2] / "fixtures" / "tiny-encoder"
WINDOW, OVERLAP = 48, 12
"""Tokens that the tiny encoder sees at once, and a quarter of them."""

pytestmark = pytest.mark.anyio

Floats = npt.NDArray[np.float32]


@pytest.fixture
async def opened() -> AsyncIterator[Callable[[OnnxEmbedding], OnnxEmbeddings]]:
    """Opens embeddings that are closed in the end."""
    made: list[OnnxEmbeddings] = []

    def open_one(wanted: OnnxEmbedding) -> OnnxEmbeddings:
        made.append(open_embeddings(wanted, Path()))
        return made[-1]

    yield open_one
    for one in made:
        await one.aclose()


def tiny(folder: Path = TINY, pooling: Pooling = "mean", query: str = "", passage: str = "") -> OnnxEmbedding:
    return OnnxEmbedding(model=str(folder), pooling=pooling, query_prefix=query, passage_prefix=passage)


def tokens(words: str) -> list[int]:
    """The numbers of words that the vocabulary holds whole."""
    vocabulary = json.loads((TINY / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return [vocabulary[word] for word in words.split()]


def reckoned(inner: Sequence[int], pooling: Pooling) -> Floats:
    """What the encoder must make of one window: attention, residual, layer norm, pooling, unit length."""
    weights = np.load(TINY / "weights.npz")
    begin, end = tokens("[CLS] [SEP]")
    numbers = [begin, *inner, end]
    seen = weights["words"][numbers] + weights["types"][0] + weights["places"][: len(numbers)]
    logits = (seen @ weights["query"]) @ (seen @ weights["key"]).T / np.sqrt(seen.shape[1])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    summed = seen + shares / shares.sum(axis=1, keepdims=True) @ (seen @ weights["value"])
    centred = summed - summed.mean(axis=1, keepdims=True)
    states = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-6)
    pooled = states[0] if pooling == "cls" else states.mean(axis=0)
    return np.asarray(pooled / np.linalg.norm(pooled), np.float32)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
async def test_vectors_are_those_that_numpy_reckons(
    opened: Callable[[OnnxEmbedding], OnnxEmbeddings], pooling: Pooling
) -> None:
    embeddings = opened(tiny(pooling=pooling, query="query: ", passage="passage: "))
    (english, chinese) = await embeddings.aembed_documents(["The Office, in Paris!", "带薪年假"])
    assert np.allclose(english, reckoned(tokens("passage : the office , in paris !"), pooling), atol=1e-5)
    assert np.allclose(chinese, reckoned(tokens("passage : 带 薪 年 假"), pooling), atol=1e-5)
    asked = await embeddings.aembed_query("warranty")
    assert np.allclose(asked, reckoned(tokens("query : warranty"), pooling), atol=1e-5)


async def test_a_long_text_is_seen_whole_in_windows(opened: Callable[[OnnxEmbedding], OnnxEmbeddings]) -> None:
    inner = tokens("coffee " * 60 + "rent of the office")
    (found,) = await opened(tiny()).aembed_documents(["coffee " * 60 + "rent of the office"])
    room = WINDOW - 2
    windows = [inner[:room], inner[room - OVERLAP :]]
    assert len(windows[1]) <= room
    summed = sum((len(window) + 2) * reckoned(window, "mean") for window in windows)
    assert np.allclose(found, summed / np.linalg.norm(summed), atol=1e-5)


async def test_a_text_has_the_same_vector_beside_any_others(opened: Callable[[OnnxEmbedding], OnnxEmbeddings]) -> None:
    embeddings = opened(tiny())
    (alone,) = await embeddings.aembed_documents(["the lift"])
    assert (await embeddings.aembed_documents(["a much longer text of vacation days", "the lift"]))[1] == alone


async def test_half_a_character_is_no_error(opened: Callable[[OnnxEmbedding], OnnxEmbeddings]) -> None:
    assert np.allclose(await opened(tiny()).aembed_query("rent \ud800"), reckoned(tokens("rent ?"), "mean"), atol=1e-5)


async def test_a_question_waits_for_one_document_not_for_all(
    opened: Callable[[OnnxEmbedding], OnnxEmbeddings],
) -> None:
    queued, go_on, order = Semaphore(0), Semaphore(0), []

    class Told(ThreadPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future = super().submit(fn, *args, **kwargs)
            queued.release()
            return future

    class Held:
        def windows(self, text: str) -> list[Window]:
            go_on.acquire()
            order.append(text)
            return [Window([0], [1], [0])]

        def encode(self, window: Window) -> Floats:
            return np.ones(1, np.float32)

    embeddings = opened(tiny())
    embeddings._thread, embeddings._encoder = Told(1), Held()  # type: ignore[assignment]
    with fail_after(10):
        async with create_task_group() as tasks:
            tasks.start_soon(embeddings.aembed_documents, ["first", "second", "third"])
            await run_sync(queued.acquire)
            tasks.start_soon(embeddings.aembed_query, "question")
            await run_sync(queued.acquire)
            go_on.release(4)
    assert order[:2] == ["first", "question"]


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def with_a_damaged_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"model": 1}')


def with_a_damaged_graph(folder: Path) -> None:
    graph = folder / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:500])


def with_no_encoder(folder: Path) -> None:
    shutil.copy(bundled_model(), folder / "model.onnx")


@pytest.mark.parametrize(
    ("spoil", "failure", "words"),
    [
        (without_tokenizer, ModelNotFound, "tokenizer.json"),
        (with_a_damaged_tokenizer, EngineFailed, "tokenizer.json' is damaged"),
        (with_a_damaged_graph, EngineFailed, "model.onnx' cannot be used"),
        (with_no_encoder, EngineFailed, "is no encoder: it takes c, h, input"),
    ],
)
async def test_what_cannot_be_loaded_is_named(
    opened: Callable[[OnnxEmbedding], OnnxEmbeddings],
    tmp_path: Path,
    spoil: Callable[[Path], None],
    failure: type[EngineError],
    words: str,
) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(TINY, folder)
    spoil(folder)
    with pytest.raises(failure, match=words) as failed:
        await opened(tiny(folder)).aembed_query("x")
    assert failed.value.hint


class TestRecipe:
    """How an encoder wants its texts, and that an index remembers it."""

    def test_a_published_encoder_says_it_itself(self) -> None:
        wanted = OnnxEmbedding()
        assert recipe(wanted) == PUBLISHED["multilingual-e5-small"].recipe
        assert identity(wanted) == "multilingual-e5-small (ONNX: mean, 'query: ', 'passage: ')"

    @pytest.mark.parametrize("changed", [{"pooling": "cls"}, {"query_prefix": ""}, {"passage_prefix": "p: "}])
    def test_whatever_changes_the_vectors_changes_the_name(self, changed: dict[str, str]) -> None:
        assert identity(OnnxEmbedding(**changed)) != identity(OnnxEmbedding())

    def test_a_folder_of_ones_own_must_say_how_it_pools(self) -> None:
        with pytest.raises(ConfigError, match="pools"):
            open_embeddings(OnnxEmbedding(model=str(TINY)), Path())
