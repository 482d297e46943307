"""Text of others made fit for a terminal: nothing in it moves the cursor, changes colours or forges a line."""

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What could move the cursor, change colours or turn the order of the letters round."""

_BREAKS = re.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
"""All that something may take for the end of a line."""

BREAK = "␤"
"""Where a line ended in a value that belongs on one line."""


def safe(text: str) -> str:
    """A title, a name or a path, on one line: what would end it is shown as ␤, a tab as a space."""
    return _CONTROLS.sub("", _BREAKS.sub(BREAK, text).replace("\t", " "))


def safe_lines(text: str) -> str:
    """A reply, or a text of several lines, which keeps them and its tabs."""
    return _CONTROLS.sub("", _BREAKS.sub("\n", text))
