"""A question over HTTP: JSON, or a recording with its wishes in the query; bounded in bytes before it is understood."""

from codecs import BOM_UTF8
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.answer import Asked
from api.question import clean
from configs.errors import RequestTooLarge
from configs.settings import Limits
from models.decoding import decode

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

    text: str


OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": AskRequest.model_json_schema()},
            "audio/*": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""What FastAPI cannot tell of a body that is read by hand."""


async def asked_in(request: Request, limits: Limits) -> Asked:
    """The question in a request. Raises RequestTooLarge, AudioUnsupported, RequestValidationError, HTTPException."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise HTTPException(415, f"content encoding {encoding!r} is not taken: send the body as it is")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _typed(await _body(request, _json_bytes(limits)))
    if kind.startswith("audio/") or kind == "application/octet-stream":
        wishes = _wishes(request)
        sound = await decode(
            await _body(request, limits.audio_bytes), max_bytes=limits.audio_bytes, max_seconds=limits.audio_seconds
        )
        return Asked(sound=sound, **wishes.model_dump())
    # Others are what a web page may send without asking first, and so would be a hole.
    raise HTTPException(415, f"content type {kind!r} is not taken: send application/json, audio/* or octets")


def _typed(data: bytes) -> Asked:
    try:
        asked = AskRequest.model_validate_json(data.removeprefix(BOM_UTF8))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error
    return Asked(**{**asked.model_dump(), "text": clean(asked.text)})


def _wishes(request: Request) -> AskWishes:
    given: dict[str, Any] = dict(request.query_params)
    if "knowledge" in given:
        given["knowledge"] = request.query_params.getlist("knowledge")
    try:
        return AskWishes.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error


async def _body(request: Request, most: int) -> bytes:
    """What is sent, as long as it is within the limit; what the sender says of its length is not believed."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise RequestTooLarge(f"the body is larger than {most} bytes", "Send less at once.")
    return bytes(data)


def _json_bytes(limits: Limits) -> int:
    """No JSON of a question that is short enough is longer: a character has at most 12 bytes, as two escapes."""
    return 12 * limits.question_characters + 100_000
