"""Every method of Ollama's own client that is served here: whole and streamed, blocking and not, and its errors."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from ollama import (
    AsyncClient,
    ChatResponse,
    Client,
    EmbeddingsResponse,
    EmbedResponse,
    GenerateResponse,
    ListResponse,
    Message,
    ProcessResponse,
    ResponseError,
    ShowResponse,
)
from pydantic import BaseModel

from models.quoting import question_of
from tests.api.chat_server import ChatServer
from tests.api.guarded_app import bearer, created
from tests.ollama_stand_in import Fail, Reply, StandIn

pytestmark = pytest.mark.anyio

ASKED: list[dict[str, Any]] = [{"role": "user", "content": "Hello?"}]
SERVED: dict[str, tuple[str, dict[str, Any], type[BaseModel]]] = {
    "list": ("GET /api/tags", {}, ListResponse),
    "ps": ("GET /api/ps", {}, ProcessResponse),
    "show": ("POST /api/show", {"model": "companion"}, ShowResponse),
    "chat": ("POST /api/chat", {"model": "companion", "messages": ASKED}, ChatResponse),
    "generate": ("POST /api/generate", {"model": "companion", "prompt": "Hello?"}, GenerateResponse),
    "embed": ("POST /api/embed", {"model": "hashed", "input": ["a", "猫"]}, EmbedResponse),
    "embeddings": ("POST /api/embeddings", {"model": "hashed", "prompt": "猫"}, EmbeddingsResponse),
}
"""The route of each method, what it is called with, and the type of its answer."""
REFUSED: dict[str, dict[str, Any]] = {
    "pull": {"model": "companion"},
    "push": {"model": "companion"},
    "create": {"model": "mine", "from_": "companion"},
    "copy": {"source": "companion", "destination": "mine"},
    "delete": {"model": "companion"},
}
"""Personas are files: nobody makes, moves or fetches them through this API."""
PLAN = {"name": "雨", "rows": [1, 2]}


class Event(BaseModel):
    name: str
    rows: list[int]


def weather(place: str) -> str:
    """
    The weather of a place.

    Args:
      place: its name
    """
    return f"rain in {place}"


@pytest.fixture
def client(server: ChatServer) -> Iterator[Client]:
    with Client(server.url, trust_env=False) as opened:
        yield opened


@pytest.fixture
async def unblocked(server: ChatServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(server.url, trust_env=False) as opened:
        yield opened


@pytest.fixture
async def wire(server: ChatServer) -> AsyncIterator[httpx.AsyncClient]:
    """What shows the bytes as they come."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as opened:
        yield opened


def given(ollama: StandIn) -> dict[str, Any]:
    """What the model was last given."""
    return ollama.bodies("/api/chat")[-1]


@pytest.mark.parametrize("name", SERVED)
async def test_an_answer_is_of_its_type_to_the_letter(
    wire: httpx.AsyncClient, client: Client, unblocked: AsyncClient, name: str
) -> None:
    route, asked, kind = SERVED[name]
    client.chat("companion", ASKED)  # so that something runs
    assert type(getattr(client, name)(**asked)) is kind
    assert type(await getattr(unblocked, name)(**asked)) is kind
    method, path = route.split()
    body = None if method == "GET" else asked | {"stream": False}
    told = await wire.request(method, path, json=body)
    found = kind.model_validate_json(told.text, strict=True)
    # Nothing is told that the client does not know, and nothing that is no value.
    known = {field.alias or key for key, field in kind.model_fields.items()}
    assert told.json().keys() <= known
    assert not found.model_fields_set - {key for key, value in found if value is not None}


@pytest.mark.parametrize("name", ["chat", "generate"])
async def test_a_stream_is_of_its_type_to_the_letter(
    wire: httpx.AsyncClient, client: Client, unblocked: AsyncClient, name: str
) -> None:
    route, asked, kind = SERVED[name]
    told = await wire.post(route.split()[1], json=asked)
    lines: list[Any] = [kind.model_validate_json(line, strict=True) for line in told.text.splitlines()]
    pieces = [*getattr(client, name)(**asked, stream=True)]
    others = [piece async for piece in await getattr(unblocked, name)(**asked, stream=True)]
    assert len(lines) == len(pieces) == len(others) == 3
    for found in (lines, pieces, others):
        assert [said(piece) for piece in found] == ["Hello", " there.", ""]
        assert [piece.done_reason for piece in found] == [None, None, "stop"]


def said(piece: Any) -> str:
    """The text of a piece, whichever method gave it."""
    return str(piece.message.content if isinstance(piece, ChatResponse) else piece.response)


async def parts(client: Client | AsyncClient, streamed: bool, **asked: Any) -> list[ChatResponse]:
    """What a chat gives, in its pieces."""
    chat: Any = client.chat
    told = chat("companion", **asked, stream=streamed)
    if isinstance(client, AsyncClient):
        told = await told
        return [part async for part in told] if streamed else [told]
    return [*told] if streamed else [told]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("blocking", [True, False])
