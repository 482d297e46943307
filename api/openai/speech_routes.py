"""Speech as OpenAI's clients ask for it: translates requests, and speaks through the mouth while it sends."""

import base64
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import Response

from agent.assistant import Assistant
from api.metrics import Metrics
from api.openai.answers import SpeechEvent
from api.openai.audio_models import check_model
from api.openai.event_stream import MEDIA_TYPE, event, failed
from api.openai.speech_request import SpeechRequest, speech_in
from api.openai.voices import voice_for, voices_of
from api.openapi import BYTES, JSON, Error, answers, events_of, refusals, sent
from api.service import Service, Streamed
from configs.errors import EngineUnavailable
from configs.persona import Persona, Personas, persona_folders
from models.audio import AudioChunk, silence
from models.encoding import FORMATS, STREAM_RATE, Encoder, Tempo, open_encoder
from models.text_to_speech import TextToSpeech, Voice
from tools.clauses import ClauseSplitter
from tools.speech_output import Speaker
from tools.spoken_clauses import in_spoken_form
from tools.spoken_form import language_of
from tools.thoughts import ThoughtFilter

PACES = (0.5, 2.0)
"""What an engine can do itself."""
NOTHING = 0.1
"""Seconds of silence where there is nothing to say: some players take no file without sound."""


class SpeechRoutes:
    """Text in, sound out as it is made."""

    def __init__(self, assistant: Assistant, service: Service, router: APIRouter) -> None:
        self._assistant = assistant
        self._service = service
        self._personas = Personas(persona_folders(assistant.settings.data))
        sound = {form.media_type: {"schema": BYTES} for form in FORMATS.values()}
        told = answers("The sound, as it is made.", {**sound, MEDIA_TYPE: events_of(SpeechEvent | Error)})
        body, told = sent({JSON: SpeechRequest}), told | refusals(404)
        router.post("/speech", openapi_extra=body, response_class=Response, responses=told)(self.spoken)

    async def spoken(self, request: Request) -> Response:
        """A text as speech."""
        return await self._service.attend(request, partial(self._answer, request))

    async def _answer(self, request: Request, all_read: Callable[[], object]) -> Response:
        mouth = self._assistant.mouth
        if mouth is None:
            raise EngineUnavailable("this assistant does not speak", "Start it with a voice.")
        asked = await speech_in(request, self._assistant.settings.limits)
        check_model(asked.model, "speech", mouth.name)
        persona = await run_sync(self._personas.get, self._assistant.settings.persona)
        voice, warnings = voice_for(asked.voice_name, persona.voice, await run_sync(voices_of, mouth))
        text = _without_thoughts(asked.input)
        if not any(one.text.strip() for one in in_spoken_form(text, "auto", persona.language)):
            warnings.append("there is nothing to say in the input; it is answered with silence")
        speaker = _speaker(mouth, voice, persona, text, asked)
        making = partial(_encoded, speaker, text, asked, self._service.metrics)
        headers = {"warning": ", ".join(f'299 tingshuo "{warning}"' for warning in warnings)} if warnings else {}
        if asked.stream_format == "sse":
            return Streamed(self._service, partial(_events, making), MEDIA_TYPE, headers=headers, failed=failed)
        return Streamed(self._service, making, FORMATS[asked.response_format or "mp3"].media_type, headers=headers)


def _without_thoughts(text: str) -> str:
    thoughts = ThoughtFilter()
    return thoughts.push(text) + thoughts.flush()


def _speaker(mouth: TextToSpeech, voice: Voice, persona: Persona, text: str, asked: SpeechRequest) -> Speaker:
    slowest, fastest = PACES
    pace = voice.speed if asked.speed is None else min(max(asked.speed, slowest), fastest)
    language = persona.language if persona.language != "auto" else language_of(text, "en")
    return Speaker(mouth, replace(voice, speed=pace), language)


async def _encoded(speaker: Speaker, text: str, asked: SpeechRequest, metrics: Metrics) -> AsyncGenerator[bytes, None]:
    """The bytes of the sound, as they are made."""
    slowest, fastest = PACES
    speed = asked.speed or 1.0
    tempo = Tempo(speaker.format.rate, STREAM_RATE, speed / min(max(speed, slowest), fastest))
    encoder = open_encoder(FORMATS[asked.response_format or "mp3"])
    spoken = 0
    async with aclosing(_sound(speaker, text)) as sound:
        async for chunk in sound:
            spoken += chunk.samples
            metrics.spoken(chunk.seconds)
            if data := await run_sync(_pushed, encoder, tempo, chunk):
                yield data
    rest = await run_sync(tempo.finish) if spoken else silence(NOTHING, STREAM_RATE)
    if ending := await run_sync(_ended, encoder, rest):
        yield ending


async def _sound(speaker: Speaker, text: str) -> AsyncGenerator[AudioChunk, None]:
    """The speech of a text, clause by clause."""
    splitter = ClauseSplitter()
    for clause in (*splitter.push(text), *splitter.flush()):
        async with aclosing(speaker.speak(clause)) as chunks:
            async for chunk in chunks:
                if chunk.audio.samples:
                    yield chunk.audio


async def _events(making: Callable[[], AsyncGenerator[bytes, None]]) -> AsyncGenerator[bytes, None]:
    """The same bytes, as events."""
    async with aclosing(making()) as pieces:
        async for piece in pieces:
            yield event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode("ascii")})
    # Tokens are what OpenAI bills by; here there are none.
    usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    yield event({"type": "speech.audio.done", "usage": usage})


def _pushed(encoder: Encoder, tempo: Tempo, chunk: AudioChunk) -> bytes:
    return encoder.push(tempo.push(chunk))


def _ended(encoder: Encoder, rest: AudioChunk) -> bytes:
    return encoder.push(rest) + encoder.finish()
