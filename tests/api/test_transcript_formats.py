"""A transcript in each form, by the words of the standards: subtitles that no text can break, and Whisper's figures."""

import math
import zlib

import pytest

from api.openai.language_names import LANGUAGE_NAMES, language_code
from api.openai.transcript_formats import as_json, as_srt, as_text, as_verbose_json, as_vtt, deltas
from configs.errors import RequestError
from models.speech_to_text import Segment, Transcript, Word

WORDS = (Word("Good", 0.04, 0.6, 0.9), Word("morning.", 0.6, 1.5, 1))
TWO = Transcript(
    "Good morning. See you!",
    "en",
    3725.5,
    segments=(
        Segment("Good morning.", 0.04, 1.5, math.exp(-0.25), WORDS),
        Segment("See you!", 3661.0, 3725.4994),
    ),
)
EMPTY = Transcript("", "zh", 1.0, gate="no speech")
ODD = Transcript("x", "en", 1.0, segments=(Segment("a --> b\n\n1\n<i>&", 0, 1),))


def test_subrip_numbers_its_cues_and_has_a_comma_in_its_times() -> None:
    assert as_srt(TWO) == (
        "1\n00:00:00,040 --> 00:00:01,500\nGood morning.\n\n2\n01:01:01,000 --> 01:02:05,499\nSee you!\n\n"
    )
    assert as_srt(EMPTY) == ""


def test_webvtt_begins_with_its_name_and_has_a_point_in_its_times() -> None:
    assert as_vtt(TWO) == (
        "WEBVTT\n\n00:00:00.040 --> 00:00:01.500\nGood morning.\n\n01:01:01.000 --> 01:02:05.499\nSee you!\n\n"
    )
    assert as_vtt(EMPTY) == "WEBVTT\n\n"


def test_no_text_breaks_out_of_its_cue() -> None:
    assert as_srt(ODD).count("-->") == as_vtt(ODD).count("-->") == 1
    assert as_srt(ODD).count("\n\n") == 1
    assert as_vtt(ODD).endswith("\na --&gt; b 1 &lt;i&gt;&amp;\n\n")


def test_a_rounded_second_does_not_become_sixty() -> None:
    assert "00:01:00,000 -->" in as_srt(Transcript("x", "en", 61, segments=(Segment("x", 59.9996, 61),)))


def test_texts() -> None:
    assert as_text(TWO) == "Good morning. See you!\n"
    assert as_json(TWO) == {"text": "Good morning. See you!", "usage": {"type": "duration", "seconds": 3726}}
    assert as_json(EMPTY)["text"] == ""


def test_everything_in_json() -> None:
    told = as_verbose_json(TWO, "transcribe", segments=True, words=True)
    assert (told["task"], told["language"], told["duration"]) == ("transcribe", "english", 3725.5)
    first, second = told["segments"]
    assert (first["id"], first["start"], first["end"], first["text"]) == (0, 0.04, 1.5, "Good morning.")
    assert first["avg_logprob"] == pytest.approx(-0.25)
    assert first["compression_ratio"] == 13 / len(zlib.compress(b"Good morning."))
    assert second["id"] == 1
    # In hundredths of a second.
    assert second["seek"] == 366_100
    assert told["words"] == [
        {"word": "Good", "start": 0.04, "end": 0.6},
        {"word": "morning.", "start": 0.6, "end": 1.5},
    ]


def test_only_what_was_asked_for() -> None:
    assert "words" not in as_verbose_json(TWO, "transcribe", segments=True, words=False)
    assert "segments" not in as_verbose_json(TWO, "transcribe", segments=False, words=True)
    assert as_verbose_json(EMPTY, "transcribe", segments=True, words=True)["segments"] == []


def test_a_translation_is_english() -> None:
    assert as_verbose_json(EMPTY, "translate", segments=False, words=False)["language"] == "english"


@pytest.mark.parametrize("transcript", [TWO, EMPTY, ODD])
def test_deltas_are_the_text(transcript: Transcript) -> None:
    assert "".join(deltas(transcript)) == transcript.text


def test_a_delta_for_each_segment() -> None:
    assert list(deltas(TWO)) == ["Good morning.", " See you!"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, None), ("", None), (" ", None), ("auto", None), ("AUTO", None), ("en", "en"), ("EN", "en"),
        ("en-GB", "en"), ("zh_CN", "zh"), ("zh-Hant-TW", "zh"), ("chinese", "zh"), ("Mandarin", "zh"),
        ("english", "en"), ("Cantonese", "yue"), ("iw", "he"),
    ],
)  # fmt: skip
def test_languages_by_any_name(given: str | None, code: str | None) -> None:
    assert language_code(given, ("en", "zh", "yue", "he")) == code


@pytest.mark.parametrize("given", ["tlh", "de", "x" * 500, "en,zh"])
def test_a_language_that_is_not_heard(given: str) -> None:
    with pytest.raises(RequestError) as refused:
        language_code(given, ("en", "zh"))
    assert refused.value.param == "language"
    assert len(refused.value.message) < 100


def test_whispers_languages_all_have_a_name() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert set(LANGUAGE_NAMES) == set(_LANGUAGE_CODES)
    assert len(set(LANGUAGE_NAMES.values())) == len(LANGUAGE_NAMES)
