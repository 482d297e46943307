"""Speech over HTTP as OpenAI's clients ask for it: what is served and who speaks; hears and speaks nothing itself."""

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter

from agent.assistant import Assistant
from api.openai.answers import AudioModelList, VoiceList
from api.openai.audio_models import MODELS
from api.openai.speech_routes import SpeechRoutes
from api.openai.transcription_routes import TranscriptionRoutes
from api.openai.voices import voices_of
from api.openapi import JSON, answers
from api.service import Service

OWNER = "tingshuo"


class AudioRoutes:
    """The routes below /v1/audio, over one assistant."""

    def __init__(self, assistant: Assistant, service: Service) -> None:
        self._assistant = assistant
        self.router = APIRouter(prefix="/v1/audio", tags=["audio"])
        self.router.get("/models", responses=answers("The names.", {JSON: AudioModelList}))(self.models)
        self.router.get("/voices", responses=answers("The voices.", {JSON: VoiceList}))(self.voices)
        TranscriptionRoutes(assistant, service, self.router)
        SpeechRoutes(assistant, service, self.router)

    async def models(self) -> dict[str, Any]:
        """The names that the ears and the mouth answer to, with the engine that serves each."""
        mouth, ears = self._assistant.mouth, self._assistant.ears
        served = [(name, mouth.name) for name in MODELS["speech"] if mouth]
        served += [(name, ears.name) for name in MODELS["transcription"] if ears]
        return _both(
            "models",
            [
                {"id": name, "name": f"{name} ({engine})", "object": "model", "created": 0, "owned_by": OWNER}
                for name, engine in served
            ],
        )

    async def voices(self) -> dict[str, Any]:
        """Who can speak."""
        mouth = self._assistant.mouth
        names = await run_sync(voices_of, mouth) if mouth else ()
        return _both("voices", [{"id": name, "name": name.capitalize(), "object": "voice"} for name in names])


def _both(key: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """In the two forms that clients read: under a name of its own, and as OpenAI's lists."""
    return {"object": "list", key: entries, "data": entries}
