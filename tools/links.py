"""Links in a reply made harmless: what a document smuggles into one is shown, never fetched; a filter of a stream."""

import re
from typing import Final

LONGEST: Final = 2_000
"""Characters that a link may have; what goes on longer is none."""

_LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>[^\[\]\n]*)\]"
    r"(?:\([ \t]*(?P<url><[^<>\n]*>|(?:[^()\s]|\([^()\s]*\))*)(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\))?"
)
_TAG = re.compile(
    r"</?(?:a|audio|base|button|embed|form|frame|iframe|img|input|link|meta|object|picture|script|source|style|svg|video)\b",
    re.I,
)
_TAG_BEGUN = re.compile(r"</?[a-z]{0,8}\Z", re.I)
_CUT: Final = re.compile(r"`+|!?\[|\]\(|[!\]]\Z|<")
_TICKS: Final = re.compile("`+")


class LinkFilter:
    """Passes a reply on, piece by piece, without anything that a screen would fetch or hide an address behind.

    An image becomes its text, a link its text and its address, an HTML tag plain text. What stands in code stays, and
    so do addresses that the user has named. Whatever the pieces, the whole comes out the same.
    """

    def __init__(self, named: str = "") -> None:
        """`named`: the user's words."""
        self._named = named
        self._held = ""
        self._code = 0
        """How many backticks end the code that is open; 0 outside."""

    def push(self, text: str) -> str:
        """What can be shown now."""
        self._held += text
        return self._drain(last=False)

    def flush(self) -> str:
        """The rest, at the end."""
        return self._drain(last=True)

    def _drain(self, *, last: bool) -> str:
        out: list[str] = []
        while self._held:
            found = (_TICKS if self._code else _CUT).search(self._held)
            if found is None:
                out.append(self._held)
                self._held = ""
                break
            out.append(self._held[: found.start()])
            self._held = self._held[found.start() :]
            passed = self._pass(found[0], last=last)
            if passed is None:
                break
            out.append(passed)
        return "".join(out)

    def _pass(self, sign: str, *, last: bool) -> str | None:
        """What becomes of what begins with that sign; None where more must come first."""
        if sign[0] == "`":
            return self._backticks(sign, last=last)
        if sign[0] == "<":
            return self._tag(last=last)
        if sign == "](":
            # The end of a link that is none of those known here: a space makes it plain text.
            return self._take(2).replace("](", "] (")
        if sign in ("!", "]"):
            return self._take(1) if last else None
        found = _LINK.match(self._held)
        if found and found["url"] is not None:
            self._take(found.end())
            return self._harmless(found)
        if not last and self._may_grow(found):
            return None
        # A mark such as [1], or the beginning of a picture whose address stands elsewhere.
        return self._take(len(sign)).removeprefix("!")

    def _may_grow(self, found: re.Match[str] | None) -> bool:
        """Whether what is held may still become a link."""
        rest = self._held[found.end() :] if found else self._held
        if len(self._held) >= LONGEST or "\n" in rest:
            return False
        if found is None:
            return "]" not in rest or rest.endswith("]")
        return not rest or (rest[0] == "(" and rest.count("(") > rest.count(")"))

    def _harmless(self, link: re.Match[str]) -> str:
        url = link["url"]
        if url and url in self._named:
            return link[0]
        if link["image"]:
            return link["text"]
        return f"{link['text']} ({url})" if url and url != link["text"] else link["text"]

    def _tag(self, *, last: bool) -> str | None:
        if not last and _TAG_BEGUN.match(self._held):
            return None
        is_tag = _TAG.match(self._held)
        self._take(1)
        return "＜" if is_tag else "<"

    def _backticks(self, run: str, *, last: bool) -> str | None:
        if len(run) == len(self._held) and not last:
            return None
        if self._code == 0:
            self._code = len(run)
        elif self._code == len(run):
            self._code = 0
        return self._take(len(run))

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken
