"""Which language a speaker is heard in: found out once, kept while it fits; a policy that hears nothing itself."""

from typing import Final

from models.speech_to_text import Transcript

SURE: Final = 0.8
"""The probability from which a detected language counts."""
LONG_ENOUGH: Final = 1.0
"""Seconds of speech from which it is kept for what follows; a single word sounds like many languages."""
DOUBTFUL: Final = 0.5
"""The confidence below which a transcript in the kept language may be of another one."""


class SpokenLanguage:
    """One speaker's language."""

    def __init__(self, fixed: str | None = None) -> None:
        """`fixed`: the language that it is, whatever is heard; None to find out."""
        self._fixed = fixed
        self._kept: str | None = None

    @property
    def expected(self) -> str | None:
        """What to hear the next sound in; None to find out."""
        return self._fixed or self._kept

    def doubts(self, transcript: Transcript) -> bool:
        """Whether a transcript in the kept language was heard so badly that it may be of another language."""
        confidence = transcript.confidence
        return self._fixed is None and self._kept is not None and confidence is not None and confidence < DOUBTFUL

    def contradicts(self, transcript: Transcript) -> bool:
        """Whether a transcript whose language was found out is surely of another than the kept one."""
        return _is_sure(transcript) and transcript.language != self._kept

    def learn(self, transcript: Transcript) -> None:
        """Takes note of a transcript; one whose language was given teaches nothing."""
        if not _is_sure(transcript):
            return
        if sum(segment.end - segment.start for segment in transcript.segments) >= LONG_ENOUGH:
            self._kept = transcript.language
        elif transcript.language != self._kept:
            self._kept = None


def _is_sure(transcript: Transcript) -> bool:
    return bool(transcript.text) and (transcript.language_probability or 0.0) >= SURE
