"""Ollama's embeddings: what they ask of one server or several, and what they make of failures."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from anyio.to_thread import run_sync

from configs import settings
from configs.errors import AssistantError, EngineFailed, EngineUnavailable, ModelNotFound
from models.engines.hashed import HashedEmbeddings
from models.engines.ollama import OllamaEmbeddings, open_embeddings
from models.engines.ollama_hosts import AVOIDED_SECONDS, OllamaEmbeddingHosts
from models.engines.ollama_hosts import open_embeddings as open_over
from models.readiness import embedding_candidates
from tests.ollama_stand_in import Fail, StandIn, ollama_stand_in, unused_host

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[StandIn, StandIn]]:
    with ollama_stand_in() as first, ollama_stand_in() as second:
        yield first, second


@pytest.fixture
def servers(running: tuple[StandIn, StandIn]) -> tuple[StandIn, StandIn]:
    for stand_in in running:
        stand_in.reset()
    return running


@pytest.fixture
def server(servers: tuple[StandIn, StandIn]) -> StandIn:
    return servers[0]


async def test_only_questions_get_the_prefix(server: StandIn) -> None:
    embeddings = open_embeddings(settings.OllamaEmbedding(host=server.host, query_prefix="Query: "))
    await embeddings.aembed_documents(["one", "two"])
    await embeddings.aembed_query("three")
    await run_sync(embeddings.embed_query, "four")
    assert [body["input"] for body in server.bodies("/api/embed")] == [
        ["one", "two"],
        ["Query: three"],
        ["Query: four"],
    ]
    await embeddings.aclose()


async def test_many_texts_go_in_several_requests(server: StandIn) -> None:
    embeddings = open_embeddings(settings.OllamaEmbedding(host=server.host))
    assert len(await embeddings.aembed_documents(["text"] * 70)) == 70
    assert [len(body["input"]) for body in server.bodies("/api/embed")] == [32, 32, 6]
    await embeddings.aclose()


@pytest.mark.parametrize(
    ("fail", "error"),
    [
        (Fail(status=404, words='model "x" not found, try pulling it first'), ModelNotFound),
        (Fail(status=503, words="server busy"), EngineUnavailable),
        (Fail(status=400, words="the input length exceeds the context length"), EngineFailed),
    ],
)
async def test_embeddings_fail_as_the_chat_does(server: StandIn, fail: Fail, error: type[AssistantError]) -> None:
    server.fail = fail
    embeddings = open_embeddings(settings.OllamaEmbedding(host=server.host))
    with pytest.raises(error):
        await embeddings.aembed_query("x")
    with pytest.raises(error):
        await run_sync(embeddings.embed_documents, ["x"])
    await embeddings.aclose()


async def test_embeddings_where_nothing_runs() -> None:
    embeddings = open_embeddings(settings.OllamaEmbedding(host=unused_host()))
    with pytest.raises(EngineUnavailable, match="not running"):
        await embeddings.aembed_query("x")
    with pytest.raises(EngineUnavailable, match="not running"):
        await run_sync(embeddings.embed_query, "x")
    await embeddings.aclose()


class TestHosts:
    """Of several servers the first that can serves; where one cannot, the next one does."""

    def over(self, *hosts: str, **options: Any) -> OllamaEmbeddingHosts:
        made = open_over(settings.OllamaEmbedding(hosts=hosts, query_prefix="", **options))
        assert isinstance(made, OllamaEmbeddingHosts)
        return made

    def asked(self, servers: tuple[StandIn, StandIn]) -> list[int]:
        return [len(server.bodies("/api/embed")) for server in servers]

    async def test_the_first_serves_all(self, servers: tuple[StandIn, StandIn]) -> None:
        both = self.over(*(server.host for server in servers))
        vectors = [*await both.aembed_documents(["one"]), *await run_sync(both.embed_documents, ["one"])]
        vectors += [await both.aembed_query("one"), await run_sync(both.embed_query, "one")]
        assert np.allclose(vectors, HashedEmbeddings(1024).embed_documents(["one"] * 4), atol=1e-6)
        assert self.asked(servers) == [4, 0]
        await both.aclose()

    async def test_one_that_is_away_is_told_and_left_for_a_while(
        self, servers: tuple[StandIn, StandIn], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        monkeypatch.setattr("models.engines.ollama_hosts.monotonic", lambda: now)
        away = unused_host()
        three = self.over(away, *(server.host for server in servers))
        with caplog.at_level(logging.WARNING):
            await three.aembed_query("one")
            await run_sync(three.embed_query, "one")
        warnings = [record.getMessage() for record in caplog.records if record.name.startswith("models")]
        assert warnings == [f"Ollama is not running at {away}; avoided for 15 s"]
        now += AVOIDED_SECONDS + 1
        with caplog.at_level(logging.WARNING):
            await run_sync(three.embed_query, "one")
        assert caplog.text.count(away) == 2
        assert self.asked(servers) == [3, 0]
        await three.aclose()

    @pytest.mark.parametrize(
        "fail",
        [Fail(status=503, words="server busy"), Fail(status=404, words='model "x" not found, try pulling it first')],
        ids=["busy", "model missing"],
    )
    async def test_the_next_takes_over(self, servers: tuple[StandIn, StandIn], fail: Fail) -> None:
        servers[0].fail = fail
        both = self.over(*(server.host for server in servers))
        assert len(await both.aembed_documents(["text"] * 40)) == 40
        assert len(await run_sync(both.embed_documents, ["text"])) == 1
        assert self.asked(servers) == [1, 3]
        await both.aclose()

    async def test_what_any_server_would_refuse_is_not_tried_again(self, servers: tuple[StandIn, StandIn]) -> None:
        for server in servers:
            server.fail = Fail(status=400, words="does not support embeddings")
        both = self.over(*(server.host for server in servers))
        with pytest.raises(EngineFailed, match="does not support"):
            await both.aembed_query("x")
        with pytest.raises(EngineFailed, match="does not support"):
            await run_sync(both.embed_query, "x")
        assert self.asked(servers) == [2, 0]
        await both.aclose()

    async def test_where_none_can_serve_each_is_named(self, server: StandIn) -> None:
        server.fail, away = Fail(status=503, words="server busy"), unused_host()
        both = self.over(server.host, away)
        with pytest.raises(EngineUnavailable) as failed:
            await both.aembed_query("x")
        assert server.host in failed.value.message
        assert away in failed.value.message
        assert failed.value.__cause__ is not None
        with pytest.raises(EngineUnavailable, match=away):
            await run_sync(both.embed_documents, ["x"])
        await both.aclose()

    async def test_one_host_needs_no_pool_and_a_name_given_twice_is_one(self) -> None:
        for hosts in ("box",), ("box", "http://box:11434/"):
            made = open_over(settings.OllamaEmbedding(hosts=hosts))
            assert type(made) is OllamaEmbeddings
            await made.aclose()


class TestWhere:
    """Who says where the embeddings come from: the same rule as for the chat."""

    @pytest.mark.parametrize(
        ("variables", "servers"),
        [
            ({}, ("http://127.0.0.1:11434",)),
            ({"OLLAMA_HOST": "box:8000"}, ("box:8000",)),
            ({"OLLAMA_HOST": "box", "OLLAMA_HOSTS": "h1, h2"}, ("h1", "h2")),
            ({"OLLAMA_HOST": "box", "TINGSHUO_EMBEDDINGS__OLLAMA__HOST": "http://mine:1"}, ("http://mine:1",)),
            ({"OLLAMA_HOSTS": "a,b", "TINGSHUO_EMBEDDINGS__OLLAMA__HOSTS": '["c", "d"]'}, ("c", "d")),
            ({"TINGSHUO_CHAT__OLLAMA__HOST": "http://other:1"}, ("http://127.0.0.1:11434",)),
        ],
    )
    async def test_ollamas_own_variables_count_where_nothing_is_set(
        self, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], servers: tuple[str, ...]
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert settings.load_settings().embeddings.ollama.servers == servers

    async def test_every_server_is_looked_at(self, servers: tuple[StandIn, StandIn]) -> None:
        hosts, away = tuple(server.host for server in servers), unused_host()
        servers[0].models.remove("qwen3-embedding:0.6b")
        wanted = settings.Settings(embeddings={"ollama": {"hosts": (*hosts, away)}})
        found, *_ = await embedding_candidates(wanted)
        assert found.ready
        assert found.reason == f"Ollama 0.32.15 at {hosts[1]} has qwen3-embedding:0.6b, not so {hosts[0]}, {away}"
        servers[1].models.clear()
        found, *_ = await embedding_candidates(wanted)
        assert (found.ready, found.failure) == (False, ModelNotFound)
