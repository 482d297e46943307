"""A reply in Ollama's shapes, whole and in lines; it translates events, and knows nothing of HTTP."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from agent.events import TextDelta, ThoughtDelta, ToolRequested, TurnEnded, TurnEvent
from api.errors import as_ollama, body
from configs.errors import AssistantError

MEDIA_TYPE: Final = "application/x-ndjson"


@dataclass
class OllamaLines:
    """One reply, as it comes."""

    model: str
    """As the client calls it."""
    form: Literal["chat", "generate"]
    _began: int = field(default_factory=time.monotonic_ns)
    _first: int = 0
    """When the first piece came."""
    _ended: TurnEnded | None = None
    _end: int = 0
    _thought: str = ""
    _calls: list[dict[str, Any]] = field(default_factory=list)

    def take(self, event: TurnEvent) -> Iterator[dict[str, Any]]:
        """The lines that an event makes."""
        match event:
            case TurnEnded():
                self._ended, self._end = event, time.monotonic_ns()
            case TextDelta(text):
                yield self._line(text)
            case ThoughtDelta(text):
                self._thought += text
                yield self._line(thinking=text)
            case ToolRequested():
                call = _call(event, len(self._calls))
                self._calls.append(call)
                yield self._line(tool_calls=[call])

    def last(self) -> dict[str, Any]:
        """The line after the reply."""
        return {**self._line(), **self._done()}

    def whole(self) -> dict[str, Any]:
        """The reply in one piece."""
        assert self._ended, "it has not ended yet"
        more: dict[str, Any] = {"thinking": self._thought} if self._thought else {}
        if self._calls:
            more["tool_calls"] = self._calls
        return {**self._line(self._ended.reply, **more), **self._done()}

    def loaded(self) -> dict[str, Any]:
        """What is answered where nothing was asked."""
        return {**self._line(), "done": True, "done_reason": "load"}

    def _line(self, text: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401  # what JSON takes
        self._first = self._first or time.monotonic_ns()
        told = {"role": "assistant", "content": text, **more}
        content = {"message": told} if self.form == "chat" else {"response": text, **more}
        return {"model": self.model, "created_at": moment(time.time()), **content, "done": False}

    def _done(self) -> dict[str, Any]:
        """Why it ended; the tokens, 0 where nobody has counted; and nanoseconds, to the first piece and after it."""
        assert self._ended, "it has not ended yet"
        read, written = (self._ended.usage.input, self._ended.usage.output) if self._ended.usage else (0, 0)
        first = min(self._first, self._end)
        return {
            "done": True,
            "done_reason": "length" if self._ended.at_limit else "stop",
            "total_duration": self._end - self._began,
            "load_duration": 0,
            "prompt_eval_count": read,
            "prompt_eval_duration": first - self._began,
            "eval_count": written,
            "eval_duration": self._end - first,
        }


def line(told: dict[str, Any]) -> bytes:
    """One line of a stream."""
    return f"{json.dumps(told, ensure_ascii=False)}\n".encode()


def failed(error: AssistantError) -> bytes:
    """The last line of a stream that cannot go on."""
    return line(as_ollama(body(error)))


def moment(seconds: float) -> str:
    """Seconds since 1970, as Ollama writes a time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _call(wanted: ToolRequested, index: int) -> dict[str, Any]:
    function = {"index": index, "name": wanted.name, "arguments": wanted.arguments}
    return {"id": wanted.id, "function": function}
