"""Speech over HTTP as OpenAI's clients ask for it: what is served and who speaks; hears and speaks nothing itself."""

from fastapi import APIRouter

from agent.assistant import Assistant
from api.service import Service


class AudioRoutes:
    """The routes below /v1/audio, over one assistant."""

    def __init__(self, assistant: Assistant, service: Service) -> None:
        self.router = APIRouter(prefix="/v1/audio", tags=["audio"])
