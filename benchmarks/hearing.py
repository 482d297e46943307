"""What our own way to Whisper costs beside the bare library, on the same sounds in one run, and what drafts cost."""

import math
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread

from benchmarks.figures import Figure, spread
from configs import settings
from models.audio import AudioChunk
from models.decoding import decode
from models.engines.fake import FakeSpeechToText
from models.engines.faster_whisper import FasterWhisper
from models.engines.silero import Silero
from models.speech_gate import GatedSpeechToText
from models.speech_to_text import Hearing, SpeechToText

FIXTURE = Path(__file__).parents[1] / "tests" / "fixtures" / "tiny-whisper"
ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Call:
    """How the two are called."""

    given: bool
    """Whether the language is told."""
    gated: bool
    """Whether the library looks for speech first, too, as our way always does."""


CALLS = {
    "language found out": Call(given=False, gated=False),
    "language found out, with its own gate": Call(given=False, gated=True),
    "language given": Call(given=True, gated=False),
    "language given, with its own gate": Call(given=True, gated=True),
}


async def measure(folder: Path) -> list[Figure]:
    """Gate, thread and engine against the library's own call, with the language found out and given; a draft."""
    from faster_whisper import WhisperModel

    sounds = {path.stem: await decode(path, max_bytes=10**6, max_seconds=30) for path in sorted(FIXTURE.glob("*.wav"))}
    wanted = settings.FasterWhisper(device="cpu")
    bare = WhisperModel(str(FIXTURE / "ct2"), device="cpu", compute_type="int8", local_files_only=True)
    async with aclosing(await FasterWhisper.open(wanted, FIXTURE / "ct2")) as engine:
        ears = GatedSpeechToText(engine, await Silero.open())
        where = f"tiny model on the CPU, {len(sounds)} utterances, best of {ROUNDS} rounds in turn"
        figures = [
            Figure(f"hearing beside the bare library, {what}", await _beside(ears, bare, sounds, call), "< +5 %", where)
            for what, call in CALLS.items()
        ]
        return [
            *figures,
            Figure("the gate alone", await _gate(sounds), "", "Silero over a whole utterance"),
            Figure("one draft", await _timed(ears, sounds, draft=True), "< 800 ms", "one beam; one each 0.8 s"),
        ]


async def _beside(ears: SpeechToText, bare: Any, sounds: dict[str, AudioChunk], call: "Call") -> str:  # noqa: ANN401
    """How much longer ours takes for all utterances; each pair is measured one after the other."""
    ours, theirs = dict.fromkeys(sounds, math.inf), dict.fromkeys(sounds, math.inf)
    for _ in range(ROUNDS):
        for name, sound in sounds.items():
            language = name[-2:] if call.given else None
            began = time.perf_counter()
            await ears.transcribe(sound, Hearing(language))
            between = time.perf_counter()
            await anyio.to_thread.run_sync(_library, bare, sound, language, call.gated)
            ended = time.perf_counter()
            ours[name] = min(ours[name], between - began)
            theirs[name] = min(theirs[name], ended - between)
    mine, its = (sum(times.values()) * 1000 / len(sounds) for times in (ours, theirs))
    return f"{(mine / its - 1) * 100:+.0f} % ({mine:.1f} ms, bare {its:.1f} ms)"


def _library(bare: Any, sound: AudioChunk, language: str | None, gated: bool) -> list[Any]:  # noqa: ANN401
    segments, _ = bare.transcribe(
        sound.floats(),
        language=language,
        beam_size=5,
        temperature=[0.0, 0.2],
        condition_on_previous_text=False,
        vad_filter=gated,
    )
    return list(segments)


async def _gate(sounds: dict[str, AudioChunk]) -> str:
    return await _timed(GatedSpeechToText(FakeSpeechToText(settings.FakeSpeechToText()), await Silero.open()), sounds)


async def _timed(ears: SpeechToText, sounds: dict[str, AudioChunk], *, draft: bool = False) -> str:
    times = []
    for _ in range(ROUNDS):
        for name, sound in sounds.items():
            began = time.perf_counter()
            await ears.transcribe(sound, Hearing(name[-2:], draft=draft))
            times.append((time.perf_counter() - began) * 1000)
    return spread(times)
