"""How passages, memories and the time stand in a prompt: quoted data before the question; the agent writes it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape

_PASSAGE = re.compile(
    r'<passage id="(?P<id>\d+)" document="(?P<document>[^"]*)" heading="(?P<heading>[^"]*)">\n'
    r"(?P<text>.*?)\n</passage>",
    re.DOTALL,
)
_MEMORY = re.compile(
    r'<memory date="(?P<date>[^"]*)" kind="(?P<kind>[^"]*)">\n(?P<text>.*?)'
    r"(?:\n<reply>(?P<reply>.*?)</reply>)?\n</memory>",
    re.DOTALL,
)
_PREAMBLE = re.compile(
    r"\A(?:<now>[^<]*</now>\s*)?(?:<user>[^<]*</user>\s*)?(?:<earlier>[^<]*</earlier>\s*)?"
    r"(?:<memories>.*?</memories>\s*)?(?:<passages>.*?</passages>\s*)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class QuotedPassage:
    """One passage as a model sees it."""

    id: int
    """What a reply cites it by: [1]."""
    document: str
    heading: str
    """The path of headings, joined by " › "; may be empty."""
    text: str


@dataclass(frozen=True, slots=True)
class QuotedMemory:
    """One memory as a model sees it."""

    date: str
    """When the user said it: 2026-11-25."""
    kind: str
    """ "said" (in passing), "fact", or "to remember"."""
    text: str
    reply: str = ""
    """What was answered then, where that is worth knowing."""


@dataclass(frozen=True, slots=True)
class Known:
    """What stands before a question, apart from passages; each part may be empty."""

    profile: str = ""
    """What is known of the user, in a few lines."""
    earlier: str = ""
    """A summary of the conversation before the turns that are shown."""
    memories: tuple[QuotedMemory, ...] = ()


def quote(passages: Sequence[QuotedPassage]) -> str:
    """The passages as a block of text; markup inside them is escaped, so none can close the block or forge another."""
    blocks = [
        f'<passage id="{p.id}" document="{escape(p.document)}" heading="{escape(p.heading)}">\n'
        f"{escape(p.text, quote=False)}\n</passage>"
        for p in passages
    ]
    return "\n".join(["<passages>", *blocks, "</passages>"])


def quoted(text: str) -> list[QuotedPassage]:
    """The passages that stand in a text, in order."""
    return [
        QuotedPassage(int(found["id"]), *(unescape(found[key]) for key in ("document", "heading", "text")))
        for found in _PASSAGE.finditer(text)
    ]


def quote_memories(memories: Sequence[QuotedMemory]) -> str:
    """The memories as a block of text, escaped as passages are."""
    blocks = [
        f'<memory date="{escape(m.date)}" kind="{escape(m.kind)}">\n{escape(m.text, quote=False)}'
        + (f"\n<reply>{escape(m.reply, quote=False)}</reply>" if m.reply else "")
        + "\n</memory>"
        for m in memories
    ]
    return "\n".join(["<memories>", *blocks, "</memories>"])


def quoted_memories(text: str) -> list[QuotedMemory]:
    """The memories that stand in a text, in order."""
    return [
        QuotedMemory(*(unescape(found[key] or "") for key in ("date", "kind", "text", "reply")))
        for found in _MEMORY.finditer(text)
    ]


def asked(question: str, passages: Sequence[QuotedPassage], now: datetime, known: Known | None = None) -> str:
    """A question preceded by what changes from turn to turn, so that all before it stays the same for the model."""
    known = known or Known()
    parts = [
        f"<now>{now:%A, %Y-%m-%d %H:%M}</now>",
        f"<user>\n{escape(known.profile, quote=False)}\n</user>" if known.profile else "",
        f"<earlier>\n{escape(known.earlier, quote=False)}\n</earlier>" if known.earlier else "",
        quote_memories(known.memories) if known.memories else "",
        quote(passages) if passages else "",
        question,
    ]
    return "\n\n".join(part for part in parts if part)


def question_of(text: str) -> str:
    """The question alone, whether or not it stands after all that."""
    return text[_PREAMBLE.match(text).end() :]  # type: ignore[union-attr]  # it matches the empty string too
