"""ChatTTS's control tokens: what it is asked for, where they are put, which rewriting is spoken; knows no model."""

import re

from models.text_to_speech import Voice

_BREAK, _LONG_BREAK, _LAUGH = "[uv_break]", "[lbreak]", "[laugh]"
_TOKEN = re.compile(r"\[[^\[\]]*\]")
_LAST_BREAKS = re.compile(rf"(\s*{re.escape(_BREAK)})+$")
_INNER_PAUSE = re.compile(r"([，、,])(?=.)|([。.])(?= *[^ ])")
_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+")
_INTERJECTIONS = frozenset("嗯啊呃哦噢唉哎诶欸呀") | {"um", "uh", "er", "erm", "hmm", "ah", "oh"}
"""What colloquial speech may add; `那个` and its like are not among them, since they can mean something."""


def refine_prompt(voice: Voice) -> str:
    """What ChatTTS is asked to rewrite a text with; "" when it is not to.

    Pauses alone need no rewriting. What is unset beside something else is 0, the least.
    """
    if voice.oral is None and voice.laugh is None:
        return ""
    return f"[oral_{voice.oral or 0}][laugh_{voice.laugh or 0}][break_{voice.break_ or 0}]"


def placed(text: str, voice: Voice) -> str:
    """A sayable text with the voice's pauses after its own inner ones and at its end, and its laughs after a sentence.

    Each level of `break` adds one thing to the one before: at the end, then by turns at a full stop and at a comma.
    """
    level = voice.break_ or 0
    at_comma, at_stop = _BREAK * ((level - 1) // 2), _BREAK * (level // 2)
    paused = _INNER_PAUSE.sub(lambda sign: sign[0] + (at_comma if sign[1] else at_stop), text)
    laughs = _LAUGH * (voice.laugh or 0) if text.endswith(("。", ".")) else ""
    return paused + laughs + (_LONG_BREAK if level else "")


def tidied(refined: str) -> str:
    """A rewritten text with the tokens that are spoken alone, and none that makes noise: a pause as the very last."""
    known = _TOKEN.sub(lambda token: token[0] if token[0] in (_BREAK, _LONG_BREAK, _LAUGH) else " ", refined)
    return _LAST_BREAKS.sub("", " ".join(known.split()))


def is_faithful(refined: str, text: str, oral: int) -> bool:
    """Whether a rewritten text has all the words of the text in their order, and nothing more but interjections.

    Of these as many as the level `oral`, and one for four words; of tokens, one for each word.
    """
    left = _words(text)
    said = _words(_TOKEN.sub(" ", refined))
    most = min(oral, 1 + len(left) // 4)
    added = 0
    left.reverse()
    for word in said:
        if left and word == left[-1]:
            left.pop()
        elif word in _INTERJECTIONS:
            added += 1
        else:
            return False
    return not left and added <= most and len(_TOKEN.findall(refined)) <= len(said) + 1


def without_tokens(text: str) -> tuple[str, int]:
    """The text without its tokens, and how many it had."""
    return _TOKEN.subn("", text)


def _words(text: str) -> list[str]:
    """Han characters one by one, and runs of other letters and digits."""
    return _WORD.findall(text.casefold())
