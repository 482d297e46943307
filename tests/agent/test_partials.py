"""Partial transcripts: shown while somebody speaks, at exact times, and never in the way of the transcript itself."""

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.events import PartialTranscript, TranscriptReady, TurnEnded
from agent.session import Session
from configs import settings
from configs.errors import EngineFailed
from models.audio import AudioChunk, joined, silence
from models.decoding import decode
from models.engines.fake import FakeSpeechToText
from models.engines.faster_whisper import FasterWhisper
from models.engines.silero import Silero
from models.speech_gate import GatedSpeechToText
from models.speech_to_text import PLAINLY, Hearing, Transcript
from tests.agent.cast import (
    FRAME,
    MemoryHistory,
    ScriptedResponder,
    Seen,
    company,
    deltas,
    ears,
    listener,
    microphone,
)
from tests.conftest import Backend
from tools.speech_input import Listener, SpeechStarted

pytestmark = pytest.mark.anyio

SAID = "What is the capital of France?"
WHISPER = Path(__file__).parents[1] / "fixtures" / "tiny-whisper"


@pytest.fixture
def anyio_backend(trio_virtual: Backend) -> Backend:
    return trio_virtual


def session(hearing: FakeSpeechToText, *, partials: float = 0.8) -> Session:
    cast = company(ScriptedResponder(deltas("Paris.")), MemoryHistory(), ears=hearing)
    return Session(listener(), cast, conversation="c", user="u", partials=partials)


def partials(seen: Seen) -> list[PartialTranscript]:
    return [event for _, event in seen.of(PartialTranscript) if isinstance(event, PartialTranscript)]


async def test_what_was_said_so_far_grows_and_comes_before_the_transcript() -> None:
    seen = Seen()
    await session(ears(SAID, characters_a_second=10)).run(microphone((0.5, False), (3.0, True), (1.0, False)), seen)
    # Every 0.8 s of speech, with 0.2 s before it: 1.0, 1.8 and 2.6 seconds of ten characters.
    assert partials(seen) == [
        PartialTranscript("What is th", ""),
        PartialTranscript("What is the capita", "What is"),
        PartialTranscript("What is the capital of Fra", "What is the"),
        # At the first frame that ends more than 0.1 s into the pause.
        PartialTranscript(SAID, "What is the capital of"),
    ]
    began = seen.of(SpeechStarted)[0][0]
    times = [at - began for at, _ in seen.of(PartialTranscript)]
    # Speech was noticed after 0.1 s, and the first partial falls due 0.8 s after it really began.
    assert times == pytest.approx([0.7, 1.5, 2.3, 3.0], abs=3 * FRAME)
    kinds = [type(event) for _, event in seen.events]
    assert kinds.index(TranscriptReady) > max(i for i, kind in enumerate(kinds) if kind is PartialTranscript)
    assert [event.transcript.text for _, event in seen.of(TranscriptReady) if isinstance(event, TranscriptReady)] == [
        SAID
    ]


async def test_a_draft_that_is_still_being_made_does_not_delay_the_transcript() -> None:
    waits = []
    for every in (0.0, 0.8):
        seen = Seen()
        hearing = ears(SAID, delay=5.0, characters_a_second=10)
        # The draft of 0.8 s would take until 5.8 s; the end is noticed at 1.5 s.
        await session(hearing, partials=every).run(microphone((1.0, True), (9.0, False)), seen)
        assert partials(seen) == []
        waits.append(seen.of(TranscriptReady)[0][0])
    assert waits[0] == pytest.approx(waits[1], abs=1e-6)


async def test_one_draft_at_a_time() -> None:
    seen = Seen()
    hearing = ears(SAID, delay=1.0, characters_a_second=10)
    await session(hearing).run(microphone((4.0, True), (1.0, False)), seen)
    # Those of 0.8, 2.4 and 4.0 s; the ones between fall due while another is made, and the last comes too late.
    assert [event.text for event in partials(seen)] == ["What is", "What is the capital of F"]


async def test_another_utterance_begins_anew() -> None:
    seen = Seen()
    hearing = ears("One two three four.", "Alpha beta gamma.", characters_a_second=8)
    await session(hearing).run(microphone((2.0, True), (1.5, False), (2.0, True), (1.0, False)), seen)
    # 0.8 and 1.6 s of eight characters; the second utterance has 0.2 s before it.
    assert [(event.text, event.stable) for event in partials(seen)] == [
        ("One tw", ""), ("One two three", "One"), ("One two three fou", "One two three"),
        ("Alpha be", ""), ("Alpha beta gam", "Alpha"), ("Alpha beta gamma.", "Alpha beta"),
    ]  # fmt: skip


