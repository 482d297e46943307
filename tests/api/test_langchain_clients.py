"""LangChain's chat models and embeddings for OpenAI's API and for Ollama's, with our server in their places."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import httpx2
import numpy as np
import ollama as llm
import openai
import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from models.engines.hashed import HashedEmbeddings
from models.quoting import question_of
from tests.api.chat_server import ChatServer
from tests.ollama_prompts import prompt_tokens
from tests.ollama_stand_in import Fail, Reply, StandIn

pytestmark = [
    pytest.mark.anyio,
    # langchain-openai dumps a parsed completion as one that is not.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]

# No certificates are needed, and reading them takes longer than most tests.
ALONE: dict[str, Any] = {"trust_env": False, "verify": False}
TEXTS = ["The cat sat on the mat.", "猫坐在垫子上。"]
GRAZ, LINZ = ("weather", {"place": "Graz"}), ("weather", {"place": "林茨"})
PLANNED = {"name": "雨", "rows": [1, 2]}

Client = TypeVar("Client", ChatOllama, OllamaEmbeddings)


class Event(BaseModel):
    """An event."""

    name: str
    rows: list[int]


@tool
def weather(place: str) -> str:
    """The weather of a place."""
    return f"rain in {place}"


class Clients:
    """LangChain's clients of a server, and the connections that are theirs alone: its own ones outlive a loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._blocking, self._other = httpx2.Client(**ALONE), httpx2.AsyncClient(**ALONE)
        self._openai: dict[str, Any] = {
            "base_url": f"{url}/v1", "api_key": SecretStr("none"), "max_retries": 0,
            "http_client": self._blocking, "http_async_client": self._other,
        }  # fmt: skip
        self._opened: list[ChatOllama | OllamaEmbeddings] = []

    def chat(self, kind: str, **more: Any) -> BaseChatModel:
        """A chat model of a kind."""
        if kind == "ollama":
            return self._keep(ChatOllama(model="companion", **self._ollama(), validate_model_on_init=True, **more))
        responses = kind == "responses"
        return ChatOpenAI(model="companion", stream_usage=True, use_responses_api=responses, **self._openai, **more)

    def embeddings(self, kind: str) -> OpenAIEmbeddings | OllamaEmbeddings:
        """Embeddings of a kind."""
        if kind == "ollama":
            return self._keep(OllamaEmbeddings(model="hashed", **self._ollama()))
        # Otherwise it would send numbers of tokens, which it would have to learn from the network.
        return OpenAIEmbeddings(model="hashed", check_embedding_ctx_length=False, **self._openai)

    async def aclose(self) -> None:
        """Closes the connections."""
        self._blocking.close()
        await self._other.aclose()
        for client in self._opened:
            assert client._client
            assert client._async_client
            client._client._client.close()
            await client._async_client._client.aclose()

    def _ollama(self) -> dict[str, Any]:
        return {"base_url": self._url, "client_kwargs": ALONE}

    def _keep(self, client: Client) -> Client:
        self._opened.append(client)
        return client


@pytest.fixture
async def clients(server: ChatServer) -> AsyncIterator[Clients]:
    opened = Clients(server.url)
    yield opened
    await opened.aclose()


