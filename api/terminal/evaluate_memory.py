"""`tingshuo eval` on a file of users: how well each kind of question on what they said is answered, as a table."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from rich.table import Table

from agent.memory_evaluation import KINDS, MemoryEvaluation, MemoryOutcome, evaluate_memory, shares
from api.safe_text import safe
from api.terminal.progress import bar
from api.terminal.screen import console, note, print_json
from configs.errors import RequestError
from configs.settings import Settings
from memory.memory_questions import read_memory_questions


async def run_memory_evaluation(settings: Settings, file: Path, least: dict[str, float], *, json: bool) -> int:
    """Holds the sessions, asks the questions, prints how it went; the exit code is 1 where a share is below `least`."""
    if unknown := sorted(set(least) - {*KINDS, "leaks"}):
        raise RequestError(f"there is no figure {unknown[0]!r}", f"There are: {', '.join(KINDS)}, leaks.")
    users = await run_sync(read_memory_questions, file)
    with bar("Remembering…") as drawn:
        found = await evaluate_memory(settings, users, drawn)
    groups = _groups(found.outcomes)
    missed = [line for name, group in groups.items() for line in _missed(name, group, least)]
    if json:
        print_json(_document(found, groups, missed))
    else:
        _print(found, groups)
    for line in missed:
        note(line)
    return 1 if missed else 0


def _groups(outcomes: Sequence[MemoryOutcome]) -> dict[str, list[MemoryOutcome]]:
    groups = {
        "en": [one for one in outcomes if one.language == "en"],
        "zh": [one for one in outcomes if one.language == "zh"],
        "all": list(outcomes),
        "held out": [one for one in outcomes if one.question.held_out],
    }
    return {name: group for name, group in groups.items() if group}


def _missed(name: str, group: Sequence[MemoryOutcome], least: dict[str, float]) -> list[str]:
    lines = []
    found = shares(group)
    for kind, (right, of) in found.items():
        if right / of < least.get(kind, 0.0):
            lines.append(f"{name}: {kind} is {right / of:.3f}, less than {least[kind]:g}")
    leaks = sum(one.leaked for one in group)
    if leaks > least.get("leaks", leaks):
        lines.append(f"{name}: there are {leaks} leaks, more than {least['leaks']:g}")
    return lines


def _print(found: MemoryEvaluation, groups: dict[str, list[MemoryOutcome]]) -> None:
    out = console()
    for choice in (found.chat, found.embeddings):
        out.print(f"{choice.slot}: {choice.engine} {choice.model}".rstrip())
    table = Table("", box=None, pad_edge=False)
    for column in ("questions", *KINDS, "doubts", "leaks", "p50 ms", "p95 ms"):
        table.add_column(column, justify="right")
    for name, group in groups.items():
        told = shares(group)
        cells = [f"{told[kind][0]}/{told[kind][1]}" if kind in told else "-" for kind in KINDS]
        waits = sorted(one.milliseconds for one in group)
        times = [f"{waits[round(share * (len(waits) - 1))]:.1f}" for share in (0.5, 0.95)]
        sums = (str(sum(one.doubted for one in group)), str(sum(one.leaked for one in group)))
        table.add_row(name, str(len(group)), *cells, *sums, *times)
    out.print(table)
    for one in found.outcomes:
        if not one.right and not one.question.held_out:
            out.print(f"  {one.question.kind}: {safe(one.question.question)} → {safe(one.reply)}", style="dim")


def _document(found: MemoryEvaluation, groups: dict[str, list[MemoryOutcome]], missed: Sequence[str]) -> dict[str, Any]:
    return {
        "chat": {"engine": found.chat.engine, "model": found.chat.model},
        "embeddings": {"engine": found.embeddings.engine, "model": found.embeddings.model},
        "figures": {
            name: {
                "questions": len(group),
                "doubts": sum(one.doubted for one in group),
                "leaks": sum(one.leaked for one in group),
                "kinds": {kind: {"right": right, "of": of} for kind, (right, of) in shares(group).items()},
            }
            for name, group in groups.items()
        },
        "outcomes": [{**asdict(one), "question": one.question.model_dump(by_alias=True)} for one in found.outcomes],
        "missed": list(missed),
    }
