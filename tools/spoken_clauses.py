"""A text as it is spoken: clause by clause, each in its language; speaks nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tools.clauses import Clause, ClauseSplitter
from tools.spoken_form import language_of, spoken_form

Language = Literal["auto", "en", "zh"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clause, and what the voice is given for it."""

    clause: Clause
    text: str
    """Empty where there is nothing to say."""
    language: str


def in_spoken_form(text: str, language: Language, persona: Language) -> Iterator[Spoken]:
    """Clause by clause, in that language; "auto" is each clause's own, else the persona's, else the whole text's."""
    unclear = persona if persona != "auto" else language_of(text, "en")
    splitter = ClauseSplitter()
    for clause in (*splitter.push(text), *splitter.flush()):
        of_clause = language_of(clause.display, unclear) if clause.kind == "prose" else unclear
        chosen = of_clause if language == "auto" else language
        yield Spoken(clause, spoken_form(clause, chosen), chosen)
