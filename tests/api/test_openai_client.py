"""Every method of OpenAI's own client that is served here: plain, raw and streamed, blocking and not."""

import json
from collections.abc import AsyncIterator
from operator import attrgetter
from pathlib import Path
from typing import Any, get_args

import numpy as np
import openai
import pytest
from openai.types import CreateEmbeddingResponse, Model
from openai.types.audio import Transcription, TranscriptionStreamEvent, TranscriptionVerbose, Translation
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.shared import ReasoningEffort
from pydantic import BaseModel, TypeAdapter

from models.audio import from_floats, wav_bytes
from tests.api.chat_server import ChatServer
from tests.ollama_stand_in import Reply, StandIn

pytestmark = [
    pytest.mark.anyio,
    # OpenAI has given up its model for translations, and the client warns with this one word.
    pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning"),
]

SOUND = wav_bytes(from_floats((0.3 * np.sin(np.arange(16_000) / 5)).astype(np.float32), 16_000))
HEARD = {"file": ("a.wav", SOUND), "model": "whisper-1"}
ASKED: dict[str, Any] = {"model": "companion", "messages": [{"role": "user", "content": "Hello?"}]}
SPOKEN = {"model": "tts-1", "voice": "alloy", "input": "Hello there.", "response_format": "pcm"}


class Models(BaseModel):
    """What the client reads page by page."""

    object: str
    data: list[Model]


METHODS: dict[str, tuple[dict[str, Any], Any]] = {
    "models.list": ({}, Models),
    "models.retrieve": ({"model": "companion"}, Model),
    "chat.completions.create": (ASKED, ChatCompletion),
    "responses.create": ({"model": "companion", "input": "Hello?"}, Response),
    "embeddings.create": ({"model": "hashed", "input": ["猫"], "encoding_format": "float"}, CreateEmbeddingResponse),
    "audio.transcriptions.create": (HEARD, Transcription),
    "audio.translations.create": (HEARD, Translation),
}
"""What each is called with, and the type of its answer."""
STREAMS: dict[str, tuple[dict[str, Any], Any]] = {
    "chat.completions.create": (ASKED | {"stream_options": {"include_usage": True}}, ChatCompletionChunk),
    "responses.create": ({"model": "companion", "input": "Hello?"}, ResponseStreamEvent),
    "audio.transcriptions.create": (HEARD, TranscriptionStreamEvent),
}
"""The same of those that can be streamed, with the type of one piece."""
UNTYPED = {"store", "task", "usage"}
"""What the client's types leave out: of a response, of verbose JSON, and of a translation, told as a transcription."""


class Event(BaseModel):
    name: str
    rows: list[int]


class Weather(BaseModel):
    """The weather of a place."""

    place: str


@pytest.fixture
async def unblocked(server: ChatServer) -> AsyncIterator[openai.AsyncOpenAI]:
    """The client that does not block."""
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def method(client: object, name: str, form: str = "") -> Any:
    """A method by its name, in one of its forms."""
    resource, _, called = name.rpartition(".")
    found = attrgetter(resource)(client)
    return getattr(getattr(found, form) if form else found, called)


def unknown(told: object) -> set[str]:
    """The fields that we tell of and the client's types do not."""
    if isinstance(told, list):
        return {name for one in told for name in unknown(one)}
    if not isinstance(told, BaseModel):
        return set()
    fields = {name for value in dict(told).values() for name in unknown(value)}
    return fields | set(told.model_extra or ())


def check(kind: Any, data: str | bytes) -> Any:
    """Whether JSON is of a type to the letter: nothing is turned into what it should have been, and nothing is more."""
    found = TypeAdapter(kind).validate_json(data, strict=True)
    assert unknown(found) <= UNTYPED
    return found


def events(lines: list[str]) -> list[str]:
    """The data of server-sent events."""
    found = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [data for data in found if data != "[DONE]"]


@pytest.mark.parametrize("name", METHODS)
def test_an_answer_is_of_its_type_to_the_letter(server: ChatServer, name: str) -> None:
    asked, kind = METHODS[name]
    raw = method(server.client, name, "with_raw_response")(**asked)
    check(kind, raw.text)
    assert raw.headers["content-type"] == "application/json"
    assert raw.headers["x-ratelimit-remaining-requests"].isdecimal()
    assert raw.headers["x-request-id"]
    parsed, plain = raw.parse(), method(server.client, name)(**asked)
    assert type(parsed) is type(plain)
    # The client keeps the id of a request with its answer, where that is an object.
    assert name == "models.list" or parsed._request_id == raw.headers["x-request-id"]


