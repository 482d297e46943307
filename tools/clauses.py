"""Streaming text as clauses to speak, each with its span of the display text; changes no character of it."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tools.abbreviations import ends_sentence
from tools.nesting import Nesting

Kind = Literal["prose", "code", "table"]

CJK, WORD = 2, 3
"""Weights: a word says as much as one and a half characters of Chinese."""
SECOND = 8 * CJK
"""A second piece may end at a comma from here: 8 characters, or 6 words."""
SENTENCE = 4 * CJK
"""A later sentence is a piece of its own from here; a shorter one goes with the next."""
LONG = 25 * WORD
"""A later piece may end at a comma from here: 38 characters, or 25 words."""

WIDE, NARROW = 5, 2
ROOM = 80 * WIDE
"""The longest piece of prose: 80 wide characters, or 200 narrow ones."""
BLOCK = 2000
"""Characters from which a block of code or a table is given in pieces, cut at the ends of lines."""

ENDS = frozenset(".!?…。！？｡")
"""Marks that come in runs."""
FULL_STOPS = ENDS | {"；"}
MARKS = FULL_STOPS | frozenset(",;:—，、：")
UNAMBIGUOUS = frozenset("。！？；｡，、：,;")
"""Marks that need no character after them to be understood, but for those of `NUMERIC` behind a digit."""
NUMERIC = frozenset(",;：")

JOINERS = frozenset("'’-.,:@_/")
"""What may stand within a word, a number or an address."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a reply that is spoken in one breath."""

    display: str
    start: int
    """Where it begins in the whole display text, in characters."""
    end: int
    kind: Kind = "prose"


class _Place(NamedTuple):
    """Between two characters of what is kept: how many are before it, and their size."""

    at: int
    weight: int
    cost: int

    def after(self, cut: "_Place") -> "_Place | None":
        """The same place once everything before `cut` is gone."""
        if self.at <= cut.at:
            return None
        return _Place(self.at - cut.at, self.weight - cut.weight, self.cost - cut.cost)


