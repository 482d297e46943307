"""What is said, without a language model, where the documents do not clearly answer: what comes closest, as such.

Words alone do not tell a question in other words from one that the documents leave open, so what comes closest is shown
for what it is, and the reader judges.
"""

from collections.abc import Sequence
from typing import Final

from agent.prompt import refusal
from memory.passages import PATH_SEPARATOR, Passage
from models.engines.extractive_evidence import evidence
from tools.knowledge_search import numbered

LONGEST: Final = 200
"""Characters that are quoted of a passage in which no sentence stands out."""

WORDS: Final = {
    "en": 'I am not sure that the documents answer this. The closest is in {place}: "{quote}"',
    "zh": "我不确定文档是否回答了这个问题。最接近的内容在{place}：“{quote}”",
}


def closest(question: str, nearest: Sequence[Passage], language: str) -> str:
    """The refusal, or the doubt with the one sentence that comes closest and its place."""
    if not nearest:
        return refusal(language)
    found = evidence(question, numbered(nearest), 1)
    first = nearest[found[0].passage.id - 1] if found else nearest[0]
    quote = found[0].text if found else _beginning(first.text)
    return WORDS.get(language, WORDS["en"]).format(place=_place(first, language), quote=quote)


def _place(passage: Passage, language: str) -> str:
    heading = passage.heading.rpartition(PATH_SEPARATOR)[2]
    heading = "" if heading == passage.document else heading
    if language == "zh":
        return f"《{passage.document}》{heading and f'“{heading}”一节'}"
    return f"{passage.document}{heading and f', {heading}'}"


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"
