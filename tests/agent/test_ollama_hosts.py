"""Several Ollama servers behind one chat model: who serves which conversation, and what happens when one goes away."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import anyio
import pytest
from anyio.to_thread import run_sync
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from pydantic import BaseModel

from configs import settings
from configs.errors import EngineFailed, EngineUnavailable, ModelNotFound, PromptTooLong
from models.engines.ollama import OllamaChat
from models.engines.ollama_hosts import AVOIDED_SECONDS, OllamaHosts, open_chat, ranked
from models.engines.ollama_structured import structured
from models.readiness import chat_candidates
from tests.ollama_stand_in import Fail, Reply, StandIn, ollama_stand_in, unused_host

pytestmark = pytest.mark.anyio

hosts = st.lists(st.integers(1, 200).map(lambda n: f"http://10.0.0.{n}:11434"), min_size=1, max_size=8, unique=True)


@given(hosts, st.text(max_size=20))
def test_ranking_hosts_loses_none_and_depends_on_no_order(names: list[str], conversation: str) -> None:
    order = ranked(names, conversation)
    assert sorted(order) == sorted(names)
    assert ranked(names[::-1], conversation) == order


@given(hosts, st.text(max_size=20))
def test_a_host_that_leaves_moves_only_its_own_conversations(names: list[str], conversation: str) -> None:
    first, *rest = ranked(names, conversation)
    for gone in names:
        left = ranked([name for name in names if name != gone], conversation)
        assert left == [name for name in [first, *rest] if name != gone]


def test_hosts_share_conversations_evenly() -> None:
    counts = Counter(ranked(["a", "b", "c"], f"conversation {number}")[0] for number in range(3000))
    # 1000 each, with a standard deviation of 26.
    assert all(900 < counts[host] < 1100 for host in "abc"), counts


class Counted(BaseModel):
    """A shape for a reply."""

    count: int


class Pair:
    """Two servers, either of which can be stopped, and the chat model over both."""

    def __init__(self) -> None:
        self._running = [ExitStack(), ExitStack()]
        self.servers = [stack.enter_context(ollama_stand_in()) for stack in self._running]
        self.chat = over(*(server.host for server in self.servers))
        self.agent: Any = create_agent(self.chat)

    def stop(self, server: StandIn) -> None:
        self._running[self.servers.index(server)].close()

    def stop_both(self) -> None:
        for stack in self._running:
            stack.close()

    def served(self) -> list[int]:
        """How many replies each was asked for."""
        return [len(server.bodies("/api/chat")) for server in self.servers]

    def own(self, conversation: str) -> tuple[StandIn, StandIn]:
        """The server of a conversation, and the other."""
        first, second = sorted(
            self.servers, key=lambda s: ranked([x.host for x in self.servers], conversation)[0] != s.host
        )
        return first, second

    async def ask(self, conversation: str) -> str:
        config = {"configurable": {"thread_id": conversation}}
        return str((await self.agent.ainvoke({"messages": [HumanMessage(conversation)]}, config))["messages"][-1].text)


def over(*names: str, **options: Any) -> OllamaChat:
    return open_chat(settings.OllamaChat(hosts=names, **options), "qwen3:8b", {"temperature": 0.7})


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    made = Pair()
    yield made
    await made.chat.aclose()
    await run_sync(made.stop_both)


async def test_a_conversation_keeps_to_its_host_and_finds_another_when_that_has_gone(pair: Pair) -> None:
    conversations = [f"conversation {number}" for number in range(50)]
    for _ in range(2):
        for conversation in conversations:
            assert await pair.ask(conversation) == "Hello there."
    for server in pair.servers:
        asked = [body["messages"][-1]["content"] for body in server.bodies("/api/chat")]
        assert set(asked) == {name for name in conversations if pair.own(name)[0] is server}
        assert set(Counter(asked).values()) == {2}
    assert sum(pair.served()) == 100

    gone, left = pair.servers
    await run_sync(pair.stop, gone)
    for conversation in conversations:
        assert await pair.ask(conversation) == "Hello there."
    assert len({body["messages"][-1]["content"] for body in left.bodies("/api/chat")}) == 50


async def test_all_hosts_get_the_same_options(pair: Pair) -> None:
    # The ports are new each time: of 64 conversations, one host gets none once in 2**63.
    for number in range(64):
        await pair.ask(str(number))
    bodies = [body for server in pair.servers for body in server.bodies("/api/chat")]
    assert all(body["options"] == {"temperature": 0.7, "num_predict": 1024, "num_ctx": 8192} for body in bodies)
    assert all(pair.served())


@pytest.mark.parametrize(
    "fail",
    [
        Fail(status=503, words="server busy"),
        Fail(status=404, words="model 'qwen3:8b' not found"),
        Fail("cut", after=0),
    ],
    ids=["busy", "model missing", "gone before the first token"],
)
async def test_a_host_that_failed_is_avoided_for_a_while(
    pair: Pair, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("models.engines.ollama_hosts.monotonic", lambda: now)
    own, other = pair.own("c")
    own.script = Reply(fail=fail)
    assert await pair.ask("c") == "Hello there."
    assert (len(own.bodies("/api/chat")), len(other.bodies("/api/chat"))) == (1, 1)
    own.script = Reply(text="Back again.")
    now += AVOIDED_SECONDS - 1
    assert await pair.ask("c") == "Hello there."
    now += 2
    assert await pair.ask("c") == "Back again."


async def test_a_shape_is_asked_of_another_host_as_well_and_without_thought(pair: Pair) -> None:
    own, other = pair.own("")
    own.script = Reply(fail=Fail(status=503, words="server busy"))
    other.script = Reply(data={"count": 3}, thinking="Three, then.")
    assert (await structured(pair.chat, Counted, [HumanMessage("How many?")])).count == 3
    for server in pair.servers:
        (body,) = server.bodies("/api/chat")
        assert (body["think"], body["options"]["temperature"]) == (False, 0)
        assert body["format"]["required"] == ["count"]


async def test_a_prompt_that_is_too_long_is_not_tried_elsewhere(pair: Pair) -> None:
    for server in pair.servers:
        server.dense = 9000.0
    with pytest.raises(PromptTooLong):
        await pair.ask("c")
    assert sum(pair.served()) == 1


async def test_when_no_host_can_serve_each_is_named(pair: Pair) -> None:
    for server in pair.servers:
        server.script = Reply(fail=Fail(status=503, words="server busy"))
    with pytest.raises(EngineUnavailable) as failed:
        await pair.ask("c")
    assert all(server.host in failed.value.message for server in pair.servers)
    assert failed.value.__cause__ is not None
    # One that is avoided is tried all the same, where there is no better one.
    with pytest.raises(EngineUnavailable):
        await pair.ask("c")
    assert pair.served() == [2, 2]


async def test_a_refusal_is_not_asked_for_twice(pair: Pair) -> None:
    for server in pair.servers:
        server.script = Reply(fail=Fail(status=400, words="does not support tools"))
    with pytest.raises(EngineFailed, match="does not support tools"):
        await pair.ask("c")
    assert sum(pair.served()) == 1


@pytest.mark.parametrize("fail", [Fail("cut", after=1), Fail("line", after=1), Fail("end")])
async def test_a_reply_that_has_begun_is_never_begun_anew(pair: Pair, fail: Fail) -> None:
    own, other = pair.own("c")
    own.script = Reply(fail=fail)
    pieces: list[str] = []

    async def listen() -> None:
        config = {"configurable": {"thread_id": "c"}}
        async for message, _ in pair.agent.astream({"messages": [HumanMessage("Hi")]}, config, stream_mode="messages"):
            if isinstance(message, AIMessageChunk):
                pieces.append(message.text)

    with pytest.raises(EngineFailed):
        await listen()
    assert "".join(pieces) in ("Hello", "Hello there.")
    assert other.bodies("/api/chat") == []


async def test_a_host_that_dies_in_a_reply_is_avoided_afterwards(pair: Pair) -> None:
    own, other = pair.own("c")
    own.script = Reply(fail=Fail("cut", after=1))
    with pytest.raises(EngineFailed, match="broke off"):
        await pair.ask("c")
    assert await pair.ask("c") == "Hello there."
    assert len(own.bodies("/api/chat")) == len(other.bodies("/api/chat")) == 1


async def test_blocking_calls_find_another_host_as_well(pair: Pair) -> None:
    own, other = pair.own("")
    own.script = Reply(fail=Fail(status=503, words="server busy"))
    reply = await run_sync(pair.chat.invoke, "Hi")
    assert reply.text == "Hello there."
    assert reply.usage_metadata
    assert len(other.bodies("/api/chat")) == 1


async def test_every_host_is_preloaded(pair: Pair) -> None:
    first, second = pair.servers
    second.context = 4096
    assert await pair.chat.preload([SystemMessage("Be brief."), HumanMessage("Hi")]) > 2
    assert [[m["content"] for m in s.bodies("/api/chat")[0]["messages"]] for s in pair.servers] == [
        ["Be brief.", "Hi"]
    ] * 2
    # What fits everywhere.
    assert pair.chat.context == 4096
    await run_sync(pair.stop, first)
    with pytest.raises(EngineUnavailable) as failed:
        await pair.chat.preload([HumanMessage("Hi")])
    assert first.host in failed.value.message
    assert len(second.bodies("/api/chat")) == 2


async def test_leaving_a_stream_stops_the_generation(pair: Pair) -> None:
    own, other = pair.own("")
    own.script = Reply(text="One two three.", held_after=1)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:

            async def listen() -> None:
                async for _ in pair.chat.astream("Hi"):
                    tasks.cancel_scope.cancel()

            tasks.start_soon(listen)
        assert await run_sync(own.closed_early.wait, 5)
    assert other.bodies("/api/chat") == []


async def test_one_host_needs_no_pool_and_a_name_given_twice_is_one() -> None:
    single, doubled = over("box:11434"), over("box", "http://box:11434/")
    assert type(single) is type(doubled) is OllamaChat
    assert isinstance(over("a", "b"), OllamaHosts)


class TestReadiness:
    @pytest.fixture
    def two(self) -> Iterator[tuple[StandIn, StandIn]]:
        with ollama_stand_in() as first, ollama_stand_in() as second:
            yield first, second

    async def found(self, *names: str) -> tuple[bool, str, str, object]:
        wanted = settings.Settings(chat={"ollama": {"hosts": names}})
        (ollama, *_) = await chat_candidates(wanted, ["tingshuo-default", "qwen3:8b"])
        return ollama.ready, ollama.model, ollama.reason, ollama.failure

    async def test_both_serve(self, two: tuple[StandIn, StandIn]) -> None:
        first, second = two
        ready, model, reason, _ = await self.found(first.host, second.host)
        assert (ready, model) == (True, "qwen3:8b")
        assert f"at {first.host}, {second.host} has qwen3:8b" in reason

    async def test_a_model_that_all_have_goes_before_one_that_some_have(self, two: tuple[StandIn, StandIn]) -> None:
        first, second = two
        first.models.append("tingshuo-default:latest")
        assert (await self.found(first.host, second.host))[1] == "qwen3:8b"
        second.models.append("tingshuo-default:latest")
        assert (await self.found(first.host, second.host))[1] == "tingshuo-default"

    async def test_who_cannot_serve_is_named(self, two: tuple[StandIn, StandIn]) -> None:
        first, second = two
        second.models.remove("qwen3:8b")
        away = unused_host()
        ready, _, reason, _ = await self.found(first.host, second.host, away)
        assert ready
        assert reason.endswith(f"not so {second.host}, {away}")

    async def test_none_has_the_model_or_none_is_there(self, two: tuple[StandIn, StandIn]) -> None:
        for server in two:
            server.models.clear()
        ready, _, reason, failure = await self.found(*(server.host for server in two))
        assert (ready, failure) == (False, ModelNotFound)
        assert "does not have qwen3:8b" in reason
        away = unused_host()
        assert (await self.found(away))[:3] == (False, "", f"no Ollama answers at {away}")


class TestSettings:
    @pytest.fixture(autouse=True)
    def no_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("OLLAMA_HOST", "OLLAMA_HOSTS"):
            monkeypatch.delenv(name, raising=False)

    @pytest.mark.parametrize(
        ("variables", "given", "servers"),
        [
            ({}, {}, ("http://127.0.0.1:11434",)),
            ({"OLLAMA_HOST": "box:8000"}, {}, ("box:8000",)),
            ({"OLLAMA_HOST": "box", "OLLAMA_HOSTS": "h1, h2,"}, {}, ("h1", "h2")),
            ({"OLLAMA_HOSTS": " , "}, {}, ("http://127.0.0.1:11434",)),
            ({"OLLAMA_HOST": "box", "OLLAMA_HOSTS": "h1,h2"}, {"host": "http://mine:1"}, ("http://mine:1",)),
            ({"OLLAMA_HOSTS": "h1,h2"}, {"hosts": ("a", "b")}, ("a", "b")),
            ({}, {"host": "http://mine:1", "hosts": ("a", "b")}, ("a", "b")),
        ],
    )
    def test_who_says_where_ollama_is(
        self,
        variables: dict[str, str],
        given: dict[str, Any],
        servers: tuple[str, ...],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert settings.OllamaChat(**given).servers == servers

    def test_hosts_may_come_from_our_own_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OLLAMA_HOSTS", "h1,h2")
        monkeypatch.setenv("TINGSHUO_CHAT__OLLAMA__HOSTS", '["a", "b"]')
        assert settings.load_settings().chat.ollama.servers == ("a", "b")
