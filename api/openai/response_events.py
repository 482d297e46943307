"""A reply as OpenAI's response, whole and as its events in their order; it translates, and knows nothing of HTTP."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from agent.events import TextDelta, ThoughtDelta, ToolRequested, TurnEnded, TurnEvent, TurnStarted
from api.errors import in_one
from api.openai.chat_completion import url_citations
from api.openai.chat_request import CalledFunction, Message, ToolCall
from api.openai.response_request import Reasoning, ResponseRequest
from configs.errors import AssistantError

Event = dict[str, Any]


@dataclass
class ResponseEvents:
    """One response, as it comes."""

    asked: ResponseRequest
    place: str
    """Where this server is called, with a slash at the end."""
    turn: str = ""
    """The turn's id, once it has begun."""
    created: int = field(default_factory=lambda: int(time.time()))
    ended: TurnEnded | None = None
    _thought: str = ""
    _text: str = ""
    _calls: list[ToolRequested] = field(default_factory=list)
    _output: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0
    _speaking: bool = False

    @property
    def id(self) -> str:
        """What a later request calls it by."""
        return f"resp_{self.turn}"

    @property
    def call(self) -> Message | None:
        """The message that calls the client's tools; None where none is called."""
        calls = [
            ToolCall(id=one.id, function=CalledFunction(name=one.name, arguments=_json(one.arguments)))
            for one in self._calls
        ]
        return Message(role="assistant", content=self._text, tool_calls=calls) if calls else None

    def take(self, told: TurnEvent) -> Iterator[Event]:
        """The events that something told makes; what comes first opens the response."""
        match told:
            case TurnStarted(turn):
                self.turn = turn
            case ThoughtDelta(text) if text and self.asked.tells_thoughts and not self._speaking:
                yield from self._thinking(text)
            case TextDelta(text) if text:
                if not self._speaking:
                    yield from self._opening()
                self._text += text
                yield self._of_part("response.output_text.delta", delta=text, logprobs=[])
            case ToolRequested():
                self._calls.append(told)
            case TurnEnded():
                self.ended = told
                yield from self._ending(told)

    def failed(self, error: AssistantError) -> Event:
        """The last event of a response that cannot go on."""
        told = {**self.response("failed"), "error": {"code": "server_error", "message": in_one(error)}}
        return self._event("response.failed", response=told)

    def response(self, status: str | None = None) -> dict[str, Any]:
        """The response as it is now; `status` where it has not ended."""
        asked, ended = self.asked, self.ended
        cut = bool(ended and ended.at_limit)
        status = status or ("incomplete" if cut else "completed")
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": int(time.time()) if status == "completed" else None,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "metadata": asked.metadata or {},
            "model": asked.model,
            "output": list(self._output),
            "parallel_tool_calls": True,
            "previous_response_id": asked.previous_response_id,
            "reasoning": (asked.reasoning or Reasoning()).model_dump(),
            "service_tier": "default",
            "store": asked.stored,
            "temperature": asked.temperature,
            "text": {"format": self._format()},
            "tool_choice": asked.tool_choice or "auto",
            "tools": [tool.model_dump() for tool in asked.tools or ()],
            "top_p": asked.top_p,
            "truncation": "disabled",
            "usage": _usage(ended) if ended else None,
            "user": asked.user,
        }

    def _format(self) -> dict[str, Any]:
        wanted = self.asked.text.format if self.asked.text else None
        if wanted is None or wanted.type != "json_schema":
            return {"type": wanted.type if wanted else "text"}
        return {"type": "json_schema", "name": wanted.name or "reply", "schema": wanted.schema_}

    def _beginning(self) -> Iterator[Event]:
        if not self._number:
            for kind in ("created", "in_progress"):
                yield self._event(f"response.{kind}", response=self.response("in_progress"))

    def _thinking(self, text: str) -> Iterator[Event]:
        """A piece of the thoughts that come before the message; the first opens their item."""
        if not self._thought:
            yield from self._beginning()
            yield self._event("response.output_item.added", output_index=0, item=self._reasoning(""))
            yield self._of_thought("response.reasoning_summary_part.added", part=_summary(""))
        self._thought += text
        yield self._of_thought("response.reasoning_summary_text.delta", delta=text)

    def _thought_out(self) -> Iterator[Event]:
        """The thoughts' end, where there were any."""
        if self._thought and not self._output:
            yield self._of_thought("response.reasoning_summary_text.done", text=self._thought)
            yield self._of_thought("response.reasoning_summary_part.done", part=_summary(self._thought))
            item = self._reasoning(self._thought)
            self._output.append(item)
            yield self._event("response.output_item.done", output_index=0, item=item)

    def _reasoning(self, text: str) -> dict[str, Any]:
        return {"type": "reasoning", "id": f"rs_{self.turn}", "summary": [_summary(text)] if text else []}

    def _of_thought(self, kind: str, **told: object) -> Event:
        return self._event(kind, item_id=f"rs_{self.turn}", output_index=0, summary_index=0, **told)

    def _opening(self) -> Iterator[Event]:
        """The response's beginning, and its message's."""
        self._speaking = True
        yield from self._beginning()
        yield from self._thought_out()
        item = {**self._message("in_progress", []), "content": []}
        yield self._event("response.output_item.added", output_index=len(self._output), item=item)
        yield self._of_part("response.content_part.added", part=_part("", []))

    def _ending(self, ended: TurnEnded) -> Iterator[Event]:
        if not self._speaking and not self._calls:
            yield from self._opening()
        yield from self._beginning()
        yield from self._thought_out()
        if self._speaking:
            yield from self._closing(ended)
        for place, call in enumerate(self._calls):
            yield from self._called(place, call)
        done = self.response()
        yield self._event(f"response.{done['status']}", response=done)

    def _closing(self, ended: TurnEnded) -> Iterator[Event]:
        """The message's end: its sources, and its text once more as a whole."""
        sources = [{"type": "url_citation", **one} for one in url_citations(ended, self.place)]
        for at, source in enumerate(sources):
            kind = "response.output_text.annotation.added"
            yield self._of_part(kind, annotation_index=at, annotation=source)
        yield self._of_part("response.output_text.done", text=self._text, logprobs=[])
        yield self._of_part("response.content_part.done", part=_part(self._text, sources))
        at, item = len(self._output), self._message("incomplete" if ended.at_limit else "completed", sources)
        self._output.append(item)
        yield self._event("response.output_item.done", output_index=at, item=item)

    def _called(self, place: int, call: ToolRequested) -> Iterator[Event]:
        at, arguments = len(self._output), _json(call.arguments)
        item = {
            "type": "function_call", "id": f"fc_{self.turn}_{place}", "call_id": call.id, "name": call.name,
            "arguments": arguments, "status": "completed",
        }  # fmt: skip
        where = {"output_index": at, "item_id": item["id"]}
        begun = {**item, "arguments": "", "status": "in_progress"}
        self._output.append(item)
        yield self._event("response.output_item.added", output_index=at, item=begun)
        yield self._event("response.function_call_arguments.delta", **where, delta=arguments)
        yield self._event("response.function_call_arguments.done", **where, name=call.name, arguments=arguments)
        yield self._event("response.output_item.done", output_index=at, item=item)

    def _message(self, status: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
        content = [_part(self._text, sources)]
        return {"type": "message", "id": self._item, "role": "assistant", "status": status, "content": content}

    @property
    def _item(self) -> str:
        return f"msg_{self.turn}"

    def _of_part(self, kind: str, **told: object) -> Event:
        return self._event(kind, item_id=self._item, output_index=len(self._output), content_index=0, **told)

    def _event(self, kind: str, **told: object) -> Event:
        self._number += 1
        return {"type": kind, "sequence_number": self._number - 1, **told}


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}


def _part(text: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": sources, "logprobs": []}


def _json(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments, ensure_ascii=False)


def _usage(ended: TurnEnded) -> dict[str, Any]:
    """The tokens; 0 where nobody has counted."""
    read, written = (ended.usage.input, ended.usage.output) if ended.usage else (0, 0)
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }
