"""Scripted engines for every slot, with exact times: the whole product without weights, servers or hardware."""

import itertools
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Any

import anyio
import numpy as np
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from configs import settings
from models.audio import AudioChunk, AudioFormat, Floats, from_floats
from models.speech_to_text import PLAINLY, Hearing, Segment, Transcript
from models.text_to_speech import Voice

LOUD = 0.01
"""The root mean square from which a frame counts as speech."""


class FakeSpeechToText:
    """Gives its transcripts in turn; an empty or silent sound holds no speech.

    A draft is the beginning of the transcript whose turn it is, as much as was said at the script's pace.
    """

    name = "fake"
    languages = ("en", "zh")

    def __init__(self, script: settings.FakeSpeechToText) -> None:
        self._script = script
        self._transcripts = itertools.cycle(script.transcripts)
        self._next = next(self._transcripts)
        self._owner = anyio.Lock()

    @property
    def drafts(self) -> bool:
        """Whether it is free, and its script has a pace."""
        return self._script.characters_a_second > 0 and not self._owner.locked()

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        """The next transcript of the script, after its delay."""
        async with self._owner:
            await anyio.sleep(self._script.delay)
        if not _is_loud(sound.floats()):
            return Transcript("", hearing.language or "en", sound.seconds, gate="no speech")
        text = self._next
        if hearing.draft:
            text = text[: round(sound.seconds * self._script.characters_a_second)]
        else:
            self._next = next(self._transcripts)
        language = hearing.language or ("zh" if re.search(r"[\u4e00-\u9fff]", text) else "en")
        return Transcript(text, language, sound.seconds, segments=(Segment(text, 0.0, sound.seconds),))

    async def aclose(self) -> None:
        """There is nothing to free."""


class FakeTextToSpeech:
    """Speaks a tone as long as the text, in chunks of at most 0.2 s."""

    name = "fake"
    languages = ("en", "zh")
    format = AudioFormat(24_000)

    def __init__(self, script: settings.FakeTextToSpeech) -> None:
        self._script = script
        self._owner = anyio.Lock()

    async def synthesize(self, text: str, *, language: str, voice: Voice) -> AsyncGenerator[AudioChunk, None]:
        """The tone, after the script's wait; nothing for a blank text."""
        spoken = len(text.strip())
        if not spoken:
            return
        async with self._owner:
            await anyio.sleep(self._script.first_chunk)
            total = round(spoken * self._script.character_seconds / voice.speed * self.format.rate)
            for start in range(0, total, self.format.rate // 5):
                times = np.arange(start, min(start + self.format.rate // 5, total)) / self.format.rate
                yield from_floats((0.2 * np.sin(2 * np.pi * 220 * voice.pitch * times)).astype(np.float32), 24_000)

    async def aclose(self) -> None:
        """There is nothing to free."""


class FakeVoiceActivity:
    """Any loud frame is speech."""

    name = "fake"
    frame_samples = 512

    def open_stream(self) -> "FakeVoiceActivity":
        """Itself: it keeps no state."""
        return self

    def probability(self, frame: Floats) -> float:
        """1 for a loud frame, 0 for a quiet one."""
        return 1.0 if _is_loud(frame) else 0.0

    def probabilities(self, frames: Floats) -> Floats:
        """The same for each of several frames."""
        return np.array([self.probability(frame) for frame in frames], np.float32)

    def reset(self) -> None:
        """There is no state."""


class FakeChat(BaseChatModel):
    """Streams the replies of its script in turn, token by token, at exact times."""

    script: settings.FakeChat = settings.FakeChat()
    _replies: Iterator[str] = PrivateAttr()

    def model_post_init(self, context: object, /) -> None:
        """Starts the script from its beginning."""
        super().model_post_init(context)
        self._replies = itertools.cycle(self.script.replies)

    @property
    def _llm_type(self) -> str:
        return "fake"

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> "FakeChat":  # noqa: ANN401
        """It never calls a tool."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: object,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=next(self._replies)))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **options: object,
    ) -> AsyncIterator[ChatGenerationChunk]:
        wait = self.script.first_token
        for token in tokens(next(self._replies), self.script.token_characters):
            await anyio.sleep(wait)
            wait = self.script.token
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=token))
            if run_manager:
                await run_manager.on_llm_new_token(token, chunk=chunk)
            yield chunk


def tokens(text: str, characters: int) -> list[str]:
    """A text as a model would stream it: English by the word, Chinese by so many characters."""
    return re.findall(rf"[\u3000-\u9fff\uff00-\uffef]{{1,{characters}}}|[^\s\u3000-\u9fff\uff00-\uffef]+\s*|\s+", text)


def _is_loud(samples: Floats) -> bool:
    return bool(samples.size) and float(np.sqrt(np.mean(samples**2))) > LOUD
