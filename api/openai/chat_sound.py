"""The sound of a spoken completion: whose voice, and in which format; what is said, it does not know."""

from anyio.to_thread import run_sync

from agent.assistant import Assistant
from api.openai.chat_request import Audio, ChatRequest
from api.openai.voices import voice_for, voices_of
from configs.errors import EngineUnavailable
from models.audio import AudioChunk
from models.encoding import FORMATS, STREAM_RATE, Tempo, open_encoder
from models.text_to_speech import TextToSpeech, Voice
from tools.speech_output import Speaker


class ChatSound:
    """Speaks for one completion."""

    def __init__(self, mouth: TextToSpeech, voice: Voice, form: str) -> None:
        self._mouth = mouth
        self._voice = voice
        self._fitted = Tempo(mouth.format.rate, STREAM_RATE, 1)
        self._encoder = open_encoder(FORMATS["pcm" if form == "pcm16" else form])

    def speaker(self, language: str) -> Speaker:
        """Who speaks in that language."""
        return Speaker(self._mouth, self._voice, language)

    async def push(self, chunk: AudioChunk) -> bytes:
        """The bytes that are ready with this chunk."""
        return await run_sync(lambda: self._encoder.push(self._fitted.push(chunk)))

    async def finish(self) -> bytes:
        """The rest."""
        return await run_sync(lambda: self._encoder.push(self._fitted.finish()) + self._encoder.finish())


async def chat_sound(assistant: Assistant, asked: ChatRequest) -> ChatSound:
    """The sound that was asked for; a voice that is not there is the persona's own. Raises EngineUnavailable."""
    mouth = assistant.mouth
    if mouth is None:
        raise EngineUnavailable("this assistant does not speak", "Start it with a voice.")
    wanted = asked.audio or Audio()
    name = wanted.voice if isinstance(wanted.voice, str) else wanted.voice.id
    persona = await run_sync(assistant.personas.get, asked.model)
    voice, _ = voice_for(name, persona.voice, await run_sync(voices_of, mouth))
    return ChatSound(mouth, voice, wanted.format)
