"""What our own way to Whisper costs beside the bare library, on the same sounds in one run, and what drafts cost."""

import copy
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread

from benchmarks import random_whisper
from benchmarks.figures import Figure, spread
from configs import settings
from models.audio import AudioChunk
from models.decoding import decode
from models.engines.fake import FakeSpeechToText
from models.engines.faster_whisper import FasterWhisper
from models.engines.silero import Silero
from models.engines.whisper_loading import load
from models.speech_gate import GatedSpeechToText
from models.speech_to_text import Hearing, SpeechToText
from models.worker import EngineThread

FIXTURE = Path(__file__).parents[1] / "tests" / "fixtures" / "tiny-whisper"
ROUNDS = 20
CPU = settings.FasterWhisper(device="cpu", temperature=(0.0,))
"""With one temperature, so that no sound is decoded a second time because of how it was heard."""


@dataclass(frozen=True, slots=True)
class Call:
    """How the two are called."""

    given: bool
    """Whether the language is told."""
    gated: bool = False
    """Whether the library looks for speech first, too, as our way always does."""


CALLS = {
    "language found out": Call(given=False),
    "language found out, with its own gate": Call(given=False, gated=True),
    "language given": Call(given=True),
    "language given, with its own gate": Call(given=True, gated=True),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """A model, and how much is measured with it."""

    model: str
    folder: Path
    sounds: dict[str, AudioChunk]
    calls: Sequence[str] = tuple(CALLS)
    rounds: int = ROUNDS
    longest: int = 448
    """Tokens of a text and of what comes before it; CTranslate2 lets a text have half of them."""


async def measure(folder: Path) -> list[Figure]:
    """Gate, thread and engine against the library's own call, with the language found out and given; a draft."""
    sounds = {path.stem: await decode(path, max_bytes=10**6, max_seconds=30) for path in sorted(FIXTURE.glob("*.wav"))}
    tiny = FIXTURE / "ct2"
    base = await anyio.to_thread.run_sync(random_whisper.build, random_whisper.BASE, tiny, folder / "base")
    some = {name: sounds[name] for name in ("utt00_en", "utt12_zh")}
    plainly = [name for name, call in CALLS.items() if not call.gated]
    figures = await _trial(Trial("tiny model", tiny, sounds))
    figures += await _trial(Trial("random weights in base's shape, 20 tokens", base, some, plainly, 4, 2 * 20))
    async with aclosing(await FasterWhisper.open(CPU, tiny)) as engine:
        ears = GatedSpeechToText(engine, await Silero.open())
        return [
            *figures,
            Figure("the gate alone", await _gate(sounds), "", "Silero over a whole utterance"),
            Figure("one draft", await _timed(ears, sounds, draft=True), "< 800 ms", "one beam; one each 0.8 s"),
        ]


async def _trial(trial: Trial) -> list[Figure]:
    """Ours and the library on one loaded model: two would take the processor's cache and threads from each other."""
    model = await anyio.to_thread.run_sync(load, CPU, trial.folder)
    model.max_length = trial.longest
    bare = copy.copy(model)
    del bare.encode  # ours, which remembers; the library's own is then in its place
    where = f"{trial.model}, on the CPU; {len(trial.sounds)} utterances, best of {trial.rounds} rounds in turn"
    beside = "hearing beside the bare library"
    async with aclosing(FasterWhisper(EngineThread("faster-whisper"), model, CPU)) as engine:
        ears = GatedSpeechToText(engine, await Silero.open())
        return [
            Figure(f"{beside}, {what}", await _beside(ears, bare, trial, CALLS[what]), "< +5 %", where)
            for what in trial.calls
        ]


async def _beside(ears: SpeechToText, bare: Any, trial: Trial, call: Call) -> str:  # noqa: ANN401
    """How much longer ours takes for all utterances; of each pair, one comes first in one round, the other in the next.

    One round before the first is not counted.
    """
    ours, theirs = dict.fromkeys(trial.sounds, math.inf), dict.fromkeys(trial.sounds, math.inf)
    for turn in range(trial.rounds + 1):
        for name, sound in trial.sounds.items():
            language = name[-2:] if call.given else None
            pair: list[tuple[dict[str, float], Callable[[], Awaitable[object]]]] = [
                (ours, partial(ears.transcribe, sound, Hearing(language))),
                (theirs, partial(anyio.to_thread.run_sync, _library, bare, sound, language, call.gated)),
            ]
            for best, hear in pair if turn % 2 else reversed(pair):
                began = time.perf_counter()
                await hear()
                if turn:
                    best[name] = min(best[name], time.perf_counter() - began)
    mine, its = (sum(times.values()) * 1000 / len(times) for times in (ours, theirs))
    return f"{(mine / its - 1) * 100:+.1f} % ({mine:.1f} ms, bare {its:.1f} ms)"


def _library(bare: Any, sound: AudioChunk, language: str | None, gated: bool) -> list[Any]:  # noqa: ANN401
    segments, _ = bare.transcribe(
        sound.floats(),
        language=language,
        beam_size=CPU.beam_size,
        temperature=list(CPU.temperature),
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
