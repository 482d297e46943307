"""Responses, asked for by OpenAI's own client over a socket, and read event by event from the wire."""

import json
from typing import Any

import httpx
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.api.chat_server import ChatServer
from tests.api.guarded_app import bearer, created
from tests.ollama_stand_in import Fail, Reply, StandIn

WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a place.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    "strict": True,
}
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
OPENED = ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
CLOSED = ["response.output_text.done", "response.content_part.done", "response.output_item.done"]
CALLED = [
    "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done",
    "response.output_item.done",
]  # fmt: skip


def post(server: ChatServer, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    asked = {"model": "companion", "input": "Hello?", **body}
    return httpx.post(f"{server.url}/v1/responses", json=asked, headers=headers or {}, timeout=30, trust_env=False)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """The events of a stream; each is checked against OpenAI's own types, and numbered without a gap."""
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    told = []
    for piece in answer.text.removesuffix("\n\n").split("\n\n"):
        name, data = piece.split("\n")
        told.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {told[-1]['type']}"
        EVENT.validate_json(data.removeprefix("data: "), strict=True)
    assert [one["sequence_number"] for one in told] == list(range(len(told)))
    return told


def kinds(told: list[dict[str, Any]]) -> list[str]:
    """The types of events, the deltas of a text as one."""
    found = [one["type"] for one in told]
    deltas = "response.output_text.delta"
    return [kind for at, kind in enumerate(found) if kind != deltas or found[at - 1] != deltas]


def sent(ollama: StandIn, begins: str) -> list[tuple[str, str]]:
    """Roles and texts of what the model was last given, from the message on that ends so; examples stand before it."""
    messages = [body for path, body in ollama.requests if path == "/api/chat"][-1]["messages"]
    told = [(one["role"], one["content"]) for one in messages]
    return told[next(at for at, (_, text) in enumerate(told) if text.endswith(begins)) :]


def test_a_response_in_one_piece(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("Two words.")
    response = server.client.responses.create(model="companion", input="Hello?", metadata={"a": "b"})
    Response.model_validate_json(response.to_json(), strict=True)
    assert response.output_text == "Two words."
    assert (response.status, response.model, response.metadata) == ("completed", "companion", {"a": "b"})
    assert response.usage
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    (kept,) = server.turns()
    assert response.id == f"resp_{kept.id}"


def test_a_stream_has_each_event_in_its_place(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("Two words.")
    told = events(post(server, stream=True))
    assert kinds(told) == [*OPENED, "response.output_text.delta", *CLOSED, "response.completed"]
    assert "".join(one["delta"] for one in told if one["type"] == "response.output_text.delta") == "Two words."
    (item,) = told[-1]["response"]["output"]
    assert item == told[-2]["item"]
    assert item["content"][0]["text"] == told[-4]["text"] == "Two words."
    assert told[0]["response"]["status"] == "in_progress"
    assert {one["item_id"] for one in told if "item_id" in one} == {item["id"]}


def test_openais_client_reads_the_stream(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("Two words.")
    with server.client.responses.stream(model="companion", input="Hello?") as stream:
        seen = [event.type for event in stream]
        assert stream.get_final_response().output_text == "Two words."
    assert seen[-1] == "response.completed"


@pytest.mark.parametrize("stream", [True, False])
def test_sources_are_annotations(server: ChatServer, ollama: StandIn, stream: bool) -> None:
    ollama.script = Reply("It is 25 days [1].")
    asked: dict[str, Any] = {"model": "default", "input": "How many days of paid leave are there in a year?"}
    answer = post(server, **asked, stream=stream)
    response = events(answer)[-1]["response"] if stream else answer.json()
    (source,) = response["output"][0]["content"][0]["annotations"]
    # "It is 25 days " has 14 characters, "[1]" three.
    assert (source["type"], source["start_index"], source["end_index"]) == ("url_citation", 14, 17)
    if stream:
        assert "response.output_text.annotation.added" in kinds(events(answer))


@pytest.mark.parametrize("stream", [True, False])
def test_thoughts_come_before_the_reply_where_they_are_asked_for(
    server: ChatServer, ollama: StandIn, stream: bool
) -> None:
    ollama.answers(*[Reply("Fine.", thinking="The user greets.")] * 2, Reply("", tool_calls=[("weather", {})]))
    reasoning = {"effort": "high", "summary": "auto"}
    answer = post(server, reasoning=reasoning, stream=stream)
    response = events(answer)[-1]["response"] if stream else answer.json()
    thought, message = response["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "The user greets."}]
    assert message["content"][0]["text"] == "Fine."
    assert response["reasoning"] == reasoning
    if stream:
        told = events(answer)
        assert [one["type"] for one in told[2:8]] == [
            "response.output_item.added", "response.reasoning_summary_part.added",
            *["response.reasoning_summary_text.delta"] * 3, "response.reasoning_summary_text.done",
        ]  # fmt: skip
        assert "".join(one["delta"] for one in told[4:7]) == told[7]["text"] == "The user greets."
        assert {one["output_index"] for one in told if one.get("item_id") == message["id"]} == {1}
    assert [item["type"] for item in post(server, reasoning={"effort": "high"}).json()["output"]] == ["message"]
    known = [{"type": "item_reference", "id": item["id"]} for item in (thought, message)]
    items = [{"role": "user", "content": "Hello?"}, *known, {"role": "user", "content": "And now?"}]
    then = post(server, input=items, tools=[WEATHER], reasoning=reasoning, stream=True)
    assert [item["type"] for item in events(then)[-1]["response"]["output"]] == ["function_call"]
    assert [role for role, _ in sent(ollama, "Hello?")] == ["user", "assistant", "user"]


def test_a_response_follows_another(server: ChatServer, ollama: StandIn) -> None:
    create = server.client.responses.create
    ollama.answers(Reply("Hi Ann."), Reply("Ann."), Reply("Bye."))
    first = create(model="companion", input="I am Ann, hello", instructions="Speak like a pirate.")
    second = create(model="companion", input="Who am I then?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    told = sent(ollama, "I am Ann, hello")
    assert [role for role, _ in told] == ["user", "assistant", "user"]
    assert told[1] == ("assistant", "Hi Ann.")
    assert "pirate" in json.dumps(next(body for path, body in ollama.requests if path == "/api/chat"))
    assert "pirate" not in json.dumps([body for path, body in ollama.requests if path == "/api/chat"][-1])
    create(model="companion", input="Good night then", previous_response_id=second.id)
    roles = [role for role, _ in sent(ollama, "I am Ann, hello")]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    assert len({turn.conversation for turn in server.turns()}) == 1
    assert [turn.reply for turn in server.turns()] == ["Hi Ann.", "Ann.", "Bye."]


def test_going_on_from_an_earlier_one_takes_the_place_of_what_came_after(server: ChatServer) -> None:
    create = server.client.responses.create
    first = create(model="companion", input="One, please")
    create(model="companion", input="Two, please", previous_response_id=first.id)
    create(model="companion", input="Three, please", previous_response_id=first.id)
    assert [turn.question for turn in server.turns()] == ["One, please", "Three, please"]


def test_a_named_function_is_called(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply(data={"place": "Graz"})
    answer = post(server, tools=[WEATHER], tool_choice={"type": "function", "name": "weather"}).json()
    (call,) = answer["output"]
    assert (call["name"], json.loads(call["arguments"])) == ("weather", {"place": "Graz"})
    assert answer["tool_choice"] == {"type": "function", "name": "weather"}


def test_two_that_begin_alike_are_two_conversations(server: ChatServer) -> None:
    first, _ = (server.client.responses.create(model="companion", input="Hello?") for _ in range(2))
    assert len({turn.conversation for turn in server.turns()}) == 2
    server.client.responses.create(model="companion", input="And now?", previous_response_id=first.id)


def test_a_history_of_the_clients_own_stays_one_conversation(server: ChatServer) -> None:
    def say(*texts: str) -> None:
        roles = ("user", "assistant")
        items: Any = [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]
        server.client.responses.create(model="companion", input=items)

    say("One.", "Two.", "Three.")
    say("One.", "Two.", "Three.", "Hello there.", "Five.")
    assert [turn.question for turn in server.turns()] == ["Three.", "Five."]
    assert len({turn.conversation for turn in server.turns()}) == 1


def test_what_is_not_to_be_stored_leaves_no_turn(server: ChatServer) -> None:
    response = server.client.responses.create(model="companion", input="Hello?", store=False)
    assert server.turns() == []
    with pytest.raises(openai.BadRequestError) as refused:
        server.client.responses.create(model="companion", input="And?", previous_response_id=response.id)
    assert (refused.value.code, refused.value.param) == ("previous_response_not_found", "previous_response_id")


@pytest.mark.parametrize("stream", [True, False])
def test_the_clients_tools_are_called_by_the_client(server: ChatServer, ollama: StandIn, stream: bool) -> None:
    ollama.answers(
        Reply("", tool_calls=[("weather", {"place": "Graz"})]),
        Reply("", tool_calls=[("weather", {"place": "Linz"})]),
        Reply("Rain in both."),
    )
    question: dict[str, Any] = {"input": "Is it raining in Graz and Linz?", "tools": [WEATHER], "stream": stream}

    def asked(**more: Any) -> dict[str, Any]:
        answer = post(server, **{**question, **more})
        if not stream:
            Response.model_validate_json(answer.text, strict=True)
            return dict(answer.json())
        told = events(answer)
        middle = kinds(told)[2:-1]
        assert middle in (CALLED, [*OPENED[2:], "response.output_text.delta", *CLOSED])
        return dict(told[-1]["response"])

    response = asked()
    for place, result in (("Graz", "12 degrees, rain"), ("Linz", "9 degrees, rain")):
        (call,) = response["output"]
        assert (call["type"], call["name"], json.loads(call["arguments"])) == (
            "function_call", "weather", {"place": place},
        )  # fmt: skip
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": result}
        response = asked(input=[output], previous_response_id=response["id"])
    assert response["output"][0]["content"][0]["text"] == "Rain in both."
    # Both rounds stand before the last reply, and only one exchange is kept.
    told = sent(ollama, question["input"])
    assert [role for role, _ in told] == ["user", "assistant", "tool", "assistant", "tool"]
    assert [text for role, text in told if role == "tool"] == ["12 degrees, rain", "9 degrees, rain"]
    (kept,) = server.turns()
    assert (kept.question, kept.reply) == (question["input"], "Rain in both.")


@pytest.mark.parametrize("referring", [True, False])
def test_items_that_were_answered_here_are_known_by_their_ids(
    server: ChatServer, ollama: StandIn, referring: bool
) -> None:
    """As the AI SDK sends them, by reference, and as the Agents SDK does, whole."""
    ollama.answers(
        Reply("Let me see.", tool_calls=[("weather", {"place": "Graz"})]), Reply("Rain."), Reply("You are Ann.")
    )
    items: list[Any] = [{"role": "user", "content": "Is it raining, asks Ann"}]

    def asked(*more: Any) -> list[Any]:
        items.extend(more)
        output: list[Any] = post(server, input=items, tools=[WEATHER]).json()["output"]
        items.extend({"type": "item_reference", "id": item["id"]} if referring else item for item in output)
        return output

    message, call = asked()
    assert (message["type"], call["type"]) == ("message", "function_call")
    asked({"type": "function_call_output", "call_id": call["call_id"], "output": "rain"})
    asked({"role": "user", "content": "Who am I?"})
    told = sent(ollama, "Is it raining, asks Ann")
    assert [role for role, _ in told] == ["user", "assistant", "tool", "assistant", "user"]
    assert told[1][1] == "Let me see."
    # The ledger keeps a reply that was continued as one, and gives it so.
    assert told[3][1] == ("Let me see.Rain." if referring else "Rain.")
    assert len({turn.conversation for turn in server.turns()}) == 1
    assert [turn.question for turn in server.turns()] == ["Is it raining, asks Ann", "Who am I?"]


def test_calls_that_the_client_sends_again_are_one_message(server: ChatServer, ollama: StandIn) -> None:
    calls = [
        {"type": "function_call", "call_id": f"c{at}", "name": "weather", "arguments": '{"place": "Graz"}'}
        for at in range(2)
    ]
    outputs = [{"type": "function_call_output", "call_id": f"c{at}", "output": "rain"} for at in range(2)]
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": []}
    items = [{"role": "user", "content": "Rain?"}, reasoning, *calls, *outputs]
    assert post(server, input=items, tools=[WEATHER]).is_success
    assert [role for role, _ in sent(ollama, "Rain?")] == ["user", "assistant", "tool", "tool"]


def test_a_schema_shapes_the_reply_and_a_limit_ends_it(server: ChatServer, ollama: StandIn) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    ollama.script = Reply(data={"city": "Graz"})
    form = {"format": {"type": "json_schema", "name": "place", "schema": schema, "strict": True}}
    answer = post(server, text=form).json()
    assert json.loads(answer["output"][0]["content"][0]["text"]) == {"city": "Graz"}
    ollama.script = Reply("Two", done_reason="length")
    told = events(post(server, stream=True, max_output_tokens=1))
    assert told[-1]["type"] == "response.incomplete"
    assert told[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert told[-2]["item"]["status"] == "incomplete"


def test_a_model_that_goes_away_fails_the_response(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply("One two three four.", fail=Fail("cut", after=2))
    told = events(post(server, stream=True))
    assert told[-1]["type"] == "response.failed"
    assert told[-1]["response"]["error"]["code"] == "server_error"


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("tools", {"tools": [{"type": "web_search"}]}),
        ("background", {"background": True}),
        ("top_logprobs", {"top_logprobs": 3}),
        ("conversation", {"conversation": "conv_1"}),
        ("tool_choice", {"tool_choice": {"type": "function", "name": "nobody"}}),
        ("input", {"input": []}),
        ("input.0", {"input": [{"type": "item_reference", "id": "msg_1"}]}),
        ("input.0", {"input": [{"type": "item_reference", "id": "fc_1_0"}]}),
        ("input.0", {"input": [{"type": "computer_call", "id": "cc_1"}]}),
        ("input", {"input": [{"type": "function_call_output", "call_id": "c9", "output": "x"}]}),
        ("previous_response_id", {"previous_response_id": "resp_nowhere"}),
        ("text.format.schema", {"text": {"format": {"type": "json_schema", "name": "x"}}}),
    ],
)
def test_what_cannot_be_is_refused(server: ChatServer, param: str, body: dict[str, Any]) -> None:
    answer = post(server, **body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text


def test_nobody_goes_on_with_anothers(server: ChatServer) -> None:
    data = server.assistant.settings.data
    first = post(server, user="ann").json()
    ann, ben = (bearer(created(data, name, "chat")) for name in ("ann", "ben"))
    try:
        follows = {"input": "And?", "previous_response_id": first["id"]}
        assert post(server, ben, **follows).json()["error"]["code"] == "previous_response_not_found"
        assert post(server, ann, **follows).is_success
    finally:
        (data / "keys.json").unlink()
