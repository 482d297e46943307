"""The mouth's front: clauses in, sound that knows what it says out; chooses no engine and tries nothing twice."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from models.audio import AudioChunk, AudioFormat
from models.text_to_speech import TextToSpeech, Voice
from tools.clauses import Clause
from tools.spoken_form import language_of, spoken_form


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A piece of the sound of a clause."""

    audio: AudioChunk
    """Empty where it only marks the clause's end."""
    clause: Clause
    spoken: str
    """What the engine was given for the whole clause."""
    language: str
    first: bool
    """Whether the clause begins here."""
    last: bool
    """Whether the clause ends here."""


class Speaker:
    """Speaks the clauses of one reply."""

    def __init__(self, engine: TextToSpeech, voice: Voice, language: str) -> None:
        """`language`: that of the reply, for clauses that show none of their own."""
        self._engine = engine
        self._voice = voice
        self._language = language

    @property
    def format(self) -> AudioFormat:
        """What all its sound is made of."""
        return self._engine.format

    async def speak(self, clause: Clause) -> AsyncGenerator[SpeechChunk, None]:
        """The sound of a clause as it is made, then an empty chunk that marks its end; close with `aclosing`.

        A clause with nothing to say is that mark alone. Raises what the engine raises.
        """
        language = language_of(clause.display, self._language) if clause.kind == "prose" else self._language
        spoken = spoken_form(clause, language)
        first = True
        if spoken.strip():
            async with aclosing(self._engine.synthesize(spoken, language=language, voice=self._voice)) as sound:
                async for audio in sound:
                    yield SpeechChunk(audio, clause, spoken, language, first=first, last=False)
                    first = False
        end = AudioChunk(b"", self.format.rate)
        yield SpeechChunk(end, clause, spoken, language, first=first, last=True)