@pytest.mark.parametrize("name", METHODS)
def test_an_answer_can_be_taken_in_as_it_comes(server: ChatServer, name: str) -> None:
    asked, kind = METHODS[name]
    with method(server.client, name, "with_streaming_response")(**asked) as response:
        check(kind, b"".join(response.iter_bytes()))


@pytest.mark.parametrize("name", METHODS)
async def test_an_answer_comes_without_blocking(unblocked: openai.AsyncOpenAI, name: str) -> None:
    asked, kind = METHODS[name]
    plain = await method(unblocked, name)(**asked)
    raw = await method(unblocked, name, "with_raw_response")(**asked)
    check(kind, raw.text)
    assert type(raw.parse()) is type(plain)
    async with method(unblocked, name, "with_streaming_response")(**asked) as response:
        check(kind, await response.read())


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_of_its_types_to_the_letter(server: ChatServer, name: str) -> None:
    asked, kind = STREAMS[name]
    with method(server.client, name, "with_streaming_response")(**asked, stream=True) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        told = [check(kind, data) for data in events([*response.iter_lines()])]
    with method(server.client, name)(**asked, stream=True) as stream:
        plain = [*stream]
    raw = method(server.client, name, "with_raw_response")(**asked, stream=True)
    assert [type(one) for one in raw.parse()] == [type(one) for one in plain] == [type(one) for one in told]


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_comes_without_blocking(unblocked: openai.AsyncOpenAI, name: str) -> None:
    asked, kind = STREAMS[name]
    async with method(unblocked, name, "with_streaming_response")(**asked, stream=True) as response:
        told = [check(kind, data) for data in events([line async for line in response.iter_lines()])]
    assert [type(one) async for one in await method(unblocked, name)(**asked, stream=True)] == [
        type(one) for one in told
    ]


def test_only_thoughts_and_the_sources_of_a_stream_are_more_than_the_client_knows(
    server: ChatServer, ollama: StandIn
) -> None:
    ollama.script = Reply("Twenty-five days [1].", thinking="The user asks.")
    question = {"role": "user", "content": "How many days of paid leave does everyone get?"}
    asked: Any = {"model": "default", "messages": [question], "reasoning_effort": "high"}
    raw = server.client.chat.completions.with_raw_response.create(**asked)
    whole = ChatCompletion.model_validate_json(raw.text, strict=True)
    assert unknown(whole) == {"reasoning_content"}
    assert [note.url_citation.title for note in whole.choices[0].message.annotations or ()] == ["Leave"]
    with server.client.chat.completions.with_streaming_response.create(**asked, stream=True) as response:
        told = events([*response.iter_lines()])
    chunks = [ChatCompletionChunk.model_validate_json(data, strict=True) for data in told]
    assert set().union(*map(unknown, chunks)) == {"reasoning_content", "annotations"}
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == whole.choices[0].message.content
    assert said.startswith("Twenty-five days [1].")


def test_speech_is_taken_in_as_it_comes_and_put_into_a_file(server: ChatServer, tmp_path: Path) -> None:
    speech: Any = server.client.audio.speech
    whole = speech.create(**SPOKEN).content
    # 60 ms for each character in 16 bits at 24 kHz, and a short pause.
    assert 12 * 0.06 <= len(whole) / 2 / 24_000 < 12 * 0.06 + 0.1
    raw = speech.with_raw_response.create(**SPOKEN)
    assert (raw.headers["content-type"], raw.content) == ("audio/pcm;rate=24000", whole)
    with speech.with_streaming_response.create(**SPOKEN) as response:
        response.stream_to_file(tmp_path / "said.pcm")
    assert (tmp_path / "said.pcm").read_bytes() == whole


async def test_speech_comes_without_blocking(unblocked: openai.AsyncOpenAI) -> None:
    speech: Any = unblocked.audio.speech
    whole = (await speech.create(**SPOKEN)).content
    async with speech.with_streaming_response.create(**SPOKEN) as response:
        assert b"".join([piece async for piece in response.iter_bytes()]) == whole
    async with speech.with_streaming_response.create(**SPOKEN, stream_format="sse") as response:
        told = [json.loads(data) for data in events([line async for line in response.iter_lines()])]
    assert [one["type"] for one in told[-2:]] == ["speech.audio.delta", "speech.audio.done"]
    assert all(one["audio"] for one in told[:-1])


