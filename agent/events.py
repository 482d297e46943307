"""What a turn tells the door that listens to it, in the order in which it happens."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from configs.errors import AssistantError
from memory.passages import Citation, Passage
from memory.remembered import Memory
from memory.turns import RestsOn
from models.selection import Choice
from models.speech_to_text import Transcript
from tools.speech_input import SpeechStarted
from tools.speech_output import SpeechChunk

Outcome = Literal["completed", "interrupted", "failed", "unheard"]
"""`unheard`: the sound held no speech, so there was nothing to answer."""


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """A turn begins."""

    turn: str


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """What the user has said so far; what comes after `stable`, its beginning, may still change."""

    text: str
    stable: str


@dataclass(frozen=True, slots=True)
class TranscriptReady:
    """What the user said."""

    turn: str
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """What the documents hold on the question."""

    passages: tuple[Passage, ...]
    answerable: bool


@dataclass(frozen=True, slots=True)
class MemoriesRecalled:
    """What the user has said before that bears on the question."""

    memories: tuple[Memory, ...]


@dataclass(frozen=True, slots=True)
class MemoryErased:
    """The user had something forgotten; the turn itself keeps no words either."""

    memories: int
    """How many; 0 where there was nothing of that kind."""


@dataclass(frozen=True, slots=True)
class ReplyRests:
    """What the reply is made from, as far as is known; the last one counts."""

    on: RestsOn


@dataclass(frozen=True, slots=True)
class Refused:
    """The reply that follows is a refusal: the documents do not answer."""


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls a tool."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolRequested:
    """The model wants the caller to run one of the caller's own tools; the reply ends with these."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ThoughtDelta:
    """The next piece of what the model thinks before it speaks; no part of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the reply's display text."""

    text: str


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """What the model read and wrote, by the server's count; once for each time it was called."""

    input: int
    output: int


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The model stopped at its limit of tokens, not at an end."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The reply ends here, and not as it should have; what was said stays said."""

    error: AssistantError


@dataclass(frozen=True, slots=True)
class SpeechReady:
    """The next piece of the reply's speech."""

    turn: str
    chunk: SpeechChunk


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A turn is over, and the history knows what was heard of it."""

    turn: str
    conversation: str
    outcome: Outcome
    question: str
    language: str
    reply: str
    """The display text, as generated."""
    heard: str
    """How much of the reply was heard (or shown, where nothing was spoken)."""
    spoken: str
    """What the voice said."""
    refused: bool
    citations: tuple[Citation, ...]
    timings_ms: dict[str, float]
    """Stage to milliseconds since the turn's first stamp."""
    error: AssistantError | None = None
    transcript: Transcript | None = None
    tools: tuple[ToolCalled, ...] = field(default=())
    usage: TokensUsed | None = None
    """The sum over the turn; None where nobody counts, or the turn ended before the count came."""
    memories: tuple[Memory, ...] = ()
    """What was recalled for it."""
    at_limit: bool = False
    """The reply ends where the model's limit of tokens was reached."""
    sounded: float = 0.0
    """Seconds of sound that the voice has made."""
    unsupported: tuple[str, ...] = ()
    """Sentences of the reply with a number or a name that stands in nothing that it rests on."""
    began: float | None = None
    """The turn's first stamp, by the event loop's clock; None where it was cut before there was one."""
    live: bool = False
    """It was played as it was made, so that an interruption cuts what was heard."""
    engines: tuple[Choice, ...] = ()
    """Who served it."""


ReplyEvent: TypeAlias = (
    PassagesFound
    | MemoriesRecalled
    | MemoryErased
    | ReplyRests
    | Refused
    | ToolCalled
    | ToolRequested
    | ThoughtDelta
    | TextDelta
    | TokensUsed
    | LimitReached
    | Failed
)
"""What a responder gives."""

TurnEvent: TypeAlias = (
    SpeechStarted | PartialTranscript | TurnStarted | TranscriptReady | ReplyEvent | SpeechReady | TurnEnded
)
"""What a door may see."""
