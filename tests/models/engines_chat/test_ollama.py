"""Ollama's chat and embeddings: what they ask of the server, what they make of its failures, and how they let go."""

import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, cast

import anyio
import pytest
from anyio.to_thread import run_sync
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tools import tool

from configs import settings
from configs.errors import AssistantError, ConfigError, EngineFailed, EngineUnavailable, ModelNotFound, PromptTooLong
from models.engines.ollama import OllamaChat, open_chat
from models.engines.ollama_probe import OllamaState, host_url, probe
from tests.ollama_prompts import prompt_tokens
from tests.ollama_stand_in import Fail, Reply, StandIn, ollama_stand_in, unused_host

pytestmark = pytest.mark.anyio


@tool
async def clock(zone: str) -> str:
    """Tells the time in a zone."""
    return f"noon in {zone}"


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def server(running: StandIn) -> StandIn:
    running.reset()
    return running


@pytest.fixture
async def chat(server: StandIn) -> AsyncIterator[OllamaChat]:
    made = open_chat(settings.OllamaChat(host=server.host), "qwen3:8b")
    yield made
    await made.aclose()


async def streamed(chat: OllamaChat) -> None:
    async for _ in chat.astream("Hi"):
        pass


async def whole(chat: OllamaChat) -> None:
    await chat.ainvoke("Hi")


async def blocking(chat: OllamaChat) -> None:
    await run_sync(chat.invoke, "Hi")


async def blocking_stream(chat: OllamaChat) -> None:
    await run_sync(lambda: list(chat.stream("Hi")))


WAYS = pytest.mark.parametrize("ask", [streamed, whole, blocking, blocking_stream])


@WAYS
@pytest.mark.parametrize(
    ("fail", "error", "message", "hint"),
    [
        (Fail(status=404, words="model 'qwen3:8b' not found"), ModelNotFound, "no model 'qwen3:8b'", "ollama pull"),
        (Fail(status=404, words="404 page not found"), EngineFailed, "404 page not found", "log"),
        (
            Fail(status=503, words="server busy, please try again.  maximum pending requests exceeded"),
            EngineUnavailable,
            "server busy, please try again. maximum pending requests exceeded",
            "Try again",
        ),
        (
            Fail(status=500, words="timed out waiting for llama runner to start - progress 0.28 - "),
            EngineUnavailable,
            "progress 0.28",
            "Try again",
        ),
        (Fail(status=502, words=""), EngineUnavailable, "not ready", "Try again"),
        (Fail(words="model requires more system memory (5.6 GiB) than is available (3.1 GiB)"), EngineFailed, "5.6 GiB",
         "smaller model"),
        (Fail(status=400, words="registry.ollama.ai/library/gemma:2b does not support tools"), EngineFailed,
         "does not support tools", "qwen3:8b"),
        (Fail(words="llama runner process has terminated: exit status 2"), EngineFailed, "exit status 2", "log"),
        (Fail("line", words="an error was encountered while running the model", after=1), EngineFailed,
         "an error was encountered while running the model", "log"),
        (Fail("cut", after=1), EngineFailed, "broke off", "log"),
        (Fail("end"), EngineFailed, "without its last line", "log"),
        (Fail("garbage", after=0), EngineFailed, "not Ollama's protocol", "Another program"),
    ],
    ids=lambda value: f"{value.how} {value.status} {value.words[:20]}" if isinstance(value, Fail) else "",
)  # fmt: skip
async def test_each_failure_is_its_own_error(
    server: StandIn,
    chat: OllamaChat,
    ask: Callable[[OllamaChat], Awaitable[None]],
    fail: Fail,
    error: type[AssistantError],
    message: str,
    hint: str,
) -> None:
    server.script = Reply(fail=fail)
    with pytest.raises(error) as raised:
        await ask(chat)
    assert type(raised.value) is error
    assert message in raised.value.message
    assert hint in raised.value.hint
    assert raised.value.__cause__ is not None or fail.how == "end"


@WAYS
async def test_where_nothing_runs_the_error_says_how_to_start_it(ask: Callable[[OllamaChat], Awaitable[None]]) -> None:
    host = unused_host()
    chat = open_chat(settings.OllamaChat(host=host), "qwen3:8b")
    with pytest.raises(EngineUnavailable) as raised:
        await ask(chat)
    assert host in raised.value.message
    assert "`ollama serve`" in raised.value.hint
    await chat.aclose()


@WAYS
@pytest.mark.parametrize("slow", [{"load": 5.0}, {"first": 5.0}, {"pause": 5.0}], ids=["load", "first", "pause"])
async def test_a_wait_beyond_the_timeout_is_an_error(
    server: StandIn, ask: Callable[[OllamaChat], Awaitable[None]], slow: dict[str, float]
) -> None:
    server.script = Reply(**slow)  # type: ignore[arg-type]  # its fields for waits
    chat = open_chat(settings.OllamaChat(host=server.host, timeout=0.1), "qwen3:8b")
    with pytest.raises(EngineUnavailable, match="in time"):
        await ask(chat)
    await chat.aclose()


