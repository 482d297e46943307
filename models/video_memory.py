"""How a GPU's memory is best divided between the engines: arithmetic over published sizes; asks no machine."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

GB: Final = 1e9
LONG: Final = 8192
"""Tokens of context."""
SHARE: Final = 0.92
"""Of a card's memory; the rest is the desktop's, and lost between blocks."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What each engine takes of a GPU, in bytes: qwen3:8b, Whisper, ChatTTS, qwen3-embedding:0.6b."""

    language_model: float = 5.2 * GB
    """The weights, in Q4_K_M."""
    buffers: float = 0.8 * GB
    """What Ollama computes in; twice that for more context than LONG."""
    token: float = 2 * 36 * 8 * 128 * 2
    """The cache of one token of context: keys and values of 36 layers, 8 heads, 128 dimensions, float16."""
    whisper: dict[str, float] = field(default_factory=lambda: {"float16": 2.3 * GB, "int8_float16": 1.5 * GB})
    """large-v3-turbo, by compute type."""
    chattts: float = 3.0 * GB
    embeddings: float = 1.0 * GB
    context: float = 0.4 * GB
    """What CUDA takes for each process."""


@dataclass(frozen=True, slots=True)
class Division:
    """Who gets room on the GPU."""

    num_ctx: int
    cache: Literal["f16", "q8_0"]
    """Ollama's OLLAMA_KV_CACHE_TYPE."""
    whisper: Literal["float16", "int8_float16", "cpu"]
    """Its compute type; on a CPU it is the size `small`."""
    chattts: bool
    embeddings: bool

    def needs(self, needs: Needs) -> float:
        """Bytes that it takes."""
        cache = needs.token * self.num_ctx * (1.0 if self.cache == "f16" else 0.5)
        ours = needs.whisper.get(self.whisper, 0.0) + (needs.chattts if self.chattts else 0.0)
        embeddings = needs.embeddings if self.embeddings else 0.0
        processes = 1 + self.embeddings + (ours > 0)
        buffers = needs.buffers * (2 if self.num_ctx > LONG else 1)
        return needs.language_model + buffers + cache + ours + embeddings + processes * needs.context

    def settings(self) -> dict[str, Any]:
        """What to set for it, as `assistant.yaml` has it."""
        hearing = {"model": "small", "device": "cpu", "compute_type": "int8"}
        if self.whisper != "cpu":
            hearing = {"model": "large-v3-turbo", "device": "cuda", "compute_type": self.whisper}
        return {
            "chat": {"ollama": {"num_ctx": self.num_ctx}},
            "embeddings": {"engine": "ollama" if self.embeddings else "hashed"},
            "speech_to_text": {"faster_whisper": hearing},
            "text_to_speech": {"engine": "chattts" if self.chattts else "espeak-ng"},
        }

    def variables(self) -> dict[str, str]:
        """What `ollama serve` is to be started with."""
        return {"OLLAMA_FLASH_ATTENTION": "1", "OLLAMA_KV_CACHE_TYPE": self.cache}


DIVISIONS: Final[Sequence[Division]] = (
    Division(32_768, "f16", "float16", chattts=True, embeddings=True),
    Division(16_384, "f16", "float16", chattts=True, embeddings=True),
    Division(8192, "q8_0", "int8_float16", chattts=True, embeddings=True),
    Division(8192, "q8_0", "cpu", chattts=True, embeddings=True),
    Division(8192, "q8_0", "int8_float16", chattts=False, embeddings=True),
    Division(8192, "q8_0", "cpu", chattts=False, embeddings=True),
    # A model that does not fit beside the other would push it out at every question.
    Division(8192, "q8_0", "cpu", chattts=False, embeddings=False),
    Division(4096, "q8_0", "cpu", chattts=False, embeddings=False),
)
"""Best first."""


def divide(total: float, needs: Needs | None = None) -> Division | None:
    """The best division that a card of so many bytes holds; None where not even the language model fits."""
    needs = needs or Needs()
    return next((division for division in DIVISIONS if division.needs(needs) <= SHARE * total), None)
