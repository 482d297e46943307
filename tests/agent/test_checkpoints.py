"""The state between turns: what is made ready is the newest, is given once, and never outlives a change."""

from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.checkpoints import READY, PruningSaver, open_checkpoints
from configs.errors import DataFolderUnwritable, StorageError

pytestmark = pytest.mark.anyio


def graph(saver: PruningSaver) -> "CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]":
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [AIMessage(f"reply {len(state['messages'])}")]})
    builder.add_edge(START, "model")
    return builder.compile(checkpointer=saver)


async def texts(
    made: "CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]", thread: str
) -> list[str]:
    state = await made.aget_state({"configurable": {"thread_id": thread}})
    return [message.text for message in state.values.get("messages", [])]


async def test_a_state_made_ready_is_what_is_stored(tmp_path: Path) -> None:
    async with open_checkpoints(tmp_path / "c.sqlite") as saver:
        made = graph(saver)
        for turn in ("one", "two", "three"):
            await made.ainvoke({"messages": [HumanMessage(turn)]}, {"configurable": {"thread_id": "t"}})
            await saver.make_ready("t")
        assert await texts(made, "t") == ["one", "reply 1", "two", "reply 3", "three", "reply 5"]
        # Given once: the second reader gets the same from the file.
        assert await texts(made, "t") == ["one", "reply 1", "two", "reply 3", "three", "reply 5"]


async def test_a_change_after_that_is_seen(tmp_path: Path) -> None:
    async with open_checkpoints(tmp_path / "c.sqlite") as saver:
        made = graph(saver)
        await made.ainvoke({"messages": [HumanMessage("one")]}, {"configurable": {"thread_id": "t"}})
        await saver.make_ready("t")
        await made.aupdate_state({"configurable": {"thread_id": "t"}}, {"messages": [AIMessage("more")]})
        assert (await texts(made, "t"))[-1] == "more"
        await saver.make_ready("t")
        await saver.adelete_thread("t")
        assert await texts(made, "t") == []


async def test_what_is_held_is_bounded(tmp_path: Path) -> None:
    async with open_checkpoints(tmp_path / "c.sqlite") as saver:
        made = graph(saver)
        for number in range(READY + 5):
            await made.ainvoke({"messages": [HumanMessage("x")]}, {"configurable": {"thread_id": str(number)}})
            await saver.make_ready(str(number))
        assert len(saver._ready) == READY
        assert await texts(made, "0") == ["x", "reply 1"]


async def test_a_damaged_file_is_told_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"this is no database at all, " * 40)
    with pytest.raises(StorageError, match="is damaged") as caught:
        async with open_checkpoints(path):
            pass
    assert "Move that file away" in caught.value.hint


async def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataFolderUnwritable, match="cannot be written"):
        async with open_checkpoints(tmp_path / "missing" / "c.sqlite"):
            pass
