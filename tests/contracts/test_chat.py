"""What every chat model must do, whatever engine is behind it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import anyio
import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from configs import settings
from configs.errors import EngineUnavailable
from models.engines import fake, ollama_hosts
from models.engines.extractive import ExtractiveChat
from models.engines.ollama import OllamaChat
from models.engines.ollama_hosts import OllamaHosts
from models.engines.ollama_structured import structured
from models.quoting import QuotedPassage, quote
from tests.ollama_stand_in import Body, Reply, StandIn, ollama_stand_in, unused_host

QUESTION = "How many days of vacation do employees get?"
PASSAGE = QuotedPassage(1, "Handbook", "Annual leave", "Employees get 25 days of vacation each year.")
PROMPT: list[BaseMessage] = [SystemMessage("Be brief."), HumanMessage(f"{quote([PASSAGE])}\n\n{QUESTION}")]
HOST, MODEL = os.environ.get("OLLAMA_HOST", ""), os.environ.get("TINGSHUO_TEST_MODEL", "")
REAL = [pytest.param("real ollama", marks=pytest.mark.ollama)] if HOST and MODEL else []

pytestmark = pytest.mark.anyio


@tool
async def knowledge_search(query: str) -> str:
    """Searches the user's documents for the question."""
    return quote([PASSAGE])


@dataclass(frozen=True)
class Engine:
    """A chat model under test, and what it can do."""

    chat: BaseChatModel
    calls_tools: bool = True
    counts_tokens: bool = False


def as_a_model_would(body: Body) -> Reply:
    """Calls the tool that it has once, then answers."""
    if body.get("format"):
        return Reply(data={"days": 25})
    if body.get("tools") and body["messages"][-1]["role"] != "tool":
        return Reply(text="", tool_calls=[("knowledge_search", {"query": QUESTION})])
    return Reply(text="Employees get 25 days each year [1].")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with ollama_stand_in() as server:
        server.script = as_a_model_would
        yield server


@asynccontextmanager
async def served(model: str, *hosts: str) -> AsyncIterator[Engine]:
    chat = ollama_hosts.open_chat(settings.OllamaChat(hosts=hosts), model, {"temperature": 0.0})
    try:
        yield Engine(chat, counts_tokens=True)
    finally:
        await chat.aclose()


@pytest.fixture(params=["extractive", "ollama", "ollama hosts", "fake", *REAL])
async def engine(request: pytest.FixtureRequest, stand_in: StandIn) -> AsyncIterator[Engine]:
    match request.param:
        case "extractive":
            yield Engine(ExtractiveChat())
        case "fake":
            yield Engine(fake.FakeChat(script=settings.FakeChat()), calls_tools=False)
        case "ollama":
            async with served("qwen3:8b", stand_in.host) as found:
                yield found
        case "ollama hosts":
            async with served("qwen3:8b", unused_host(), stand_in.host) as found:
                yield found
        case _:
            async with served(MODEL, HOST) as found:
                yield found


async def test_it_streams_text_in_several_pieces(engine: Engine) -> None:
    pieces = [chunk async for chunk in engine.chat.astream(PROMPT)]
    assert all(isinstance(piece, AIMessageChunk) for piece in pieces)
    assert sum(bool(piece.text) for piece in pieces) > 3
    assert "".join(piece.text for piece in pieces).strip()


async def test_the_whole_reply_is_what_streams(engine: Engine) -> None:
    whole = await engine.chat.ainvoke(PROMPT)
    assert isinstance(whole, AIMessage)
    assert whole.text == "".join([chunk.text async for chunk in engine.chat.astream(PROMPT)])


async def test_blocking_calls_say_the_same(engine: Engine) -> None:
    whole = await engine.chat.ainvoke(PROMPT)
    assert (await anyio.to_thread.run_sync(engine.chat.invoke, PROMPT)).text == whole.text


async def test_a_stream_may_be_left_early_and_the_engine_is_free(engine: Engine) -> None:
    for _ in range(2):
        stream = cast("Any", engine.chat.astream(PROMPT))
        async with aclosing(stream) as pieces:
            async for _ in pieces:
                break
    with anyio.fail_after(10):
        assert (await engine.chat.ainvoke(PROMPT)).text


async def test_callers_do_not_mix(engine: Engine) -> None:
    expected = (await engine.chat.ainvoke(PROMPT)).text
    assert [reply.text for reply in await engine.chat.abatch([PROMPT] * 3)] == [expected] * 3


async def test_tools_of_every_kind_can_be_bound(engine: Engine) -> None:
    schema = {"type": "function", "function": {"name": "clock", "description": "Tells the time.", "parameters": {}}}
    assert await engine.chat.bind_tools([knowledge_search, schema]).ainvoke(PROMPT)


async def test_in_an_agent_a_tool_goes_round(engine: Engine) -> None:
    if not engine.calls_tools:
        pytest.skip("this engine never calls a tool")
    agent: Any = create_agent(engine.chat, tools=[knowledge_search], system_prompt="Search before you answer.")
    state = await agent.ainvoke({"messages": [HumanMessage(QUESTION)]})
    assert [message.type for message in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert "25" in state["messages"][-1].text


async def test_tokens_are_counted_the_same_however_it_is_asked(engine: Engine) -> None:
    if not engine.counts_tokens:
        pytest.skip("this engine has no tokens")
    whole = await engine.chat.ainvoke(PROMPT)
    assert whole.usage_metadata
    assert whole.usage_metadata["input_tokens"] > 5
    assert whole.usage_metadata["output_tokens"] > 1
    streamed = [chunk async for chunk in engine.chat.astream(PROMPT)]
    joined = streamed[0]
    for chunk in streamed[1:]:
        joined += chunk
    assert joined.usage_metadata == whole.usage_metadata


async def test_preloading_counts_the_prefix_and_the_next_reply_is_as_ever(engine: Engine) -> None:
    if not isinstance(engine.chat, OllamaChat):
        pytest.skip("this engine has nothing to load")
    expected = (await engine.chat.ainvoke(PROMPT)).text
    if isinstance(engine.chat, OllamaHosts):
        with pytest.raises(EngineUnavailable, match="not running"):  # One of them is away.
            await engine.chat.preload(PROMPT)
    else:
        assert await engine.chat.preload(PROMPT) > 5
    assert 512 <= engine.chat.context <= 8192
    assert (await engine.chat.ainvoke(PROMPT)).text == expected


class Leave(BaseModel):
    """How much vacation there is."""

    days: int


async def test_a_reply_can_be_held_to_a_schema(engine: Engine) -> None:
    if not isinstance(engine.chat, OllamaChat):
        pytest.skip("this engine knows no schema")
    assert await structured(engine.chat, Leave, PROMPT) == Leave(days=25)
