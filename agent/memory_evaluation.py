"""How well users are remembered: their sessions are held, then their questions asked, on a memory of its own."""

import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from agent.assistant import Assistant, open_assistant
from agent.distillation import distil
from agent.events import TurnEnded
from configs.settings import Settings
from memory.memory_questions import MemoryKind, MemoryQuestion, MemoryQuestionSet, SpeakingUser
from memory.remembered import Space
from models.selection import Choice

KINDS: Final[tuple[MemoryKind, ...]] = ("single", "several", "update", "time", "never", "forgotten")
Report = Callable[[int, int], None]
"""How many turns of how many are done."""


@dataclass(frozen=True, slots=True)
class MemoryOutcome:
    """What came of one question."""

    question: MemoryQuestion
    user: str
    language: str
    reply: str
    right: bool
    leaked: bool
    """The reply, or a memory that was recalled for it, holds what was to be forgotten."""
    doubted: bool
    """All facts are told, marked as a doubt; that does not count as right."""
    milliseconds: float
    """Until all was looked up."""


@dataclass(frozen=True, slots=True)
class MemoryEvaluation:
    """What came of all questions."""

    outcomes: tuple[MemoryOutcome, ...]
    chat: Choice
    embeddings: Choice


async def evaluate_memory(settings: Settings, users: MemoryQuestionSet, report: Report) -> MemoryEvaluation:
    """Holds the sessions in the order of time, then asks; in a temporary folder, with the engines in force."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_assistant(settings, folder=Path(folder), hears=False, speaks=False) as assistant:
            todo = sum(len(s.turns) for user in users.users for s in user.sessions)
            todo, done = todo + sum(len(user.questions) for user in users.users), 0
            sessions = ((user, number) for user in users.users for number in range(len(user.sessions)))
            for user, number in sorted(sessions, key=lambda pair: pair[0].sessions[pair[1]].at):
                await _hold(assistant, user, number)
                done += len(user.sessions[number].turns)
                report(done, todo)
            outcomes = []
            for user in users.users:
                for question in user.questions:
                    outcomes.append(await _ask(assistant, user, question))
                    report(done + len(outcomes), todo)
            slots = {choice.slot: choice for choice in assistant.choices}
    return MemoryEvaluation(tuple(outcomes), slots["chat"], slots["embeddings"])


async def _hold(assistant: Assistant, user: SpeakingUser, number: int) -> None:
    """One session, at its own time; its facts are drawn at once, where a model can."""
    session = user.sessions[number]
    for minute, text in enumerate(session.turns):
        assistant.clock = lambda at=session.at + timedelta(minutes=minute): at  # type: ignore[misc]
        await assistant.ask(text=text, user=user.user, conversation=f"{user.user}-{number}", speak=False)
    await assistant.store.memories.catch_up()
    if (chat := assistant.served()) is not None:
        while await distil(assistant.store.memories, Space(user.user), chat):
            pass


async def _ask(assistant: Assistant, user: SpeakingUser, question: MemoryQuestion) -> MemoryOutcome:
    assistant.clock = lambda: user.last + timedelta(days=1)
    ended = await assistant.ask(text=question.question, user=user.user, speak=False)
    stale = _says_any(ended.reply, question.not_)
    leaked = question.kind == "forgotten" and (
        stale or any(_says_any(memory.text, question.not_) for memory in ended.memories)
    )
    reached = ended.timings_ms.get("recall", ended.timings_ms.get("first_token", 0.0))
    return MemoryOutcome(
        question,
        user.user,
        user.language,
        ended.reply,
        _is_right(ended, question) and not stale and not leaked,
        leaked,
        bool(question.facts) and ended.refused and _says_all(ended, question) and not stale,
        reached - ended.timings_ms["transcript"],
    )


def _is_right(ended: TurnEnded, question: MemoryQuestion) -> bool:
    if question.facts:
        return not ended.refused and _says_all(ended, question)
    # A model may decline in many words; that it was given nothing can be told for certain.
    return not ended.memories


def _says_all(ended: TurnEnded, question: MemoryQuestion) -> bool:
    return all(_says_any(ended.reply, [fact]) for fact in question.facts)


def _says_any(text: str, words: Iterable[str]) -> bool:
    folded = _folded(text)
    # A number is not said by a longer one.
    return any(re.search(rf"(?<!\d){re.escape(_folded(word))}(?!\d)", folded) for word in words)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def shares(outcomes: Sequence[MemoryOutcome]) -> dict[str, tuple[int, int]]:
    """How many questions of each kind were answered right, of how many; kinds that do not occur are left out."""
    return {
        kind: (sum(one.right for one in asked), len(asked))
        for kind in KINDS
        if (asked := [one for one in outcomes if one.question.kind == kind])
    }
