"""A question over HTTP: JSON, or a recording with its wishes in the query; bounded in bytes before it is understood."""

from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.answer import Asked
from api.guard.request_body import as_json, content_type, json_bytes, read
from api.openapi import BYTES, JSON, example, schema_of, sent
from api.question import clean
from configs.settings import Limits
from models.decoding import Decoder

Name = Annotated[str, Field(min_length=1, max_length=200)]


class AskWishes(BaseModel):
    """How a question is to be answered."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    persona: Name | None = None
    knowledge: Annotated[list[Name], Field(max_length=100)] = []
    """The knowledge bases to search; when empty, the persona's."""
    user: Name | None = None
    conversation: Name | None = None
    """An earlier answer's `conversation`, to go on with it."""
    speak: bool = True
    """Whether the answer is spoken as well."""


class AskRequest(AskWishes):
    """A question in words."""

    model_config = example(text="How long is the leave?", speak=False)

    text: str


OPENAPI: dict[str, Any] = {
    **sent({JSON: AskRequest, "audio/*": {"schema": BYTES}, "application/octet-stream": {"schema": BYTES}}),
    "parameters": [
        {"name": name, "in": "query", "schema": schema, "required": False}
        for name, schema in schema_of(AskWishes)["properties"].items()
    ],
}


async def asked_in(request: Request, limits: Limits, decoder: Decoder) -> Asked:
    """The question in a request. Raises RequestTooLarge, AudioUnsupported, RequestValidationError, HTTPException."""
    kind = content_type(request)
    if kind == "application/json":
        return _typed(await read(request, json_bytes(limits.question_characters)), _wishes(request))
    if kind.startswith("audio/") or kind == "application/octet-stream":
        wishes = _wishes(request)
        sound = await decoder.decode(
            await read(request, limits.audio_bytes), max_bytes=limits.audio_bytes, max_seconds=limits.audio_seconds
        )
        return Asked(sound=sound, **wishes.model_dump())
    # Others are what a web page may send without asking first, and so would be a hole.
    raise HTTPException(415, f"content type {kind!r} is not taken: send application/json, audio/* or octets")


def _typed(data: bytes, wishes: AskWishes) -> Asked:
    """The body counts before the query."""
    asked = as_json(data, AskRequest)
    wanted = wishes.model_dump() | asked.model_dump(exclude_unset=True)
    return Asked(**wanted | {"text": clean(asked.text)})


def _wishes(request: Request) -> AskWishes:
    given: dict[str, Any] = dict(request.query_params)
    if "knowledge" in given:
        given["knowledge"] = request.query_params.getlist("knowledge")
    try:
        return AskWishes.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error
