"""Thoughts: keeps a model's <think> blocks out of a reply while it streams; nothing else is held back or changed."""

import re

_TAG = re.compile(r"<\s{0,8}(/?)\s{0,8}think(?:ing)?(?:\s[^<>]{0,256})?(/?)>", re.IGNORECASE)
_LONGEST = 300
"""No tag is longer; a "<" with this much after it and no tag is text."""


class ThoughtFilter:
    """Takes a reply piece by piece and gives its visible text; any cut into pieces gives the same whole.

    A text without "<" passes at once. An opener hides everything up to the next closer, or to the end. A closer with
    no opener is dropped; what came before it was already given out, so for a model whose template opens the thought
    (its reply starts inside it) say `thinking=True`. A tag right after a backtick is quoted code, hence text.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._thinking = thinking
        self._held = ""
        self._last = ""
        self._trimming = False

    def push(self, text: str) -> str:
        """Takes the next piece; returns what of the reply is now known to be visible."""
        return self._read(self._held + text, final=False)

    def flush(self) -> str:
        """Ends the reply: returns text that was held because it might have become a tag."""
        return self._read(self._held, final=True)

    def _read(self, text: str, *, final: bool) -> str:
        self._held = ""
        visible: list[str] = []
        position = 0
        while position < len(text):
            start = text.find("<", position)
            if start < 0:
                visible.append(self._show(text[position:]))
                break
            visible.append(self._show(text[position:start]))
            tag = _TAG.match(text, start)
            if tag is None and not final and _may_become_tag(text[start : start + _LONGEST]):
                self._held = text[start:]
                break
            position = start + 1 if tag is None or self._quoted() else tag.end()
            if tag is None or position == start + 1:
                visible.append(self._show("<"))
            else:
                self._cross(closing=bool(tag[1]), empty=bool(tag[2]))
        return "".join(visible)

    def _cross(self, *, closing: bool, empty: bool) -> None:
        if not empty:
            self._thinking = not closing
        self._trimming = not self._thinking and (not self._last or self._last.isspace())

    def _quoted(self) -> bool:
        return not self._thinking and self._last == "`"

    def _show(self, text: str) -> str:
        if self._thinking:
            return ""
        if self._trimming:
            text = text.lstrip()
        if text:
            self._trimming = False
            self._last = text[-1]
        return text


_PARTIAL = re.compile(
    r"<\s{0,8}(?:/\s{0,8})?(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?\Z"
    r"|<\s{0,8}(?:/\s{0,8})?think(?:ing)?(?:\s[^<>]{0,256}/?|/)\Z",
    re.IGNORECASE,
)


def _may_become_tag(text: str) -> bool:
    return _PARTIAL.match(text) is not None
