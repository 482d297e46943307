"""The question as a person gives it, and the names that go with it; decides what they are, and decodes no sound."""

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from configs.errors import RequestError, RequestTooLarge

NAME_CHARACTERS = 200
"""The most characters of a name or an id."""

AUDIO_SUFFIXES = (".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".webm")


def question_of(argument: str, most: int) -> str | Path:
    """The text, or the path of the recording; "-" reads a text of at most `most` characters from standard input.

    Raises RequestError for a recording that is not there, for a folder, and for bytes that are no text.
    """
    if argument == "-":
        return piped(most, "the question")
    path = os.path.expanduser(argument)
    if os.path.exists(path) and not os.path.isdir(path):
        return Path(path)
    if argument.lower().endswith(AUDIO_SUFFIXES):
        raise RequestError(f"no such file: {argument!r}", "Correct the path, or ask in words.")
    if os.path.isdir(path) and (os.sep in argument or argument in (".", "..", "~")):
        raise RequestError(
            f"{argument!r} is a folder, not a question",
            f"tingshuo ingest {shlex.quote(argument)} takes its documents in; then ask in words.",
        )
    return words(argument)


def words(argument: str) -> str:
    """An argument as it was typed, whatever the locale took its bytes for. Raises RequestError where it is no UTF-8."""
    if not any("\ud800" <= character <= "\udfff" for character in argument):
        return argument
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError as error:
        raise RequestError(
            f"what begins with {clean(argument[:40])!r} is not UTF-8 text",
            "Set a UTF-8 locale, such as LC_ALL=C.UTF-8, or give UTF-8 text on standard input, with - in its place.",
        ) from error


def check_question(text: str, most: int) -> None:
    """Raises RequestError for a question that is empty, RequestTooLarge for one of more than `most` characters."""
    if not text.strip():
        raise RequestError("the question is empty", "Give it a word.")
    if len(text) > most:
        raise RequestTooLarge(f"the question has {len(text)} characters; the limit is {most}", "Shorten it.")


def check_names(
    *,
    persona: str | None = None,
    user: str | None = None,
    conversation: str | None = None,
    knowledge: Iterable[str] = (),
) -> None:
    """Raises RequestError for a name or an id that cannot be shown and written down."""
    named = [("a persona", persona), ("a user", user), ("a conversation", conversation)]
    for called, name in [*named, *(("a knowledge base", base) for base in knowledge)]:
        if name is not None and not (0 < len(name) <= NAME_CHARACTERS and name.isprintable()):
            raise RequestError(
                f"{clean(name[:NAME_CHARACTERS])!r} cannot be {called}",
                f"Use 1 to {NAME_CHARACTERS} characters that can be seen.",
            )


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
