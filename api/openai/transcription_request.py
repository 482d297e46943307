"""A recording to be written down, as a form or as JSON; bounded and decoded here, heard elsewhere."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import IO, Annotated, Any, Literal

from anyio.to_thread import run_sync
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.guard.multipart import OVERHEAD, Form, FormReader
from api.guard.request_body import as_json, content_type, pieces, read
from api.guard.spool import Spool, spooled
from api.openapi import BYTES, JSON, schema_of, sent
from configs.errors import AudioUnsupported, RequestError, RequestTooLarge
from configs.settings import Limits, Settings
from models.audio import AudioChunk
from models.decoding import Decoder

Short = Annotated[str, Field(max_length=200)]
ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]


class Wishes(BaseModel):
    """How it is to be written down; what a client says beyond this is left aside."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, Field(min_length=1, max_length=200)]
    language: Short | None = None
    languages: Annotated[list[Short], Field(max_length=64)] = []
    prompt: Annotated[str, Field(max_length=8_000)] | None = None
    keywords: Annotated[list[Short], Field(max_length=64)] = []
    response_format: ResponseFormat = "json"
    temperature: Annotated[float, Field(ge=0, le=1)] = 0
    timestamp_granularities: Annotated[list[Literal["word", "segment"]], Field(max_length=8)] = []
    stream: bool = False


class _InputAudio(BaseModel):
    data: str
    format: str | None = None


class _InJson(Wishes):
    """The same, with the sound in it."""

    input_audio: _InputAudio


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """A recording, and how it is to be written down."""

    sound: AudioChunk
    wishes: Wishes


_FORM = schema_of(Wishes)
_FILE = {"properties": {**_FORM["properties"], "file": BYTES}, "required": ["file", "model"]}
OPENAPI: dict[str, Any] = sent({"multipart/form-data": {"schema": _FORM | _FILE}, JSON: _InJson})


async def transcription_in(request: Request, settings: Settings, decoder: Decoder) -> TranscriptionRequest:
    """The recording in a request.

    Raises RequestError, RequestTooLarge, RequestValidationError, HTTPException 415, DataFolderUnwritable.
    """
    kind, limits = content_type(request), settings.limits
    if kind == "multipart/form-data":
        async with spooled(settings.data) as spool:
            form = await _form(request, limits, spool)
            if form.file is None:
                raise RequestError("there is no file", "Send the recording as `file`.", "file")
            wishes = _wishes(form.fields)
            return TranscriptionRequest(await _sound(decoder, spool.file, limits, "file"), wishes)
    if kind == "application/json":
        # Four characters for three bytes.
        wishes = sent = as_json(await read(request, limits.audio_bytes // 3 * 4 + OVERHEAD), _InJson)
        data = _unpacked(sent.input_audio.data)
        return TranscriptionRequest(await _sound(decoder, data, limits, "input_audio"), wishes)
    raise HTTPException(415, f"content type {kind!r} is not taken: send multipart/form-data or application/json")


async def _form(request: Request, limits: Limits, spool: Spool) -> Form:
    header = request.headers["content-type"]
    reader = FormReader(header, file="file", file_bytes=limits.audio_bytes, take_file=spool.write)
    async with aclosing(pieces(request, limits.audio_bytes + OVERHEAD)) as body:
        async for piece in body:
            # It may wait for the disk.
            await run_sync(reader.push, piece)
    return reader.finish()


def _wishes(fields: Mapping[str, Sequence[str]]) -> Wishes:
    """From a form, where an empty field says nothing, and a list is a field for each of its members."""
    lists = {name for name, told in Wishes.model_fields.items() if told.default == []}
    given = {name: [value for value in values if value.strip()] for name, values in fields.items()}
    try:
        return Wishes.model_validate(
            {name: values if name in lists else values[-1] for name, values in given.items() if values}
        )
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error


def _unpacked(data: str) -> bytes:
    """Base64, also behind the head of a data URL."""
    _, comma, rest = data.partition(",") if data.startswith("data:") else ("", ",", data)
    try:
        return base64.b64decode(rest, validate=True) if comma else b""
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"the data is no base64: {error}", "Encode the file as base64.", "input_audio") from error


async def _sound(decoder: Decoder, data: bytes | IO[bytes], limits: Limits, param: str) -> AudioChunk:
    try:
        return await decoder.decode(data, max_bytes=limits.audio_bytes, max_seconds=limits.audio_seconds)
    except AudioUnsupported as error:
        # OpenAI's clients know 400 for this.
        raise RequestError(error.message, error.hint, param) from error
    except RequestTooLarge as error:
        raise RequestTooLarge(error.message, error.hint, param) from error
