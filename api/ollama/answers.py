"""What the routes in Ollama's shapes answer, as the OpenAPI document tells it; nothing is made from it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.openapi import Answer, OllamaError


class OllamaVersion(Answer):
    """The Ollama whose API this is."""

    version: str


class OllamaDetails(Answer):
    """What a persona is, in the words that there are for models."""

    parent_model: str
    format: str
    family: str
    families: list[str]
    parameter_size: str
    quantization_level: str


class OllamaModel(Answer):
    """A persona, as a model."""

    name: str
    model: str
    modified_at: datetime
    size: int
    digest: str
    details: OllamaDetails


class OllamaModelList(Answer):
    """All of them."""

    models: list[OllamaModel]


class OllamaRunning(OllamaModel):
    """A persona that has been asked here."""

    expires_at: datetime
    size_vram: int
    context_length: int
    """Tokens."""


class OllamaRunningList(Answer):
    """All of them."""

    models: list[OllamaRunning]


class OllamaShown(Answer):
    """What a client may know of one persona."""

    modelfile: str
    parameters: str
    template: str
    license: str
    details: OllamaDetails
    model_info: dict[str, Any]
    capabilities: list[Literal["completion", "tools", "thinking"]]
    modified_at: datetime


class OllamaCalledFunction(Answer):
    """What is to be called."""

    index: int
    name: str
    arguments: dict[str, Any]


class OllamaToolCall(Answer):
    """A call of a tool of the client's."""

    id: str
    function: OllamaCalledFunction


class OllamaReply(Answer):
    """What all replies have; the numbers, in nanoseconds and tokens, come with the last piece."""

    model: str
    created_at: datetime
    done: bool
    done_reason: Literal["stop", "length", "load"] = "stop"
    total_duration: int = 0
    load_duration: int = 0
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0


class OllamaAssistantMessage(Answer):
    """The reply, or a piece of it."""

    role: Literal["assistant"]
    content: str
    thinking: str = ""
    tool_calls: list[OllamaToolCall] = Field(default_factory=list)


class OllamaChatReply(OllamaReply):
    """The next message of a conversation, or a piece of it."""

    message: OllamaAssistantMessage


class OllamaGenerated(OllamaReply):
    """The reply to a prompt, or a piece of it."""

    response: str
    thinking: str = ""
    tool_calls: list[OllamaToolCall] = Field(default_factory=list)


class OllamaVectors(Answer):
    """One vector a text."""

    model: str
    embeddings: list[list[float]]
    total_duration: int
    load_duration: int
    prompt_eval_count: int


class OllamaVector(Answer):
    """The vector of a text."""

    embedding: list[float]


OllamaChatLine = OllamaChatReply | OllamaError
OllamaGenerateLine = OllamaGenerated | OllamaError
