"""An inquiry: what one turn asks, by whom and where; it knows no sound."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

Clock = Callable[[], datetime]
"""The date and the time of day, with a time zone."""


def utc() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question in words, as a responder gets it."""

    text: str
    conversation: str
    language: str = "en"
    """Two letters."""
    user: str = "owner"
    turn: str = field(default_factory=lambda: uuid4().hex)
    """The id of the turn; the question has it in the model's history too."""
    at: datetime = field(default_factory=utc)
    """When it is asked."""
