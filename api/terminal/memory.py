"""`tingshuo memory`: what is remembered of a user, shown, corrected, exported and forgotten."""

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agent.rights import LISTED, as_json, open_rights
from api.question import check_names, words
from api.safe_text import safe
from api.terminal.recording import check_writable
from api.terminal.screen import console, note, print_json
from configs.errors import RequestTooLarge
from configs.settings import Settings
from memory.remembered import Forgotten, Kind, Memory, Space

NONE = "Nothing is remembered of {user!r} there."


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose memory, and which."""

    user: str | None = None
    persona: str = ""
    """A persona that keeps its memory to itself; empty for the shared one."""

    def __post_init__(self) -> None:
        """Raises RequestError for names that cannot be any."""
        check_names(user=self.user, persona=self.persona or None)

    def space(self, settings: Settings) -> Space:
        """The space that is meant."""
        return Space(self.user or settings.user, self.persona)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which memories are shown."""

    kind: Kind | None = None
    search: str | None = None
    closed: bool = False
    limit: int = LISTED
    before: int | None = None


async def list_memories(settings: Settings, whose: Whose, chosen: Chosen, *, json: bool) -> None:
    """Prints memories, the newest first."""
    space = whose.space(settings)
    async with open_rights(settings) as rights:
        found = await rights.memories.list(
            space,
            kind=chosen.kind,
            closed=chosen.closed,
            search=chosen.search and words(chosen.search),
            limit=chosen.limit,
            before=chosen.before,
        )
    if json:
        print_json([as_json(memory) for memory in found])
        return
    for memory in found:
        _print(memory)
    if not found:
        note(NONE.format(user=space.user))
    elif len(found) == chosen.limit:
        note(f"There may be more: --before {found[-1].id}")


async def edit(settings: Settings, whose: Whose, number: int, text: str) -> None:
    """Corrects a fact or a note."""
    text = words(text)
    if len(text) > settings.limits.question_characters:
        raise RequestTooLarge(
            f"the text has {len(text)} characters; the limit is {settings.limits.question_characters}", "Shorten it."
        )
    async with open_rights(settings) as rights:
        _print(await rights.memories.edit(whose.space(settings), number, text))


async def export(settings: Settings, whose: Whose, out: Path | None) -> None:
    """Writes everything as JSON lines, into a file that only this user may read, or on standard output."""
    if out:
        check_writable(out)
    async with open_rights(settings) as rights:
        lines = [json.dumps(entry, ensure_ascii=False) async for entry in rights.memories.export(whose.space(settings))]
    with ExitStack() as stack:
        target = stack.enter_context(open(out, "w", encoding="utf-8", opener=_private)) if out else sys.stdout  # noqa: ASYNC230  # nothing else runs here
        target.writelines(line + "\n" for line in lines)
    if out:
        note(f"{len(lines)} lines in {out}")


async def forget(
    settings: Settings, whose: Whose, numbers: Sequence[int], about: str | None, *, everything: bool
) -> None:
    """Erases the memories of these numbers, those that hold some words, or all."""
    space = whose.space(settings)
    async with open_rights(settings) as rights:
        if everything:
            gone = await rights.forget_all(space.user)
        elif about is not None:
            gone = await rights.forget_about(space, words(about))
        else:
            gone = await rights.forget(space, numbers)
    console().print(_told(gone))


def _told(gone: Forgotten) -> str:
    if not gone.memories and not gone.turns:
        return "There was nothing to forget."
    return f"Forgotten: {gone.memories} memories and {len(gone.turns)} turns of conversations."


def _print(memory: Memory) -> None:
    until = f", until {memory.closed_at:%Y-%m-%d}" if memory.closed_at else ""
    day = memory.said_at.astimezone()
    console().print(f"{memory.id:>6}  {day:%Y-%m-%d}  {memory.kind:<4}  {safe(memory.text)}{until}")
    if memory.quote and memory.quote != memory.text:
        console().print(f"{'':>26}“{safe(memory.quote)}”", style="dim")


def _private(path: str, flags: int) -> int:
    import os

    return os.open(path, flags, 0o600)