@pytest.mark.parametrize("name", ["audio.transcriptions.create", "audio.translations.create"])
def test_a_recording_is_written_down_in_every_form(server: ChatServer, name: str) -> None:
    for wanted in ("text", "srt", "vtt"):
        assert "Hello there." in method(server.client, name)(**HEARD, response_format=wanted)
    times = {"timestamp_granularities": ["word", "segment"]} if "transcriptions" in name else {}
    raw = method(server.client, name, "with_raw_response")(**HEARD, response_format="verbose_json", **times)
    told = check(TranscriptionVerbose, raw.text)
    assert (told.text, type(raw.parse()).__name__.removesuffix("Verbose")) == (
        "Hello there.",
        METHODS[name][1].__name__,
    )


def test_embeddings_are_asked_for_in_base64_unless_it_is_said(server: ChatServer) -> None:
    raw = server.client.embeddings.with_raw_response.create(model="hashed", input=["a", "猫"])
    assert all(isinstance(one["embedding"], str) for one in json.loads(raw.text)["data"])
    assert [len(one.embedding) for one in raw.parse().data] == [1024, 1024]


@pytest.mark.parametrize("effort", get_args(get_args(ReasoningEffort)[0]))
def test_every_effort_that_the_client_knows_is_taken(server: ChatServer, ollama: StandIn, effort: Any) -> None:
    chat: Any = server.client.chat.completions
    for _ in (
        chat.create(**ASKED, reasoning_effort=effort),
        server.client.responses.create(model="companion", input="Hello?", reasoning={"effort": effort}),
    ):
        thinks = ollama.bodies("/api/chat")[-1]["think"]
        assert thinks == {"none": False, "minimal": False, "xhigh": "high", "max": "high"}.get(effort, effort)


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_some_of_the_tools_may_be_called(server: ChatServer, ollama: StandIn, mode: Any) -> None:
    ollama.script = Reply("", tool_calls=[("weather", {"place": "Graz"})], data={"place": "Graz"})
    tools = [openai.pydantic_function_tool(Weather, name=name) for name in ("weather", "news")]
    named: Any = {"type": "function", "function": {"name": "weather"}}
    allowed: Any = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [named]}}
    told = server.client.chat.completions.create(**ASKED, tools=tools, tool_choice=allowed)
    assert told.choices[0].finish_reason == "tool_calls"
    flat: Any = [{"type": "function", **tool["function"]} for tool in tools]
    choice: Any = {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": "weather"}]}
    response = server.client.responses.create(model="companion", input="Hello?", tools=flat, tool_choice=choice)
    assert [item.type for item in response.output] == ["function_call"]
    for asked in ollama.bodies("/api/chat"):
        assert "news" not in [tool["function"]["name"] for tool in asked.get("tools", ())]
    with pytest.raises(openai.BadRequestError, match="'weather', which is none of the tools"):
        server.client.chat.completions.create(**ASKED, tools=tools[1:], tool_choice=allowed)


def test_what_the_client_may_say_besides_is_taken(server: ChatServer, ollama: StandIn) -> None:
    chat: Any = {
        "verbosity": "low", "service_tier": "auto", "store": True, "prompt_cache_key": "a", "safety_identifier": "b",
        "parallel_tool_calls": False, "prediction": {"type": "content", "content": "x"}, "modalities": ["text"],
    }  # fmt: skip
    assert server.client.chat.completions.create(**ASKED, **chat).choices[0].message.content == "Hello there."
    parts: Any = [{"role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}]
    response: Any = {
        "include": ["reasoning.encrypted_content"], "truncation": "auto", "max_tool_calls": 3, "service_tier": "auto",
        "text": {"verbosity": "low", "format": {"type": "text"}}, "prompt_cache_key": "a", "background": False,
    }  # fmt: skip
    assert server.client.responses.create(model="companion", input=parts, **response).output_text == "Hello there."
    heard: Any = {
        "chunking_strategy": {"type": "server_vad", "threshold": 0.5}, "include": ["logprobs"], "prompt": "Graz",
        "languages": ["en", "zh"], "keywords": ["Graz"], "known_speaker_names": ["Ann"], "temperature": 0.2,
    }  # fmt: skip
    transcribe: Any = server.client.audio.transcriptions.create
    assert transcribe(**HEARD, **heard).text == "Hello there."


def test_chunks_gather_into_a_completion(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("Let me see.", tool_calls=[("weather", {"place": "Graz"}), ("weather", {"place": "林茨"})])
    tools = [openai.pydantic_function_tool(Weather, name="weather")]
    asked: Any = {**ASKED, "tools": tools, "stream_options": {"include_usage": True}}
    with server.client.chat.completions.stream(**asked) as stream:
        seen = [event for event in stream if event.type != "chunk"]
        whole = stream.get_final_completion()
    assert "".join(event.delta for event in seen if event.type == "content.delta") == "Let me see."
    done = [event for event in seen if event.type == "tool_calls.function.arguments.done"]
    assert [event.parsed_arguments for event in done] == [Weather(place="Graz"), Weather(place="林茨")]
    (choice,) = whole.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Let me see.")
    assert whole.usage
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0


def test_a_completion_is_parsed_by_the_client(server: ChatServer, ollama: StandIn) -> None:
    complete: Any = server.client.chat.completions
    ollama.script = Reply(data={"name": "leave", "rows": [1]})
    assert complete.parse(**ASKED, response_format=Event).choices[0].message.parsed == Event(name="leave", rows=[1])
    with complete.stream(**ASKED, response_format=Event) as stream:
        kinds = {event.type for event in stream}
        assert stream.get_final_completion().choices[0].message.parsed == Event(name="leave", rows=[1])
    assert kinds == {"chunk", "content.delta", "content.done"}
    ollama.script = Reply("", tool_calls=[("weather", {"place": "Graz"})])
    (call,) = (
        complete.parse(**ASKED, tools=[openai.pydantic_function_tool(Weather, name="weather")])
        .choices[0]
        .message.tool_calls
    )
    assert call.function.parsed_arguments == Weather(place="Graz")


def test_a_parsed_completion_is_cut_where_the_tokens_end(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply(data={"name": "leave", "rows": [1]})
    with pytest.raises(openai.LengthFinishReasonError):
        server.client.chat.completions.parse(**ASKED, response_format=Event, max_completion_tokens=1)


async def test_completions_are_gathered_and_parsed_without_blocking(
    unblocked: openai.AsyncOpenAI, ollama: StandIn
) -> None:
    ollama.script = Reply(data={"name": "leave", "rows": [1]})
    complete: Any = unblocked.chat.completions
    whole = await complete.parse(**ASKED, response_format=Event)
    async with complete.stream(**ASKED, response_format=Event) as stream:
        gathered = await stream.get_final_completion()
    assert gathered.choices[0].message.parsed == whole.choices[0].message.parsed == Event(name="leave", rows=[1])


def test_a_response_is_parsed_by_the_client(server: ChatServer, ollama: StandIn) -> None:
    asked: Any = {"model": "companion", "input": "What is planned?"}
    ollama.script = Reply(data={"name": "leave", "rows": [1]})
    assert server.client.responses.parse(**asked, text_format=Event).output_parsed == Event(name="leave", rows=[1])
    with server.client.responses.stream(**asked, text_format=Event) as stream:
        stream.until_done()
        assert stream.get_final_response().output_parsed == Event(name="leave", rows=[1])
    tools: Any = [{"type": "function", **openai.pydantic_function_tool(Weather, name="weather")["function"]}]
    ollama.answers(Reply("", tool_calls=[("weather", {"place": "Graz"})]), Reply("Rain."))
    with server.client.responses.stream(**asked, tools=tools) as stream:
        stream.until_done()
        output: Any = stream.get_final_response().output
    (call,) = output
    assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "weather", {"place": "Graz"})
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    then = server.client.responses.create(
        model="companion", input=[{"role": "user", "content": asked["input"]}, call.to_dict(), result], tools=tools
    )
    assert then.output_text == "Rain."


async def test_responses_are_gathered_and_parsed_without_blocking(
    unblocked: openai.AsyncOpenAI, ollama: StandIn
) -> None:
    asked: Any = {"model": "companion", "input": "What is planned?"}
    ollama.script = Reply(data={"name": "leave", "rows": [1]})
    whole = await unblocked.responses.parse(**asked, text_format=Event)
    async with unblocked.responses.stream(**asked, text_format=Event) as stream:
        gathered = await stream.get_final_response()
    assert gathered.output_parsed == whole.output_parsed == Event(name="leave", rows=[1])
