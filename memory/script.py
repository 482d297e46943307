"""Scripts: which characters are written without spaces, and in which language a text is."""

import re
from typing import Final

IDEOGRAPH: Final = (
    r"[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]"
)
"""A regular expression for one character of a script that is written without spaces: Chinese, Japanese, Korean."""

_IDEOGRAPH = re.compile(IDEOGRAPH)
_LATIN_WORD = re.compile(r"[a-zA-Z]{2,}")


def language_of(text: str) -> str:
    """ "zh" where there are at least as many ideographs as Latin words, else "en"."""
    ideographs = len(_IDEOGRAPH.findall(text))
    return "zh" if ideographs and ideographs >= len(_LATIN_WORD.findall(text)) else "en"
