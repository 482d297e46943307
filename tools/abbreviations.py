"""Full stops that end no sentence: abbreviations, initials and numbers of English; looks one character ahead."""

import re

NEVER = re.compile(
    r"al|approx|capt|cf|col|dept|dr|est|gen|gov|hon|lt|messrs|mr|mrs|ms|mt|prof|rep|rev|sen|sgt|st|viz|vs"
    r"|(?-i:(?!I$)[A-Z])|[a-z](\.[a-z])+",
    re.IGNORECASE,
)
"""Abbreviations, initials and the like, that never end a sentence."""
BEFORE_NUMBER = re.compile(
    r"app|art|ch|eq|figs?|nos?|pp?|sec|vol|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec", re.IGNORECASE
)
"""Abbreviations when a number follows, else words."""
BEFORE_CAPITAL = re.compile(r"[ap]\.m|co|corp|etc|inc|jr|ltd|ph\.d|sr", re.IGNORECASE)
"""Abbreviations that may end a sentence: the next letter tells."""


def ends_sentence(word: str, following: str, *, apart: bool) -> bool | None:
    """Whether a full stop after `word` ends a sentence; None is to be asked again with the next character."""
    capital = BEFORE_CAPITAL.fullmatch(word)
    if capital or BEFORE_NUMBER.fullmatch(word):
        if following.isspace():
            return None
        return apart and not (following.isdigit() or (capital and following.islower()))
    return not NEVER.fullmatch(word) and (apart or following == "[")
