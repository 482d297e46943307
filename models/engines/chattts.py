"""ChatTTS: a lively voice for Chinese and English on a GPU; from weights on this machine, never the network."""

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from configs import settings
from configs.errors import EngineFailed
from models.audio import AudioChunk, AudioFormat, Floats, from_floats
from models.engines.chattts_loading import load_chat
from models.engines.chattts_speakers import Speakers
from models.engines.chattts_text import RATE, is_too_long, lost, sayable
from models.text_to_speech import Voice
from models.worker import EngineThread

if TYPE_CHECKING:
    from models.engines.chattts_model import ChatTtsModel

logger = logging.getLogger(__name__)


class ChatTts:
    """A TextToSpeech that streams: the first quarter of a second comes after 24 of the model's 47 steps a second.

    A voice's name is a speaker in a file, its speed one of ten paces; ChatTTS has no pitch. Pauses (`break`)
    follow the punctuation: alone, they are placed there at no cost. Where to laugh or to say "um" (`laugh`, `oral`)
    is for ChatTTS to choose, in a rewriting before each clause, about a second on a small GPU; one that changes other
    words is logged and not spoken.
    """

    name = "chattts"
    languages = ("zh", "en")
    format = AudioFormat(RATE)

    def __init__(self, thread: EngineThread, model: "ChatTtsModel", speakers: Speakers) -> None:
        self._thread = thread
        self._model = model
        self._speakers = speakers
        self._closed = False

    @classmethod
    async def open(
        cls,
        wanted: settings.ChatTts,
        folder: Path,
        speakers: Path,
        *,
        hashes: Mapping[str, str] | None = None,
        config: object | None = None,
    ) -> "ChatTts":
        """The engine on the weights in that folder, warm; the voices are kept in the folder `speakers`.

        `hashes` and `config` describe other weights than the released ones. Raises EngineNotInstalled, ModelNotFound,
        EngineUnavailable, EngineFailed or DataFolderUnwritable.
        """
        thread = EngineThread("chattts")
        try:
            model, voices = await thread.call(partial(_load, wanted, folder, speakers, hashes, config))
        except BaseException:
            await thread.aclose()
            raise
        return cls(thread, model, voices)

    @property
    def voices(self) -> tuple[str, ...]:
        """The named speakers, and those that a user has put beside them; blocking."""
        return tuple(sorted(self._speakers.names(), key=lambda name: (name != "default", name)))

    async def synthesize(self, text: str, *, language: str, voice: Voice) -> AsyncGenerator[AudioChunk, None]:
        """Speaks one clause, chunk by chunk; both languages may be mixed.

        Raises EngineFailed, also when three attempts end at once or the clause would take over 43 seconds, and
        RequestError for an unknown voice.
        """
        spoken = sayable(text)
        if left_out := lost(text):
            logger.warning("ChatTTS has no way to say %r", left_out)
        if not spoken:
            return
        if is_too_long(spoken, voice.speed):
            raise EngineFailed(f"{len(spoken)} characters are too long for one clause", "Cut the text into sentences.")
        start = partial(self._start, spoken, voice)
        async with aclosing(self._thread.iterate(start, self._model.interrupt)) as pieces:
            async for piece in pieces:
                yield from_floats(piece, RATE)

    async def aclose(self) -> None:
        """Frees the model's memory."""
        if not self._closed:
            self._closed = True
            await self._thread.call(self._model.free)
            await self._thread.aclose()

    def _start(self, text: str, voice: Voice) -> Iterator[Floats]:
        return self._model.speak(text, self._speakers.vector(voice.name), voice)


def _load(
    wanted: settings.ChatTts, folder: Path, speakers: Path, hashes: Mapping[str, str] | None, config: object | None
) -> "tuple[ChatTtsModel, Speakers]":
    chat = load_chat(wanted.device, folder, hashes, config)
    # Only now, since it imports what may not be installed.
    from models.engines.chattts_model import ChatTtsModel

    model = ChatTtsModel(chat, wanted.temperature, wanted.look_ahead)
    voices = Speakers(speakers, *model.speakers)
    model.warm_up(voices.vector("default"))
    return model, voices
