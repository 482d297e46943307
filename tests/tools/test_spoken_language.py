"""A speaker's language: when it is kept, when it is doubted, and when it is given up."""

import pytest

from models.speech_to_text import Segment, Transcript
from tools.spoken_language import SpokenLanguage


def heard(
    language: str, probability: float | None, seconds: float = 2.0, confidence: float | None = 0.9, text: str = "hello"
) -> Transcript:
    segments = (Segment(text, 0.3, 0.3 + seconds, confidence),) if text else ()
    return Transcript(text, language, seconds + 0.6, probability, segments)


@pytest.mark.parametrize(
    ("transcripts", "expected"),
    [
        ([], None),
        ([heard("zh", 0.95)], "zh"),
        ([heard("zh", 0.8, seconds=1.0)], "zh"),
        ([heard("zh", 0.79)], None),
        ([heard("zh", 0.95, seconds=0.9)], None),  # one word
        ([heard("zh", None)], None),  # given, or the only one
        ([heard("zh", 0.95, text="")], None),
        ([heard("zh", 0.95, seconds=0.5), heard("en", 0.9)], "en"),
        ([heard("zh", 0.95), heard("zh", None)], "zh"),
        ([heard("zh", 0.95), heard("en", 0.79)], "zh"),  # not sure enough
        ([heard("zh", 0.95), heard("en", 0.95)], "en"),
        ([heard("zh", 0.95), heard("en", 0.95, seconds=0.5)], None),  # sure, but too short to be kept
        ([heard("zh", 0.95), heard("zh", 0.95, seconds=0.5)], "zh"),
    ],
)
def test_a_language_is_kept_once_it_is_known(transcripts: list[Transcript], expected: str | None) -> None:
    language = SpokenLanguage()
    for transcript in transcripts:
        language.learn(transcript)
    assert language.expected == expected


def test_a_fixed_language_stays() -> None:
    language = SpokenLanguage("zh")
    language.learn(heard("en", 0.99))
    assert language.expected == "zh"
    assert not language.doubts(heard("zh", None, confidence=0.1))


@pytest.mark.parametrize(("confidence", "doubted"), [(0.49, True), (0.5, False), (0.9, False), (None, False)])
def test_what_was_badly_heard_may_be_of_another_language(confidence: float | None, doubted: bool) -> None:
    language = SpokenLanguage()
    assert not language.doubts(heard("zh", None, confidence=confidence))
    language.learn(heard("zh", 0.9))
    assert language.doubts(heard("zh", None, confidence=confidence)) is doubted


@pytest.mark.parametrize(
    ("again", "contradicted"),
    [
        (heard("en", 0.8), True),
        (heard("en", 0.79), False),
        (heard("zh", 0.99), False),
        (heard("en", 0.99, text=""), False),
    ],
)
def test_only_a_sure_other_language_contradicts(again: Transcript, contradicted: bool) -> None:
    language = SpokenLanguage()
    language.learn(heard("zh", 0.9))
    assert language.contradicts(again) is contradicted


def test_confidence_is_the_mean_by_length() -> None:
    segments = (Segment("abc", 0, 1, 0.8), Segment("d", 1, 2, 0.4), Segment("unknown", 2, 3))
    assert Transcript("abc d", "en", 3.0, segments=segments).confidence == pytest.approx(0.7)
    assert Transcript("", "en", 3.0).confidence is None
