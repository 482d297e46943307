"""Hashed n-grams as embeddings: lexical, deterministic, without weights; knows nothing of meaning."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import anyio.to_thread
import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings

from configs.settings import HashedEmbedding

Hashes = npt.NDArray[np.uint64]
"""One hash for each feature, shape (features,)."""

SEPARATOR, HAN, WORD = 0, 1, 2
"""What a character is: between words, of a script written without spaces, or of a word."""

HAN_RANGES: Final = (
    (0x3040, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3134F),
)

SIZES: Final = {HAN: {1: 0.3, 2: 1.0, 3: 0.7, 4: 0.5}, WORD: {3: 0.2, 4: 0.3}}
"""What an n-gram weighs, by the kind of its characters and its length."""

LONGEST: Final = 4
"""Characters in the longest n-gram."""

WORD_WEIGHT: Final = 1.0
SHORT_WORD_WEIGHT: Final = 0.2
"""For words of up to three letters, most of which carry grammar."""

BATCH: Final = 64
"""Texts that are hashed together: enough to amortise NumPy, few enough to stay in the cache."""


class HashedEmbeddings(Embeddings):
    """Unit vectors from character n-grams (1 to 4 of Chinese; whole words and 3 to 4 letters elsewhere).

    A text without a letter or digit has the zero vector, which is like nothing. The same text has the same vector in
    every process and on every machine.
    """

    model = "hashed-ngrams-1"
    """Changes whenever the vectors do."""

    def __init__(self, dimensions: int = 1024) -> None:
        self.dimensions = dimensions

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, `dimensions` long; blocking, about 0.2 ms a passage."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), BATCH):
            vectors += _vectors(texts[start : start + BATCH], self.dimensions).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The same vector as that of a document."""
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """As `embed_documents`, in a thread."""
        return await anyio.to_thread.run_sync(self.embed_documents, texts)

    async def aembed_query(self, text: str) -> list[float]:
        """As `embed_query`; too short a job for a thread."""
        return self.embed_query(text)


def open_embeddings(settings: HashedEmbedding) -> HashedEmbeddings:
    """The embeddings that these settings describe."""
    return HashedEmbeddings(settings.dimensions)


def _vectors(texts: Sequence[str], dimensions: int) -> npt.NDArray[np.float64]:
    """Unit vectors, shape (texts, dimensions)."""
    prepared = [unicodedata.normalize("NFKC", text).casefold() for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in prepared])
    characters = np.frombuffer("".join(f"{text}\0" for text in prepared).encode("utf-32-le", "replace"), dtype="<u4")
    hashes, weights, places = _features(characters)
    hashes, weights, owners = _dampened(hashes, weights, rows[places])
    signs = np.where(hashes >> np.uint64(63), 1.0, -1.0)
    slots = owners * dimensions + (hashes % np.uint64(dimensions)).astype(np.int64)
    flat = np.bincount(slots, weights * signs, minlength=len(texts) * dimensions)
    vectors = flat.reshape(len(texts), dimensions).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: npt.NDArray[np.float64] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit


def _features(characters: npt.NDArray[np.uint32]) -> tuple[Hashes, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """All n-grams and words: hash, weight and place of the first character, each of shape (features,)."""
    present, inverse = np.unique(characters, return_inverse=True)
    kinds = np.array([_kind(int(code)) for code in present], dtype=np.int8)[inverse]
    count, codes = len(characters), np.pad(characters.astype(np.uint64), (0, LONGEST))
    hashes, weights, places = [], [], []
    for kind, sizes in SIZES.items():
        inside = np.pad(kinds == kind, (0, LONGEST))
        rolling, whole = np.zeros(count, dtype=np.uint64), np.ones(count, dtype=bool)
        for step in range(LONGEST):
            whole &= inside[step : step + count]
            rolling += codes[step : step + count] * _multiplier(step)
            if weight := sizes.get(step + 1):
                at = np.flatnonzero(whole)
                hashes.append(_mixed(rolling[at], salt=step + 1))
                weights.append(np.full(len(at), weight))
                places.append(at)
    starts, lengths, words = _words(codes[:count], kinds == WORD)
    return (
        np.concatenate([*hashes, words]),
        np.concatenate([*weights, np.where(lengths > 3, WORD_WEIGHT, SHORT_WORD_WEIGHT)]),
        np.concatenate([*places, starts]),
    )


def _words(codes: Hashes, inside: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Hashes]:
    """Start, length and hash of each run of word characters."""
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return starts, starts, np.zeros(0, dtype=np.uint64)
    at = np.flatnonzero(inside)
    lengths = ends - starts
    within = at - np.repeat(starts, lengths)
    terms = codes[at] * _multiplier(within)
    sums = np.add.reduceat(terms, np.cumsum(lengths) - lengths)
    return starts, lengths, _mixed(sums, salt=0)


def _dampened(
    hashes: Hashes, weights: npt.NDArray[np.float64], owners: npt.NDArray[np.int64]
) -> tuple[Hashes, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Each feature of a text once; what stands there n times weighs 1 + ln n times as much."""
    order = np.lexsort((hashes, owners))
    hashes, weights, owners = hashes[order], weights[order], owners[order]
    new = np.ones(len(hashes), dtype=bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    first = np.flatnonzero(new)
    counts = np.diff(first, append=len(hashes))
    return hashes[first], weights[first] * (1 + np.log(counts)), owners[first]


def _multiplier(place: int | npt.NDArray[np.int64]) -> Hashes:
    """An odd 64-bit number for each place in an n-gram or a word."""
    return _mixed(np.atleast_1d(np.asarray(place)).astype(np.uint64), salt=64) | np.uint64(1)


def _mixed(values: Hashes, salt: int) -> Hashes:
    """SplitMix64's finaliser: every bit of the input moves every bit of the output."""
    mixed = values + np.uint64((salt + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@lru_cache(maxsize=65536)
def _kind(code: int) -> int:
    """Letters, digits, marks and symbols such as emoji make words; the rest separates them."""
    if any(first <= code <= last for first, last in HAN_RANGES):
        return HAN
    return WORD if unicodedata.category(chr(code)) in _WORD_CATEGORIES else SEPARATOR


_WORD_CATEGORIES: Final = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "So"}
