"""Ollama's own API, asked for by Ollama's client over a socket, and read line by line."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import ollama
import pytest

from api.service import Service
from models.engines.hashed import HashedEmbeddings
from models.quoting import question_of
from tests.api.chat_server import ChatServer, chat_server
from tests.api.guarded_app import bearer, created
from tests.ollama_prompts import prompt_tokens
from tests.ollama_stand_in import Fail, Reply, StandIn

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    },
}
DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
TEXTS = ["The cat sat on the mat.", "猫坐在垫子上。"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, ollama: StandIn) -> Iterator[ChatServer]:
    chat = {"engine": "ollama", "ollama": {"host": ollama.host}}
    # One place at the engines: a stream that took two would never begin.
    with chat_server(tmp_path_factory.mktemp("ollama"), service=Service(1), chat=chat) as opened:
        yield opened


@pytest.fixture
def model(ollama: StandIn) -> StandIn:
    """The stand-in, by a name that the client's package does not have."""
    return ollama


@pytest.fixture
def client(server: ChatServer) -> Iterator[ollama.Client]:
    with ollama.Client(server.url, trust_env=False) as opened:
        yield opened


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def post(server: ChatServer, path: str = "/api/chat", **body: Any) -> httpx.Response:
    asked = {"model": "companion:latest", **({"messages": [user("Hello?")]} if path == "/api/chat" else {}), **body}
    return httpx.post(f"{server.url}{path}", json=asked, timeout=30, trust_env=False)


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    """The lines of a stream, whose form is checked to the letter."""
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.text.endswith("\n")
    return [json.loads(line) for line in response.text[:-1].split("\n")]


def last(model: StandIn) -> dict[str, Any]:
    return model.bodies("/api/chat")[-1]


def check_done(told: dict[str, Any], read: int, written: int) -> None:
    """The last line's counts, and its times in nanoseconds."""
    assert (told["done"], told["done_reason"]) == (True, "stop")
    assert (told["prompt_eval_count"], told["eval_count"]) == (read, written)
    assert all(type(told[name]) is int and told[name] >= 0 for name in DURATIONS)
    assert told["total_duration"] == told["prompt_eval_duration"] + told["eval_duration"]
    # No turn over sockets takes less than 0.1 ms, and no test takes a minute.
    assert 100_000 < told["total_duration"] < 60_000_000_000


def test_a_stream_on_the_wire(server: ChatServer, model: StandIn) -> None:
    *pieces, end = lines(post(server))
    assert [piece["message"] for piece in pieces] == [
        {"role": "assistant", "content": "Hello"},
        {"role": "assistant", "content": " there."},
    ]
    for piece in pieces:
        assert piece.keys() == {"model", "created_at", "message", "done"}
        assert (piece["model"], piece["done"]) == ("companion:latest", False)
        told = datetime.fromisoformat(piece["created_at"])
        assert piece["created_at"].endswith("Z")
        assert abs((datetime.now(UTC) - told).total_seconds()) < 60
    assert end["message"] == {"role": "assistant", "content": ""}
    check_done(end, prompt_tokens(last(model)), 2)


def test_a_reply_in_one_piece(server: ChatServer, model: StandIn) -> None:
    whole = post(server, stream=False)
    assert whole.headers["content-type"] == "application/json"
    told = whole.json()
    assert told["message"] == {"role": "assistant", "content": "Hello there."}
    check_done(told, prompt_tokens(last(model)), 2)


def test_ollama_s_client_chats(client: ollama.Client, server: ChatServer, model: StandIn) -> None:
    whole = client.chat("companion", [{"role": "system", "content": "Be brief."}, user("Hello?")])
    assert (whole.message.role, whole.message.content, whole.done_reason) == ("assistant", "Hello there.", "stop")
    assert last(model)["messages"][0]["content"].endswith("Be brief.")
    assert question_of(last(model)["messages"][-1]["content"]) == "Hello?"
    parts = [*client.chat("companion:latest", [user("And you?")], stream=True)]
    assert [part.message.content for part in parts] == ["Hello", " there.", ""]
    assert [part.done for part in parts] == [False, False, True]
    assert [turn.question for turn in server.turns()] == ["Hello?", "And you?"]


def test_wishes_reach_the_model_and_leave_it_loaded(client: ollama.Client, model: StandIn) -> None:
    client.chat("companion", [user("Hello?")])
    before = last(model)["options"]
    sampling = {"temperature": 0.1, "top_p": 0.2, "seed": 7, "stop": ["END"], "presence_penalty": 0.3}
    ended = client.chat(
        "companion", [user("Hello?")], options={**sampling, "num_predict": 1, "num_ctx": 512}, keep_alive=0
    )
    assert last(model)["options"] == before | sampling | {"num_predict": 1}
    assert (ended.message.content, ended.done_reason) == ("Hello", "length")
    client.chat("companion", [user("Hello?")], options={"num_predict": -1, "temperature": None})
    assert last(model)["options"] == before


