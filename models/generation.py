"""How one reply is to be generated, where a caller says so; no engine's own names stand here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Generation:
    """What a caller wants of one reply; what is None or empty is as the persona has it."""

    tokens: int | None = None
    """The most that the reply may have, thoughts with it."""
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning: bool | Literal["low", "medium", "high"] | None = None
    """Whether the model thinks before it speaks, or how hard."""
    shape: Literal["json"] | Mapping[str, Any] | None = None
    """Any JSON object, or the JSON schema that the reply is held to."""
