"""How memories are told without a language model: in the user's own words, with the day on which they were said."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from models.quoting import QuotedMemory

SEVERAL: Final = 3
"""The most memories that are told where a question asks for more than one thing."""

_PERSONAL = re.compile(r"\b(?:i|me|my|mine|myself|i'm|i've|i'd|i'll)\b|我(?!们)", re.I)
_SEVERAL = re.compile(
    r"\b(?:which|what|all|list|both|any)\b(?:\s+\w+){0,3}\s+\w+[^su\W]s\b"
    r"|\b(?:who are|what are|how many|everything|everyone)\b"
    r"|\b(?:when|what|who|where|which|how)\b.*\b(?:and|or)\b.*\b(?:when|what|who|where|which|how)\b"
    "|(?:什么|谁|哪|几|多少|怎么).*[，、和跟].*(?:什么|谁|哪|几|多少|怎么)|的事"
    "|哪些|有什么|都有|几[个只位条种辆口]|分别|所有",
    re.I,
)
_ENDED = re.compile(r"[.!?。！？…][\"'”’)）]*$")


def is_personal(question: str) -> bool:
    """Whether a question is about whoever asks it."""
    return bool(_PERSONAL.search(question))


def quoted_memory(question: str, memories: Sequence[QuotedMemory], language: str) -> str:
    """The best memory, or the best few where the question asks for several; each with its day."""
    told = memories[: SEVERAL if _SEVERAL.search(question) else 1]
    if language == "zh":
        return "".join(
            f"{_day_zh(memory.date)}你说过：“{memory.text}”{'' if _ended(memory) else '。'}" for memory in told
        )
    return " ".join(
        f'On {_day_en(memory.date)} you said: "{memory.text}"{"" if _ended(memory) else "."}' for memory in told
    )


def _ended(memory: QuotedMemory) -> bool:
    return bool(_ENDED.search(memory.text))


def _day_en(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B} {day.year}"


def _day_zh(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.year}年{day.month}月{day.day}日"