def test_thoughts_come_apart_from_the_reply(client: ollama.Client, server: ChatServer, model: StandIn) -> None:
    model.script = Reply("Fine.", thinking="The user greets.")
    whole = client.chat("companion", [user("Hello?")], think=True)
    assert (whole.message.content, whole.message.thinking) == ("Fine.", "The user greets.")
    assert last(model)["think"] is True
    pieces = [piece["message"] for piece in lines(post(server, think="high"))]
    assert "".join(piece.get("thinking", "") for piece in pieces) == "The user greets."
    assert "".join(piece["content"] for piece in pieces) == "Fine."
    assert last(model)["think"] == "high"
    assert "thinking" not in post(server, think=False, stream=False).json()["message"]
    assert last(model)["think"] is False


def test_the_client_s_tools_are_called_by_the_client(client: ollama.Client, model: StandIn) -> None:
    calls = [("weather", {"place": "Graz"}), ("weather", {"place": "林茨"})]
    model.answers(Reply("", tool_calls=calls), Reply("Rain in both."))
    question = user("What is the weather in Graz and Linz?")
    first = client.chat("companion", [question], tools=[WEATHER])
    assert first.message.tool_calls
    assert [(call.function.name, dict(call.function.arguments)) for call in first.message.tool_calls] == calls
    results = [{"role": "tool", "content": "rain", "tool_name": "weather"}, {"role": "tool", "content": "more rain"}]
    then = client.chat("companion", [question, first.message, *results], tools=[WEATHER])
    assert then.message.content == "Rain in both."
    called, *answered = last(model)["messages"][-3:]
    assert [call["function"]["arguments"] for call in called["tool_calls"]] == [{"place": "Graz"}, {"place": "林茨"}]
    assert [one["content"] for one in answered] == ["rain", "more rain"]
    assert [one["tool_call_id"] for one in answered] == [call["id"] for call in called["tool_calls"]]


def test_tool_calls_in_a_stream_have_their_arguments_as_an_object(server: ChatServer, model: StandIn) -> None:
    model.script = Reply("", tool_calls=[("weather", {"place": "Graz"}), ("weather", {"place": "Linz"})])
    *pieces, end = lines(post(server, tools=[WEATHER]))
    found = [call["function"] for piece in pieces for call in piece["message"].get("tool_calls", ())]
    assert found == [
        {"index": 0, "name": "weather", "arguments": {"place": "Graz"}},
        {"index": 1, "name": "weather", "arguments": {"place": "Linz"}},
    ]
    assert end["done_reason"] == "stop"


def test_json_of_a_schema(client: ollama.Client, model: StandIn) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    model.script = Reply(data={"name": "Tom"})
    told = client.chat("companion", [user("My cat?")], format=schema)
    assert json.loads(told.message.content or "") == {"name": "Tom"}
    assert last(model)["format"] == schema
    client.generate("companion", "My cat?", format="json")
    assert last(model)["format"] == "json"


def test_generate(client: ollama.Client, server: ChatServer, model: StandIn) -> None:
    whole = client.generate("companion", "Hello?", system="Be brief.")
    assert (whole.response, whole.done_reason) == ("Hello there.", "stop")
    assert last(model)["messages"][0]["content"].endswith("Be brief.")
    assert [part.response for part in client.generate("companion", "Hello?", stream=True)] == ["Hello", " there.", ""]
    *pieces, end = lines(post(server, "/api/generate", prompt="Hello?"))
    assert [piece["response"] for piece in pieces] == ["Hello", " there."]
    assert all(piece.keys() == {"model", "created_at", "response", "done"} for piece in pieces)
    check_done(end, prompt_tokens(last(model)), 2)


def test_an_empty_request_loads_the_model_and_lets_it_stay(
    client: ollama.Client, server: ChatServer, model: StandIn
) -> None:
    for loaded in (client.generate("documents", ""), client.chat("documents", [])):
        assert (loaded.done, loaded.done_reason) == (True, "load")
    assert model.loaded
    assert "documents:latest" in [one.model for one in client.ps().models]
    for path in ("/api/generate", "/api/chat"):
        for how in (0, "0s"):
            refused = post(server, path, messages=[], keep_alive=how)
            assert refused.status_code == 501
            assert "keep_alive" in refused.json()["error"]
    assert server.turns() == []


