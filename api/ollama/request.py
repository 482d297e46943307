"""What Ollama's clients ask for, read as the chat completion that it is: what is asked, and what is refused."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from api.client_turns import Asked
from api.openai.chat_request import ChatRequest
from api.openapi import example
from configs.errors import RequestError

SAMPLING: Final = {
    "num_predict": "max_tokens",
    **{name: name for name in ("temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty")},
}
"""The options that count, and what OpenAI's clients call them; the rest is the persona's."""


class _Lenient(BaseModel):
    """Fields that are not known are ignored: frontends send all kinds of them."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)


class Called(_Lenient):
    """What was called."""

    name: str
    arguments: dict[str, Any] | str = {}


class Call(_Lenient):
    """A call that the model has asked for; not every client has an id for it."""

    id: str | None = None
    function: Called


class OllamaMessage(_Lenient):
    """One message."""

    role: str
    content: str | None = None
    images: list[Any] | None = None
    tool_calls: list[Call] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class Named(_Lenient):
    """A model by its name."""

    model: Annotated[str, Field(min_length=1, max_length=200, validation_alias=AliasChoices("model", "name"))]


class Generating(Named):
    """What every reply can be asked for with."""

    stream: bool | None = None
    """Unless it is false."""
    format: dict[str, Any] | Literal["", "json"] | None = None
    options: dict[str, Any] | None = None
    think: bool | Literal["", "none", "low", "medium", "high", "max"] | None = None
    keep_alive: int | float | str | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None

    @property
    def loads(self) -> bool:
        """Whether nothing is asked, so that the model is only to be loaded."""
        raise NotImplementedError

    @property
    def unloads(self) -> bool:
        """Whether the model is only to be let go of."""
        kept = str(self.keep_alive).rstrip("smh")
        return self.loads and kept in ("0", "0.0")

    def messages_sent(self) -> Sequence[OllamaMessage]:
        """The conversation."""
        raise NotImplementedError

    def check(self) -> None:
        """Raises RequestError for what cannot be done here."""
        for param, wanted in self.refused().items():
            if wanted:
                raise RequestError(f"`{param}` is not supported here", "Leave it out.", param)
        if any(message.images for message in self.messages_sent()):
            raise RequestError("pictures cannot be seen here", "Send text.", "images")

    def refused(self) -> dict[str, bool]:
        """What cannot be done here, and whether it is asked for."""
        return {"logprobs": bool(self.logprobs), "top_logprobs": bool(self.top_logprobs)}

    def asked(self, persona: str) -> Asked:
        """The turn that this is. Raises RequestError, RequestValidationError."""
        try:
            chat = ChatRequest.model_validate(self.as_openai(persona))
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_context=False)) from error
        generation = chat.generation()
        if self.think is True:
            generation = replace(generation, reasoning=True)
        tools, forced = chat.offered()
        return Asked(persona, chat.messages, generation, tools, forced)

    def as_openai(self, persona: str) -> dict[str, Any]:
        """The same as OpenAI's clients would ask for it."""
        given = (self.options or {}).items()
        options = {SAMPLING[name]: value for name, value in given if name in SAMPLING and value is not None}
        found = {"model": persona, "messages": [*as_openai(self.messages_sent())], **options}
        if self.think is not None and self.think is not True:
            found["reasoning_effort"] = self.think or "none"
        if self.format:
            schema = self.format if isinstance(self.format, dict) else None
            kind = "json_schema" if schema else "json_object"
            found["response_format"] = {"type": kind, "json_schema": {"schema": schema} if schema else None}
        return found


class OllamaChat(Generating):
    """The next message of a conversation."""

    model_config = example(model="default", messages=[{"role": "user", "content": "How long is the leave?"}])

    messages: list[OllamaMessage] | None = None
    tools: list[dict[str, Any]] | None = None

    @property
    def loads(self) -> bool:
        """Whether nothing is asked, so that the model is only to be loaded."""
        return not self.messages

    def messages_sent(self) -> Sequence[OllamaMessage]:
        """The conversation."""
        return self.messages or ()

    def as_openai(self, persona: str) -> dict[str, Any]:
        """The same as OpenAI's clients would ask for it."""
        return {**super().as_openai(persona), "tools": self.tools}


class OllamaGenerate(Generating):
    """One prompt."""

    model_config = example(model="default", prompt="How long is the leave?")

    prompt: str | None = None
    system: str | None = None
    suffix: str | None = None
    template: str | None = None
    context: list[int] | None = None
    raw: bool | None = None
    images: list[Any] | None = None

    @property
    def loads(self) -> bool:
        """Whether nothing is asked, so that the model is only to be loaded."""
        return not self.prompt

    def messages_sent(self) -> Sequence[OllamaMessage]:
        """The prompt, and what the client tells the model before it."""
        told = [OllamaMessage(role="system", content=self.system)] if self.system else []
        return [*told, OllamaMessage(role="user", content=self.prompt, images=self.images)]

    def refused(self) -> dict[str, bool]:
        """What cannot be done here, and whether it is asked for."""
        names = ("suffix", "template", "context", "raw")
        return {**super().refused(), **{name: bool(getattr(self, name)) for name in names}}


class OllamaEmbed(Named):
    """Texts to be embedded."""

    model_config = example(model="hashed", input=["paid leave", "年假"])

    input: str | list[str] = []
    dimensions: int | None = None


class OllamaEmbeddings(Named):
    """A text to be embedded, as older clients ask."""

    model_config = example(model="hashed", prompt="paid leave")

    prompt: str = ""


@dataclass(frozen=True, slots=True)
class _Open:
    """A call that has no result yet."""

    id: str
    name: str


def as_openai(messages: Sequence[OllamaMessage]) -> Iterator[dict[str, Any]]:
    """The messages as OpenAI's clients send them: there each call has an id, and each result names its call.

    A result that names no call belongs to the first call of its tool, or of any, that has none yet.
    """
    left: list[_Open] = []
    for at, message in enumerate(messages):
        told: dict[str, Any] = {"role": message.role, "content": message.content or ""}
        if message.tool_calls:
            left = [_Open(call.id or f"call_{at}_{n}", call.function.name) for n, call in enumerate(message.tool_calls)]
            calls = zip(left, message.tool_calls, strict=True)
            told["tool_calls"] = [_call(one.id, call.function) for one, call in calls]
        elif message.role == "tool":
            told["tool_call_id"] = message.tool_call_id or _answered(left, message.tool_name, f"call_{at}")
            left = [one for one in left if one.id != told["tool_call_id"]]
        yield told


def _call(number: str, called: Called) -> dict[str, Any]:
    given = called.arguments
    arguments = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return {"id": number, "function": {"name": called.name, "arguments": arguments}}


def _answered(left: Sequence[_Open], name: str | None, otherwise: str) -> str:
    """The id of the call that a result is for."""
    same = [one.id for one in left if name and one.name == name]
    return next(iter([*same, *(one.id for one in left)]), otherwise)
