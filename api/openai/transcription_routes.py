"""Transcriptions and translations as OpenAI's clients ask for them; translates requests, and hears through the ears."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from agent.assistant import Assistant
from api.openai.answers import TranscriptEvent, Transcription, VerboseTranscription
from api.openai.audio_models import check_model
from api.openai.event_stream import MEDIA_TYPE, event, failed
from api.openai.language_names import language_code
from api.openai.transcript_formats import as_json, as_srt, as_text, as_verbose_json, as_vtt, deltas
from api.openai.transcription_request import OPENAPI, Wishes, transcription_in
from api.openapi import JSON, TEXT, Error, answers, events_of, refusals
from api.service import Service, Streamed
from configs.errors import EngineUnavailable
from models.audio import AudioChunk
from models.speech_to_text import Hearing, SpeechToText, Task, Transcript

SRT, VTT = "application/x-subrip", "text/vtt"
WINDOW = 30.0
"""Seconds that are heard at once; a longer recording is streamed utterance by utterance."""


class TranscriptionRoutes:
    """Recordings in, what was said out; a recording without speech gives an empty text."""

    def __init__(self, assistant: Assistant, service: Service, router: APIRouter) -> None:
        self._assistant = assistant
        self._service = service
        texts = {kind: {"schema": TEXT} for kind in ("text/plain", SRT, VTT)}
        events = {MEDIA_TYPE: events_of(TranscriptEvent | Error)}
        told = answers("What is said.", {JSON: VerboseTranscription | Transcription, **texts, **events})
        for path, route in (("/transcriptions", self.transcribed), ("/translations", self.translated)):
            router.post(path, openapi_extra=OPENAPI, responses=told | refusals(404))(route)

    async def transcribed(self, request: Request) -> Response:
        """What is said in a recording."""
        return await self._service.attend(request, partial(self._answer, request, "transcribe"))

    async def translated(self, request: Request) -> Response:
        """What is said in a recording, in English."""
        return await self._service.attend(request, partial(self._answer, request, "translate"))

    async def _answer(self, request: Request, task: Task, all_read: Callable[[], object]) -> Response:
        ears = self._assistant.ears
        if ears is None:
            raise EngineUnavailable("this assistant does not hear", "Start it with ears.")
        asked = await transcription_in(request, self._assistant.settings, self._assistant.decoder)
        wishes = asked.wishes
        check_model(wishes.model, "transcription", ears.name)
        hearing = _hearing(wishes, task, ears)
        if wishes.stream:
            recorded = self._assistant.recorded() if asked.sound.seconds > WINDOW else None
            parts = recorded.utterances(asked.sound, hearing) if recorded else _whole(ears, asked.sound, hearing)
            self._service.metrics.heard(asked.sound.seconds)
            return Streamed(self._service, partial(_events, parts), MEDIA_TYPE, failed=failed)
        all_read()
        async with self._service.turns.entered():
            heard = await ears.transcribe(asked.sound, hearing)
            self._service.metrics.heard(asked.sound.seconds)
            return _written(heard, wishes, task)


def _hearing(wishes: Wishes, task: Task, ears: SpeechToText) -> Hearing:
    # One language of several that may be spoken is the engine's to find.
    said = wishes.language or (wishes.languages[0] if len(wishes.languages) == 1 else None)
    hints = (wishes.prompt or "", *wishes.keywords)
    return Hearing(
        language=language_code(said, ears.languages),
        hotwords=tuple(hint.strip() for hint in hints if hint.strip()),
        task=task,
        word_times="word" in wishes.timestamp_granularities,
    )


def _written(transcript: Transcript, wishes: Wishes, task: Task) -> Response:
    match wishes.response_format:
        case "json":
            return JSONResponse(as_json(transcript))
        case "verbose_json":
            times = wishes.timestamp_granularities or ["segment"]
            told = as_verbose_json(transcript, task, segments="segment" in times, words="word" in times)
            return JSONResponse(told)
        case "text":
            return PlainTextResponse(as_text(transcript))
        case "srt":
            return PlainTextResponse(as_srt(transcript), media_type=SRT)
        case "vtt":
            return PlainTextResponse(as_vtt(transcript), media_type=VTT)


async def _events(parts: AsyncGenerator[Transcript, None]) -> AsyncGenerator[bytes, None]:
    """What is said in each part, and at the end all of it."""
    text = ""
    async with aclosing(parts) as transcripts:
        async for transcript in transcripts:
            for delta in deltas(transcript):
                piece = _gap(text, delta) + delta
                text += piece
                yield event({"type": "transcript.text.delta", "delta": piece})
    yield event({"type": "transcript.text.done", "text": text})


async def _whole(ears: SpeechToText, sound: AudioChunk, hearing: Hearing) -> AsyncGenerator[Transcript, None]:
    yield await ears.transcribe(sound, hearing)


def _gap(before: str, after: str) -> str:
    """A space between two pieces that have none, unless one of them is Chinese there."""
    touching = bool(before) and bool(after) and not before[-1].isspace() and not after[0].isspace()
    return " " if touching and max(before[-1], after[0]) < "\u2e80" else ""
