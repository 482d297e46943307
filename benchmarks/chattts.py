"""How soon ChatTTS speaks and how fast, on random weights of the full size: what they hold changes no time."""

import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.figures import Figure, spread
from configs import settings
from models.engines.chattts import ChatTts
from models.engines.chattts_text import RATE, STEP
from models.text_to_speech import Voice

TEXT = "今天天气很好，我们去公园散步吧。"
STEPS = 188
"""Four seconds, what the text takes when read aloud."""


async def measure(folder: Path) -> list[Figure]:
    """Time to load, to the first sound, and for a second of speech."""
    import torch

    from tests.chattts.tiny import make_weights

    weights = make_weights(folder / "weights", _full_size)
    began = time.perf_counter()
    engine = await ChatTts.open(
        settings.ChatTts(), weights.folder, folder / "speakers", hashes=weights.hashes, config=weights.config
    )
    loaded = time.perf_counter() - began
    rounds = 5 if torch.cuda.is_available() else 1
    async with aclosing(engine):
        times = [await _spoken(engine) for _ in range(rounds)]
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    factor = sum(whole for _, whole in times) / rounds / (STEPS * STEP / RATE)
    first = [soon * 1000 for soon, _ in times]
    return [
        Figure("ChatTTS: load and warm up", f"{loaded:.1f} s", "", f"1.1 GB of random weights, {where}"),
        Figure("ChatTTS: first sound", spread(first), "< 500 ms", f"{rounds} clauses of 4 s, {where}"),
        Figure("ChatTTS: real-time factor", f"{factor:.2f}", "< 0.6", "below 0.67 nothing stalls after it began"),
    ]


def _full_size(words: int) -> Any:  # noqa: ANN401
    from ChatTTS.config import Config

    return Config()


async def _spoken(engine: ChatTts) -> tuple[float, float]:
    """Seconds to the first chunk and to the last."""
    began = time.perf_counter()
    first = 0.0
    with _of_length(STEPS):
        async with aclosing(engine.synthesize(TEXT, language="zh", voice=Voice())) as speech:
            async for _ in speech:
                first = first or time.perf_counter() - began
    return first, time.perf_counter() - began


@contextmanager
def _of_length(steps: int) -> Iterator[None]:
    """Has every sound end after so many steps."""
    import torch

    from tests.chattts.tiny import Dice

    with patch.object(torch, "multinomial", Dice(lambda draw: draw == steps)):
        yield