@pytest.fixture(params=["openai", "responses", "ollama"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of our APIs a chat model speaks to."""
    return str(request.param)


@pytest.fixture
def chat(clients: Clients, kind: str) -> BaseChatModel:
    return clients.chat(kind)


def given(model: StandIn) -> dict[str, Any]:
    """What the model was last given."""
    return model.bodies("/api/chat")[-1]


async def gathered(pieces: AsyncIterator[Any]) -> AIMessageChunk:
    """A stream as one message."""
    whole: AIMessageChunk | None = None
    async for piece in pieces:
        whole = piece if whole is None else whole + piece
    assert whole
    return whole


async def test_a_message_is_answered(chat: BaseChatModel, ollama: StandIn) -> None:
    asked = [SystemMessage("Speak like a pirate."), HumanMessage("你好吗？")]
    for reply in (chat.invoke(asked), await chat.ainvoke(asked)):
        assert reply.text == "Hello there."
        assert reply.usage_metadata
        read = prompt_tokens(given(ollama))
        assert [reply.usage_metadata[key] for key in ("input_tokens", "output_tokens")] == [read, 2]
    system, *_, question = given(ollama)["messages"]
    assert system["content"].endswith("Speak like a pirate.")
    assert question_of(question["content"]) == "你好吗？"


async def test_a_reply_is_streamed(chat: BaseChatModel, ollama: StandIn) -> None:
    assert "".join(piece.text for piece in chat.stream("Hello?")) == "Hello there."
    whole = await gathered(chat.astream("Hello?"))
    assert (whole.text, whole.chunk_position) == ("Hello there.", "last")
    assert whole.usage_metadata
    assert whole.usage_metadata["input_tokens"] == prompt_tokens(given(ollama))
    assert whole.usage_metadata["output_tokens"] == 2
    assert whole.response_metadata["model_name"].startswith("companion")


async def test_several_are_asked_at_once(chat: BaseChatModel, ollama: StandIn) -> None:
    ollama.script = lambda body: Reply(f"So: {question_of(body['messages'][-1]['content'])}")
    replies = await chat.abatch(["One.", "Two.", "三。"])
    assert [reply.text for reply in replies] == ["So: One.", "So: Two.", "So: 三。"]


async def test_tools_are_called_and_their_results_answered(
    chat: BaseChatModel, server: ChatServer, ollama: StandIn
) -> None:
    able, question = chat.bind_tools([weather]), HumanMessage("The weather in Graz and 林茨?")
    ollama.answers(Reply("Let me see.", tool_calls=[GRAZ, LINZ]), Reply("Rain."), Reply("", tool_calls=[GRAZ, LINZ]))
    called = able.invoke([question])
    assert called.text == "Let me see."
    assert [(call["name"], call["args"]) for call in called.tool_calls] == [GRAZ, LINZ]
    results = [weather.invoke(call) for call in called.tool_calls]
    assert able.invoke([question, called, *results]).text == "Rain."
    assert [turn.reply for turn in server.turns()] == ["Let me see.Rain."]
    _, again, *answered = given(ollama)["messages"][-4:]
    assert [call["function"]["arguments"] for call in again["tool_calls"]] == [GRAZ[1], LINZ[1]]
    assert [one["content"] for one in answered] == ["rain in Graz", "rain in 林茨"]
    assert [one["tool_call_id"] for one in answered] == [call["id"] for call in again["tool_calls"]]
    streamed: Any = await gathered(able.astream([question]))
    assert [(call["name"], call["args"]) for call in streamed.tool_calls] == [GRAZ, LINZ]
    assert len({call["id"] for call in streamed.tool_calls}) == 2


@pytest.mark.parametrize("kind", ["openai", "responses"], indirect=True)
@pytest.mark.parametrize("choice", ["weather", "any"])
async def test_a_tool_can_be_insisted_on(chat: BaseChatModel, ollama: StandIn, choice: str) -> None:
    ollama.script = Reply("I would rather talk.", data={"place": "Graz"})
    called = chat.bind_tools([weather], tool_choice=choice).invoke("The weather in Graz?")
    assert [(call["name"], call["args"]) for call in called.tool_calls] == [GRAZ]


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
async def test_an_output_has_its_type(chat: BaseChatModel, kind: str, ollama: StandIn, method: str) -> None:
    # Nobody can insist on a call of Ollama's: there the model has to make it.
    calls = [("Event", PLANNED)] if (kind, method) == ("ollama", "function_calling") else []
    ollama.script = Reply("", data=None if calls else PLANNED, tool_calls=calls)
    typed: Any = chat.with_structured_output(Event, method=method)
    assert typed.invoke("What is planned?") == Event(**PLANNED)
    assert await typed.ainvoke("What is planned?") == Event(**PLANNED)
    assert [piece async for piece in typed.astream("What is planned?")][-1] == Event(**PLANNED)
    raw: Any = chat.with_structured_output(Event, method=method, include_raw=True)
    told = raw.invoke("What is planned?")
    assert (told["parsed"], told["parsing_error"]) == (Event(**PLANNED), None)
    shape = given(ollama).get("format") or {}
    assert shape == "json" if method == "json_mode" else shape.get("required", []) == ([] if calls else [*PLANNED])


async def test_an_output_may_be_described_as_json_schema(chat: BaseChatModel, ollama: StandIn) -> None:
    ollama.script = Reply(data=PLANNED)
    assert (
        chat.with_structured_output(Event.model_json_schema(), method="json_schema").invoke("What is planned?")
        == PLANNED
    )
    assert given(ollama)["format"]["properties"].keys() == {"name", "rows"}


async def test_an_agent_of_langchain_s_goes_through_its_tools(chat: BaseChatModel, ollama: StandIn) -> None:
    ollama.answers(Reply("", tool_calls=[GRAZ]), Reply("", tool_calls=[LINZ]), Reply("Rain in both."))
    agent = create_agent(chat, [weather], system_prompt="Be brief.")
    ended = await agent.ainvoke({"messages": [HumanMessage("The weather in Graz and 林茨?")]})
    assert ended["messages"][-1].text == "Rain in both."
    assert [one["content"] for one in given(ollama)["messages"] if one["role"] == "tool"] == [
        "rain in Graz", "rain in 林茨"
    ]  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_error_is_the_client_s_own(chat: BaseChatModel, ollama: StandIn, streamed: bool) -> None:
    def ask(**more: Any) -> list[Any]:
        return [*chat.stream("Hello?", **more)] if streamed else [chat.invoke("Hello?", **more)]

    with pytest.raises((openai.NotFoundError, llm.ResponseError), match="nobody"):
        ask(model="nobody")
    ollama.script = Reply(fail=Fail(status=503, words="server busy, please try again"))
    with pytest.raises((openai.InternalServerError, llm.ResponseError), match="server busy"):
        ask()


async def test_a_stream_that_breaks_off_is_an_error(chat: BaseChatModel, ollama: StandIn) -> None:
    ollama.script = Reply("One two three.", fail=Fail("cut", after=2))
    said: list[str] = []
    # The last is what langchain-openai makes of a response that failed.
    with pytest.raises((openai.APIError, llm.ResponseError, ValueError), match="broke off"):
        said.extend(piece.text for piece in chat.stream("Count."))
    assert "".join(said) == "One two"


async def test_a_conversation_goes_on_without_being_sent_again(
    clients: Clients, server: ChatServer, ollama: StandIn
) -> None:
    chat, asked = clients.chat("responses", use_previous_response_id=True), HumanMessage("I am Ann.")
    first = chat.invoke([asked])
    chat.invoke([asked, first, HumanMessage("Who am I?")])
    told = given(ollama)["messages"][-3:]
    assert [one["content"] for one in told[:2]] == ["I am Ann.", "Hello there."]
    assert question_of(told[2]["content"]) == "Who am I?"
    assert len({turn.conversation for turn in server.turns()}) == 1


async def test_thoughts_come_apart_from_the_reply(clients: Clients, ollama: StandIn) -> None:
    ollama.script = Reply("Fine.", thinking="The user greets.")
    chat = clients.chat("ollama", reasoning=True)
    for reply in (chat.invoke("Hello?"), await gathered(chat.astream("Hello?"))):
        assert (reply.text, reply.additional_kwargs["reasoning_content"]) == ("Fine.", "The user greets.")
    chat = clients.chat("responses", reasoning={"effort": "high", "summary": "auto"})
    for reply in (chat.invoke("Hello?"), await gathered(chat.astream("Hello?"))):
        assert [block.get("reasoning") or block.get("text") for block in reply.content_blocks] == [
            "The user greets.", "Fine."
        ]  # fmt: skip
    # langchain-openai leaves the thoughts of a chat completion aside.
    assert clients.chat("openai", reasoning_effort="high").invoke("Hello?").text == "Fine."
    assert given(ollama)["think"] == "high"


@pytest.mark.parametrize("kind", ["openai", "ollama"], indirect=True)
async def test_texts_are_embedded(clients: Clients, kind: str) -> None:
    embeddings, expected = clients.embeddings(kind), HashedEmbeddings(1024).embed_documents(TEXTS)
    for vectors in (embeddings.embed_documents(TEXTS), await embeddings.aembed_documents(TEXTS)):
        assert np.allclose(vectors, expected, atol=1e-6)
    for vector in (embeddings.embed_query(TEXTS[1]), await embeddings.aembed_query(TEXTS[1])):
        assert np.allclose(vector, expected[1], atol=1e-6)
