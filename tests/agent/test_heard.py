"""History is what was heard: after a reply is cut, state, ledger and memory end at the same character."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, tool

from agent.assistant import Assistant, open_assistant
from agent.conversation import Conversation
from agent.events import SpeechReady, TurnEvent
from agent.remembrance import Remembrance
from agent.turn import Question, Turn
from configs.settings import load_settings
from memory.remembered import Space
from tests.agent.cast import MemoryHistory, ScriptedResponder, company, mouth
from tests.agent.test_conversation import Recording
from tools.playback import Playback

pytestmark = pytest.mark.anyio

REPLY = (
    "The museum opens at nine, and the tickets cost twelve euros. Children go in free, as long as they are under six."
)
SPACE = Space("u")


@pytest.fixture
async def assistant(tmp_path: Path) -> AsyncIterator[Assistant]:
    settings = load_settings(data=tmp_path / "data", chat={"engine": "extractive"}, embeddings={"engine": "hashed"})
    async with open_assistant(settings, hears=False, speaks=False) as opened:
        yield opened


def talking(assistant: Assistant, *replies: AIMessage, pause: float = 0.0) -> Conversation:
    """A conversation with a model that says these things, over the assistant's own store."""
    return Conversation(
        assistant.personas.get("companion"),
        Recording(replies=list(replies), pause=pause),
        embedded=False,
        retrieve=lambda question: assistant.store.knowledge.search(question, knowledge=[]),
        checkpoints=assistant._checkpoints,
        remembrance=Remembrance(assistant.store.memories, assistant.store.turns, ""),
    )


async def cut(assistant: Assistant, responder: Conversation, question: str, after: float) -> Turn:
    """A spoken turn that is cut so many seconds into its sound, by the client's own word."""
    voices = company(ScriptedResponder([]), MemoryHistory(), mouth=mouth(character_seconds=0.05))
    playback, speaking = Playback(), anyio.Event()

    async def listen(event: TurnEvent) -> None:
        if isinstance(event, SpeechReady) and event.chunk.last:
            speaking.set()

    turn = Turn(
        Question("c", "u", question),
        replace(voices, responder=responder, history=assistant.store.turns),
        listen,
        playback,
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turn.run)
        await speaking.wait()
        playback.acknowledge(after)
        turn.cancel()
    return turn


async def state(responder: Conversation) -> list[Any]:
    snapshot = await responder._graph.aget_state({"configurable": {"thread_id": "c"}})
    return list(snapshot.values["messages"])


async def test_a_cut_reply_is_the_same_everywhere(assistant: Assistant) -> None:
    responder = talking(assistant, AIMessage(REPLY))
    await cut(assistant, responder, "Tell me about the museum please.", after=1.0)
    (stored,) = await assistant.store.turns.of("c")
    assert stored.outcome == "interrupted"
    assert stored.reply.startswith(stored.heard)
    assert 0 < len(stored.heard) < len(stored.reply)
    messages = await state(responder)
    assert [message.text for message in messages] == ["Tell me about the museum please.", stored.heard]
    await assistant.store.memories.catch_up()
    recalled = await assistant.store.memories.recall(SPACE, "What did you tell me about the museum?")
    assert [memory.reply for memory in recalled.memories] == [stored.heard.strip()]


async def test_two_turns_that_are_sent_at_once_are_both_kept_in_order(assistant: Assistant) -> None:
    async with anyio.create_task_group() as tasks:
        for text in ("My dog is called Rex.", "My cat is called Tofu.", "I live in Lyon."):
            tasks.start_soon(partial(assistant.ask, text=text, user="u", conversation="c", speak=False))
            await anyio.lowlevel.checkpoint()
    said = ["My dog is called Rex.", "My cat is called Tofu.", "I live in Lyon."]
    assert [turn.question for turn in await assistant.store.turns.of("c")] == said
    await assistant.store.memories.catch_up()
    assert [memory.text for memory in await assistant.store.memories.list(SPACE)] == said[::-1]


async def test_a_tool_that_was_cut_leaves_a_message_that_says_so(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = anyio.Event()

    @tool
    async def knowledge_search(query: str) -> str:
        """Searches for ever."""
        begun.set()
        await anyio.sleep_forever()
        return ""

    def hanging(*args: Any, **options: Any) -> list[BaseTool]:
        return [knowledge_search]

    monkeypatch.setattr("agent.persona_graph.tools_of", hanging)
    call = {"name": "knowledge_search", "args": {"query": "x"}, "id": "call-1", "type": "tool_call"}
    responder = talking(assistant, AIMessage("", tool_calls=[call]))
    turn = Turn(Question("c", "u", "Search."), company(ScriptedResponder([]), MemoryHistory()), nobody)
    turn.company = replace(turn.company, responder=responder, history=assistant.store.turns)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(turn.run)
        await begun.wait()
        turn.cancel()
    messages = await state(responder)
    assert [type(message) for message in messages] == [HumanMessage, AIMessage, ToolMessage]
    assert messages[-1].text == "cancelled"
    (stored,) = await assistant.store.turns.of("c")
    assert [call.name for call in stored.tools] == ["knowledge_search"]


async def nobody(event: TurnEvent) -> None:
    """Listens to nothing."""
