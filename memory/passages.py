"""Passages and citations: the pieces of documents that answers rest on."""

from dataclasses import dataclass

PATH_SEPARATOR = " › "
"""Stands between the headings of a path."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document."""

    id: int
    knowledge: str
    """The name of its knowledge base."""
    document: str
    """The title of its document."""
    source: str
    """The path of the document's file."""
    heading: str
    """The path of headings above it, joined by " › "; empty where there are none."""
    text: str
    start: int
    """The first character in the document's text."""
    end: int
    """One past the last character."""
    score: float
    """How well it answers the question, 0 to 1."""
    sentence: str = ""
    """The sentence of it that says most of what was asked; empty where that was not looked for."""
    page: int | None = None
    """From 1; None where the document has no pages."""
    matched: tuple[int, int] | None = None
    """Start and end of what was found, where the passage is read along with its neighbours."""


@dataclass(frozen=True, slots=True)
class Citation:
    """What an answer rests on; it holds even when the document has gone."""

    document: str
    """The title of the document."""
    heading: str
    span: tuple[int, int]
    """Start and end in the document's text, in characters."""
    score: float
    text: str
    page: int | None = None
    """From 1; None where the document has no pages."""
