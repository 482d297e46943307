"""A conversation on Ollama's wire format: its prompts fit, its thoughts stay hidden, and it may lose its server."""

import itertools
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage

from agent.checkpoints import PruningSaver, open_checkpoints
from agent.conversation import Conversation
from agent.events import Failed, ReplyEvent, SpeechReady, TextDelta, TokensUsed, ToolCalled
from agent.inquiry import Inquiry
from agent.turn import Company, Question, Turn
from configs import settings
from configs.errors import AssistantError, EngineFailed, EngineUnavailable, ModelNotFound, RequestTooLarge
from configs.modelfile import Message
from configs.persona import SHIPPED, Persona, Personas
from memory.passages import Passage
from memory.search import Retrieval
from models.registry import Served, open_chat
from models.selection import Choice
from models.text_to_speech import Voice
from tests.agent.cast import MemoryHistory, Seen, mouth
from tests.ollama_prompts import prompt_tokens
from tests.ollama_stand_in import Body, Fail, Reply, StandIn, ollama_stand_in, unused_host
from tools.playback import Playback
from tools.speech_output import Speaker

pytestmark = pytest.mark.anyio

CHOICE = Choice("chat", "ollama", "for the test", embedded=False, model="qwen3:8b")


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def server(running: StandIn) -> StandIn:
    running.reset()
    return running


@pytest.fixture
async def checkpoints(tmp_path: Path) -> AsyncGenerator[PruningSaver, None]:
    async with open_checkpoints(tmp_path / "checkpoints.sqlite") as saver:
        yield saver


class Stage:
    """A conversation of the default persona with a server, and what it needs."""

    def __init__(self, host: str, checkpoints: PruningSaver, found: Sequence[Passage] = (), **options: Any) -> None:
        persona: dict[str, Any] = options.pop("persona", {})
        chosen = Persona.model_validate({**dict(Personas([SHIPPED]).get("default")), **persona})
        wanted = settings.Settings(chat={"ollama": {"host": host, **options}})
        # The Modelfile's num_ctx must be that of the settings.
        sampling = {**chosen.brain.parameters, "num_ctx": wanted.chat.ollama.num_ctx}
        chat = open_chat(CHOICE, wanted, sampling, reasoning=chosen.reasoning)
        assert isinstance(chat, Served)
        self.chat: Served = chat

        async def retrieve(question: str) -> Retrieval:
            return Retrieval(tuple(found), answerable=bool(found), coverage=1.0, similarity=None)

        self.talk = Conversation(chosen, chat, embedded=False, retrieve=retrieve, checkpoints=checkpoints)

    async def reply(self, question: str) -> list[ReplyEvent]:
        """A whole turn; every event of it."""
        async with aclosing(self.talk.respond(Inquiry(question, "c"))) as given:
            events = [event async for event in given]
        failed = any(isinstance(event, Failed) for event in events)
        await self.talk.settle("c", heard=text_of(events), outcome="failed" if failed else "completed")
        return events

    async def state(self) -> list[BaseMessage]:
        snapshot = await self.talk._graph.aget_state({"configurable": {"thread_id": "c"}})
        return list(snapshot.values["messages"])


