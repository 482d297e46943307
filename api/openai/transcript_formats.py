"""A transcript in the forms that OpenAI's clients ask for: JSON, plain text, subtitles; hears nothing."""

import math
import zlib
from collections.abc import Iterator
from typing import Any

from api.openai.language_names import language_name
from models.speech_to_text import Segment, Task, Transcript


def as_json(transcript: Transcript) -> dict[str, Any]:
    """The text alone, and how much was heard."""
    return {"text": transcript.text, "usage": _usage(transcript)}


def as_text(transcript: Transcript) -> str:
    """The text on a line."""
    return transcript.text + "\n"


def as_verbose_json(transcript: Transcript, task: Task, *, segments: bool, words: bool) -> dict[str, Any]:
    """Everything that is known, with the times that are asked for."""
    told: dict[str, Any] = {
        "task": task,
        "language": language_name("en" if task == "translate" else transcript.language),
        "duration": transcript.seconds,
        "text": transcript.text,
        "usage": _usage(transcript),
    }
    if segments:
        told["segments"] = [_segment(number, segment) for number, segment in enumerate(transcript.segments)]
    if words:
        told["words"] = [
            {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
            for segment in transcript.segments
            for word in segment.words
        ]
    return told


def as_srt(transcript: Transcript) -> str:
    """SubRip; an arrow in the text would be read as a time, so it becomes another arrow."""
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_line(cue.text).replace('-->', '→')}\n\n"
        for number, cue in enumerate(transcript.segments, 1)
    )


def as_vtt(transcript: Transcript) -> str:
    """WebVTT, its own signs escaped."""
    cues = "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(_line(cue.text))}\n\n"
        for cue in transcript.segments
    )
    return f"WEBVTT\n\n{cues}"


def deltas(transcript: Transcript) -> Iterator[str]:
    """The text in the pieces of its segments, with what stands between them; one after the other they are the text."""
    at, text = 0, transcript.text
    for segment in transcript.segments[:-1]:
        found = text.find(segment.text, at)
        if found >= 0:
            end = found + len(segment.text)
            yield text[at:end]
            at = end
    if text[at:]:
        yield text[at:]


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """As Whisper tells of a segment; what our engines keep to themselves is as for a segment that was heard well."""
    encoded = segment.text.encode()
    return {
        "id": number,
        "seek": round(100 * segment.start),
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": math.log(segment.confidence) if segment.confidence else 0.0,
        "compression_ratio": len(encoded) / len(zlib.compress(encoded)),
        "no_speech_prob": 0.0,
    }


def _usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(transcript.seconds)}


def _clock(seconds: float, point: str) -> str:
    """Hours, minutes, seconds and milliseconds."""
    minutes, thousandths = divmod(round(1000 * seconds), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{thousandths // 1000:02}{point}{thousandths % 1000:03}"


def _line(text: str) -> str:
    """On one line: an empty one would end the cue."""
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
