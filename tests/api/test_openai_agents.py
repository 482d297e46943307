"""OpenAI's Agents SDK over both of its models: tools, handoffs, typed outputs and sessions; nothing is traced."""

import json
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    Model,
    ModelBehaviorError,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    ReasoningItem,
    RunConfig,
    Runner,
    SQLiteSession,
    function_tool,
)
from openai.types.shared import Reasoning
from pydantic import BaseModel

from models.quoting import question_of
from tests.api.chat_server import ChatServer
from tests.ollama_prompts import prompt_tokens
from tests.ollama_stand_in import Fail, Reply, StandIn

pytestmark = pytest.mark.anyio

GRAZ, LINZ = ("weather", {"place": "Graz"}), ("weather", {"place": "林茨"})
UNTRACED = RunConfig(tracing_disabled=True)


class Event(BaseModel):
    name: str
    rows: list[int]


@function_tool
def weather(place: str) -> str:
    """The weather of a place."""
    return f"rain in {place}"


@pytest.fixture(params=[OpenAIChatCompletionsModel, OpenAIResponsesModel], ids=["chat", "responses"])
async def model(request: pytest.FixtureRequest, server: ChatServer) -> AsyncIterator[Model]:
    """The SDK's own, which asks our server for a persona."""
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield request.param(model="companion", openai_client=client)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    """Whether a run tells of itself as it goes."""
    return bool(request.param)


async def ran(agent: Agent[Any], asked: Any, *, streamed: bool = False, **more: Any) -> Any:
    """What a run ends with; where it is streamed, its pieces are the last reply."""
    if not streamed:
        return await Runner.run(agent, asked, run_config=UNTRACED, **more)
    result, said = Runner.run_streamed(agent, asked, run_config=UNTRACED, **more), ""
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.created":
            said = ""
        elif event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            said += event.data.delta
    told = result.final_output
    assert said == told if isinstance(told, str) else json.loads(said) == told.model_dump()
    return result


def given(ollama: StandIn) -> list[dict[str, Any]]:
    """The messages that the model was last given."""
    messages: list[dict[str, Any]] = ollama.bodies("/api/chat")[-1]["messages"]
    return messages


async def test_an_agent_answers(model: Model, ollama: StandIn, streamed: bool) -> None:
    agent = Agent(name="Pirate", instructions="Speak like a pirate.", model=model)
    settings = ModelSettings(temperature=0.1, max_tokens=50, include_usage=True)
    result = await ran(agent.clone(model_settings=settings), "你好吗？", streamed=streamed)
    assert result.final_output == "Hello there."
    (asked,) = ollama.bodies("/api/chat")
    assert asked["messages"][0]["content"].endswith("Speak like a pirate.")
    assert question_of(asked["messages"][-1]["content"]) == "你好吗？"
    assert (asked["options"]["temperature"], asked["options"]["num_predict"]) == (0.1, 50)
    used = result.context_wrapper.usage
    assert (used.requests, used.input_tokens, used.output_tokens) == (1, prompt_tokens(asked), 2)


async def test_tools_are_called_and_their_results_answered(
    model: Model, server: ChatServer, ollama: StandIn, streamed: bool
) -> None:
    ollama.answers(Reply("Let me see.", tool_calls=[GRAZ, LINZ]), Reply("", tool_calls=[GRAZ]), Reply("Rain."))
    agent = Agent(name="Weather", model=model, tools=[weather])
    result = await ran(agent, "The weather in Graz and 林茨?", streamed=streamed)
    assert (result.final_output, len(result.raw_responses)) == ("Rain.", 3)
    question, called, graz, linz, again, graz_again = given(ollama)[-6:]
    assert question_of(question["content"]) == "The weather in Graz and 林茨?"
    assert called["content"] == "Let me see."
    assert [call["function"]["arguments"] for call in called["tool_calls"]] == [GRAZ[1], LINZ[1]]
    assert [call["id"] for call in called["tool_calls"]] == [graz["tool_call_id"], linz["tool_call_id"]]
    assert [one["content"] for one in (graz, linz)] == ["rain in Graz", "rain in 林茨"]
    assert again["tool_calls"][0]["id"] == graz_again["tool_call_id"]
    # To the ledger it is one exchange.
    (kept,) = server.turns()
    assert (kept.question, kept.reply) == ("The weather in Graz and 林茨?", "Let me see.Rain.")


@pytest.mark.parametrize("choice", ["required", "weather"])
async def test_a_tool_can_be_insisted_on_once(model: Model, ollama: StandIn, choice: str) -> None:
    ollama.script = lambda body: Reply("Rain.", data={"place": "Graz"})
    settings = ModelSettings(tool_choice=choice, parallel_tool_calls=False)
    agent = Agent(name="Weather", model=model, tools=[weather], model_settings=settings)
    assert (await ran(agent, "The weather in Graz?")).final_output == "Rain."
    assert [one["content"] for one in given(ollama)[-1:]] == ["rain in Graz"]


