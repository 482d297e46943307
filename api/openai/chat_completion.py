"""A reply in OpenAI's shapes, whole and in chunks; it translates events, and knows nothing of HTTP."""

import base64
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from agent.events import TextDelta, ThoughtDelta, ToolRequested, TurnEnded, TurnEvent, TurnStarted
from memory.passages import Citation

_MARK: Final = re.compile(r"\[\d{1,3}\]")
AUDIO_EXPIRES: Final = 3600
"""Seconds that a spoken reply's words are kept, at most."""


@dataclass
class ChatCompletion:
    """One completion, as it comes."""

    model: str
    place: str
    """Where this server is called, with a slash at the end."""
    spoken: bool = False
    id: str = ""
    """The turn's, once it has begun."""
    created: int = field(default_factory=lambda: int(time.time()))
    _ended: TurnEnded | None = None
    _thought: list[str] = field(default_factory=list)
    _calls: list[dict[str, Any]] = field(default_factory=list)
    _begun: bool = False

    @property
    def ended(self) -> TurnEnded:
        """How it ended."""
        assert self._ended, "it has not ended yet"
        return self._ended

    @property
    def audio_id(self) -> str:
        """What a later request calls the spoken reply by."""
        return f"audio_{self.id}"

    def take(self, event: TurnEvent) -> Iterator[dict[str, Any]]:
        """The chunks that an event makes; the first says who speaks."""
        match event:
            case TurnStarted(turn):
                self.id = turn
            case TurnEnded():
                self._ended = event
            case TextDelta(text):
                spoken = {"audio": {"id": self.audio_id, "transcript": text}}
                yield from self._chunks(spoken if self.spoken else {"content": text})
            case ThoughtDelta(text):
                self._thought.append(text)
                yield from self._chunks({"reasoning_content": text})
            case ToolRequested():
                call = _call(event)
                yield from self._chunks({"tool_calls": [{"index": len(self._calls), **call}]})
                self._calls.append(call)

    def ending(self, *, usage: bool) -> Iterator[dict[str, Any]]:
        """The chunks after the reply: sources, why it ended, and the tokens where they are asked for."""
        turn = self.ended
        if turn.citations:
            yield from self._chunks({"annotations": self._annotations(turn)})
        if self.spoken:
            yield from self._chunks({"audio": {"id": self.audio_id, "expires_at": self.created + AUDIO_EXPIRES}})
        yield from self._chunks({}, self._finish(turn))
        if usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": _usage(turn)}

    def sounding(self, data: bytes) -> Iterator[dict[str, Any]]:
        """The chunk of some sound."""
        return self._chunks({"audio": {"id": self.audio_id, "data": base64.b64encode(data).decode("ascii")}})

    def whole(self, sound: str | None) -> dict[str, Any]:
        """The completion in one piece; `sound` is base64, where it is spoken."""
        turn = self.ended
        message: dict[str, Any] = {"role": "assistant", "content": turn.reply, "refusal": None}
        if sound is not None:
            expires = self.created + AUDIO_EXPIRES
            audio = {"id": self.audio_id, "data": sound, "expires_at": expires, "transcript": turn.reply}
            message |= {"content": None, "audio": audio}
        if self._calls:
            message |= {"content": turn.reply or None, "tool_calls": self._calls}
        if self._thought:
            message["reasoning_content"] = "".join(self._thought)
        message["annotations"] = self._annotations(turn)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish(turn)}
        return {**self._head("chat.completion"), "choices": [choice], "usage": _usage(turn)}

    def _chunks(self, delta: dict[str, Any], finish: str | None = None) -> Iterator[dict[str, Any]]:
        """A chunk, and before the first one that which says who speaks."""
        deltas = [] if self._begun else [{"role": "assistant", **({} if self.spoken else {"content": ""})}]
        self._begun = True
        for one in [*deltas, delta]:
            choice = {"index": 0, "delta": one, "logprobs": None, "finish_reason": finish if one is delta else None}
            yield {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.id}", "object": kind, "created": self.created, "model": self.model}

    def _finish(self, turn: TurnEnded) -> str:
        return "tool_calls" if self._calls else "length" if turn.at_limit else "stop"

    def _annotations(self, turn: TurnEnded) -> list[dict[str, Any]]:
        return [{"type": "url_citation", "url_citation": one} for one in url_citations(turn, self.place)]


def url_citations(turn: TurnEnded, place: str) -> list[dict[str, Any]]:
    """The sources, each where the reply names it, else over the whole of it; `place` is the server's address."""
    marks = [(mark.start(), mark.end()) for mark in _MARK.finditer(turn.reply)]
    spans = dict(enumerate(dict.fromkeys(marks)))
    return [
        {
            "start_index": spans.get(at, (0, 0))[0],
            "end_index": spans.get(at, (0, len(turn.reply)))[1],
            "title": _title(citation),
            "url": f"{place}v1/knowledge/search?q={quote(citation.text[:200])}",
        }
        for at, citation in enumerate(turn.citations)
    ]


def _call(wanted: ToolRequested) -> dict[str, Any]:
    arguments = json.dumps(wanted.arguments, ensure_ascii=False)
    return {"id": wanted.id, "type": "function", "function": {"name": wanted.name, "arguments": arguments}}


def _title(citation: Citation) -> str:
    page = f", {citation.page}" if citation.page else ""
    return f"{citation.document}{f' › {citation.heading}' if citation.heading else ''}{page}"


def _usage(turn: TurnEnded) -> dict[str, int]:
    """The tokens; 0 where nobody has counted."""
    read, written = (turn.usage.input, turn.usage.output) if turn.usage else (0, 0)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
