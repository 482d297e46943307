"""What the routes of our own answer, as the OpenAPI document tells it; nothing is made from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from agent.events import TokensUsed
from agent.stages import Stage
from api.openapi import Answer
from api.readiness import State
from configs.persona import Bilingual, PersonaVoice, ToolName
from memory.catalogue import StoredDocument
from memory.job_queue import JobState
from memory.passages import Citation
from memory.remembered import Kind
from memory.turns import Outcome, RestsOn, StoredCall
from models.selection import Slot


class Engine(Answer):
    """The engine that serves a slot."""

    engine: str
    why: str
    embedded: bool
    """It needs no server, weights, GPU or network."""
    better: str
    """The engine that would be taken rather, and why it cannot."""
    remedy: str
    """The command that gets the better one."""
    model: str


class Health(Answer):
    """Whether questions can be asked; without a key, that alone."""

    ready: bool
    version: str = ""
    data: str = ""
    """The data folder."""
    tracing: str | None = None
    """Where traces are sent; null where they are not."""
    engines: dict[Slot, Engine] = Field(default_factory=dict)
    degraded: list[str] = Field(default_factory=list)
    """What serves where something better would be, and how to get that."""


class Live(Answer):
    """That the process runs."""

    live: Literal[True]


class Ready(Answer):
    """Whether turns should be sent here."""

    ready: bool
    state: State
    reason: str = ""


class Remembered(Answer):
    """One memory."""

    id: int
    kind: Kind
    text: str
    reply: str | None
    """What was heard in reply, of a turn whose reply rests on the model alone."""
    quote: str | None
    """The user's words that a fact or note rests on."""
    subject: str | None
    importance: int
    """1 to 5."""
    language: str
    said_at: datetime
    closed_at: datetime | None
    """Until when a fact held; null while it does."""
    turn: str | None
    """The turn in which it was said."""


class RememberedList(Answer):
    """A page of memories."""

    object: Literal["list"]
    data: list[Remembered]
    has_more: bool


class Exported(Answer, extra="allow"):
    """A turn or a memory with all that is kept of it; its other fields are those of the kind."""

    type: Literal["turn", "memory"]
    id: str | int


class Erased(Answer):
    """How much was forgotten."""

    object: Literal["memory.deleted"]
    memories: int
    turns: int


class Reply(Answer):
    """What was answered."""

    text: str
    spoken: str
    """The same as a voice says it."""
    refused: bool
    """The documents do not support an answer, and none was made up."""
    citations: list[Citation]
    unsupported: list[str]
    """Sentences with a number or a name that stands in nothing that the reply rests on."""
    at_limit: bool
    """It was cut at the most tokens that a reply may have."""


class Sound(Answer):
    """A spoken reply."""

    base64: str
    """A WAV file."""
    seconds: float
    sample_rate: int


class AskAnswer(Answer):
    """A question's answer."""

    turn: str
    conversation: str
    """To be sent with the next question, to go on."""
    outcome: Outcome
    language: str
    transcript: str | None
    """What was heard, of a recording."""
    reply: Reply
    memories: list[Remembered]
    """What was recalled for it."""
    audio: Sound | None
    engines: dict[Slot, Engine]
    timings_ms: dict[Stage, float]
    usage: TokensUsed | None


class StageReached(Answer):
    """One stage of a turn."""

    stage: Stage
    at_ms: float
    """Since the turn began."""
    took_ms: float
    """Since the stage before."""


class Turn(Answer):
    """One turn that was kept."""

    id: str
    object: Literal["turn"]
    conversation: str
    persona: str
    language: str
    created_at: datetime
    outcome: Outcome
    rests_on: RestsOn
    stages: list[StageReached]
    citations: list[Citation]
    tools: list[StoredCall]


class TurnList(Answer):
    """Turns, the oldest first."""

    object: Literal["list"]
    data: list[Turn]


class DocumentList(Answer):
    """Documents."""

    object: Literal["list"]
    data: list[StoredDocument]


class FoundPassage(Answer):
    """A passage of a document."""

    score: float
    knowledge: str
    document: str
    source: str
    heading: str
    span: tuple[int, int]
    """Start and end in the document's text, in characters."""
    page: int | None
    text: str


class Search(Answer):
    """What was found, and whether it is enough to answer from."""

    answerable: bool
    coverage: float
    """How much of the question's words stands in what was found, 0 to 1."""
    similarity: float | None
    """Of the best passage, as its embedding tells it."""
    passages: list[FoundPassage]


class JobFailure(Answer):
    """Why a file, or with an empty path the whole ingestion, failed."""

    path: str
    code: str | None
    message: str
    hint: str


class KnowledgeJob(Answer):
    """An ingestion in the background; what is counted is of its latest run."""

    id: str
    object: Literal["knowledge.job"]
    knowledge: str
    paths: list[str]
    """None of an upload."""
    name: str | None
    """What an upload is called."""
    watch: bool
    state: JobState
    files: int
    done: int
    """Files that an outcome is known of."""
    outcomes: dict[str, int]
    """How many files came to what: "added", "replaced", "unchanged", "removed" or "failed"."""
    errors: list[JobFailure]
    """The first of them."""
    created_at: datetime
    updated_at: datetime


class JobList(Answer):
    """Ingestions."""

    object: Literal["list"]
    data: list[KnowledgeJob]


class KnowledgeBase(Answer):
    """A knowledge base, and how much there is in it."""

    id: str
    object: Literal["knowledge"]
    documents: int
    passages: int
    characters: int


class KnowledgeBaseList(Answer):
    """All of them that hold documents."""

    object: Literal["list"]
    data: list[KnowledgeBase]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeDocument(StoredDocument):
    """A document that can be found, and the latest job that was to take an upload of its name in."""

    object: Literal["knowledge.document"]
    state: Literal["ready"]
    job: KnowledgeJob | None


class PersonaCard(Answer):
    """Who answers, and how; not what its model is told."""

    id: str
    object: Literal["persona"]
    default: bool
    """It answers where none is named."""
    title: Bilingual
    description: Bilingual
    language: Literal["auto", "en", "zh"]
    voice: PersonaVoice
    greeting: Bilingual
    tools: list[ToolName]
    knowledge: list[str]
    """The knowledge bases that it searches."""
    memory: Literal["shared", "own", False]
    grounded: Literal["always", "when_embedded", "never"]
    """When it answers only what documents support."""


class PersonaList(Answer):
    """The personas."""

    object: Literal["list"]
    data: list[PersonaCard]