@WAYS
async def test_a_reply_that_only_loads_the_model_is_an_error(
    server: StandIn, chat: OllamaChat, ask: Callable[[OllamaChat], Awaitable[None]]
) -> None:
    server.script = Reply(text="", done_reason="load")
    with pytest.raises(EngineUnavailable, match="loaded 'qwen3:8b' but gave no reply"):
        await ask(chat)


async def test_a_password_in_the_address_is_not_told() -> None:
    host = unused_host().replace("//", "//me:secret@")
    chat = open_chat(settings.OllamaChat(host=host), "qwen3:8b")
    with pytest.raises(EngineUnavailable) as raised:
        await chat.ainvoke("Hi")
    assert "secret" not in raised.value.message + raised.value.hint
    await chat.aclose()


async def test_every_request_has_the_same_constant_options(server: StandIn) -> None:
    wanted = settings.OllamaChat(host=server.host, num_ctx=4096, keep_alive="30m")
    chat = open_chat(wanted, "qwen3:8b", {"temperature": 0.7, "min_p": 0.0, "stop": ["User:"], "num_ctx": 4096})
    await chat.ainvoke("Hi")
    await streamed(chat)
    await chat.bind_tools([clock]).ainvoke("Hi", stop=["END"])
    await chat.preload([SystemMessage("You are a butler.")], [clock])
    first, second, third, fourth = server.bodies("/api/chat")
    assert first["options"] == {
        "temperature": 0.7, "min_p": 0.0, "stop": ["User:"], "num_predict": 1024, "num_ctx": 4096
    }  # fmt: skip
    assert second["options"] == first["options"]
    assert third["options"] == {**first["options"], "stop": ["END"]}
    assert fourth["options"] == {**first["options"], "num_predict": 1}
    for body in (first, second, third, fourth):
        assert (body["model"], body["think"], body["keep_alive"]) == ("qwen3:8b", False, "30m")
        assert body["truncate"] is False
    await chat.aclose()


@pytest.mark.parametrize(
    ("wanted", "persona", "reasoning", "limit"),
    [
        ({}, {}, False, 1024),
        ({"num_predict": 300}, {}, False, 300),
        ({"num_predict": 300}, {"num_predict": 50}, False, 50),
        ({}, {"num_predict": -1}, False, -1),
        # Never more than half of the context of 8192, which is for thoughts as well.
        ({"num_predict": 5000}, {}, False, 4096),
        ({}, {}, True, 4096),
        ({"num_predict": 300}, {}, "high", 4096),
        ({}, {"num_predict": 50}, True, 50),
    ],
)
async def test_a_reply_has_a_limit(
    server: StandIn, wanted: dict[str, int], persona: dict[str, int], reasoning: bool | str, limit: int
) -> None:
    chat = open_chat(settings.OllamaChat(host=server.host, **wanted), "qwen3:8b", persona, reasoning=reasoning)
    await chat.ainvoke("Hi")
    assert server.bodies("/api/chat")[0]["options"]["num_predict"] == chat.reply == limit
    await chat.aclose()


