"""A chat completion as OpenAI's clients ask for it: what is asked, and what is refused; answers nothing."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.openapi import example
from configs.errors import RequestError
from models.generation import Generation

MESSAGES: Final = 512
"""The most of one request."""
TOOLS: Final = 128

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class _Lenient(BaseModel):
    """Fields that are not known are ignored: frontends send all kinds of them."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)


class Function(_Lenient):
    """A function of the client's."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(_Lenient):
    """A tool of the client's."""

    type: str = "function"
    function: Function | None = None


class CalledFunction(_Lenient):
    """What was called."""

    name: Name
    arguments: str = "{}"
    """JSON."""


class ToolCall(_Lenient):
    """A call that the model has asked for."""

    id: Annotated[str, Field(max_length=200)]
    function: CalledFunction


class AudioReference(_Lenient):
    """A spoken reply of before."""

    id: str


class Message(_Lenient):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=TOOLS)] | None = None
    tool_call_id: Annotated[str, Field(max_length=200)] | None = None
    audio: AudioReference | None = None


class StreamOptions(_Lenient):
    """How it is streamed."""

    include_usage: bool | None = None


class JsonSchema(_Lenient):
    """A schema that the reply is held to."""

    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None


class ResponseFormat(_Lenient):
    """The reply's form."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class VoiceId(_Lenient):
    """A voice by its id."""

    id: str


class Audio(_Lenient):
    """How the reply sounds."""

    voice: str | VoiceId = ""
    format: Literal["wav", "mp3", "flac", "opus", "aac", "pcm16"] = "wav"


def _positive(given: object) -> object:
    """Some clients say 0 or -1 where there is to be no limit."""
    return None if isinstance(given, int) and given < 1 else given


Tokens = Annotated[Annotated[int, Field(lt=2**31)] | None, BeforeValidator(_positive)]


class ChatRequest(_Lenient):
    """A chat completion."""

    model_config = example(model="default", messages=[{"role": "user", "content": "How long is the leave?"}])

    model: Annotated[str, Field(min_length=1, max_length=200)]
    """A persona."""
    messages: Annotated[list[Message], Field(min_length=1, max_length=MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Annotated[list[Tool], Field(max_length=TOOLS)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Effort | None = None
    max_tokens: Tokens = None
    max_completion_tokens: Tokens = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    audio: Audio | None = None
    user: str | dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, Any] | None = None
    functions: list[Any] | None = None

    @property
    def speaks(self) -> bool:
        """Whether the reply is to be heard."""
        return "audio" in (self.modalities or ())

    def check(self) -> None:
        """Raises RequestError for what cannot be done here."""
        refused = {
            "n": (self.n or 1) != 1,
            "logprobs": bool(self.logprobs),
            "top_logprobs": bool(self.top_logprobs),
            "logit_bias": bool(self.logit_bias),
            "functions": bool(self.functions),
        }
        for param, wanted in refused.items():
            if wanted:
                hint = "Send `tools`." if param == "functions" else "Leave it out."
                raise RequestError(f"`{param}` is not supported here", hint, param)
        if self.speaks and self.stream and (self.audio or Audio()).format != "pcm16":
            raise RequestError("sound is streamed as pcm16 alone", "Ask for pcm16, or without `stream`.", "audio")

    def offered(self) -> tuple[tuple[dict[str, Any], ...], bool]:
        """The tools that may be called, in OpenAI's form, and whether one must be. Raises RequestError."""
        functions = [_function(tool) for tool in self.tools or ()]
        mode, names = _chosen(self.tool_choice or "auto")
        known = [function.name for function in functions]
        for name in names or ():
            if name not in known:
                raise RequestError(
                    f"`tool_choice` names {name!r}, which is none of the tools", "Name one of `tools`.", "tool_choice"
                )
        if names is not None:
            functions = [function for function in functions if function.name in names]
        if mode not in ("none", "auto", "required") or (mode == "required" and not functions):
            raise RequestError(f"`tool_choice` cannot be {mode!r}", "Send none, auto or required.", "tool_choice")
        offered = [] if mode == "none" else functions
        tools = ({"type": "function", "function": one.model_dump(exclude_none=True)} for one in offered)
        return tuple(tools), bool(offered) and mode == "required"

    def generation(self) -> Generation:
        """How the reply is to be generated. Raises RequestError."""
        effort = self.reasoning_effort
        efforts: dict[str, bool | Literal["low", "medium", "high"]] = {
            "none": False, "minimal": False, "low": "low", "medium": "medium", "high": "high", "xhigh": "high",
            "max": "high",
        }  # fmt: skip
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Generation(
            tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
            stop=tuple(word for word in stop if word),
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
            reasoning=efforts[effort] if effort else None,
            shape=self._shape(),
        )

    def _shape(self) -> Literal["json"] | dict[str, Any] | None:
        wanted = self.response_format
        if wanted is None or wanted.type == "text":
            return None
        if wanted.type == "json_object":
            return "json"
        if wanted.json_schema is None or wanted.json_schema.schema_ is None:
            raise RequestError("`response_format` has no schema", "Send `json_schema.schema`.", "response_format")
        return wanted.json_schema.schema_


def _chosen(choice: str | dict[str, Any]) -> tuple[str, list[str | None] | None]:
    """Whether tools may or must be called, and the names of those that may, where not all may."""
    match choice:
        case {"type": "allowed_tools", "allowed_tools": {"mode": str(mode), "tools": [*tools]}}:
            return mode, [_name_in(tool) for tool in tools]
        case dict():
            return "required", [_name_in(choice)]
    return choice, None


def _name_in(tool: object) -> str | None:
    match tool:
        case {"function": {"name": str(name)}}:
            return name
    return None


def _function(tool: Tool) -> Function:
    if tool.type != "function" or tool.function is None:
        raise RequestError(f"a tool of the type {tool.type!r} cannot be called here", "Send functions.", "tools")
    return tool.function
