"""The ears of one conversation: an engine that knows its language so far and its names; decodes nothing itself."""

from collections.abc import Sequence
from dataclasses import replace

from models.audio import AudioChunk
from models.speech_to_text import PLAINLY, Hearing, SpeechToText, Transcript
from tools.spoken_language import SpokenLanguage


class ConversationEars:
    """A SpeechToText around an engine that many conversations share."""

    def __init__(self, engine: SpeechToText, language: SpokenLanguage, hotwords: Sequence[str] = ()) -> None:
        self._engine = engine
        self._language = language
        self._hotwords = tuple(hotwords)
        self.name = engine.name
        self.languages = engine.languages

    @property
    def drafts(self) -> bool:
        """As the engine says."""
        return self._engine.drafts

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        """As the engine does, with the conversation's names, and in its language where none is given.

        What was badly heard in that language is heard again in whatever language it is; when that is surely another
        one, it counts.
        """
        asked = replace(
            hearing,
            language=hearing.language or self._language.expected,
            hotwords=(*hearing.hotwords, *self._hotwords),
        )
        transcript = await self._engine.transcribe(sound, asked)
        if hearing.language or hearing.draft:
            return transcript
        if self._language.doubts(transcript):
            again = await self._engine.transcribe(sound, replace(asked, language=None))
            if self._language.contradicts(again):
                transcript = again
        self._language.learn(transcript)
        return transcript

    async def aclose(self) -> None:
        """Leaves the engine open: it is not this conversation's own."""
