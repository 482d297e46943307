"""A text to be spoken, as OpenAI's clients send it; refuses what cannot be spoken, and speaks nothing."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.guard.request_body import as_json, content_type, json_bytes, read
from api.openapi import example
from api.question import clean
from configs.errors import RequestError, RequestTooLarge
from configs.settings import Limits

SoundName = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
VoiceName = Annotated[str, Field(max_length=200)]


class _VoiceId(BaseModel):
    id: VoiceName


class SpeechRequest(BaseModel):
    """A text, and how it is to be spoken; what a client says beyond this is left aside, instructions among it."""

    model_config = ConfigDict(
        extra="ignore", use_attribute_docstrings=True, **example(model="tts-1", input="Everyone gets 25 days of leave.")
    )

    model: Annotated[str, Field(min_length=1, max_length=200)]
    input: str
    voice: VoiceName | _VoiceId | None = None
    response_format: SoundName | None = None
    """When nothing is said, mp3."""
    speed: Annotated[float, Field(ge=0.25, le=4)] | None = None
    """1 is the voice's own pace."""
    stream_format: Literal["audio", "sse"] | None = None
    """When nothing is said, audio."""

    @property
    def voice_name(self) -> str:
        """The name that is asked for, or ""."""
        return self.voice.id if isinstance(self.voice, _VoiceId) else self.voice or ""


async def speech_in(request: Request, limits: Limits) -> SpeechRequest:
    """The request in a body. Raises RequestError, RequestTooLarge, RequestValidationError, HTTPException 415."""
    kind = content_type(request)
    if kind != "application/json":
        # A web page may send others without asking first.
        raise HTTPException(415, f"content type {kind!r} is not taken: send application/json")
    most = limits.speech_request_characters
    asked = as_json(await read(request, json_bytes(most)), SpeechRequest)
    if len(asked.input) > most:
        raise RequestTooLarge(
            f"the input has {len(asked.input)} characters; the limit is {most}", "Speak it in parts.", "input"
        )
    if not asked.input.strip():
        raise RequestError("the input is empty", "Give it a word or a number.", "input")
    return asked.model_copy(update={"input": clean(asked.input)})
