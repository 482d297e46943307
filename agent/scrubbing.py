"""Scrubbing: takes turns that were forgotten out of the agent's checkpoints, and their recordings off the disk."""

from itertools import groupby
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from langchain.agents import AgentState
from langchain_core.messages import AnyMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.graph.state import CompiledStateGraph

from agent.attendance import Attendance
from agent.checkpoints import PruningSaver
from agent.settling import without_turns
from memory.memories import Memories


async def scrub(memories: Memories, checkpoints: PruningSaver, attendance: Attendance, answers: Path) -> int:
    """Takes out what the memory has forgotten since; how many turns. Can be killed and begun again at any time."""
    forgotten = sorted(await memories.forgotten_turns())
    if not forgotten:
        return 0
    graph = _graph(checkpoints)
    for conversation, pairs in groupby(forgotten, key=lambda pair: pair[0]):
        async with attendance.turn(conversation):
            await _scrub_thread(graph, checkpoints, conversation, {turn for _, turn in pairs})
    await run_sync(_delete, [answers / f"{turn}.wav" for _, turn in forgotten])
    await checkpoints.scrub()
    await memories.scrubbed(forgotten)
    return len(forgotten)


async def _scrub_thread(
    graph: CompiledStateGraph[Any, Any, Any, Any], checkpoints: PruningSaver, conversation: str, turns: set[str]
) -> None:
    thread: RunnableConfig = {"configurable": {"thread_id": conversation}}
    state = await graph.aget_state(thread)
    messages: list[AnyMessage] = state.values.get("messages", [])
    kept = without_turns(messages, turns)
    if not kept:
        await checkpoints.adelete_thread(conversation)
    elif len(kept) < len(messages):
        update = {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), *kept]}
        await graph.aupdate_state(thread, update, as_node="model")
        await checkpoints.aprune([conversation])


def _graph(checkpoints: PruningSaver) -> CompiledStateGraph[Any, Any, Any, Any]:
    """A graph with the state of an agent and none of its work."""
    builder = StateGraph(AgentState)
    builder.add_node("model", lambda state: {})
    builder.set_entry_point("model")
    return builder.compile(checkpointer=checkpoints)


def _delete(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