async def test_a_function_is_a_tool(
    client: Client, unblocked: AsyncClient, ollama: StandIn, blocking: bool, streamed: bool
) -> None:
    """The client describes it from its annotations and its docstring."""
    ollama.answers(Reply("Let me see.", tool_calls=[("weather", {"place": "林茨"})]), Reply("Rain."))
    asked: dict[str, Any] = {"messages": [Message(role="user", content="The weather in 林茨?")], "tools": [weather]}
    for expected in ("Let me see.", "Rain."):
        told = await parts(client if blocking else unblocked, streamed, **asked)
        text = "".join(map(said, told))
        assert text == expected
        calls = [call for part in told for call in part.message.tool_calls or ()]
        asked["messages"] += [Message(role="assistant", content=text, tool_calls=calls or None)]
        asked["messages"] += [
            Message(role="tool", content=weather(**call.function.arguments), tool_name=call.function.name)
            for call in calls
        ]
    question, called, result = given(ollama)["messages"][-3:]
    assert question_of(question["content"]) == "The weather in 林茨?"
    assert called["tool_calls"][0]["function"]["arguments"] == {"place": "林茨"}
    assert result["content"] == "rain in 林茨"
    (offered,) = [tool for tool in given(ollama)["tools"] if tool["function"]["name"] == "weather"]
    assert offered["function"]["parameters"]["properties"]["place"]["description"] == "its name"


async def test_a_reply_is_held_to_a_type(client: Client, unblocked: AsyncClient, ollama: StandIn) -> None:
    ollama.script = Reply(data=PLAN)
    wanted: Any = {"model": "companion", "format": Event.model_json_schema()}
    whole = [
        said(client.chat(messages=ASKED, **wanted)),
        said(client.generate(prompt="What is planned?", **wanted)),
        said(await unblocked.chat(messages=ASKED, **wanted)),
        "".join(said(piece) for piece in client.chat(messages=ASKED, stream=True, **wanted)),
        "".join([said(piece) async for piece in await unblocked.generate(prompt="What?", stream=True, **wanted)]),
    ]
    assert [Event.model_validate_json(text) for text in whole] == [Event(name="雨", rows=[1, 2])] * 5
    assert given(ollama)["format"]["required"] == ["name", "rows"]


@pytest.mark.parametrize("think", [True, "high"])
async def test_thoughts_come_apart_from_the_reply(
    client: Client, unblocked: AsyncClient, ollama: StandIn, think: Any
) -> None:
    ollama.script = Reply("Fine.", thinking="The user greets.")
    whole = client.generate("companion", "Hello?", think=think)
    assert (whole.response, whole.thinking) == ("Fine.", "The user greets.")
    pieces = [piece async for piece in await unblocked.chat("companion", ASKED, think=think, stream=True)]
    assert "".join(piece.message.thinking or "" for piece in pieces) == "The user greets."
    assert "".join(map(said, pieces)) == "Fine."
    assert given(ollama)["think"] == think
    parts = [*client.generate("companion", "Hello?", think=think, stream=True)]
    assert "".join(part.thinking or "" for part in parts) == "The user greets."


async def test_an_empty_request_loads_a_persona(unblocked: AsyncClient, ollama: StandIn) -> None:
    for loaded in (await unblocked.generate("documents", keep_alive=-1), await unblocked.chat("documents")):
        assert (loaded.done, loaded.done_reason) == (True, "load")
    assert ollama.loaded


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_served_is_said_so(client: Client, unblocked: AsyncClient, name: str) -> None:
    asked = REFUSED[name]
    with pytest.raises(ResponseError) as refused:
        getattr(client, name)(**asked)
    assert (refused.value.status_code, "is not served here" in refused.value.error) == (501, True)
    with pytest.raises(ResponseError) as refused:
        await getattr(unblocked, name)(**asked)
    assert (refused.value.status_code, "is not served here" in refused.value.error) == (501, True)


@pytest.mark.parametrize("name", ["show", "chat", "generate", "embed", "embeddings"])
async def test_a_model_that_is_not_here_is_said_so(client: Client, unblocked: AsyncClient, name: str) -> None:
    asked = SERVED[name][1] | {"model": "llama3"}
    with pytest.raises(ResponseError) as refused:
        getattr(client, name)(**asked)
    assert (refused.value.status_code, refused.value.error) == (404, "model 'llama3' not found")
    with pytest.raises(ResponseError) as refused:
        await getattr(unblocked, name)(**asked)
    assert (refused.value.status_code, refused.value.error) == (404, "model 'llama3' not found")


@pytest.mark.parametrize("name", ["chat", "generate"])
async def test_a_failure_has_its_status_and_later_is_a_line(
    client: Client, unblocked: AsyncClient, ollama: StandIn, name: str
) -> None:
    _, asked, _ = SERVED[name]
    ollama.script = Reply(fail=Fail(status=503, words="server busy, please try again"))
    with pytest.raises(ResponseError, match="server busy") as failed:
        await getattr(unblocked, name)(**asked)
    assert failed.value.status_code == 503
    stream = await getattr(unblocked, name)(**asked, stream=True)
    with pytest.raises(ResponseError, match="server busy") as failed:
        await anext(stream)
    assert failed.value.status_code == 503
    ollama.script = Reply("One two three.", fail=Fail("line", words="out of memory", after=2))
    told: list[str] = []
    stream = await getattr(unblocked, name)(**asked, stream=True)
    with pytest.raises(ResponseError, match="out of memory"):
        told.extend([said(piece) async for piece in stream])
    with pytest.raises(ResponseError, match="out of memory"):
        told.extend(said(piece) for piece in getattr(client, name)(**asked, stream=True))
    assert told == ["One", " two"]


async def test_a_key_goes_with_every_call(server: ChatServer) -> None:
    data = server.assistant.settings.data
    token = created(data, "phone", "chat")
    try:
        async with AsyncClient(server.url, headers=bearer(token), trust_env=False) as client:
            assert said(await client.chat("companion", ASKED)) == "Hello there."
        with Client(server.url, headers=bearer(token + "x"), trust_env=False) as client:
            for call in (client.list, lambda: client.chat("companion", ASKED)):
                with pytest.raises(ResponseError, match="the key is not known") as refused:
                    call()
                assert refused.value.status_code == 401
    finally:
        (data / "keys.json").unlink()
