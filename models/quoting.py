"""How passages and the time stand in a prompt: quoted data before the question; the agent writes, models read."""

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

_PREAMBLE = re.compile(r"\A(?:<now>[^<]*</now>\s*)?(?:<passages>.*?</passages>\s*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class QuotedPassage:
    """One passage as a model sees it."""

    id: int
    """What a reply cites it by: [1]."""
    document: str
    heading: str
    """The path of headings, joined by " › "; may be empty."""
    text: str


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


def asked(question: str, passages: Sequence[QuotedPassage], now: datetime) -> str:
    """A question preceded by what changes from turn to turn, so that all before it stays the same for the model."""
    parts = [f"<now>{now:%A, %Y-%m-%d %H:%M}</now>", *([quote(passages)] if passages else []), question]
    return "\n\n".join(parts)


def question_of(text: str) -> str:
    """The question alone, whether or not it stands after passages."""
    return text[_PREAMBLE.match(text).end() :]  # type: ignore[union-attr]  # it matches the empty string too
