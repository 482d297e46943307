"""What is said, without a language model, where nothing clearly answers: what comes closest, as such.

Words alone do not tell a question in other words from one that the documents leave open, so what comes closest is shown
for what it is, and the reader judges.
"""

import re
from collections.abc import Sequence
from typing import Final

from agent.prompt import refusal, unknown
from memory.passages import PATH_SEPARATOR, Passage
from memory.remembered import Memory
from models.engines.extractive_memories import quoted_memory
from models.quoting import QuotedMemory

RELATED: Final = 0.1
"""How far a passage must say what is asked to be shown at all."""
LONGEST: Final = 200
"""Characters of a passage that is quoted whole."""

_END: Final = re.compile(r"[。！？]|[.!?](?=\s|$)")

WORDS: Final = {
    "en": 'I am not sure that the documents answer this. The closest is in {place}: "{quote}"',
    "zh": "我不确定文档是否回答了这个问题。最接近的内容在{place}：“{quote}”",
}

OF_MEMORY: Final = {
    "en": "I am not sure that you have told me this; what follows comes closest. {quote}",
    "zh": "我不确定你有没有告诉过我，最接近的是：{quote}",
}


def closest(nearest: Sequence[Passage], memory: Memory | None, language: str, *, personal: bool) -> str:
    """The refusal, or the doubt with the one sentence or memory that comes closest, and where it is from.

    What the user has said comes first where the question is about the user.
    """
    passage = next((passage for passage in nearest if passage.score >= RELATED), None)
    if memory is not None and (personal or passage is None):
        said = QuotedMemory(memory.said_at.date().isoformat(), "said", memory.text)
        return OF_MEMORY.get(language, OF_MEMORY["en"]).format(quote=quoted_memory("", [said], language))
    if passage is None:
        return unknown(language) if personal and not nearest else refusal(language)
    return _of_document(passage, language)


def _of_document(first: Passage, language: str) -> str:
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
