"""A Whisper of a real one's shape with random weights: takes the time that a real one takes, and hears nothing."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

MELS, POSITIONS, LONGEST = 80, 1500, 448
"""Bands of a sound, the encoder's places for half a minute, and the decoder's for what is written."""
NEVER: Final = -100.0
"""Added to the score of a token that is to be written only where nothing else may be."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a Whisper is; as OpenAI's model card gives it."""

    layers: int
    """Of the encoder, and of the decoder."""
    width: int
    heads: int


BASE: Final = Shape(6, 512, 8)
SMALL: Final = Shape(12, 768, 12)


def build(shape: Shape, tokenizer: Path, folder: Path) -> Path:
    """Writes such a model with the tokenizer, vocabulary and languages of the CTranslate2 model in `tokenizer`.

    It never ends a text by itself, and writes no time but the first, so that every sound is decoded for equally long:
    for as many tokens as its user allows. Blocking.
    """
    from ctranslate2.specs import WhisperSpec

    vocabulary = json.loads((tokenizer / "vocabulary.json").read_text(encoding="utf-8"))
    spec = WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    spec.register_vocabulary(vocabulary)
    for name, member in json.loads((tokenizer / "config.json").read_bytes()).items():
        setattr(spec.config, name, member)
    weights = _Weights(shape.width)
    weights.fill_encoder(spec.encoder)
    weights.fill_decoder(spec.decoder, len(vocabulary))
    _never(spec.decoder.projection.bias, vocabulary)
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir(parents=True)
    spec.save(str(folder))
    for name in ("tokenizer.json", "preprocessor_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    return folder


def _never(scores: "np.ndarray[Any, np.dtype[np.float32]]", vocabulary: list[str]) -> None:
    scores[vocabulary.index("<|endoftext|>")] = NEVER
    scores[vocabulary.index("<|notimestamps|>") + 1 :] = NEVER  # the times, of which every text begins with one


class _Weights:
    """Random ones, small enough that nothing overflows."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._random = np.random.default_rng(0)

    def fill_encoder(self, spec: Any) -> None:  # noqa: ANN401
        spec.conv1.weight, spec.conv1.bias = self._some(self._width, MELS, 3), self._zeros(self._width)
        spec.conv2.weight, spec.conv2.bias = self._some(self._width, self._width, 3), self._zeros(self._width)
        spec.position_encodings.encodings = self._some(POSITIONS, self._width)
        self._norm(spec.layer_norm)
        for layer in spec.layer:
            self._attention(layer.self_attention, (3, 1))
            self._feed_forward(layer.ffn)

    def fill_decoder(self, spec: Any, tokens: int) -> None:  # noqa: ANN401
        spec.embeddings.weight = self._some(tokens, self._width)
        spec.position_encodings.encodings = self._some(LONGEST, self._width)
        self._norm(spec.layer_norm)
        self._linear(spec.projection, self._width, tokens)
        for layer in spec.layer:
            self._attention(layer.self_attention, (3, 1))
            self._attention(layer.attention, (1, 2, 1))
            self._feed_forward(layer.ffn)

    def _attention(self, spec: Any, sizes: tuple[int, ...]) -> None:  # noqa: ANN401
        """`sizes` are those of its projections, in widths: queries, keys and values may stand in one."""
        self._norm(spec.layer_norm)
        for linear, size in zip(spec.linear, sizes, strict=True):
            self._linear(linear, self._width, size * self._width)

    def _feed_forward(self, spec: Any) -> None:  # noqa: ANN401
        self._norm(spec.layer_norm)
        self._linear(spec.linear_0, self._width, 4 * self._width)
        self._linear(spec.linear_1, 4 * self._width, self._width)

    def _linear(self, spec: Any, inward: int, outward: int) -> None:  # noqa: ANN401
        spec.weight, spec.bias = self._some(outward, inward), self._zeros(outward)

    def _norm(self, spec: Any) -> None:  # noqa: ANN401
        spec.gamma, spec.beta = np.ones(self._width, np.float32), self._zeros(self._width)

    def _some(self, *shape: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
        return self._random.standard_normal(shape, np.float32) / np.float32(np.sqrt(np.prod(shape[1:])))

    def _zeros(self, size: int) -> "np.ndarray[Any, np.dtype[np.float32]]":
        return np.zeros(size, np.float32)
