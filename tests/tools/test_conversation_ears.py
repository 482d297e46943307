"""One conversation's ears: what the engine is asked for, utterance by utterance."""

from collections.abc import Sequence

import pytest

from models.audio import AudioChunk, silence
from models.speech_to_text import PLAINLY, Hearing, Segment, Transcript
from tools.conversation_ears import ConversationEars
from tools.spoken_language import SpokenLanguage

pytestmark = pytest.mark.anyio

SOUND = silence(2.0, 16_000)


class Recorder:
    """Gives its transcripts in turn and writes down how it was to hear."""

    name = "recorder"
    languages = ("en", "zh")
    drafts = True

    def __init__(self, *transcripts: Transcript) -> None:
        self._transcripts = iter(transcripts)
        self.asked: list[Hearing] = []
        self.closed = False

    async def transcribe(self, sound: AudioChunk, hearing: Hearing = PLAINLY) -> Transcript:
        self.asked.append(hearing)
        return next(self._transcripts)

    async def aclose(self) -> None:
        self.closed = True


def said(text: str, language: str, probability: float | None = None, confidence: float = 0.9) -> Transcript:
    return Transcript(text, language, 2.0, probability, (Segment(text, 0.3, 1.7, confidence),))


def languages(asked: Sequence[Hearing]) -> list[str | None]:
    return [hearing.language for hearing in asked]


async def test_the_language_is_found_out_once() -> None:
    engine = Recorder(said("你好", "zh", 0.97), said("再见", "zh"))
    ears = ConversationEars(engine, SpokenLanguage(), ("Tingshuo", "听说"))
    heard = [(await ears.transcribe(SOUND)).text for _ in range(2)]
    assert heard == ["你好", "再见"]
    assert languages(engine.asked) == [None, "zh"]
    assert {hearing.hotwords for hearing in engine.asked} == {("Tingshuo", "听说")}


async def test_a_badly_heard_utterance_is_heard_again_and_the_speaker_may_have_changed_language() -> None:
    engine = Recorder(
        said("你好", "zh", 0.97),
        said("乱码", "zh", confidence=0.2),
        said("What time is it?", "en", 0.95),
        said("ok", "en"),
    )
    ears = ConversationEars(engine, SpokenLanguage())
    heard = [(await ears.transcribe(SOUND)).text for _ in range(3)]
    assert heard == ["你好", "What time is it?", "ok"]
    assert languages(engine.asked) == [None, "zh", None, "en"]


async def test_what_was_mumbled_in_the_same_language_stays_as_it_was_heard() -> None:
    engine = Recorder(
        said("你好", "zh", 0.97), said("嗯", "zh", confidence=0.2), said("恩", "zh", 0.9), said("好", "zh")
    )
    ears = ConversationEars(engine, SpokenLanguage())
    assert [(await ears.transcribe(SOUND)).text for _ in range(3)] == ["你好", "嗯", "好"]
    assert languages(engine.asked) == [None, "zh", None, "zh"]


async def test_a_language_that_is_asked_for_is_the_one() -> None:
    engine = Recorder(said("你好", "zh", 0.97), said("hm", "en", confidence=0.1))
    ears = ConversationEars(engine, SpokenLanguage())
    await ears.transcribe(SOUND)
    assert (await ears.transcribe(SOUND, Hearing("en", ("Bob",), "translate", word_times=True))).text == "hm"
    assert engine.asked[1] == Hearing("en", ("Bob",), "translate", word_times=True)


async def test_a_draft_is_made_in_the_language_so_far_and_teaches_nothing() -> None:
    engine = Recorder(said("hel", "en", 0.99), said("你好", "zh", 0.97), said("hm", "zh", confidence=0.1))
    ears = ConversationEars(engine, SpokenLanguage())
    await ears.transcribe(SOUND, Hearing(draft=True))
    await ears.transcribe(SOUND)
    await ears.transcribe(SOUND, Hearing(draft=True))
    assert languages(engine.asked) == [None, None, "zh"]
    assert [hearing.draft for hearing in engine.asked] == [True, False, True]


async def test_it_stands_for_its_engine_and_leaves_it_open() -> None:
    engine = Recorder()
    ears = ConversationEars(engine, SpokenLanguage("zh"))
    assert (ears.name, ears.languages, ears.drafts) == ("recorder", ("en", "zh"), True)
    await ears.aclose()
    assert not engine.closed