@WAYS
async def test_a_reply_that_ends_at_its_limit_is_told(
    server: StandIn, ask: Callable[[OllamaChat], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    server.script = Reply(text="one two three four")
    chat = open_chat(settings.OllamaChat(host=server.host, num_predict=3), "qwen3:8b")
    await ask(chat)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("models")] == [
        "'qwen3:8b' broke off after 3 tokens, its limit (num_predict)"
    ]
    reply = await chat.ainvoke("Hi")
    assert (reply.text, reply.response_metadata["done_reason"]) == ("one two three", "length")
    caplog.clear()
    # A limit that the call itself sets is no news.
    await chat.preload([HumanMessage("Hi")])
    assert not [record for record in caplog.records if record.name.startswith("models")]
    await chat.aclose()


@WAYS
async def test_a_prompt_that_is_too_long_is_refused_and_never_cut(
    server: StandIn, ask: Callable[[OllamaChat], Awaitable[None]]
) -> None:
    server.dense = 600.0
    chat = open_chat(settings.OllamaChat(host=server.host, num_ctx=512), "qwen3:8b")
    with pytest.raises(PromptTooLong) as refused:
        await ask(chat)
    assert (refused.value.tokens, refused.value.context) == (600, 512)
    assert "has 600 tokens, and 512 fit" in refused.value.message
    assert "num_ctx" in refused.value.hint
    await chat.aclose()


@pytest.mark.parametrize(
    "words",
    [
        "the input length exceeds the context length",
        "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust",
        "the request exceeds the available context size. try increasing the context size or enable context shift",
    ],
)
async def test_other_versions_refuse_without_a_count(server: StandIn, chat: OllamaChat, words: str) -> None:
    server.script = Reply(fail=Fail(status=400, words=words))
    with pytest.raises(PromptTooLong, match="has too many tokens") as refused:
        await chat.ainvoke("Hi")
    assert (refused.value.tokens, refused.value.context) == (0, 0)


async def test_thought_is_kept_apart_from_the_reply(server: StandIn, chat: OllamaChat) -> None:
    server.script = Reply(text="Hello.", thinking="The user greets me.")
    assert (await chat.ainvoke("Hi")).text == "Hello."
    thinker = open_chat(settings.OllamaChat(host=server.host), "qwen3:8b", reasoning=True)
    reply = await thinker.ainvoke("Hi")
    assert (reply.text, reply.additional_kwargs["reasoning_content"]) == ("Hello.", "The user greets me.")
    await thinker.aclose()


async def test_preloading_sends_the_real_prefix(server: StandIn, chat: OllamaChat) -> None:
    counted = await chat.preload([SystemMessage("You are a butler."), HumanMessage("Hi")], [clock])
    (body,) = server.bodies("/api/chat")
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert [found["function"]["name"] for found in body["tools"]] == ["clock"]
    assert counted == prompt_tokens(body) > 10


async def test_an_unknown_or_other_option_is_refused() -> None:
    with pytest.raises(ConfigError, match="num_gpu"):
        open_chat(settings.OllamaChat(), "qwen3:8b", {"num_gpu": 1, "temperature": 1})
    with pytest.raises(ConfigError, match="num_ctx 2048"):
        open_chat(settings.OllamaChat(), "qwen3:8b", {"num_ctx": 2048})


async def test_tokens_arrive_while_the_model_still_writes(server: StandIn, chat: OllamaChat) -> None:
    """The server holds the rest of the reply until its beginning has come through the whole agent."""
    server.script = Reply(text="One two three four.", held_after=2)
    agent: Any = create_agent(chat, system_prompt="Be brief.")
    pieces: list[str] = []
    with anyio.fail_after(20):
        async for message, _ in agent.astream({"messages": [HumanMessage("Hi")]}, stream_mode="messages"):
            if isinstance(message, AIMessageChunk) and message.text:
                pieces.append(message.text)
            if len(pieces) == 2:
                server.go_on.set()
    assert pieces == ["One", " two", " three", " four."]


async def test_cancelling_stops_the_generation_at_once(server: StandIn, chat: OllamaChat) -> None:
    server.script = Reply(text="One two three four.", held_after=2)
    seen: list[str] = []
    interrupted = anyio.Event()

    async def listen() -> None:
        async for piece in chat.astream("Hi"):
            seen.append(piece.text)
            if len(seen) == 2:
                interrupted.set()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await interrupted.wait()
            tasks.cancel_scope.cancel()
        assert await run_sync(server.closed_early.wait, 5)
    assert seen == ["One", " two"]


async def test_leaving_a_stream_stops_the_generation(server: StandIn, chat: OllamaChat) -> None:
    server.script = Reply(text="One two three four.", held_after=1)
    async with aclosing(cast("Any", chat.astream("Hi"))) as pieces:
        async for _ in pieces:
            break
    assert await run_sync(server.closed_early.wait, 5)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_probe_tells_what_is_there(server: StandIn) -> None:
    server.models.append("butler:latest")
    state = await probe(server.host)
    assert state == OllamaState(server.host, True, "0.32.15", ("qwen3:8b", "qwen3-embedding:0.6b", "butler:latest"))
    assert state.has("qwen3:8b")
    assert state.has("butler")
    assert not state.has("qwen3")
    assert not state.has("llama3:8b")
    assert server.bodies("/api/chat") == []


async def test_a_probe_of_nothing_is_quick() -> None:
    started = time.monotonic()
    state = await probe(unused_host())
    assert not state.running
    assert not state.has("qwen3:8b")
    assert time.monotonic() - started < 1


async def test_a_probe_of_a_silent_server_gives_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        state = await probe(f"127.0.0.1:{silent.getsockname()[1]}", within=0.2)
        assert time.monotonic() - started < 1
    assert not state.running


@pytest.mark.parametrize("body", ["<html>", json.dumps({"version": "1"}), json.dumps([1]), json.dumps({"models": 3})])
async def test_a_probe_of_another_program_finds_no_ollama(body: str) -> None:
    async def answer(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(
                f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
            )

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        assert not (await probe(f"127.0.0.1:{port}")).running
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://box:8000/", "http://box:8000"),
        ("https://box/ollama/", "https://box/ollama"),
        ("localhost", "http://localhost:11434"),
        ("box:8000", "http://box:8000"),
        ("box/ollama", "http://box:11434/ollama"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
async def test_addresses_as_people_write_them(host: str, url: str) -> None:
    assert host_url(host) == url


@pytest.mark.parametrize("host", ["", "ftp://box", "http://", "box:port", "http://box:99999", "http://[::1"])
async def test_what_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="no address"):
        host_url(host)


async def test_a_proxy_is_not_asked_for_this_machine(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", unused_host())
    assert (await probe(server.host)).running
    chat = open_chat(settings.OllamaChat(host=server.host), "qwen3:8b")
    assert (await chat.ainvoke("Hi")).text
    await chat.aclose()
