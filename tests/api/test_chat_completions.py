"""Chat completions, asked for by OpenAI's own client over a socket, and read line by line from the wire."""

import base64
import io
import json
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel, TypeAdapter

from models.audio import from_floats, silence, wav_bytes
from models.quoting import question_of, quoted
from tests.api.chat_server import ChatServer, chat_server
from tests.ollama_prompts import prompt_tokens
from tests.ollama_stand_in import Fail, Reply, StandIn

SPEECH = base64.b64encode(wav_bytes(from_floats((0.3 * np.sin(np.arange(16_000) / 5)).astype(np.float32), 16_000)))
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    },
}
CLOCK: Any = {"type": "function", "function": {"name": "clock"}}
CHUNK = TypeAdapter(ChatCompletionChunk)
Messages = list[Any]


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def assistant(text: str) -> Any:
    return {"role": "assistant", "content": text}


def post(server: ChatServer, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    asked = {"model": "companion", "messages": [user("Hello?")], **body}
    url = f"{server.url}/v1/chat/completions"
    return httpx.post(url, json=asked, headers=headers or {}, timeout=30, trust_env=False)


def chunks(response: httpx.Response) -> list[dict[str, Any]]:
    """The chunks of a stream, whose form is checked to the letter, and each against OpenAI's own type."""
    assert response.headers["content-type"].partition(";")[0] == "text/event-stream"
    events = response.text.split("\n\n")
    assert events.pop() == ""
    assert all(event.startswith("data: ") and "\n" not in event for event in events)
    assert events.pop() == "data: [DONE]"
    for event in events:
        CHUNK.validate_json(event.removeprefix("data: "), strict=True)
    return [json.loads(event.removeprefix("data: ")) for event in events]


def spoken(seconds: float) -> bool:
    """Whether that is the scripted voice's time for "Hello there.": 60 ms for each character, and a short pause."""
    return 12 * 0.06 <= seconds < 12 * 0.06 + 0.1


def last(ollama: StandIn) -> dict[str, Any]:
    return ollama.bodies("/api/chat")[-1]


def test_a_reply_in_one_piece(server: ChatServer, ollama: StandIn) -> None:
    reply = server.client.chat.completions.create(model="companion", messages=[user("Hello?")])
    (choice,) = reply.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", "Hello there.", "stop")
    assert (reply.object, reply.model, reply.id[:9]) == ("chat.completion", "companion", "chatcmpl-")
    assert reply.usage
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (prompt_tokens(last(ollama)), 2)
    assert reply.usage.total_tokens == prompt_tokens(last(ollama)) + 2


def test_a_stream_on_the_wire(server: ChatServer) -> None:
    first, *between, end = chunks(post(server, stream=True))
    assert first["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    ]
    assert [chunk["choices"][0]["delta"] for chunk in between] == [{"content": "Hello"}, {"content": " there."}]
    assert end["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    for chunk in (first, *between, end):
        assert chunk.keys() == {"id", "object", "created", "model", "choices"}
        assert chunk["object"] == "chat.completion.chunk"
        assert isinstance(chunk["created"], int)
    assert len({chunk["id"] for chunk in (first, *between, end)}) == 1


def test_tokens_end_a_stream_in_one_chunk_without_choices_and_only_where_asked_for(
    server: ChatServer, ollama: StandIn
) -> None:
    *others, counted = chunks(post(server, stream=True, stream_options={"include_usage": True}))
    read = prompt_tokens(last(ollama))
    assert counted["choices"] == []
    assert counted["usage"] == {"prompt_tokens": read, "completion_tokens": 2, "total_tokens": read + 2}
    assert all(chunk["choices"] and "usage" not in chunk for chunk in others)
    for options in (None, {"include_usage": False}, {}):
        assert all(chunk["choices"] for chunk in chunks(post(server, stream=True, stream_options=options)))


def test_the_client_s_messages_are_the_history(server: ChatServer, ollama: StandIn) -> None:
    messages = [
        {"role": "system", "content": "Speak like a pirate."},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        user("What is a bilge?"), assistant("The lowest part, arr."), user("And a jib?"),
    ]  # fmt: skip
    post(server, model="default", messages=messages)
    system, *others = last(ollama)["messages"]
    own = server.assistant.personas.get("default").brain.system.strip()
    assert system["role"] == "system"
    assert system["content"].startswith(own)
    assert system["content"].endswith("Speak like a pirate.\n\nBe brief.")
    assert [message["role"] for message in others[-3:]] == ["user", "assistant", "user"]
    assert others[-3]["content"] == "What is a bilge?"
    assert others[-2]["content"] == "The lowest part, arr."
    assert others[-1]["content"].startswith("<now>")
    assert question_of(others[-1]["content"]) == "And a jib?"


def test_passages_stand_with_the_last_question_and_are_told_as_sources(server: ChatServer, ollama: StandIn) -> None:
    ollama.answers(Reply("Twenty-five days [1]."), Reply("Twenty-five days [1]."))
    question = user("How many days of paid leave does everyone get?")
    asked = server.client.chat.completions.create(model="default", messages=[question])
    (passage,) = quoted(last(ollama)["messages"][-1]["content"])
    assert "25 days" in passage.text
    noted: Any = asked.choices[0].message.annotations
    (note,) = noted
    reply = asked.choices[0].message.content or ""
    cited = note.url_citation
    assert reply[cited.start_index : cited.end_index] == "[1]"
    assert cited.title.startswith("Leave")
    found = httpx.get(cited.url, trust_env=False)
    assert found.status_code == 200
    assert "25 days" in found.text
    streamed = chunks(post(server, model="default", messages=[question], stream=True))
    deltas = [chunk["choices"][0]["delta"] for chunk in streamed]
    (told,) = [delta["annotations"] for delta in deltas if "annotations" in delta]
    assert told[0]["type"] == "url_citation"
    assert told[0]["url_citation"]["title"] == cited.title
    assert streamed[-1]["choices"][0]["finish_reason"] == "stop"


def test_wishes_reach_the_model_and_leave_it_loaded(server: ChatServer, ollama: StandIn) -> None:
    post(server)
    before = last(ollama)["options"]
    wishes: Any = {"temperature": 0.1, "top_p": 0.2, "seed": 7, "stop": ["END", "STOP"], "max_completion_tokens": 1}
    ended = post(server, **wishes, presence_penalty=0.3, frequency_penalty=0.4).json()
    after = last(ollama)["options"]
    assert after["num_ctx"] == before["num_ctx"]
    assert after == before | {
        "temperature": 0.1, "top_p": 0.2, "seed": 7, "stop": ["END", "STOP"], "num_predict": 1,
        "presence_penalty": 0.3, "frequency_penalty": 0.4,
    }  # fmt: skip
    assert ended["choices"][0]["message"]["content"] == "Hello"
    assert ended["choices"][0]["finish_reason"] == "length"
    post(server, max_tokens=1_000_000)
    assert last(ollama)["options"]["num_predict"] == before["num_ctx"] // 2
    post(server, max_tokens=-1)
    assert last(ollama)["options"] == before


def test_thoughts_come_apart_from_the_reply(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("Fine.", thinking="The user greets.")
    message = post(server, reasoning_effort="high").json()["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("Fine.", "The user greets.")
    assert last(ollama)["think"] == "high"
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(post(server, stream=True, reasoning_effort="low"))]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "The user greets."
    assert "".join(delta.get("content", "") for delta in deltas) == "Fine."
    post(server, reasoning_effort="none")
    assert last(ollama)["think"] is False
    ollama.script = Reply("<think>Hm.</think>Fine.")
    assert post(server).json()["choices"][0]["message"]["content"] == "Fine."


def test_the_client_s_tools_are_called_by_the_client(server: ChatServer, ollama: StandIn) -> None:
    ollama.answers(Reply("", tool_calls=[("weather", {"place": "Graz"})]), Reply("Rain."))
    question = user("What is the weather in Graz?")
    first = server.client.chat.completions.create(model="companion", messages=[question], tools=[WEATHER])
    offered = [tool["function"]["name"] for tool in last(ollama)["tools"]]
    assert "weather" in offered
    assert "recall" in offered
    assert first.choices[0].finish_reason == "tool_calls"
    called_for: Any = first.choices[0].message.tool_calls
    (call,) = called_for
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"place": "Graz"})
    messages: Messages = [
        question,
        first.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "12 degrees, rain"},
    ]
    then = server.client.chat.completions.create(model="companion", messages=messages, tools=[WEATHER])
    assert (then.choices[0].message.content, then.choices[0].finish_reason) == ("Rain.", "stop")
    asked, called, result = last(ollama)["messages"][-3:]
    assert question_of(asked["content"]) == question["content"]
    assert called["tool_calls"][0]["function"] == {"name": "weather", "arguments": {"place": "Graz"}}
    assert (result["role"], result["content"], result["tool_call_id"]) == ("tool", "12 degrees, rain", call.id)
    (kept,) = server.turns()
    assert (kept.question, kept.reply) == (question["content"], "Rain.")


def test_tool_calls_in_a_stream_have_their_place_and_their_arguments_as_text(
    server: ChatServer, ollama: StandIn
) -> None:
    ollama.script = Reply("", tool_calls=[("weather", {"place": "Graz"}), ("weather", {"place": "Linz"})])
    *others, end = chunks(post(server, stream=True, tools=[WEATHER]))
    calls = [call for chunk in others for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    assert [(call["index"], call["type"]) for call in calls] == [(0, "function"), (1, "function")]
    assert [json.loads(call["function"]["arguments"])["place"] for call in calls] == ["Graz", "Linz"]
    assert len({call["id"] for call in calls}) == 2
    assert end["choices"][0]["finish_reason"] == "tool_calls"


def test_the_assistant_s_own_tools_stay_inside(server: ChatServer, ollama: StandIn) -> None:
    search = ("knowledge_search", {"query": "How many days of paid leave does everyone get?"})
    ollama.answers(Reply("", tool_calls=[search]), Reply("It is 25 days."))
    streamed = chunks(post(server, model="default", stream=True, messages=[user("Tell me about holidays.")]))
    deltas = [chunk["choices"][0]["delta"] for chunk in streamed]
    assert "".join(delta.get("content", "") for delta in deltas).startswith("It is 25 days.")
    assert not any("tool_calls" in delta for delta in deltas)
    assert streamed[-1]["choices"][0]["finish_reason"] == "stop"
    result = last(ollama)["messages"][-1]
    assert result["role"] == "tool"
    assert "25 days" in result["content"]


def test_a_model_that_never_stops_calling_is_stopped(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = lambda body: (
        Reply("", tool_calls=[("recall", {"query": "x"})]) if body.get("tools") else Reply("Enough.")
    )
    assert post(server).json()["choices"][0]["message"]["content"] == "Enough."
    assert len(ollama.bodies("/api/chat")) == 5


@pytest.mark.parametrize(
    ("choice", "tools", "data", "name", "arguments"),
    [
        ("required", [WEATHER], {"place": "Graz"}, "weather", {"place": "Graz"}),
        ({"type": "function", "function": {"name": "clock"}}, [WEATHER, CLOCK], {}, "clock", {}),
        ("required", [WEATHER, CLOCK], {"name": "clock", "arguments": {}}, "clock", {}),
    ],
)
def test_a_call_can_be_insisted_on(
    server: ChatServer, ollama: StandIn, choice: Any, tools: Messages, data: Any, name: str, arguments: Any
) -> None:
    ollama.script = Reply("I would rather talk.", data=data)
    ended = post(server, tools=tools, tool_choice=choice).json()["choices"][0]
    (call,) = ended["message"]["tool_calls"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (name, arguments)
    assert (ended["finish_reason"], ended["message"]["content"]) == ("tool_calls", None)


def test_no_call_can_be_insisted_on(server: ChatServer, ollama: StandIn) -> None:
    post(server, tools=[WEATHER], tool_choice="none")
    assert "weather" not in [tool["function"]["name"] for tool in last(ollama)["tools"]]


class Event(BaseModel):
    name: str
    rows: list[int]


def test_a_reply_is_held_to_a_schema_and_nothing_is_said_around_it(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply(data={"name": "<b>leave</b>", "rows": [1]})
    question = user("How many days of paid leave does everyone get?")
    parsed = server.client.chat.completions.parse(model="default", messages=[question], response_format=Event)
    assert parsed.choices[0].message.parsed == Event(name="<b>leave</b>", rows=[1])
    assert last(ollama)["format"]["properties"].keys() == {"name", "rows"}
    post(server, response_format={"type": "json_object"})
    assert last(ollama)["format"] == "json"
    post(server, response_format={"type": "text"})
    assert "format" not in last(ollama)


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({"n": 2}, 400, "n", "invalid_value"),
        ({"logprobs": True}, 400, "logprobs", "invalid_value"),
        ({"top_logprobs": 3}, 400, "top_logprobs", "invalid_value"),
        ({"logit_bias": {"5": 1}}, 400, "logit_bias", "invalid_value"),
        ({"functions": [{"name": "f"}]}, 400, "functions", "invalid_value"),
        ({"temperature": 3}, 400, "temperature", "invalid_value"),
        ({"messages": []}, 400, "messages", "invalid_value"),
        ({"messages": [{"role": "system", "content": "x"}]}, 400, "messages", "invalid_value"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "messages.0.content", "invalid_value"),
        ({"messages": [user("x")] * 513}, 400, "messages", "invalid_value"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}]},
            400, "messages.0.content", "invalid_value",
        ),
        ({"tools": [{"type": "web_search"}]}, 400, "tools", "invalid_value"),
        ({"tools": [WEATHER], "tool_choice": "perhaps"}, 400, "tool_choice", "invalid_value"),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "x"}}},
            400, "tool_choice", "invalid_value",
        ),
        ({"response_format": {"type": "json_schema"}}, 400, "response_format", "invalid_value"),
        ({"model": "nobody"}, 404, "model", "model_not_found"),
        ({"model": "../default"}, 404, "model", "model_not_found"),
        ({"messages": [user("word " * 20_000)]}, 413, None, "request_too_large"),
        ({"modalities": ["text", "audio"], "audio": {"format": "mp3"}, "stream": True}, 400, "audio", "invalid_value"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told(
    server: ChatServer, body: dict[str, Any], status: int, param: str | None, code: str
) -> None:
    refused = post(server, **body)
    error = refused.json()["error"]
    assert (refused.status_code, error["param"], error["code"]) == (status, param, code)
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert server.turns() == []


def test_the_description_of_the_api_can_be_followed(server: ChatServer) -> None:
    described = httpx.get(f"{server.url}/openapi.json", trust_env=False).json()
    body = described["paths"]["/v1/chat/completions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "$ref" not in str(body)
    assert set(body["required"]) == {"model", "messages"}


def test_openai_s_client_raises_its_own_errors(server: ChatServer) -> None:
    with pytest.raises(openai.NotFoundError) as found:
        server.client.chat.completions.create(model="gpt-4o", messages=[user("Hello?")])
    assert found.value.code == "model_not_found"


def test_what_librechat_and_others_send_besides_is_taken(server: ChatServer) -> None:
    sent: Any = {
        "temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0, "user": "65f", "n": 1,
        "stream_options": None, "tools": None, "tool_choice": None, "stop": None, "max_tokens": None, "seed": None,
        "logprobs": False, "chat_template_kwargs": {"enable_thinking": True}, "top_k": 20, "store": False,
        "parallel_tool_calls": True, "service_tier": "auto", "custom": {"x": [1]}, "response_format": None,
    }  # fmt: skip
    messages = [{**user("Hello?"), "name": "Ann", "id": "m1"}]
    assert post(server, messages=messages, **sent).json()["choices"][0]["message"]["content"] == "Hello there."


def test_before_the_first_piece_an_error_has_its_status(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply(fail=Fail(status=503, words="server busy, please try again"))
    for stream in (False, True):
        refused = post(server, stream=stream)
        assert refused.status_code == 503
        error = refused.json()["error"]
        assert (error["type"], error["code"]) == ("server_error", "engine_unavailable")
    assert server.turns() == []


def test_after_it_an_error_is_an_event(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("One two three.", fail=Fail("line", words="out of memory", after=2))
    broken = post(server, stream=True)
    assert broken.status_code == 200
    *pieces, error = [json.loads(line[6:]) for line in broken.text.split("\n\n") if line]
    assert "".join(piece["choices"][0]["delta"].get("content", "") for piece in pieces) == "One two"
    assert error["error"].keys() == {"message", "type", "param", "code", "hint"}
    assert "out of memory" in error["error"]["message"]
    with pytest.raises(openai.APIError, match="out of memory"):
        list(server.client.chat.completions.create(model="companion", messages=[user("Hello?")], stream=True))


def test_a_caller_who_leaves_stops_the_model(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("One two three four.", held_after=2)
    with server.client.chat.completions.create(
        model="companion",
        messages=[user("Count.")],
        stream=True,
    ) as stream:
        for chunk in stream:
            if chunk.choices[0].delta.content == " two":
                break
    assert ollama.closed_early.wait(10)
    server.portal.call(server.assistant._attendance.quiet, 0)
    (kept,) = server.turns()
    assert (kept.outcome, kept.reply) == ("interrupted", "One two")


def test_a_sound_is_heard(server: ChatServer, ollama: StandIn) -> None:
    spoken = {"type": "input_audio", "input_audio": {"data": SPEECH.decode(), "format": "wav"}}
    post(server, messages=[{"role": "user", "content": [{"type": "text", "text": "He says:"}, spoken]}])
    assert question_of(last(ollama)["messages"][-1]["content"]) == "He says:\nHello there."
    silent = base64.b64encode(wav_bytes(silence(1.0, 16_000))).decode()
    spoken = {"type": "input_audio", "input_audio": {"data": silent, "format": "wav"}}
    assert post(server, messages=[{"role": "user", "content": [spoken]}]).status_code == 422
    spoken = {"type": "input_audio", "input_audio": {"data": "no base64!", "format": "wav"}}
    assert post(server, messages=[{"role": "user", "content": [spoken]}]).status_code == 400


def test_a_reply_can_be_spoken(server: ChatServer, ollama: StandIn) -> None:
    wishes: Any = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
    reply = server.client.chat.completions.create(model="companion", messages=[user("Hello?")], **wishes)
    message: Any = reply.choices[0].message
    assert message.content is None
    assert message.audio.transcript == "Hello there."
    with wave.open(io.BytesIO(base64.b64decode(message.audio.data))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)
        assert spoken(len(sound.readframes(10**7)) / 2 / 24_000)
    history = [user("Hello?"), {"role": "assistant", "audio": {"id": message.audio.id}}, user("And?")]
    post(server, messages=history)
    assert last(ollama)["messages"][-2]["content"] == "Hello there."
    history[1] = {"role": "assistant", "audio": {"id": "audio_x"}}
    assert post(server, messages=history).json()["error"]["param"] == "messages.1.audio"


def test_a_spoken_stream_carries_samples(server: ChatServer) -> None:
    wishes: Any = {"modalities": ["text", "audio"], "audio": {"voice": {"id": "default"}, "format": "pcm16"}}
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(post(server, stream=True, **wishes))]
    audio = [delta["audio"] for delta in deltas if "audio" in delta]
    assert "".join(part.get("transcript", "") for part in audio) == "Hello there."
    samples = b"".join(base64.b64decode(part.get("data", "")) for part in audio)
    assert spoken(len(samples) / 2 / 24_000)
    assert len({part["id"] for part in audio}) == 1
    assert "expires_at" in audio[-1]
    assert all(part.get("data") or "data" not in part for part in audio)


def test_an_assistant_without_a_model_quotes_with_sources_and_refuses_json(tmp_path: Path) -> None:
    document = tmp_path / "handbook.md"
    document.write_text("# Leave\n\nEveryone gets 25 days of paid leave in a year.\n", encoding="utf-8")
    with chat_server(tmp_path / "data", chat={"engine": "extractive"}) as server:
        server.portal.call(server.assistant.store.knowledge.ingest, [document])
        question = user("How many days of paid leave does everyone get?")
        message = post(server, model="documents", messages=[question]).json()["choices"][0]["message"]
        assert "25 days" in message["content"]
        assert len(message["annotations"]) == 1
        refused = post(server, model="documents", messages=[user("Who is the king of Spain?")]).json()
        assert refused["choices"][0]["message"]["content"] == "That is not in the documents, so I cannot say."
        assert refused["choices"][0]["message"]["annotations"] == []
        unknown = post(server, model="documents", messages=[user("谁是西班牙国王？")], stream=True)
        told = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks(unknown))
        assert told == "文档里没有这方面的内容，我无法回答。"
        assert refused["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        counted = chunks(post(server, model="documents", stream=True, stream_options={"include_usage": True}))[-1]
        assert counted["usage"]["total_tokens"] == 0
        assert post(server, messages=[question], response_format={"type": "json_object"}).status_code == 400
