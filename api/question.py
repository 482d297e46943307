"""The question as a person gives it: words, a recording, or standard input; decides which, and decodes nothing."""

import os
import sys
from pathlib import Path

from configs.errors import RequestError, RequestTooLarge

AUDIO_SUFFIXES = (".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".webm")


def question_of(argument: str, most: int) -> str | Path:
    """The text, or the path of the recording; "-" reads a text of at most `most` characters from standard input.

    Raises RequestError for a recording that is not there, and for bytes that are no text.
    """
    if argument == "-":
        return piped(most, "the question")
    path = os.path.expanduser(argument)
    if os.path.exists(path) and not os.path.isdir(path):
        return Path(path)
    if argument.lower().endswith(AUDIO_SUFFIXES):
        raise RequestError(f"no such file: {argument!r}", "Correct the path, or ask in words.")
    return clean(argument)


def clean(text: str) -> str:
    """The text without halves of characters, which have no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def piped(most: int, called: str) -> str:
    """At most `most` characters from standard input. Raises RequestError for what is no text, RequestTooLarge."""
    # No character of UTF-8 has more bytes than 4.
    data = sys.stdin.buffer.read(4 * most + 1)
    if len(data) > 4 * most:
        raise RequestTooLarge(f"{called} has more than {most} characters", "Shorten it, or give a part of it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(
            "standard input is not UTF-8 text", "Give a recording by its path; `-` reads a question in words."
        ) from error