def test_personas_are_listed_as_models(client: ollama.Client, server: ChatServer) -> None:
    (first, *_) = listed = client.list().models
    assert [one.model for one in listed] == ["companion:latest", "default:latest", "documents:latest"]
    contents = [path.read_bytes() for path in server.assistant.personas.files("companion")]
    assert first.digest == sha256(b"\0".join(contents)).hexdigest()
    assert first.size == sum(map(len, contents))
    assert first.modified_at
    assert first.modified_at.year >= 2024
    told = httpx.get(f"{server.url}/api/tags", trust_env=False).json()["models"][0]
    assert told.keys() == {"name", "model", "modified_at", "size", "digest", "details"}
    assert told["details"].keys() == {
        "parent_model", "format", "family", "families", "parameter_size", "quantization_level"
    }  # fmt: skip


def test_a_persona_is_shown_without_what_it_is_told(client: ollama.Client, server: ChatServer) -> None:
    shown = client.show("default")
    assert shown.capabilities == ["completion", "tools", "thinking"]
    assert shown.modelinfo
    assert shown.modelinfo["tingshuo.context_length"] == server.assistant.settings.chat.ollama.num_ctx
    assert "tools" in (shown.template or "").lower()
    secret = server.assistant.personas.get("default").brain.system.strip().splitlines()[0]
    assert secret not in shown.model_dump_json()
    assert httpx.post(f"{server.url}/api/show", json={"name": "default:latest"}, trust_env=False).status_code == 200


def test_what_was_asked_is_running(client: ollama.Client, server: ChatServer) -> None:
    client.chat("companion", [user("Hello?")])
    found = {one.model: one for one in client.ps().models}
    told = found["companion:latest"]
    assert told.context_length == server.assistant.settings.chat.ollama.num_ctx
    assert told.expires_at
    assert told.size_vram == 0


def test_embeddings(running: ChatServer, client: ollama.Client) -> None:
    expected = HashedEmbeddings(1024).embed_documents(TEXTS)
    assert np.allclose(client.embed("hashed", TEXTS).embeddings, expected, atol=1e-6)
    assert np.allclose(client.embed("hashed:latest", TEXTS[0]).embeddings, expected[:1], atol=1e-6)
    assert np.allclose(client.embeddings("hashed", TEXTS[1]).embedding, expected[1], atol=1e-6)
    assert client.embed("hashed", "").embeddings == []
    assert client.embed("hashed", TEXTS[0], dimensions=1024).embeddings
    for wrong in ({"dimensions": 32}, {"input": ["a", ""]}, {"input": ["a"] * 2_049}):
        refused = post(running, "/api/embed", **{"model": "hashed", "input": "a", **wrong})
        assert refused.status_code == 400, wrong


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/api/chat", {"model": "nobody"}, 404, "model 'nobody' not found"),
        ("/api/chat", {"model": "companion:7b"}, 404, "model 'companion:7b' not found"),
        ("/api/generate", {"model": "../default", "prompt": "x"}, 404, "model '../default' not found"),
        ("/api/show", {"model": "nobody"}, 404, "model 'nobody' not found"),
        ("/api/embed", {"model": "nobody", "input": "x"}, 404, "model 'nobody' not found"),
        ("/api/chat", {"messages": [{**user("What?"), "images": ["aGk="]}]}, 400, "pictures cannot be seen"),
        ("/api/generate", {"prompt": "What?", "images": ["aGk="]}, 400, "pictures cannot be seen"),
        ("/api/generate", {"prompt": "x", "raw": True}, 400, "`raw`"),
        ("/api/generate", {"prompt": "x", "context": [1, 2]}, 400, "`context`"),
        ("/api/generate", {"prompt": "x", "suffix": "y"}, 400, "`suffix`"),
        ("/api/chat", {"logprobs": True}, 400, "`logprobs`"),
        ("/api/chat", {"options": {"temperature": "hot"}}, 400, "temperature"),
        ("/api/chat", {"messages": [{"role": "wizard", "content": "x"}]}, 400, "role"),
        ("/api/chat", {"messages": [user("x")] * 513}, 400, "messages"),
        ("/api/chat", {"tools": [{"type": "web_search"}]}, 400, "web_search"),
        ("/api/chat", {"messages": [user("word " * 20_000)]}, 413, ""),
        ("/api/pull", {}, 501, "/api/pull"),
        ("/api/create", {}, 501, "/api/create"),
        ("/api/blobs/sha256:0", {}, 501, "/api/blobs"),
        ("/api/tags", {}, 405, "Method Not Allowed"),
        ("/api/nothing", {}, 404, "Not Found"),
    ],
)
def test_errors_have_their_status_and_ollama_s_form(
    server: ChatServer, path: str, body: dict[str, Any], status: int, words: str
) -> None:
    refused = post(server, path, **body)
    assert refused.status_code == status
    told = refused.json()
    assert told.keys() == {"error"}
    assert words in told["error"]
    assert refused.headers["content-length"] == str(len(refused.content))
    assert server.turns() == []


