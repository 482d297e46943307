"""The cast of the agent's tests: a scripted responder, a history in memory, and a user who speaks on time."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import anyio
import numpy as np

from agent.events import Outcome, ReplyEvent, TextDelta, TurnEvent
from agent.inquiry import Inquiry
from agent.turn import Company
from configs import settings
from memory.turns import StoredTurn
from models.audio import AudioChunk, from_floats
from models.engines.fake import FakeSpeechToText, FakeTextToSpeech, FakeVoiceActivity
from models.text_to_speech import Voice
from tools.speech_input import Listener
from tools.speech_output import Speaker

FRAME = 0.032
"""Seconds."""


@dataclass
class ScriptedResponder:
    """Gives its events with a wait before each, and notes how each conversation was settled."""

    events: Sequence[ReplyEvent]
    wait: float = 0.0
    persona: str = "default"
    language: str = "en"
    memory: str | None = None
    closed: int = 0
    ahead: list[str] = field(default_factory=list)
    settled: list[tuple[str, Outcome]] = field(default_factory=list)

    async def look_ahead(self, inquiry: Inquiry) -> None:
        self.ahead.append(inquiry.text)

    async def respond(self, inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        try:
            for event in self.events:
                await anyio.sleep(self.wait)
                yield event
        finally:
            self.closed += 1

    async def settle(self, conversation: str, *, heard: str, outcome: Outcome) -> None:
        self.settled.append((heard, outcome))


@dataclass
class MemoryHistory:
    """Keeps turns in a list."""

    turns: list[StoredTurn] = field(default_factory=list)

    async def add(self, turn: StoredTurn) -> None:
        self.turns.append(turn)


@dataclass
class Seen:
    """Every event, with the time since the beginning."""

    events: list[tuple[float, TurnEvent]] = field(default_factory=list)
    began: float | None = None

    async def __call__(self, event: TurnEvent) -> None:
        if self.began is None:
            self.began = anyio.current_time()
        self.events.append((anyio.current_time() - self.began, event))

    def of(self, kind: type[TurnEvent]) -> list[tuple[float, TurnEvent]]:
        return [(at, event) for at, event in self.events if isinstance(event, kind)]


def deltas(text: str, size: int = 4) -> list[ReplyEvent]:
    """A text as a model streams it."""
    return [TextDelta(text[start : start + size]) for start in range(0, len(text), size)]


def mouth(*, first_chunk: float = 0.0, character_seconds: float = 0.05) -> FakeTextToSpeech:
    return FakeTextToSpeech(settings.FakeTextToSpeech(first_chunk=first_chunk, character_seconds=character_seconds))


def ears(*transcripts: str, delay: float = 0.0, characters_a_second: float = 0.0) -> FakeSpeechToText:
    return FakeSpeechToText(
        settings.FakeSpeechToText(transcripts=transcripts, delay=delay, characters_a_second=characters_a_second)
    )


def company(responder: ScriptedResponder, history: MemoryHistory, **options: object) -> Company:
    """A company of fakes; `ears` and `mouth` may be given."""
    speaking = options.pop("mouth", None) or mouth()
    hearing = options.pop("ears", None) or ears("Hello there.")
    assert isinstance(speaking, FakeTextToSpeech)
    assert isinstance(hearing, FakeSpeechToText)
    return Company(
        ears=hearing,
        responder=responder,
        speaker=lambda language: Speaker(speaking, Voice(), language),
        history=history,
        **options,  # type: ignore[arg-type]
    )


def listener() -> Listener:
    return Listener(FakeVoiceActivity(), settings.Listening(end_silence=0.5, pre_roll=0.2, shortest_speech=0.1))


async def microphone(*script: tuple[float, bool]) -> AsyncGenerator[AudioChunk, None]:
    """Frames in real time: so many seconds of speech (True) or silence (False), one after the other."""
    loud = from_floats(np.full(512, 0.3, dtype=np.float32), 16_000)
    quiet = from_floats(np.zeros(512, dtype=np.float32), 16_000)
    began, sent = anyio.current_time(), 0
    for seconds, speaks in script:
        for _ in range(round(seconds / FRAME)):
            sent += 1
            await anyio.sleep_until(began + sent * FRAME)
            yield loud if speaks else quiet
