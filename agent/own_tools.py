"""The assistant's own tools, run outside of a graph; whoever asked, a turn's context decides what may be done."""

from collections.abc import Sequence
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from agent.turn_context import TurnContext


async def called(call: ToolCall, tools: Sequence[BaseTool], context: TurnContext) -> ToolMessage:
    """What a tool brings; wrong arguments bring a message that says so. Raises what the tool's work raises."""
    tool = next(tool for tool in tools if tool.name == call["name"])
    runtime: ToolRuntime[TurnContext, Any] = ToolRuntime(
        state={}, context=context, config={}, stream_writer=_nowhere, tool_call_id=call["id"], store=None
    )
    try:
        result = await tool.ainvoke({**call, "args": {**call["args"], "runtime": runtime}, "type": "tool_call"})
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return ToolMessage(f"These arguments cannot be: {said}", tool_call_id=call["id"], status="error")
    assert isinstance(result, ToolMessage)
    return result


def _nowhere(written: object) -> None:
    """Nobody reads what a tool says while it works."""