async def test_an_agent_hands_over_to_another(model: Model, ollama: StandIn, streamed: bool) -> None:
    ollama.answers(Reply("", tool_calls=[("transfer_to_doctor", {})]), Reply("Say aah."))
    doctor = Agent(name="Doctor", instructions="You are a doctor.", handoff_description="Knows illnesses.", model=model)
    desk = Agent(name="Desk", instructions="Send everyone on.", model=model, handoffs=[doctor])
    result = await ran(desk, "I am ill.", streamed=streamed)
    assert (result.final_output, result.last_agent.name) == ("Say aah.", "Doctor")
    offered = [tool["function"]["name"] for tool in ollama.bodies("/api/chat")[0]["tools"]]
    assert "transfer_to_doctor" in offered
    system, *_, called, handed = given(ollama)
    assert system["content"].endswith("You are a doctor.")
    assert "Send everyone on." not in system["content"]
    assert called["tool_calls"][0]["function"]["name"] == "transfer_to_doctor"
    assert json.loads(handed["content"]) == {"assistant": "Doctor"}


async def test_an_output_has_its_type(model: Model, ollama: StandIn, streamed: bool) -> None:
    ollama.answers(Reply("", tool_calls=[GRAZ]), Reply(data={"name": "雨", "rows": [1, 2]}))
    agent = Agent(name="Reader", model=model, output_type=Event, tools=[weather])
    result = await ran(agent, "What is planned?", streamed=streamed)
    assert result.final_output == Event(name="雨", rows=[1, 2])
    shape = ollama.bodies("/api/chat")[-1]["format"]
    assert (shape["required"], shape["additionalProperties"]) == (["name", "rows"], False)


async def test_a_session_is_one_conversation(model: Model, server: ChatServer, ollama: StandIn, streamed: bool) -> None:
    agent = Agent(name="Friend", model=model, tools=[weather])
    ollama.answers(Reply("", tool_calls=[GRAZ]), Reply("Rain, Ann."), Reply("You are Ann."))
    with closing(SQLiteSession("ann")) as session:
        await ran(agent, "I am Ann. The weather in Graz?", session=session, streamed=streamed)
        result = await ran(agent, "Who am I?", session=session, streamed=streamed)
        assert result.final_output == "You are Ann."
        assert len(await session.get_items()) == 6
    told = given(ollama)[-5:]
    assert [one["role"] for one in told] == ["user", "assistant", "tool", "assistant", "user"]
    assert told[3]["content"] == "Rain, Ann."
    assert [turn.question for turn in server.turns()] == ["I am Ann. The weather in Graz?", "Who am I?"]
    assert len({turn.conversation for turn in server.turns()}) == 1


async def test_a_run_goes_on_from_what_went_before_here(server: ChatServer, ollama: StandIn, streamed: bool) -> None:
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        agent = Agent(name="Friend", model=OpenAIResponsesModel("companion", client), tools=[weather])
        ollama.answers(Reply("", tool_calls=[GRAZ]), Reply("Rain, Ann."), Reply("You are Ann."))
        asked = "I am Ann. The weather in Graz?"
        first = await ran(agent, asked, auto_previous_response_id=True, streamed=streamed)
        then = await ran(agent, "Who am I?", previous_response_id=first.last_response_id, streamed=streamed)
    assert then.final_output == "You are Ann."
    # What went before was not sent again: it stands in the ledger, which keeps no calls that have been answered.
    told = given(ollama)[-3:]
    assert [one["role"] for one in told] == ["user", "assistant", "user"]
    assert (told[0]["content"], told[1]["content"]) == (asked, "Rain, Ann.")
    assert len({turn.conversation for turn in server.turns()}) == 1


async def test_thoughts_are_no_reply(model: Model, ollama: StandIn, streamed: bool) -> None:
    ollama.answers(Reply("", thinking="Hm.", tool_calls=[GRAZ]), Reply("Rain.", thinking="So."))
    settings = ModelSettings(reasoning=Reasoning(effort="high", summary="auto"))
    agent = Agent(name="Thinker", model=model, model_settings=settings, tools=[weather])
    result = await ran(agent, "The weather in Graz?", streamed=streamed)
    assert result.final_output == "Rain."
    assert [body["think"] for body in ollama.bodies("/api/chat")] == ["high", "high"]
    assert "Hm." not in json.dumps(given(ollama)[-2:])
    items = [item.raw_item for item in result.new_items if isinstance(item, ReasoningItem)]
    assert [part.text for item in items for part in item.summary] == ["Hm.", "So."]


async def test_a_model_that_breaks_off_ends_the_run(model: Model, ollama: StandIn, streamed: bool) -> None:
    ollama.script = Reply("One two three.", fail=Fail("cut", after=2))
    with pytest.raises((openai.APIError, ModelBehaviorError), match="broke off the reply"):
        await ran(Agent(name="Friend", model=model), "Count.", streamed=streamed)
