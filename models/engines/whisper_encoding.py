"""What Whisper makes of a sound before it writes: encoded once, although it is asked for twice; writes nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.audio import Floats

Encode = Callable[[Floats], Any]


class OneEncoding:
    """Stands before a model's encoder and remembers its last answer.

    faster-whisper encodes a sound to find its language, and then the very same again to write it down. Encoding is
    most of the work for a short sound.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._last: tuple[Floats, Any] | None = None

    def __call__(self, features: Floats) -> Any:  # noqa: ANN401
        """The encoder's output for these features, shape (mel bands, frames)."""
        if self._last is None or not np.array_equal(self._last[0], features):
            self._last = None
            self._last = (features, self._encode(features))
        return self._last[1]

    def forget(self) -> None:
        """Frees what is remembered."""
        self._last = None


def detect_language(model: Any, samples: Floats) -> tuple[str, float]:  # noqa: ANN401
    """The language that the first half minute is in, and how probable it is; 16 kHz.

    It encodes exactly what writing will encode, where the library's own detection takes one frame more.
    """
    from faster_whisper.audio import pad_or_trim

    features = model.feature_extractor(samples)
    frames = min(model.feature_extractor.nb_max_frames, features.shape[-1] - 1)
    (found,) = model.model.detect_language(model.encode(pad_or_trim(features[..., :frames])))
    token, probability = found[0]
    return token.strip("<|>"), float(probability)
