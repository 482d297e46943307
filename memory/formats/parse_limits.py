"""What one file may take of time, memory and size when it is read; measures nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What one file may take."""

    seconds: float
    """Of computing."""
    memory: int
    """Bytes of the whole process."""
    characters: int
    """Of text."""
    pages: int
    unpacked: int
    """Bytes of a packed document, when it is unpacked."""
    ratio: int
    """How many times larger it may be then."""