class ClauseSplitter:
    """Cuts a stream of text into clauses; however the stream is chopped, the clauses are the same.

    The first clause ends early, since a listener waits for it; later ones are whole sentences where they are not too
    long. The displays of all clauses, one after the other, are the text that was pushed.
    """

    def __init__(self, *, first_minimum: int = 4) -> None:
        """`first_minimum`: Chinese characters from which the first clause may end; a word counts as 1.5."""
        self._first_minimum = first_minimum * CJK
        self._relaxed = False
        self._given = 0
        self._start = 0
        self._ready: list[Clause] = []
        self._kept: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._kind: Kind = "prose"
        self._nesting = Nesting()
        self._weight = 0
        self._cost = 0
        self._in_word = False
        self._line: int | None = 0
        """Where the current line begins in what is kept; None is before it."""
        self._fresh = True
        """Whether the line is blank so far."""
        self._rows = 0
        self._fence = ""
        self._run = ""
        """The marks that are undecided, and where they end."""
        self._undecided: _Place | None = None
        self._mark: _Place | None = None
        """The last end of a clause that was too early to be taken."""
        self._gap: _Place | None = None
        """The last place between two words."""

    def push(self, text: str) -> list[Clause]:
        """The clauses that this text completes."""
        for character in text:
            match self._kind:
                case "prose":
                    self._prose(character)
                case "code":
                    self._code(character)
                case "table":
                    self._table(character)
        return self._taken()

    def relax(self) -> list[Clause]:
        """From now on the first clause may be as short as the text allows."""
        self._relaxed = True
        if not self._given and self._mark:
            self._cut(self._mark)
        return self._taken()

    def flush(self) -> list[Clause]:
        """What is left; the text has ended."""
        if self._kept:
            self._cut(self._here())
        self._begin()
        return self._taken()

    def _taken(self) -> list[Clause]:
        ready, self._ready = self._ready, []
        return ready

    def _here(self) -> _Place:
        return _Place(len(self._kept), self._weight, self._cost)

    def _cut(self, place: _Place) -> None:
        display = "".join(self._kept[: place.at])
        one_row = self._kind == "table" and self._rows < 2 and place.at <= ROOM // NARROW
        self._ready.append(Clause(display, self._start, self._start + place.at, "prose" if one_row else self._kind))
        del self._kept[: place.at]
        self._given += 1
        self._start += place.at
        self._weight -= place.weight
        self._cost -= place.cost
        self._undecided = self._undecided and self._undecided.after(place)
        self._mark = self._mark and self._mark.after(place)
        self._gap = self._gap and self._gap.after(place)
        if self._line is not None:
            self._line = self._line - place.at if self._line >= place.at else None

    # Prose

    def _prose(self, character: str) -> None:
        if character == "\n":
            self._newline()
            return
        adjoins = self._undecided is not None and self._adjoins(character)
        if self._undecided and not adjoins:
            self._decide(character)
        was_inside = self._nesting.inside
        here = self._here()
        self._nesting.follow(character)
        self._kept.append(character)
        self._measure(character, here)
        if adjoins:
            self._adjoin(character)
        elif not self._nesting.inside:
            if character in MARKS:
                self._consider(character)
        elif not was_inside:
            self._gap = here
        if self._fresh or character in "`~":
            self._open_block(character)
        if self._cost >= ROOM:
            self._overflow()

    def _newline(self) -> None:
        self._kept.append("\n")
        self._cost += NARROW
        self._undecided = None
        self._nesting = Nesting()
        self._in_word = False
        self._line = len(self._kept)
        self._fresh = True
        if self._weight or self._cost >= ROOM:
            self._cut(self._here())

    def _measure(self, character: str, here: _Place) -> None:
        wide = character >= "\u2e80"
        if not self._nesting.address:
            self._cost += WIDE if wide else NARROW
        if not character.isalnum():
            self._in_word = self._in_word and character in JOINERS
        elif wide:
            self._weight += CJK
            self._in_word = False
        elif not self._in_word:
            self._weight += WORD
            self._in_word = True
            if not self._nesting.inside and not self._nesting.address:
                self._gap = here

    def _adjoins(self, character: str) -> bool:
        """Whether it belongs to the undecided marks right before it: more of them, or what closes a quote."""
        assert self._undecided
        if len(self._kept) > self._undecided.at:
            return False
        if character in self._nesting.closers:
            return True
        last = self._run[-1]
        return (character in ENDS and last in ENDS) or character == last == "—"

    def _adjoin(self, character: str) -> None:
        if character in MARKS:
            self._run += character
        self._undecided = self._here()
        if not self._nesting.closers and self._run in UNAMBIGUOUS:
            self._take(self._undecided)

    def _consider(self, mark: str) -> None:
        before = self._kept[-2] if len(self._kept) > 1 else ""
        if mark in ",;" and before == ".":
            return
        self._run, self._undecided = mark, self._here()
        plain = mark in UNAMBIGUOUS and not (mark in NUMERIC and (before.isdigit() or self._nesting.address))
        if plain and not self._nesting.closers:
            self._take(self._undecided)

    def _decide(self, following: str) -> None:
        assert self._undecided
        ends = self._ends(following)
        if ends is True:
            self._take(self._undecided)
        elif ends is False:
            self._undecided = None

    def _ends(self, following: str) -> bool | None:
        """Whether the undecided marks end a clause; None is to be asked again with the next character."""
        assert self._undecided
        touching = len(self._kept) == self._undecided.at
        apart = not touching or following.isspace() or not following.isascii()
        if self._run == ".":
            return not self._numbers_an_item() and ends_sentence(self._token(), following, apart=apart)
        if self._run in NUMERIC and not self._nesting.address:
            return not (following.isdigit() and self._token()[-1:].isdigit())
        plain = self._run.endswith("...") or not self._run[-1].isascii()
        return apart or plain or (self._run[-1] == "?" and following == "[")

    def _token(self) -> str:
        """The word right before the undecided mark."""
        assert self._undecided
        tail = "".join(self._kept[max(0, self._undecided.at - 12) : self._undecided.at])
        return re.split(r"[^!-~]|[(\[\"'*]", tail.rstrip("\"'*”’")[: -len(self._run)])[-1]

    def _numbers_an_item(self) -> bool:
        """Whether the undecided mark belongs to a list's number."""
        if self._line is None:
            return False
        line = "".join(self._kept[self._line :])
        return re.fullmatch(r"[\s#>*+-]*\d{1,3}\.\**\s*", line) is not None

    def _take(self, place: _Place) -> None:
        """Ends a clause there, or remembers the place where it is too early."""
        self._undecided = None
        stops = not FULL_STOPS.isdisjoint(self._run)
        if self._given == 0:
            least = 1 if self._relaxed else self._first_minimum
        elif self._given == 1:
            least = 1 if stops else SECOND
        else:
            least = SENTENCE if stops else LONG
        if place.weight and place.weight >= least:
            self._cut(place)
        elif place.weight:
            self._mark = place

    def _overflow(self) -> None:
        if self._mark and self._mark.weight >= SECOND:
            self._cut(self._mark)
        elif self._gap and self._gap.at and (self._in_word or self._nesting.inside):
            self._cut(self._gap)
        else:
            self._cut(self._here())

    # Blocks

    def _open_block(self, character: str) -> None:
        if self._fresh and character == "|":
            self._kind, self._rows = "table", 1
        elif character in "`~" and self._is_line(character * 3):
            self._kind, self._fence = "code", ""
        if self._kind != "prose":
            self._nesting, self._undecided = Nesting(), None
            self._weight = self._cost = 0
            self._mark = self._gap = None
        self._fresh = self._fresh and character.isspace()

    def _is_line(self, text: str) -> bool:
        """Whether the line, so far, is just that."""
        return self._line is not None and "".join(self._kept[self._line :]).strip() == text

    def _code(self, character: str) -> None:
        self._kept.append(character)
        if character != "\n":
            self._bound_block(2 * BLOCK)
            return
        line = "" if self._line is None else "".join(self._kept[self._line :]).strip()
        self._line = len(self._kept)
        if not self._fence:
            self._fence = line[: len(line) - len(line.lstrip(line[:1]))] or "```"
            closed = self._fence[0] == "`" and "`" in line[len(self._fence) :]
        else:
            closed = line.startswith(self._fence) and not line.strip(self._fence[0])
        if closed:
            self._end_block(self._here())
        else:
            self._bound_block(BLOCK)

    def _table(self, character: str) -> None:
        if self._fresh and character != "|" and (character == "\n" or not character.isspace()):
            assert self._line is not None
            self._end_block(_Place(self._line, 0, 0))
            self._prose(character)
            return
        self._kept.append(character)
        self._rows += self._fresh and character == "|"
        self._fresh = self._fresh and character.isspace()
        if character == "\n":
            self._line, self._fresh = len(self._kept), True
        self._bound_block(BLOCK if self._fresh else 2 * BLOCK)

    def _end_block(self, place: _Place) -> None:
        if place.at:
            self._cut(place)
        self._kind, self._fresh = "prose", True

    def _bound_block(self, limit: int) -> None:
        if len(self._kept) >= limit:
            self._cut(self._here())
