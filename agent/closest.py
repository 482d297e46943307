"""What is said, without a language model, where the documents do not clearly answer: what comes closest, as such.

Words alone do not tell a question in other words from one that the documents leave open, so what comes closest is shown
for what it is, and the reader judges.
"""

import re
from collections.abc import Sequence
from typing import Final

from agent.prompt import refusal
from memory.passages import PATH_SEPARATOR, Passage

RELATED: Final = 0.1
"""How far a passage must say what is asked to be shown at all."""
LONGEST: Final = 200
"""Characters of a passage that is quoted whole."""

_END: Final = re.compile(r"[。！？]|[.!?](?=\s|$)")

WORDS: Final = {
    "en": 'I am not sure that the documents answer this. The closest is in {place}: "{quote}"',
    "zh": "我不确定文档是否回答了这个问题。最接近的内容在{place}：“{quote}”",
}


def closest(nearest: Sequence[Passage], language: str) -> str:
    """The refusal, or the doubt with the one sentence that comes closest and its place."""
    nearest = [passage for passage in nearest if passage.score >= RELATED]
    if not nearest:
        return refusal(language)
    first = nearest[0]
    quote = _from(" ".join(first.text.split()), " ".join(first.sentence.split()))
    return WORDS.get(language, WORDS["en"]).format(place=_place(first, language), quote=quote)


def _place(passage: Passage, language: str) -> str:
    heading = passage.heading.rpartition(PATH_SEPARATOR)[2]
    heading = "" if heading == passage.document else heading
    if language == "zh":
        return f"《{passage.document}》{heading and f'“{heading}”一节'}"
    return f"{passage.document}{heading and f', {heading}'}"


def _from(text: str, sentence: str) -> str:
    """The whole of a short text; else from the sentence on as many sentences as there is room for."""
    if len(text) <= LONGEST:
        return text
    begin = text.find(sentence) if sentence else 0
    if begin < 0:
        return sentence
    ends = [end.end() for end in _END.finditer(text, begin + len(sentence), begin + LONGEST)]
    if sentence or ends:
        return text[begin : max([begin + len(sentence), *ends])].strip()
    return text[: LONGEST - 1].rstrip() + "…"
