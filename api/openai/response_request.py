"""A response as OpenAI's clients ask for it: its items become messages, and what is refused; answers nothing."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.openai.chat_request import (
    MESSAGES,
    TOOLS,
    CalledFunction,
    ChatRequest,
    Effort,
    Function,
    JsonSchema,
    Message,
    Name,
    ResponseFormat,
    Tokens,
    Tool,
    ToolCall,
)
from api.openapi import example
from configs.errors import RequestError

TEXT_PARTS: Final = {"input_text": "text", "output_text": "text", "text": "text"}


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)


class ResponseTool(_Lenient):
    """A tool of the client's."""

    type: str = "function"
    name: Name | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class TextFormat(_Lenient):
    """The reply's form."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None


class TextWishes(_Lenient):
    """How the text is to be."""

    format: TextFormat | None = None


class Reasoning(_Lenient):
    """How much the model thinks first, and whether its thoughts are told."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    """In whichever form: the thoughts are told as they are."""


class Item(_Lenient):
    """One item of the input: a message, a call of a function, its result, or a reference to what was answered here."""

    type: str = "message"
    id: Annotated[str, Field(max_length=200)] | None = None
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | list[dict[str, Any]] | None = None
    call_id: Annotated[str, Field(max_length=200)] | None = None
    name: Name | None = None
    arguments: str = "{}"
    """JSON."""
    output: str | list[dict[str, Any]] | None = None


class ResponseRequest(_Lenient):
    """A response."""

    model_config = example(model="default", input="How long is the leave?")

    model: Annotated[str, Field(min_length=1, max_length=200)]
    """A persona."""
    input: str | Annotated[list[Item], Field(max_length=MESSAGES)]
    instructions: str | None = None
    previous_response_id: Annotated[str, Field(max_length=200)] | None = None
    store: bool | None = None
    stream: bool | None = None
    tools: Annotated[list[ResponseTool], Field(max_length=TOOLS)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: TextWishes | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: Tokens = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    background: bool | None = None
    conversation: str | dict[str, Any] | None = None
    prompt: dict[str, Any] | None = None
    top_logprobs: int | None = None

    @property
    def tells_thoughts(self) -> bool:
        """Whether the reply begins with what the model has thought."""
        return bool(self.reasoning and self.reasoning.summary)

    @property
    def stored(self) -> bool:
        """Whether the turn is kept, so that another response can follow it."""
        return self.store is not False

    def as_chat(self) -> ChatRequest:
        """The same as a chat completion, with the new items alone as its messages. Raises RequestError."""
        for param in ("background", "conversation", "prompt", "top_logprobs"):
            if getattr(self, param):
                raise RequestError(f"`{param}` is not supported here", "Leave it out.", param)
        return ChatRequest(
            model=self.model,
            messages=self.messages(),
            tools=[_tool(tool) for tool in self.tools or ()],
            tool_choice=_choice(self.tool_choice),
            response_format=self._format(),
            reasoning_effort=self.reasoning.effort if self.reasoning else None,
            max_completion_tokens=self.max_output_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            user=self.user,
            metadata=self.metadata,
        )

    def messages(self) -> list[Message]:
        """The new items as messages; calls that belong together are one. Raises RequestError."""
        if isinstance(self.input, str):
            return [Message(role="user", content=self.input)]
        found: list[Message] = []
        for at, item in enumerate(self.input):
            if item.type == "reasoning":
                continue
            message = _message(item, f"input.{at}")
            if item.type == "function_call" and found and found[-1].role == "assistant":
                found[-1].tool_calls = [*(found[-1].tool_calls or ()), *(message.tool_calls or ())]
            else:
                found.append(message)
        if not found:
            raise RequestError("the input is empty", "Send a message of the user's.", "input")
        return found

    def _format(self) -> ResponseFormat | None:
        wanted = self.text.format if self.text else None
        if wanted is None:
            return None
        if wanted.type == "json_schema" and wanted.schema_ is None:
            raise RequestError("`text.format` has no schema", "Send `schema`.", "text.format.schema")
        schema = JsonSchema(schema=wanted.schema_) if wanted.type == "json_schema" else None
        return ResponseFormat(type=wanted.type, json_schema=schema)


def _tool(tool: ResponseTool) -> Tool:
    if tool.type != "function" or not tool.name:
        raise RequestError(f"a tool of the type {tool.type!r} cannot be called here", "Send functions.", "tools")
    return Tool(function=Function(name=tool.name, description=tool.description, parameters=tool.parameters))


def _choice(choice: Any) -> Any:  # noqa: ANN401  # any JSON, which the chat completion looks into
    """Which tools may be called, as chat completions say it."""
    match choice:
        case {"type": "allowed_tools", "mode": mode, "tools": [*tools]}:
            allowed = {"mode": mode, "tools": [_choice(tool) for tool in tools]}
            return {"type": "allowed_tools", "allowed_tools": allowed}
        case dict():
            return {"type": choice.get("type"), "function": {"name": choice.get("name")}}
    return choice


def _message(item: Item, where: str) -> Message:
    match item:
        case Item(type="message", role=role) if role:
            return Message(role=role, content=_content(item.content))
        case Item(type="function_call", call_id=str(call), name=str(name)):
            called = CalledFunction(name=name, arguments=item.arguments)
            return Message(role="assistant", tool_calls=[ToolCall(id=call, function=called)])
        case Item(type="function_call_output", call_id=str(call)):
            return Message(role="tool", tool_call_id=call, content=_content(item.output))
    raise RequestError(
        f"an item of the type {item.type!r} cannot be read", "Send messages, function calls and their outputs.", where
    )


def _content(content: str | list[dict[str, Any]] | None) -> str | list[dict[str, Any]] | None:
    """The parts, called as chat completions call them."""
    if not isinstance(content, list):
        return content
    return [{**part, "type": TEXT_PARTS.get(str(part.get("type")), part.get("type"))} for part in content]
