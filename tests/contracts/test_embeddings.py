"""What every embedding must do, whatever engine is behind it."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from configs import settings
from configs.sentence_encoder import OnnxEmbedding
from models.engines import hashed, ollama, onnx_embeddings
from tests.ollama_stand_in import StandIn, ollama_stand_in

NEAR = (
    (
        "How many vacation days do employees get?",
        "Every employee gets 25 vacation days.",
        "The lift is being repaired.",
    ),
    ("全职员工的年假有几天？", "全职员工每年有 25 天带薪年假。", "电梯正在维修。"),
)
HOST, MODEL = os.environ.get("OLLAMA_HOST", ""), os.environ.get("TINGSHUO_TEST_EMBEDDING_MODEL", "")
ENCODER = Path(__file__).parents[1] / "fixtures" / "tiny-encoder"
REAL = [pytest.param("real ollama", marks=pytest.mark.ollama)] if HOST and MODEL else []

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with ollama_stand_in() as server:
        yield server


@pytest.fixture(params=["hashed", "onnx", "ollama", *REAL])
async def embeddings(request: pytest.FixtureRequest, stand_in: StandIn) -> AsyncIterator[Embeddings]:
    if request.param == "hashed":
        yield hashed.HashedEmbeddings()
        return
    if request.param == "onnx":
        encoder = onnx_embeddings.open_embeddings(OnnxEmbedding(model=str(ENCODER), pooling="mean"), Path())
        yield encoder
        await encoder.aclose()
        return
    wanted = settings.OllamaEmbedding(host=stand_in.host)
    if request.param == "real ollama":
        wanted = settings.OllamaEmbedding(host=HOST, model=MODEL)
    served = ollama.open_embeddings(wanted)
    yield served
    await served.aclose()


async def test_vectors_have_one_length_and_unit_norm(embeddings: Embeddings) -> None:
    vectors = np.array(await embeddings.aembed_documents(["One.", "二。", "A much longer text. " * 20]))
    assert vectors.ndim == 2
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert len(await embeddings.aembed_query("One?")) == vectors.shape[1]


async def test_no_text_gives_no_vector(embeddings: Embeddings) -> None:
    assert await embeddings.aembed_documents([]) == []


async def test_texts_keep_their_order_through_batches(embeddings: Embeddings) -> None:
    texts = [f"text number {number}" for number in range(70)]
    together = await embeddings.aembed_documents(texts)
    assert len(together) == 70
    alone = [(await embeddings.aembed_documents([texts[at]]))[0] for at in (0, 33, 69)]
    assert np.allclose([together[0], together[33], together[69]], alone, atol=1e-3)


async def test_blocking_calls_give_the_same(embeddings: Embeddings) -> None:
    assert np.allclose(embeddings.embed_documents(["你好"]), await embeddings.aembed_documents(["你好"]), atol=1e-3)
    assert np.allclose(embeddings.embed_query("你好"), await embeddings.aembed_query("你好"), atol=1e-3)


@pytest.mark.parametrize(("question", "answer", "other"), NEAR)
async def test_an_answer_is_nearer_than_another_text(
    embeddings: Embeddings, question: str, answer: str, other: str
) -> None:
    asked = np.array(await embeddings.aembed_query(question))
    near, far = np.array(await embeddings.aembed_documents([answer, other])) @ asked
    assert near > far + 0.05
