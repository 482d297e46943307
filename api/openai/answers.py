"""What the routes in OpenAI's shapes answer, as the OpenAPI document tells it; nothing is made from it."""

from typing import Any, Literal

from pydantic import Field

from api.openapi import Answer, Error


class Model(Answer):
    """A persona, as a model."""

    id: str
    object: Literal["model"]
    created: int
    """When it was last changed, in seconds since 1970."""
    owned_by: str


class ModelList(Answer):
    """All of them."""

    object: Literal["list"]
    data: list[Model]


class AudioModel(Model):
    """A name that the ears or the voice answer to."""

    name: str
    """With the engine that serves it."""


class AudioModelList(Answer):
    """All of them, in the two forms that clients read."""

    object: Literal["list"]
    data: list[AudioModel]
    models: list[AudioModel]


class Voice(Answer):
    """Who can speak."""

    id: str
    name: str
    object: Literal["voice"]


class VoiceList(Answer):
    """All of them, in the two forms that clients read."""

    object: Literal["list"]
    data: list[Voice]
    voices: list[Voice]


class Embedding(Answer):
    """The vector of one text."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str
    """Numbers, or base64 of little-endian 32-bit floats."""


class EmbeddingUsage(Answer):
    """Tokens, which nobody has counted: 0."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Answer):
    """One vector a text, in the order of the texts."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


class HeardSeconds(Answer):
    """How much was heard."""

    type: Literal["duration"]
    seconds: int


class Transcription(Answer):
    """What was said."""

    text: str
    usage: HeardSeconds


class TranscribedWord(Answer):
    """One word, with its times in seconds."""

    word: str
    start: float
    end: float


class TranscribedSegment(Answer):
    """One segment, as Whisper tells of one."""

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: list[int]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class VerboseTranscription(Transcription):
    """What was said, and when."""

    task: Literal["transcribe", "translate"]
    language: str
    """By its English name."""
    duration: float
    segments: list[TranscribedSegment] = Field(default_factory=list)
    words: list[TranscribedWord] = Field(default_factory=list)


class TranscriptEvent(Answer):
    """A piece of what was said, or at the end all of it."""

    type: Literal["transcript.text.delta", "transcript.text.done"]
    delta: str = ""
    text: str = ""


class SpeechEvent(Answer):
    """A piece of the sound, in base64; or at the end the tokens, of which there are none."""

    type: Literal["speech.audio.delta", "speech.audio.done"]
    audio: str = ""
    usage: dict[str, int] = Field(default_factory=dict)


class ChatUsage(Answer):
    """Tokens; 0 where nobody has counted."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CalledFunction(Answer):
    """What is to be called."""

    name: str
    arguments: str
    """JSON."""


class ToolCall(Answer):
    """A call of a tool of the client's."""

    id: str
    type: Literal["function"]
    function: CalledFunction


class UrlCitation(Answer):
    """A source of the reply, and where it is named."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(Answer):
    """A source of the reply."""

    type: Literal["url_citation"]
    url_citation: UrlCitation


class SpokenMessage(Answer):
    """The reply's sound."""

    id: str
    data: str
    """Base64."""
    expires_at: int
    transcript: str


class ChatMessage(Answer):
    """The reply."""

    role: Literal["assistant"]
    content: str | None
    refusal: None
    annotations: list[Annotation]
    audio: SpokenMessage | None = None
    tool_calls: list[ToolCall] = Field(default_factory=list)
    reasoning_content: str = ""
    """What the model thought first."""


class ChatChoice(Answer):
    """The one reply that there is."""

    index: Literal[0]
    message: ChatMessage
    logprobs: None
    finish_reason: Literal["stop", "length", "tool_calls"]


class ChatCompletionAnswer(Answer):
    """A reply in one piece."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage


class ToolCallDelta(ToolCall):
    """The same, streamed."""

    index: int


class ChatDelta(Answer):
    """A piece of the reply."""

    role: Literal["assistant"] = "assistant"
    content: str = ""
    reasoning_content: str = ""
    tool_calls: list[ToolCallDelta] = Field(default_factory=list)
    annotations: list[Annotation] = Field(default_factory=list)
    audio: dict[str, Any] = Field(default_factory=dict)
    """Some of `id`, `transcript`, `data` (base64 of 16-bit samples at 24 kHz) and `expires_at`."""


class ChatChunkChoice(Answer):
    """The one reply that there is."""

    index: Literal[0]
    delta: ChatDelta
    logprobs: None
    finish_reason: Literal["stop", "length", "tool_calls"] | None


class ChatChunk(Answer):
    """A piece of a reply; the last one, where usage was asked for, has no choice."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChatChunkChoice]
    usage: ChatUsage | None = None


class ResponseAnswer(Answer):
    """A response of OpenAI's, whose many fields say what was asked for."""

    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: Literal["completed", "incomplete", "in_progress", "failed"]
    background: Literal[False]
    error: dict[str, str] | None
    incomplete_details: dict[str, str] | None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, Any]
    model: str
    output: list[dict[str, Any]]
    """Messages, and calls of the client's functions."""
    parallel_tool_calls: bool
    previous_response_id: str | None
    reasoning: dict[str, str | None]
    service_tier: str
    store: bool
    temperature: float | None
    text: dict[str, Any]
    tool_choice: str | dict[str, Any]
    tools: list[dict[str, Any]]
    top_p: float | None
    truncation: str
    usage: dict[str, Any] | None
    user: str | None


class ResponseEvent(Answer, extra="allow"):
    """One of OpenAI's events of a response, from `response.created` to `response.completed`."""

    type: str = Field(pattern=r"^response\.")
    sequence_number: int


ChatEvent = ChatChunk | Error
"""After the last of them comes `[DONE]`."""
