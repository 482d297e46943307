"""Which engine serves a slot, and why: policy only; knows nothing of how readiness is found out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from configs.errors import EngineError, EngineNotInstalled, EngineUnavailable, EngineUnknown

Slot = Literal["chat", "embeddings", "speech_to_text", "text_to_speech", "voice_activity"]
"""What an engine is for; also the section of the settings that names it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine that could serve a slot."""

    engine: str
    ready: bool
    reason: str
    """Why it is ready, or why it is not."""
    remedy: str = ""
    """The command that makes it ready."""
    embedded: bool = False
    """It needs no server, weights, GPU or network."""
    automatic: bool = True
    """`auto` may take it."""
    model: str = ""
    """The model that it would serve with, where it has several."""
    failure: type[EngineError] = EngineUnavailable
    """What naming it raises while it is not ready."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that serves a slot."""

    slot: Slot
    engine: str
    why: str
    embedded: bool
    better: str = ""
    """The engine that `auto` would rather take, and why it cannot."""
    remedy: str = ""
    """The command that gets the better one."""
    model: str = ""
    """The model that it serves with, where it has several."""


def choose(slot: Slot, wanted: str, candidates: Sequence[Candidate]) -> Choice:
    """The engine that is wanted, or for "auto" the first that is ready; candidates stand best first.

    Raises EngineUnknown, or what the named engine's candidate says.
    """
    if wanted == "auto":
        return _best(slot, [candidate for candidate in candidates if candidate.automatic])
    named = next((candidate for candidate in candidates if candidate.engine == wanted), None)
    if named is None:
        known = ", ".join(["auto", *(candidate.engine for candidate in candidates)])
        raise EngineUnknown(f"there is no {slot} engine {wanted!r}", f"Set `{slot}.engine` to one of: {known}.")
    if not named.ready:
        raise named.failure(f"the {slot} engine {wanted!r} is not ready: {named.reason}", named.remedy)
    return Choice(slot, named.engine, f"named in the settings; {named.reason}", named.embedded, model=named.model)


def _best(slot: Slot, candidates: Sequence[Candidate]) -> Choice:
    found = next((candidate for candidate in candidates if candidate.ready), None)
    if found is None:
        first = candidates[0]
        raise EngineNotInstalled(f"no {slot} engine is ready; {first.engine}: {first.reason}", first.remedy)
    best = candidates[0]
    if found is best:
        return Choice(slot, found.engine, found.reason, found.embedded, model=found.model)
    better = f"{best.engine} ({best.reason})"
    return Choice(slot, found.engine, found.reason, found.embedded, better, best.remedy, found.model)
