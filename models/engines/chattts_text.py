"""Text for ChatTTS: what its alphabet can write, and how long that can sound; knows no model."""

import math
import re
import unicodedata

from models.engines.chattts_controls import without_tokens

RATE = 24_000
"""Hertz."""
STEP = 512
"""Samples of one code step, the unit in which ChatTTS speaks."""

LIMIT = 2048
"""Steps in one call, 43 seconds; ChatTTS swallows words well before."""

_LETTERS = "A-Za-z\u4e00-\u9fff"
_LETTER = re.compile(f"[{_LETTERS}]")
_PAUSES = "，。、,."
_RUN = re.compile(rf" *[{_PAUSES}][{_PAUSES} ]*")
_READ_AS = str.maketrans(
    dict.fromkeys("！？…", "。")
    | dict.fromkeys("!?", ".")
    | dict.fromkeys("；：（）《》「」『』【】—", "，")
    | dict.fromkeys(";:()<>", ",")
    | dict.fromkeys("'’‘\u02bc", "")
)
"""What the alphabet lacks and can still be heard: a pause for a sign, and "dont" for "don't"."""

_HAN_SECONDS, _LATIN_SECONDS, _PAUSE_SECONDS = 0.25, 0.07, 0.35
"""A usual pace of speech: four Chinese characters or fourteen English letters a second."""
_FASTEST, _SLOWEST, _SLACK = 0.3, 3.0, 2.0
"""What is shorter than this share of the usual time was swallowed; longer than that, and by so many seconds, babble."""


def sayable(text: str) -> str:
    """The text in ChatTTS's alphabet: Han, a to z, `，。、,.` and space; "" if that leaves nothing to say.

    The last guard behind the spoken form, since ChatTTS deletes the rest silently: accents and width are folded, signs
    become pauses, and no control token can be written, since there are no brackets.
    """
    known = "".join(map(_folded, text.translate(_READ_AS)))
    tidy = _RUN.sub(_one_pause, re.sub(r"\s+", " ", known)).lstrip(f"{_PAUSES} ").rstrip()
    return tidy if _LETTER.search(tidy) else ""


def lost(text: str) -> str:
    """The letters and numbers of a text that `sayable` leaves out, each once."""
    return "".join(sorted({each for each in text if unicodedata.category(each)[0] in "LN" and _folded(each) == " "}))


def plausible_steps(text: str, speed: float) -> tuple[int, int]:
    """The fewest and the most code steps in which a text can be said at that speed; the most are never over LIMIT.

    A control token may last as long as a pause, or not sound at all.
    """
    words, tokens = without_tokens(text)
    han = sum("\u4e00" <= each <= "\u9fff" for each in words)
    pauses = tokens + sum(each in _PAUSES for each in words)
    letters = len(_LETTER.findall(words)) - han
    said = (han * _HAN_SECONDS + letters * _LATIN_SECONDS) / speed
    shortest, longest = _FASTEST * said, _SLOWEST * (said + pauses * _PAUSE_SECONDS) + _SLACK
    return round(shortest * RATE / STEP), min(LIMIT, math.ceil(longest * RATE / STEP))


def is_too_long(text: str, speed: float) -> bool:
    """Whether saying a text takes more than LIMIT at the usual pace, and it would be cut off."""
    return plausible_steps(text, speed)[0] > _FASTEST * LIMIT


def speed_token(speed: float) -> str:
    """The control token for a pace; 5 is ChatTTS's own, and its scale is rough."""
    return f"[speed_{min(9, max(0, round(5 + 4 * math.log2(speed))))}]"


def _folded(character: str) -> str:
    """A character as the alphabet writes it, a space if it cannot; "" for an accent on its own."""
    if character in _PAUSES:
        return character
    plain = unicodedata.normalize("NFKD", character)
    kept = "".join(each for each in plain if _LETTER.match(each) or each in _PAUSES)
    return kept or ("" if unicodedata.combining(character) else " ")


def _one_pause(run: re.Match[str]) -> str:
    """The strongest pause of a run, with the space that a half-width one takes."""
    sign = next((each for each in run[0] if each in "。."), run[0].strip()[0])
    return f"{sign} " if sign in ",." else sign
