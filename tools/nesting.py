"""What a character of streaming text stands in: quotes, emphasis, brackets, code, an address; decides nothing."""

QUOTES = {"“": "”", "‘": "’", "「": "」", "『": "』"}
OPENERS, CLOSERS = frozenset("([（［【《〈"), frozenset(")]）］】》〉")
ASIDE = 60
"""Characters in brackets, or in inline code, up to which they are kept whole."""
ADDRESS = 1000
"""Characters of an address up to which it is kept whole."""


class Nesting:
    """What a character stands in: quotes, emphasis, brackets, inline code, an address."""

    def __init__(self) -> None:
        self.closers: set[str] = set()
        """What would close an open quote or emphasis; it belongs to the mark before it."""
        self.address = 0
        """Characters since an address began; 0 is outside."""
        self._brackets = 0
        self._code = False
        self._inside_for = 0
        self._before = ""

    @property
    def inside(self) -> bool:
        """Whether this is in brackets or inline code, where nothing is cut."""
        return self._code or self._brackets > 0

    def follow(self, character: str) -> None:
        """Takes the next character."""
        if self.inside and not self.address:
            self._inside_for += 1
            if self._inside_for > ASIDE:
                self._brackets, self._code = 0, False
        if self.address:
            self._follow_address(character)
        if self._before[-1:] == "*" != character:
            self._emphasis(character)
        if not character.isalnum():
            self._pair(character)
        self._before = self._before[-1:] + character

    def _follow_address(self, character: str) -> None:
        ended = character.isspace() or not character.isascii() or character in '<>"`' or self.address > ADDRESS
        self.address = 0 if ended else self.address + 1

    def _emphasis(self, character: str) -> None:
        if "*" in self.closers:
            self.closers.discard("*")
        elif not character.isspace():
            self.closers.add("*")

    def _pair(self, character: str) -> None:
        if character in OPENERS or (character == "`" and not self.inside):
            self._open(character)
        elif character in CLOSERS:
            self._brackets = max(0, self._brackets - 1)
        elif character == "`":
            self._code = False
        elif character in QUOTES:
            self.closers.add(QUOTES[character])
        elif character in "\"'”’」』":
            self._quote(character)
        elif character == "/" and self._before == ":/":
            self.address = 1

    def _open(self, character: str) -> None:
        if not self.inside:
            self._inside_for = 0
        if character == "`":
            self._code = True
            return
        self._brackets += 1
        if character == "(" and self._before[-1:] == "]":
            self.address = 1

    def _quote(self, character: str) -> None:
        letter = self._before[-1:]
        if character in "'’" and letter.isalnum() and letter.isascii():
            return  # an apostrophe
        if character in self.closers:
            self.closers.discard(character)
        elif character in "\"'":
            self.closers.add(character)
