"""Lexical terms: what of a text can be looked up, the same way for documents and questions; knows no store."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from memory.han_variants import simplified
from memory.numerals import digits
from memory.script import IDEOGRAPH
from memory.stopwords import CHARACTERS, PHRASES, WORDS

VERSION: Final = 2
"""Goes up whenever a text has other terms than before; a ledger's lexicon is then made anew."""
MOST_TERMS: Final = 96
"""Of a longer question, only this many terms are looked up."""

_RUN = re.compile(rf"{IDEOGRAPH}+|(?:(?!{IDEOGRAPH})[^\W_])+")
_IDEOGRAPHS = re.compile(rf"{IDEOGRAPH}+")
_POSSESSIVE = re.compile(r"['’]s\b")
_PREFIX = re.compile(r"(?<![^\W_])([a-z]{1,2})-(?=[a-z]{2})")
_SPELLINGS: Final = ((re.compile("(?<=[bt])re$"), "er"), (re.compile("our$"), "or"), (re.compile("ise?$"), "ize"))
_PHRASE = re.compile("|".join(sorted(PHRASES, key=len, reverse=True)))
_IRREGULAR: Final = {"paid": "pay", "children": "child", "men": "man", "women": "woman", "people": "person"}


@dataclass(frozen=True, slots=True)
class Question:
    """The content of a question, in the terms of the index."""

    words: tuple[str, ...]
    """Stems of words and numbers, each once, without stop words."""
    runs: tuple[str, ...]
    """Runs of ideographs between stop phrases."""

    @property
    def has_content(self) -> bool:
        """Whether it asks about anything: bare numbers stand in documents without answering "2 + 2"."""
        return not all(word.isnumeric() for word in self.words) or any(set(run) - CHARACTERS for run in self.runs)

    @property
    def terms(self) -> tuple[str, ...]:
        """All that is worth looking up, each once: words, pairs of ideographs, and ideographs by themselves."""
        found = dict.fromkeys(self.words)
        for run in self.runs:
            found |= dict.fromkeys(pair for pair in _pairs(run) if not set(pair) <= CHARACTERS)
        for run in self.runs:
            found |= dict.fromkeys(character for character in run if character not in CHARACTERS)
        return tuple(found)[:MOST_TERMS]


def index_terms(text: str) -> list[str]:
    """All terms of a document's text, in order: stems of words; ideographs singly and in overlapping pairs."""
    terms: list[str] = []
    for run in _RUN.findall(normalised(text)):
        if _IDEOGRAPHS.match(run):
            terms += run
            terms += _pairs(run)
        else:
            terms.append(stem(run))
    return terms


def parse_question(question: str) -> Question:
    """What a question asks about, without the words that only ask."""
    words: dict[str, None] = {}
    runs: dict[str, None] = {}
    for run in _RUN.findall(_PHRASE.sub(" ", normalised(question))):
        if _IDEOGRAPHS.match(run):
            runs[run] = None
        elif run not in WORDS:
            words[stem(run)] = None
    return Question(tuple(words), tuple(runs))


def match_expression(terms: Iterable[str], scopes: Iterable[str]) -> str:
    """A query of FTS5 for passages with any of these terms, in the given scopes; no text can break its syntax."""
    return f"scope:({_any(scopes)}) AND {{context body}}:({_any(terms)})"


def explained_by(run: str, pairs: Mapping[str, int]) -> list[bool]:
    """Which ideographs belong to a word, where the pairs that are known best are taken for words, none overlapping.

    In 公司总统 that is 公司, though 司总 be known from 公司总部: so 总统 stays, which nothing explains.
    """
    explained = [False] * len(run)
    for at in sorted(range(len(run) - 1), key=lambda at: -pairs.get(run[at : at + 2], 0)):
        if pairs.get(run[at : at + 2]) and not any(explained[at : at + 2]):
            explained[at : at + 2] = True, True
    return explained


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """An English word in American spelling, without -s, -ing, -ed, -ly, -ment, -ation, a last e or a doubled letter."""
    word = _IRREGULAR.get(word, word)
    if not word.isascii() or not word.isalpha():
        return word
    if len(word) > 3:
        word = _root(_singular(word))
        for spelling, other in _SPELLINGS:
            word = spelling.sub(other, word)
    if len(word) > 3:
        word = re.sub(r"(?<=[^aeiou])y$", "i", word).removesuffix("e")
    return re.sub(r"([^aeiou])\1$", r"\1", word)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if re.search(r"(?:[sxz]|[cs]h)es$", word):
        return word[:-2]
    return word[:-1] if re.search(r"[^sui]s$", word) else word


def _root(word: str) -> str:
    for ending, shortest in (("ing", 3), ("ed", 3), ("ly", 4), ("ment", 4), ("ation", 4)):
        root = word.removesuffix(ending)
        if root != word and len(root) >= shortest and re.search(r"[aeiouy]", root):
            return root
    return word


def normalised(text: str) -> str:
    """NFKC, simplified, lower case, numbers in digits, "e-mail" as "email", and Latin letters without their accents."""
    text = simplified(unicodedata.normalize("NFKC", text))
    text = _PREFIX.sub(r"\1", digits(_POSSESSIVE.sub("", text)))
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))


_ACCENT = re.compile("[\u0300-\u036f]")


def _pairs(run: str) -> Iterator[str]:
    return (first + second for first, second in pairwise(run))


def _any(terms: Iterable[str]) -> str:
    return " OR ".join(f'"{term}"' for term in terms)