@pytest.mark.parametrize(("every", "characters"), [(0.0, 10.0), (0.8, 0.0)])
async def test_there_are_none_where_they_are_turned_off_or_the_ears_make_none(every: float, characters: float) -> None:
    seen = Seen()
    await session(ears(SAID, characters_a_second=characters), partials=every).run(
        microphone((3.0, True), (1.0, False)), seen
    )
    assert partials(seen) == []
    assert len(seen.of(TurnEnded)) == 1


async def test_what_was_said_is_looked_up_before_it_is_clear_that_it_is_all() -> None:
    seen, responder = Seen(), ScriptedResponder(deltas("Paris."))
    cast = company(responder, MemoryHistory(), ears=ears(SAID, characters_a_second=10))
    talk = Session(listener(), cast, conversation="c", user="u", partials=0.8)
    await talk.run(microphone((0.5, False), (3.0, True), (1.0, False)), seen)
    assert responder.ahead == [partial.text for partial in partials(seen)]
    assert responder.ahead[-1] == SAID
    shown = [at for at, event in seen.of(PartialTranscript) if isinstance(event, PartialTranscript)][-1]
    # 0.5 s of silence end an utterance here, and 0.1 s of it are enough to begin to look up.
    assert seen.of(TranscriptReady)[0][0] - shown > 0.3


class Failing(FakeSpeechToText):
    """Fails at drafts."""

    tried = 0

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        if hearing.draft:
            self.tried += 1
            raise EngineFailed("it is full", "Free some memory.")
        return await super().transcribe(sound, hearing)


async def test_a_draft_that_fails_is_told_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen()
    hearing = Failing(settings.FakeSpeechToText(transcripts=(SAID,), characters_a_second=10))
    with caplog.at_level(logging.WARNING):
        await session(hearing).run(microphone((3.0, True), (1.0, False)), seen)
    assert (hearing.tried, partials(seen), len(seen.of(TurnEnded))) == (1, [], 1)
    assert caplog.messages == ["no more partial transcripts: it is full (Free some memory.)"]


class TestWithWhisper:
    """The tiny Whisper for real, and the real detector; frames come as fast as they are taken."""

    @pytest.fixture
    def anyio_backend(self) -> Backend:
        return "asyncio", {}

    @pytest.fixture
    async def whisper(self) -> AsyncIterator[FasterWhisper]:
        engine = await FasterWhisper.open(settings.FasterWhisper(device="cpu"), WHISPER / "ct2")
        yield engine
        await engine.aclose()

    async def test_an_utterance_is_written_along_and_then_as_it_is(self, whisper: FasterWhisper) -> None:
        sentences: dict[str, str] = json.loads((WHISPER / "sentences.json").read_text(encoding="utf-8"))
        sound = await decode(WHISPER / "utt00_en.wav", max_bytes=10**6, max_seconds=10)
        await whisper.transcribe(sound)  # It tells how quick the model is.
        detector = await Silero.open()
        cast = company(ScriptedResponder(deltas("Fine.")), MemoryHistory())
        cast = replace(cast, ears=GatedSpeechToText(whisper, detector))
        seen = Seen()

        async def frames() -> AsyncGenerator[AudioChunk, None]:
            whole = joined([silence(0.5, 16_000), sound, silence(1.5, 16_000)], 16_000)
            for start in range(0, len(whole.pcm), 1024):
                yield AudioChunk(whole.pcm[start : start + 1024], 16_000)
                # Speech waits for each draft, however busy the machine is.
                await whisper._thread.call(int)

        await Session(
            Listener(detector, settings.Listening()),
            cast,
            conversation="c",
            user="u",
            partials=1.2,
        ).run(frames(), seen)
        # The model knows whole sentences alone: whatever it takes the beginning of one for, it writes one of them.
        assert {partial.text for partial in partials(seen)} <= {*sentences.values()}
        assert partials(seen)[-1].text == sentences["utt00_en"]
        (ready,) = [event for _, event in seen.of(TranscriptReady) if isinstance(event, TranscriptReady)]
        assert (ready.transcript.text, ready.transcript.language) == (sentences["utt00_en"], "en")
