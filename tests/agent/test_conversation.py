"""A persona's agent on the real LangGraph and the real SQLite checkpointer."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from agent.checkpoints import PruningSaver, open_checkpoints
from agent.conversation import Conversation
from agent.events import PassagesFound, Refused, ReplyEvent, ReplyRests, TextDelta, ToolCalled
from agent.inquiry import Inquiry
from agent.preparation import window
from agent.settling import settled
from configs.persona import SHIPPED, Persona, Personas
from configs.settings import OllamaChat
from memory.passages import Passage
from memory.search import Retrieval
from models.engines.ollama import open_chat
from models.quoting import question_of, quoted
from tests.ollama_stand_in import Reply, ollama_stand_in

pytestmark = pytest.mark.anyio

LEAVE = Passage(
    id=1, knowledge="default", document="Handbook", source="h.md", heading="Leave", text="Everyone gets 25 days.",
    start=10, end=32, score=0.9,
)  # fmt: skip


class Recording(BaseChatModel):
    """Gives its messages in turn, a word at a time, and keeps the prompts it was given."""

    replies: list[AIMessage]
    pause: float = 0.0
    _prompts: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "recording"

    @property
    def prompts(self) -> list[list[BaseMessage]]:
        return self._prompts

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> "Recording":
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **options: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        reply = self.replies[len(self._prompts)]
        self._prompts.append(messages)
        for call in reply.tool_calls:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_calls=[call]))
        for word in reply.text.split(" ") if reply.text else []:
            await anyio.sleep(self.pause)
            yield ChatGenerationChunk(message=AIMessageChunk(content=word + " "))


@pytest.fixture
async def checkpoints(tmp_path: Path) -> AsyncGenerator[PruningSaver, None]:
    async with open_checkpoints(tmp_path / "checkpoints.sqlite") as saver:
        yield saver


def persona(name: str = "documents") -> Persona:
    return Personas([SHIPPED]).get(name)


def conversation(
    chat: BaseChatModel,
    checkpoints: PruningSaver,
    *,
    found: Sequence[Passage] = (LEAVE,),
    name: str = "documents",
    embedded: bool = False,
) -> Conversation:
    async def retrieve(question: str) -> Retrieval:
        return Retrieval(tuple(found), answerable=bool(found), coverage=1.0 if found else 0.0, similarity=None)

    return Conversation(persona(name), chat, embedded=embedded, retrieve=retrieve, checkpoints=checkpoints)


async def reply(made: Conversation, question: str, *, stop_after: int | None = None) -> list[ReplyEvent]:
    events: list[ReplyEvent] = []
    async with aclosing(made.respond(Inquiry(question, "c"))) as given:
        async for event in given:
            events.append(event)
            if stop_after is not None and sum(isinstance(e, TextDelta) for e in events) == stop_after:
                break
    return events


def text_of(events: Sequence[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def state(made: Conversation) -> list[BaseMessage]:
    snapshot = await made._graph.aget_state({"configurable": {"thread_id": "c"}})
    assert snapshot.next == ()
    return list(snapshot.values["messages"])


async def test_passages_stand_in_the_prompt_and_not_in_the_state(checkpoints: PruningSaver) -> None:
    chat = Recording(replies=[AIMessage("Twenty-five days [1].")])
    made = conversation(chat, checkpoints)
    events = await reply(made, "How many days?")
    await made.settle("c", heard=text_of(events), outcome="completed")

    assert events[0] == PassagesFound((LEAVE,), answerable=True)
    shown = "Twenty-five days [1].  That is according to Handbook, Leave."
    assert text_of(events) == shown
    asked = chat.prompts[0][-1].text
    assert [(p.id, p.document, p.heading, p.text) for p in quoted(asked)] == [
        (1, "Handbook", "Leave", "Everyone gets 25 days.")
    ]
    assert question_of(asked) == "How many days?"
    assert [message.text.strip() for message in await state(made)] == ["How many days?", shown]


async def test_the_prompt_begins_the_same_in_every_turn(checkpoints: PruningSaver) -> None:
    chat = Recording(replies=[AIMessage("One."), AIMessage("Two.")])
    made = conversation(chat, checkpoints)
    for question in ("First?", "Second?"):
        await made.settle("c", heard=text_of(await reply(made, question)), outcome="completed")
    first, second = chat.prompts
    assert [m.text for m in second[: len(first) - 1]] == [m.text for m in first[:-1]]
    # Only the newest question carries passages: the earlier one stands as it was asked.
    assert [question_of(m.text) for m in second if isinstance(m, HumanMessage)][-2:] == ["First?", "Second?"]
    assert sum(bool(quoted(m.text)) for m in second) == 1


async def test_a_grounded_persona_refuses_without_asking_the_model(checkpoints: PruningSaver) -> None:
    chat = Recording(replies=[])
    made = conversation(chat, checkpoints, found=())
    events = await reply(made, "Who is the king?")
    assert [type(event) for event in events] == [PassagesFound, Refused, TextDelta, ReplyRests]
    assert chat.prompts == []
    await made.settle("c", heard=text_of(events), outcome="completed")
    assert [message.type for message in await state(made)] == ["human", "ai"]


@pytest.mark.parametrize(("embedded", "refuses"), [(True, True), (False, False)])
async def test_the_default_persona_refuses_only_where_there_is_no_language_model(
    checkpoints: PruningSaver, embedded: bool, refuses: bool
) -> None:
    made = conversation(Recording(replies=[AIMessage("Hi.")]), checkpoints, found=(), name="default", embedded=embedded)
    events = await reply(made, "Hello!")
    assert any(isinstance(event, Refused) for event in events) == refuses


async def test_a_cut_reply_ends_where_it_was_heard_and_the_next_turn_sees_that(checkpoints: PruningSaver) -> None:
    chat = Recording(replies=[AIMessage("one two three four five"), AIMessage("Yes.")], pause=0.001)
    made = conversation(chat, checkpoints)
    await reply(made, "Count.", stop_after=3)
    await made.settle("c", heard="one two", outcome="interrupted")
    assert [message.text for message in await state(made)] == ["Count.", "one two"]
    await reply(made, "Go on?")
    assert [m.text for m in chat.prompts[1] if isinstance(m, AIMessage)][-1] == "one two"


async def test_a_whole_reply_of_which_part_was_heard_is_cut_too(checkpoints: PruningSaver) -> None:
    made = conversation(Recording(replies=[AIMessage("one two three")]), checkpoints)
    await reply(made, "Count.")
    await made.settle("c", heard="one", outcome="interrupted")
    assert [message.text for message in await state(made)] == ["Count.", "one"]


async def test_cut_before_the_first_word_the_question_stands_alone(checkpoints: PruningSaver) -> None:
    made = conversation(Recording(replies=[AIMessage("one two")], pause=0.01), checkpoints)
    async with aclosing(made.respond(Inquiry("Count.", "c"))) as given:
        assert isinstance(await anext(given), PassagesFound)
        with anyio.move_on_after(0.005):
            await anext(given)
    await made.settle("c", heard="", outcome="interrupted")
    assert [message.type for message in await state(made)] == ["human"]


async def test_the_model_may_search_for_itself(checkpoints: PruningSaver) -> None:
    call = {"name": "knowledge_search", "args": {"query": "sick leave"}, "id": "call-1", "type": "tool_call"}
    chat = Recording(replies=[AIMessage("", tool_calls=[call]), AIMessage("It says [1].")])
    made = conversation(chat, checkpoints, name="default", found=())
    later = LEAVE

    async def retrieve(question: str) -> Retrieval:
        if question == "sick leave":
            return Retrieval((later,), answerable=True, coverage=1.0, similarity=None)
        return Retrieval((), answerable=False, coverage=0.0, similarity=None)

    made.answering._retrieve = retrieve
    events = await reply(made, "And when I am ill?")
    assert ToolCalled("knowledge_search", {"query": "sick leave"}) in events
    assert PassagesFound((LEAVE,), answerable=True) in events
    assert quoted(chat.prompts[1][-1].text)[0].id == 1
    await made.settle("c", heard=text_of(events), outcome="completed")
    assert [message.type for message in await state(made)] == ["human", "ai", "tool", "ai"]


async def test_thoughts_are_neither_shown_nor_spoken(checkpoints: PruningSaver) -> None:
    made = conversation(Recording(replies=[AIMessage("<think> the user wants </think> Hello there.")]), checkpoints)
    assert text_of(await reply(made, "Hi")).strip() == "Hello there."


async def test_cancelling_the_turn_stops_the_model(checkpoints: PruningSaver) -> None:
    with ollama_stand_in() as server:
        server.script = Reply(text="One two three four.", held_after=2)
        chat = open_chat(OllamaChat(host=server.host), "qwen3:8b")
        made = conversation(chat, checkpoints)
        begun = anyio.Event()

        async def listen() -> None:
            async with aclosing(made.respond(Inquiry("Count.", "c"))) as given:
                async for event in given:
                    if isinstance(event, TextDelta):
                        begun.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await begun.wait()
            tasks.cancel_scope.cancel()
        # The server sees its socket close while it still holds the rest of the reply back.
        assert await anyio.to_thread.run_sync(server.closed_early.wait, 5)
        await made.settle("c", heard="One", outcome="interrupted")
        assert [message.text for message in await state(made)] == ["Count.", "One"]
        await chat.aclose()


async def test_checkpoints_stay_small(checkpoints: PruningSaver, tmp_path: Path) -> None:
    made = conversation(Recording(replies=[AIMessage("A reply of some words. " * 8)] * 200), checkpoints)
    for number in range(200):
        await made.settle("c", heard=text_of(await reply(made, f"Question {number}?")), outcome="completed")
    cursor = await checkpoints.conn.execute("SELECT count(*) FROM checkpoints")
    assert await cursor.fetchone() == (1,)
    assert len(await state(made)) <= 40
    assert (await anyio.Path(tmp_path / "checkpoints.sqlite").stat()).st_size < 2_000_000


def test_settling_answers_every_tool_call() -> None:
    def call(name: str) -> dict[str, Any]:
        return {"name": "t", "args": {}, "id": name, "type": "tool_call"}

    question = HumanMessage("q", id="q")
    messages: list[AnyMessage] = [
        HumanMessage("old"), AIMessage("answer"), question,
        AIMessage("", tool_calls=[call("a"), call("b")]), ToolMessage("found", tool_call_id="a"),
    ]  # fmt: skip
    kept = settled(messages, question, "", whole=False)
    calls = {c["id"] for m in kept if isinstance(m, AIMessage) for c in m.tool_calls}
    answers = {m.tool_call_id: m.text for m in kept if isinstance(m, ToolMessage)}
    assert calls == {"a", "b"}
    assert answers == {"a": "found", "b": "cancelled"}


def test_the_same_question_twice_is_two_turns() -> None:
    first, second = HumanMessage("again?", id="1"), HumanMessage("again?", id="2")
    messages: list[AnyMessage] = [first, AIMessage("yes")]
    assert [m.text for m in settled(messages, second, "", whole=False)] == ["again?", "yes", "again?"]


def test_a_window_begins_with_a_question() -> None:
    messages: list[AnyMessage] = [HumanMessage("1"), AIMessage("2"), HumanMessage("3"), AIMessage("4")]
    assert [m.text for m in window(messages, 3)] == ["3", "4"]
    assert window([], 3) == []