def test_after_the_first_line_an_error_is_a_line(client: ollama.Client, server: ChatServer, model: StandIn) -> None:
    model.script = Reply("One two three.", fail=Fail("line", words="out of memory", after=2))
    broken = post(server)
    assert broken.status_code == 200
    *pieces, error = lines(broken)
    assert "".join(piece["message"]["content"] for piece in pieces) == "One two"
    assert error.keys() == {"error"}
    assert "out of memory" in error["error"]
    with pytest.raises(ollama.ResponseError, match="out of memory"):
        list(client.chat("companion", [user("Hello?")], stream=True))


def test_open_webui_tells_chats_apart_and_asks_for_titles_without_a_trace(server: ChatServer) -> None:
    for chat in ("a", "b"):
        with ollama.Client(server.url, headers={"X-OpenWebUI-Chat-Id": chat}, trust_env=False) as client:
            client.chat("companion", [user("Hello?")])
    one, other = server.turns()
    assert one.conversation != other.conversation
    task = user("### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.")
    assert post(server, messages=[task], stream=False).json()["message"]["content"] == "Hello there."
    assert len(server.turns()) == 2


def test_home_assistant_goes_through_its_tools(server: ChatServer, model: StandIn) -> None:
    """As its integration does: it streams, names no call in its results, and keeps no content beside a call."""
    turn_on = {
        "type": "function",
        "function": {
            "name": "HassTurnOn",
            "parameters": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
    }
    history: list[Any] = [ollama.Message(role="system", content="You control a house."), user("Lamp and fan on!")]
    calls = [Reply("", tool_calls=[("HassTurnOn", {"name": name})]) for name in ("Lamp", "Fan")]
    model.answers(*calls, Reply("Both are on."))
    said = ""

    async def asked() -> None:
        nonlocal said
        async with ollama.AsyncClient(server.url, trust_env=False) as client:
            while not said:
                called: list[ollama.Message.ToolCall] = []
                stream = await client.chat(
                    "default:latest", list(history), tools=[turn_on], stream=True, keep_alive="0s",
                    options={"num_ctx": 8192}, think=False, format=None,
                )  # fmt: skip
                async for part in stream:
                    called += part.message.tool_calls or ()
                    said += part.message.content or ""
                history.append(ollama.Message(role="assistant", tool_calls=called or None))
                history.extend(ollama.Message(role="tool", content='{"data": "on", "error": null}') for _ in called)

    asyncio.run(asked())
    assert said == "Both are on."
    *_, first, one, second, two = last(model)["messages"]
    assert [call["tool_calls"][0]["id"] for call in (first, second)] == [one["tool_call_id"], two["tool_call_id"]]
    assert one["tool_call_id"] != two["tool_call_id"]
    (kept,) = server.turns()
    assert (kept.question, kept.reply) == ("Lamp and fan on!", "Both are on.")


def test_a_body_without_a_content_type_is_json(server: ChatServer) -> None:
    asked = json.dumps({"model": "companion", "messages": [user("Hello?")], "stream": False})
    told = httpx.post(f"{server.url}/api/chat", content=asked, trust_env=False)
    assert "content-type" not in told.request.headers
    assert told.json()["message"]["content"] == "Hello there."
    form = {"content-type": "application/x-www-form-urlencoded"}
    refused = httpx.post(f"{server.url}/api/chat", content=asked, headers=form, trust_env=False)
    assert refused.status_code == 415
    assert isinstance(refused.json()["error"], str)


def test_clients_find_an_ollama(server: ChatServer) -> None:
    assert httpx.get(f"{server.url}/", trust_env=False).text == "Ollama is running"
    for path in ("/", "/api/version", "/api/tags"):
        assert httpx.head(f"{server.url}{path}", trust_env=False).status_code == 200
    told = httpx.get(f"{server.url}/api/version", trust_env=False).json()
    # Open WebUI reads it so.
    assert len([int(part) for part in told["version"].split(".")]) == 3


def test_without_a_model_it_quotes_and_has_no_tools_and_a_key_is_asked_for(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with chat_server(data, chat={"engine": "extractive"}) as server:
        with ollama.Client(server.url, trust_env=False) as client:
            assert client.show("default").capabilities == ["completion"]
            told = client.chat("documents", [user("Who is the king of Spain?")])
            assert told.message.content == "That is not in the documents, so I cannot say."
            assert (told.prompt_eval_count, told.eval_count) == (0, 0)
        token = created(data, "ann", "chat")
        refused = httpx.get(f"{server.url}/api/tags", trust_env=False)
        assert refused.status_code == 401
        assert isinstance(refused.json()["error"], str)
        opened = httpx.get(f"{server.url}/api/tags", headers=bearer(token), trust_env=False)
        assert opened.status_code == 200
