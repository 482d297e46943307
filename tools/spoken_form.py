"""Spoken form: what an engine says for a clause, in the clause's language; nothing but letters and pauses leaves it."""

import re
import unicodedata
from collections.abc import Iterator

from tools.addresses import speak_addresses
from tools.chinese import read_chinese
from tools.clauses import Clause
from tools.english import read_english
from tools.markup import without_markup
from tools.ornaments import plain_characters, without_ornaments
from tools.pauses import speak_joints, tidied
from tools.short_forms import expand_abbreviations, spell_acronyms
from tools.signs import speak_signs

LANGUAGES = ("zh", "en")
_ON_SCREEN = {
    ("code", "zh"): "代码已显示在屏幕上。",
    ("code", "en"): "The code is on the screen.",
    ("table", "zh"): "表格已显示在屏幕上。",
    ("table", "en"): "A table is on the screen.",
}
_FENCES = ("```", "~~~")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_LONG_RUN = re.compile(r"([^\w])\1{9,}")
_LONGEST = 2000
"""Characters that rules see at once; a ClauseSplitter's clauses of prose are shorter."""
_CHINESE_SHARE = 0.5
_ENGLISH_SHARE = 0.25


def spoken_form(clause: Clause, language: str) -> str:
    """What to say for a clause, in letters of any script, spaces and `signs.PUNCTUATION`; "" where that is nothing.

    `language` is "zh" or "en", the language of the clause; ValueError for another. A block of code that comes in pieces
    is announced by its first.
    """
    if language not in LANGUAGES:
        raise ValueError(f"there is no spoken form for the language {language!r}, only for {', '.join(LANGUAGES)}")
    if clause.kind == "code" and not clause.display.lstrip().startswith(_FENCES):
        return ""
    if clause.kind != "prose":
        return _ON_SCREEN[clause.kind, language]
    return " ".join(filter(None, (_spoken(piece, language) for piece in _pieces(clause.display))))


def language_of(text: str, default: str) -> str:
    """The language, zh or en, by the share of Chinese characters against Latin words; `default` where it is unclear."""
    characters, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    share = characters / (characters + words) if characters + words else None
    if share is None or _ENGLISH_SHARE < share < _CHINESE_SHARE:
        return default
    return "zh" if share >= _CHINESE_SHARE else "en"


def warm_up() -> None:
    """Runs every rule once, so that the first clause of a reply costs what the others do."""
    for language in LANGUAGES:
        _spoken("**1.** x: 3.5 km, $2, 10%, 2026-11-23, 3:30, a@b.com, α → [c](http://d.com) 你好😀", language)


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that no rule takes long for, cut at spaces, with long runs of one sign made short."""
    text = _LONG_RUN.sub(r"\1\1\1\1\1\1\1\1\1", text)
    while len(text) > _LONGEST:
        cut = max(text.rfind(" ", 1, _LONGEST), text.rfind("\n", 1, _LONGEST))
        cut = cut if cut > 0 else _LONGEST
        yield text[:cut]
        text = text[cut:]
    yield text


def _spoken(text: str, language: str) -> str:
    read = read_chinese if language == "zh" else read_english
    text = without_ornaments(text, language)
    text = without_markup(text, language)
    text = speak_addresses(text, language)
    text = plain_characters(text)
    text = expand_abbreviations(text, language)
    text = read(text)
    text = speak_joints(text, language)
    text = spell_acronyms(text)
    return tidied(unicodedata.normalize("NFC", speak_signs(text, language)), language)
