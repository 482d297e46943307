"""Clauses as sound: what the engine is given, in which language; every clause has a beginning and an end."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
from anyio.lowlevel import checkpoint

from configs.errors import EngineFailed
from models.audio import AudioChunk, AudioFormat, silence
from models.text_to_speech import Voice
from tests.conftest import Backend
from tools import speech_output
from tools.clauses import Clause
from tools.speech_output import Speaker, SpeechChunk

pytestmark = pytest.mark.anyio
FORMAT = AudioFormat(8_000)
VOICE = Voice("someone", speed=1.2)


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest, trio_virtual: Backend) -> Backend:
    return trio_virtual if request.param == "trio" else ("asyncio", {})


@dataclass
class Engine:
    """Speaks 10 ms a character, in chunks of 30 ms, and notes what it was given."""

    name: str = "scripted"
    languages: tuple[str, ...] = ("en", "zh")
    format: AudioFormat = FORMAT
    given: list[tuple[str, str, Voice]] = field(default_factory=list)
    closed: int = 0

    async def synthesize(self, text: str, *, language: str, voice: Voice) -> AsyncGenerator[AudioChunk, None]:
        self.given.append((text, language, voice))
        try:
            for start in range(0, len(text), 3):
                await checkpoint()
                if text[start] == "!":
                    raise EngineFailed("it broke")
                yield silence(0.01 * len(text[start : start + 3]), 8_000)
        finally:
            self.closed += 1

    async def aclose(self) -> None:
        """There is nothing to free."""


async def spoken(engine: Engine, clause: Clause, language: str = "en") -> list[SpeechChunk]:
    async with aclosing(Speaker(engine, VOICE, language).speak(clause)) as chunks:
        return [chunk async for chunk in chunks]


async def test_a_clause_is_spoken_chunk_by_chunk_and_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_output, "spoken_form", lambda clause, language: f"{language}:four")
    engine, clause = Engine(), Clause("4", 7, 8)
    chunks = await spoken(engine, clause)
    assert engine.given == [("en:four", "en", VOICE)]
    assert [chunk.audio.samples for chunk in chunks] == [240, 240, 80, 0]
    assert [(chunk.first, chunk.last) for chunk in chunks] == [
        (True, False), (False, False), (False, False), (False, True),
    ]  # fmt: skip
    assert {(chunk.clause, chunk.spoken, chunk.language, chunk.audio.rate) for chunk in chunks} == {
        (clause, "en:four", "en", 8_000)
    }


@pytest.mark.parametrize(
    ("display", "kind", "language"),
    [
        ("好的。", "prose", "zh"),
        ("Sure.", "prose", "en"),
        ("42。", "prose", "en"),
        ("好的", "code", "en"),
        ("|好|", "table", "en"),
    ],
)
async def test_prose_has_a_language_of_its_own(
    monkeypatch: pytest.MonkeyPatch, display: str, kind: str, language: str
) -> None:
    monkeypatch.setattr(speech_output, "spoken_form", lambda clause, language: language)
    engine = Engine()
    await spoken(engine, Clause(display, 0, len(display), kind))  # type: ignore[arg-type]
    assert [(text, chosen) for text, chosen, _ in engine.given] == [(language, language)]


@pytest.mark.parametrize("nothing", ["", " "])
async def test_a_clause_with_nothing_to_say_is_one_empty_chunk(monkeypatch: pytest.MonkeyPatch, nothing: str) -> None:
    monkeypatch.setattr(speech_output, "spoken_form", lambda clause, language: nothing)
    engine, clause = Engine(), Clause("😀", 0, 1)
    assert await spoken(engine, clause) == [
        SpeechChunk(AudioChunk(b"", 8_000), clause, nothing, "en", first=True, last=True)
    ]
    assert engine.given == []


async def test_leaving_early_closes_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_output, "spoken_form", lambda clause, language: clause.display)
    engine = Engine()
    async with aclosing(Speaker(engine, VOICE, "en").speak(Clause("a long clause", 0, 13))) as chunks:
        assert (await anext(chunks)).first
        assert engine.closed == 0
    assert engine.closed == 1


async def test_what_the_engine_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_output, "spoken_form", lambda clause, language: clause.display)
    engine = Engine()
    with pytest.raises(EngineFailed):
        await spoken(engine, Clause("abc!", 0, 4))
    assert engine.closed == 1


async def test_the_engine_is_given_what_can_be_said() -> None:
    engine = Engine()
    await spoken(engine, Clause("**价格**是3.5元😀。", 0, 13), "en")
    (text, language, _), *rest = engine.given
    assert not rest
    assert language == "zh"
    assert "价格" in text
    assert not set(text) & set("*0123456789😀")
