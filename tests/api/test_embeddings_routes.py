"""Embeddings, asked for by OpenAI's own client, which wants base64 unless it is told otherwise."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from models.engines.hashed import HashedEmbeddings
from tests.api.chat_server import ChatServer, chat_server

TEXTS = ["The cat sat on the mat.", "猫坐在垫子上。"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    embeddings = {"engine": "hashed", "hashed": {"dimensions": 64}}
    with chat_server(tmp_path_factory.mktemp("vectors"), chat={"engine": "fake"}, embeddings=embeddings) as opened:
        yield opened


def post(server: ChatServer, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/embeddings", json={"model": "hashed", **body}, trust_env=False)


def test_openai_s_client_gets_one_vector_a_text_in_order(server: ChatServer) -> None:
    expected = HashedEmbeddings(64).embed_documents(TEXTS)
    for wanted in ("base64", "float"):
        sent: Any = {} if wanted == "base64" else {"encoding_format": "float"}
        made = server.client.embeddings.create(model="text-embedding-3-small", input=TEXTS, **sent)
        assert [one.index for one in made.data] == [0, 1]
        assert np.allclose([one.embedding for one in made.data], expected, atol=1e-6)


def test_base64_is_little_endian_floats_of_32_bits(server: ChatServer) -> None:
    answered = post(server, input=TEXTS[0], encoding_format="base64").json()
    assert (answered["object"], answered["model"]) == ("list", "hashed")
    (one,) = answered["data"]
    assert len(base64.b64decode(one["embedding"])) == 4 * 64
    assert one["object"] == "embedding"
    plain = post(server, input=TEXTS[0]).json()["data"][0]["embedding"]
    assert np.frombuffer(base64.b64decode(one["embedding"]), "<f4") == pytest.approx(plain, abs=1e-6)
    assert answered["usage"] == {"prompt_tokens": 0, "total_tokens": 0}


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": [1, 2, 3]}, 400, "input"),
        ({"input": [[1, 2], [3]]}, 400, "input"),
        ({"input": [["a"]]}, 400, None),
        ({"input": []}, 400, None),
        ({"input": ""}, 400, None),
        ({"input": ["a", ""]}, 400, None),
        ({"input": ["a"] * 2_049}, 400, None),
        ({"input": "a", "dimensions": 32}, 400, "dimensions"),
        ({"input": "a", "model": "nobody"}, 404, "model"),
        ({"input": "a", "encoding_format": "hex"}, 400, None),
    ],
)
def test_what_cannot_be_embedded_is_told(
    server: ChatServer, body: dict[str, Any], status: int, param: str | None
) -> None:
    refused = post(server, **body)
    assert refused.status_code == status
    if param:
        assert refused.json()["error"]["param"] == param


def test_the_dimensions_in_force_may_be_named(server: ChatServer) -> None:
    assert len(post(server, input="a", dimensions=64).json()["data"][0]["embedding"]) == 64
    with pytest.raises(openai.BadRequestError):
        server.client.embeddings.create(model="hashed", input="a", dimensions=1)