def text_of(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


MakeStage = Callable[..., Stage]


@pytest.fixture
async def make(server: StandIn, checkpoints: PruningSaver) -> AsyncIterator[MakeStage]:
    """Makes stages, on the server unless another `host` is named, and closes them."""
    made: list[Stage] = []

    def one(found: Sequence[Passage] = (), *, host: str = server.host, **options: Any) -> Stage:
        made.append(Stage(host, checkpoints, found, **options))
        return made[-1]

    yield one
    for stage in made:
        await stage.chat.aclose()


@pytest.fixture
def stage(make: MakeStage) -> Stage:
    return make()


def said(body: Body) -> list[str]:
    """The history in a request: each message after the system prompt, the last question without the time."""
    return [re.sub(r"\A<now>.*</now>\s*", "", message["content"]) for message in body["messages"][1:]]


class TestWarm:
    async def test_the_first_turn_begins_as_the_preload_did(self, server: StandIn, stage: Stage) -> None:
        await stage.talk.warm()
        await stage.reply("What can you do?")
        warm, first = server.bodies("/api/chat")
        assert first["messages"][: len(warm["messages"]) - 1] == warm["messages"][:-1]
        assert warm["messages"][0]["role"] == "system"
        assert warm["tools"] == first["tools"] != []
        assert warm["options"] == {**first["options"], "num_predict": 1}
        assert (warm["model"], warm["think"], warm["keep_alive"]) == (
            first["model"],
            first["think"],
            first["keep_alive"],
        )

    async def test_examples_of_the_modelfile_are_in_the_prefix(self, server: StandIn, make: MakeStage) -> None:
        brain = Personas([SHIPPED]).get("default").brain
        taught = replace(brain, messages=(Message("user", "Hi!"), Message("assistant", "Hello!")))
        stage = make(persona={"brain": taught})
        await stage.talk.warm()
        await stage.reply("And now?")
        warm, first = server.bodies("/api/chat")
        assert [m["content"] for m in warm["messages"][1:-1]] == ["Hi!", "Hello!"]
        assert first["messages"][:3] == warm["messages"][:3]

    async def test_a_context_smaller_than_asked_for_is_found_out(self, server: StandIn, make: MakeStage) -> None:
        server.context = 2048
        stage = make(num_ctx=8192)
        assert stage.chat.context == 8192
        await stage.talk.warm()
        assert stage.chat.context == 2048
        with pytest.raises(RequestTooLarge, match="num_ctx is 2048"):
            await stage.reply("word " * 1500)


class TestBudget:
    async def test_a_long_conversation_never_overflows_and_keeps_its_beginning_for_several_turns(
        self, server: StandIn, make: MakeStage
    ) -> None:
        # A model whose tokens are shorter than is expected of any: the first counts must teach that.
        server.dense, server.script = 2.0, Reply(text="I will tell you a few more words about that. " * 9)
        stage = make(num_ctx=4096)
        await stage.talk.warm()
        for number in range(30):
            await stage.reply(f"Question {number}, and how do you come to think so?")
        bodies = server.bodies("/api/chat")[1:]
        assert all(round(2.0 * prompt_tokens(body)) + 1024 <= 4096 for body in bodies)
        begins = [said(body)[0] for body in bodies]
        assert begins[0] == begins[3]
        changes = sum(before != after for before, after in itertools.pairwise(begins))
        assert 2 <= changes <= 30 / 3, begins
        # Whole turns go: the rest begins with a question, and with the newest at its end.
        assert all(body["messages"][1]["role"] == "user" for body in bodies)
        assert [said(body)[-1].split(",")[0] for body in bodies] == [f"Question {number}" for number in range(30)]
        # What the model no longer sees is not kept either.
        assert (await stage.state())[0].text == begins[-1]

    async def test_passages_go_when_turns_alone_do_not_help(self, server: StandIn, make: MakeStage) -> None:
        found = [
            Passage(n, "default", "Handbook", "h.md", "", f"Passage {n}. " + "More of it. " * 80, 0, 9, 1 / n)
            for n in range(1, 6)
        ]
        stage = make(found, num_ctx=3072)
        await stage.reply("Hello?")
        await stage.reply("What does it say?")
        body = server.bodies("/api/chat")[1]
        assert said(body)[0].endswith("What does it say?")
        kept = [f"Passage {n}." in said(body)[0] for n in range(1, 6)]
        assert kept == sorted(kept, reverse=True)
        assert 1 <= sum(kept) < 5

    async def test_a_question_that_cannot_fit_is_not_sent(self, server: StandIn, stage: Stage) -> None:
        with pytest.raises(RequestTooLarge) as refused:
            await stage.reply("为什么？" * 2000)
        assert re.search(r"about \d{4,5} tokens .* 7168 are free \(num_ctx is 8192", refused.value.message)
        assert server.bodies("/api/chat") == []
        assert isinstance(refused.value, AssistantError)

    @pytest.mark.parametrize("before", [[], ["Hello?"]])
    async def test_a_question_that_cannot_fit_leaves_no_trace(
        self, server: StandIn, stage: Stage, before: list[str]
    ) -> None:
        for question in before:
            await stage.reply(question)
        ended = await Turn(Question("c", "u", "word " * 6000), company(stage, MemoryHistory()), Seen()).run()
        assert (ended.outcome, ended.reply) == ("failed", "")
        assert isinstance(ended.error, RequestTooLarge)
        await stage.reply("And now?")
        assert said(server.bodies("/api/chat")[-1])[:-1] == [text for q in before for text in (q, "Hello there.")]

    async def test_a_server_that_cuts_is_noticed_and_gets_less(
        self, server: StandIn, make: MakeStage, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.dense, server.always_cuts = 6.0, True
        stage = make(num_ctx=6144)
        with caplog.at_level(logging.WARNING):
            await stage.reply("word " * 1000)
            # The last message alone is too long: 4 tokens of the beginning are kept, and half of the others.
            assert "the server has cut a prompt: it read 3074 tokens" in caplog.text
            caplog.clear()
            await stage.reply("And now?")
        assert caplog.text == ""
        first, second = server.bodies("/api/chat")
        assert round(6.0 * prompt_tokens(first)) > 6144 > round(6.0 * prompt_tokens(second)) + 1024
        assert said(second) == ["And now?"]

    async def test_a_prompt_that_the_server_refuses_is_sent_again_with_less(
        self, server: StandIn, make: MakeStage, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage = make(num_ctx=4096)
        for number in range(6):
            await stage.reply(f"Question {number}. " + "word " * 150)
        # From now on each piece has more tokens, which no count has told yet.
        server.dense = 4.0
        with caplog.at_level(logging.WARNING):
            assert text_of(await stage.reply("And now?")) == "Hello there."
        refused, *_, taken = server.bodies("/api/chat")[6:]
        assert 4 * prompt_tokens(refused) >= 4096 > 4 * prompt_tokens(taken) + 1024
        assert f"has {4 * prompt_tokens(refused)} tokens, and 4096 fit" in caplog.text
        assert said(taken)[-1] == "And now?"
        assert (await stage.state())[0].text == said(taken)[0]

    async def test_a_question_that_the_server_refuses_again_and_again_is_too_large(
        self, server: StandIn, make: MakeStage
    ) -> None:
        server.dense = 6.0
        with pytest.raises(RequestTooLarge, match="num_ctx is 6144"):
            await make(num_ctx=6144).reply("word " * 1000)
        assert len(server.bodies("/api/chat")) == 1

    async def test_tokens_are_told_for_every_call_of_the_model(self, server: StandIn, stage: Stage) -> None:
        def script(body: Body) -> Reply:
            if body["messages"][-1]["role"] == "tool":
                return Reply(text="Nothing found.")
            return Reply(text="", tool_calls=[("knowledge_search", {"query": "leave"})])

        server.script = script
        events = await stage.reply("How many days of leave?")
        first, second = server.bodies("/api/chat")
        assert [event for event in events if isinstance(event, TokensUsed)] == [
            TokensUsed(prompt_tokens(first), 1),
            TokensUsed(prompt_tokens(second), len(["Nothing", " found."])),
        ]
        assert [event.name for event in events if isinstance(event, ToolCalled)] == ["knowledge_search"]


class TestThought:
    @pytest.mark.parametrize(("reasoning", "sent"), [(False, False), (True, True), ("low", "low"), ("high", "high")])
    async def test_it_reaches_nobody_whatever_the_persona_asks_for(
        self, server: StandIn, make: MakeStage, reasoning: bool | str, sent: bool | str
    ) -> None:
        server.script = Reply(text="Hello there.", thinking="The user wants a greeting. SECRET.")
        stage = make(persona={"reasoning": reasoning})
        events = await stage.reply("Hi")
        events += await stage.reply("Hi again")
        assert [body["think"] for body in server.bodies("/api/chat")] == [sent, sent]
        assert text_of(events) == "Hello there." * 2
        assert "SECRET" not in repr(events)
        assert "SECRET" not in repr(await stage.state())
        assert "SECRET" not in repr(server.bodies("/api/chat"))

    async def test_nor_does_one_that_stands_in_the_text(self, server: StandIn, stage: Stage) -> None:
        server.script = Reply(text="<think> SECRET plans </think>\n\nHello there.")
        events = await stage.reply("Hi")
        await stage.reply("Hi again")
        assert text_of(events) == "Hello there."
        assert [m.text for m in await stage.state() if isinstance(m, AIMessage)] == ["Hello there."] * 2
        assert "SECRET" not in repr(server.bodies("/api/chat")[1]["messages"])


def company(stage: Stage, history: MemoryHistory) -> Company:
    speaking = mouth(character_seconds=0.001)
    return Company(
        ears=None,
        responder=stage.talk,
        speaker=lambda language: Speaker(speaking, Voice(), language),
        history=history,
    )


class TestVanishing:
    @pytest.mark.parametrize("fail", [Fail("cut", after=3), Fail("line", after=3), Fail("end", after=3)])
    async def test_in_a_sentence_it_is_owned_up_to_once(self, server: StandIn, stage: Stage, fail: Fail) -> None:
        server.script = Reply(text="The capital of", fail=fail)
        history, seen = MemoryHistory(), Seen()
        ended = await Turn(Question("c", "u", "What is it?"), company(stage, history), seen, Playback()).run()
        assert ended.outcome == "failed"
        assert isinstance(ended.error, EngineFailed)
        assert ended.reply == "The capital of\nSorry, I lost the connection to the model."
        assert ended.spoken == "The capital of Sorry, I lost the connection to the model."
        shown = "".join(event.text for _, event in seen.events if isinstance(event, TextDelta))
        assert shown == ended.reply == ended.heard == history.turns[0].heard
        assert history.turns[0].outcome == "failed"
        assert [message.text for message in await stage.state()] == ["What is it?", ended.reply]
        assert len(server.bodies("/api/chat")) == 1

        server.script = Reply(text="Paris.")
        again = await Turn(Question("c", "u", "Go on."), company(stage, history), Seen(), Playback()).run()
        assert (again.outcome, again.reply, again.error) == ("completed", "Paris.", None)
        assert said(server.bodies("/api/chat")[1]) == ["What is it?", ended.reply, "Go on."]

    async def test_in_chinese_it_is_owned_up_to_in_chinese(self, server: StandIn, stage: Stage) -> None:
        server.script = Reply(text="法国的首都是巴黎。", fail=Fail("cut", after=3))
        turn = Turn(Question("c", "u", "法国的首都是哪里？"), company(stage, MemoryHistory()), Seen(), Playback())
        ended = await turn.run()
        assert ended.reply == "法国的首都是\n抱歉，和模型的连接断了。"
        assert ended.spoken.endswith("抱歉，和模型的连接断了。")

    async def test_in_a_block_of_code_the_block_is_closed(self, server: StandIn, stage: Stage) -> None:
        server.script = Reply(text="```python x = 1", fail=Fail("cut", after=4))
        turn = Turn(Question("c", "u", "Write it."), company(stage, MemoryHistory()), Seen(), Playback())
        ended = await turn.run()
        assert ended.reply == "```python x = 1\n```\nSorry, I lost the connection to the model."
        assert ended.spoken.endswith("Sorry, I lost the connection to the model.")

    async def test_before_the_first_word_the_error_and_the_apology_come(self, make: MakeStage) -> None:
        stage, seen = make(host=unused_host()), Seen()
        ended = await Turn(Question("c", "u", "Hello?"), company(stage, MemoryHistory()), seen, Playback()).run()
        assert (ended.outcome, ended.reply) == ("failed", "Sorry, I lost the connection to the model.")
        assert isinstance(ended.error, EngineUnavailable)
        assert "not running" in ended.error.message
        assert seen.of(SpeechReady)

    async def test_a_model_that_is_missing_is_no_lost_connection(self, server: StandIn, stage: Stage) -> None:
        server.models.remove("qwen3:8b")
        ended = await Turn(Question("c", "u", "Hello?"), company(stage, MemoryHistory()), Seen()).run()
        assert (ended.reply, ended.heard) == ("Sorry, the model could not answer.",) * 2
        assert isinstance(ended.error, ModelNotFound)

    async def test_in_the_middle_of_a_tool_call_the_history_stays_whole(self, server: StandIn, stage: Stage) -> None:
        def script(body: Body) -> Reply:
            if body["messages"][-1]["role"] == "tool":
                return Reply(text="It says so.", fail=Fail("cut", after=0))
            return Reply(text="", tool_calls=[("knowledge_search", {"query": "leave"})])

        server.script = script
        events = await stage.reply("How many days?")
        assert [type(event) for event in events[-2:]] == [TextDelta, Failed]
        assert [message.type for message in await stage.state()] == ["human", "ai", "tool", "ai"]
        server.script = Reply(text="Fine.")
        assert text_of(await stage.reply("And now?")) == "Fine."
