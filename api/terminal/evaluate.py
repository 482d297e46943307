"""`tingshuo eval`: how well questions with known answers are answered, as tables; measures nothing itself."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from anyio.to_thread import run_sync
from rich.table import Table

from agent.evaluation import Evaluation, Wanted, evaluate
from api.question import check_names
from api.terminal.evaluate_memory import run_memory_evaluation
from api.terminal.progress import bar
from api.terminal.screen import console, note, print_json
from configs.errors import RequestError
from configs.settings import Settings
from memory.calibration import Line, coverage_line, similarity_line
from memory.evaluation import CROSS_LANGUAGE, Figures, figures, grouped
from memory.memory_questions import is_about_users
from memory.question_sets import read_questions
from memory.search import Rankers

ALL_RANKERS: Final[tuple[Rankers, ...]] = ("both", "lexical", "dense")
MISSED: Final = 1
"""The exit code where a figure is below what was asked for."""

_Cells = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options of the command ask for."""

    knowledge: str | None = None
    answers: bool = False
    ablation: bool = False
    calibrate: bool = False
    least: str = ""
    json: bool = False


async def run_evaluation(settings: Settings, file: Path, wishes: Wishes) -> int:
    """Asks the questions in the file, prints how it went, and returns the exit code."""
    if await run_sync(is_about_users, file):
        return await run_memory_evaluation(settings, file, _pairs(wishes.least), json=wishes.json)
    check_names(knowledge=[wishes.knowledge] if wishes.knowledge else [])
    least = bounds(wishes.least)
    questions = await run_sync(read_questions, file)
    wanted = Wanted(wishes.knowledge, ALL_RANKERS if wishes.ablation else ("both",), wishes.answers)
    with bar("Asking…") as asked:
        found = await evaluate(settings, questions, wanted, asked)
    measured = {
        rankers: {name: figures(group) for name, group in grouped(outcomes).items()}
        for rankers, outcomes in found.outcomes.items()
    }
    lines = _lines(settings, found) if wishes.calibrate else None
    missed = _missed(measured["both"], least)
    if wishes.json:
        print_json(_document(found, measured, lines, missed))
    else:
        _print(found, measured, lines)
    for line in missed:
        note(line)
    return MISSED if missed else 0


def bounds(text: str) -> dict[str, float]:
    """What "recall@5=0.95,refusal_f1=0.9" asks for. Raises RequestError for anything else."""
    found = _pairs(text)
    unknown = next((name for name in found if name not in MEASURES), None)
    if unknown is not None:
        raise RequestError(f"there is no figure {unknown!r}", f"There are: {', '.join(MEASURES)}.")
    return found


def _pairs(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError as error:
            raise RequestError(f"{part!r} is no figure and least value", "Write --least recall@5=0.95.") from error
    return found


def _search_cells(one: Figures) -> _Cells:
    recall = {f"recall@{depth}": share for depth, share in one.recall.items()}
    refusals = {f"refusal_{name}": share for name, share in asdict(one.refusals).items()}
    return {**recall, "mrr": one.mrr, "given": one.given, **refusals}


def _answer_cells(one: Figures) -> _Cells:
    if one.answers is None:
        return {}
    refusals = {f"answer_refusal_{name}": share for name, share in asdict(one.answers.refusals).items()}
    shares = {name: share for name, share in asdict(one.answers).items() if name != "refusals"}
    return {**shares, **refusals}


MEASURES: Final = (
    *("recall@1", "recall@3", "recall@5", "mrr", "given", "refusal_precision", "refusal_recall", "refusal_f1"),
    *("facts", "citation_precision", "citation_recall"),
    *("answer_refusal_precision", "answer_refusal_recall", "answer_refusal_f1"),
)
"""What `--least` can name."""


def _missed(measured: dict[str, Figures], least: dict[str, float]) -> list[str]:
    """A line for each figure that is below its bound, or was not measured; across languages nothing is asked."""
    lines = []
    for group, one in measured.items():
        cells = {**_search_cells(one), **_answer_cells(one)}
        for name, bound in () if group.startswith(CROSS_LANGUAGE) else least.items():
            value = cells.get(name)
            if value is None or value < bound:
                lines.append(f"{group}: {name} is {_shown(value)}, less than {bound:g}")
    return lines


def _lines(settings: Settings, found: Evaluation) -> dict[str, Line | None]:
    """The best lines by the name of their setting, on questions that were not held out."""
    outcomes = [one for one in found.outcomes["both"] if not one.case.held_out and not one.case.cross_language]
    engine = found.embeddings.engine.replace("-", "_")
    similarity = getattr(getattr(settings.embeddings, engine, None), "similarity", None)
    coverage = settings.grounding.coverage
    lines = {"grounding.coverage": coverage_line(outcomes, coverage, similarity)}
    if similarity is not None:
        lines[f"embeddings.{engine}.similarity"] = similarity_line(outcomes, coverage, similarity)
    return lines


def _print(
    found: Evaluation, measured: dict[Rankers, dict[str, Figures]], lines: dict[str, Line | None] | None
) -> None:
    out, engine = console(), found.embeddings
    out.print(f"{found.documents} documents, embedded with {engine.engine} {engine.model}".rstrip())
    for rankers, groups in measured.items():
        out.print()
        out.print(_NAMES[rankers], style="bold")
        out.print(_table(groups, _search_cells, waits=True))
    if found.chat:
        out.print()
        out.print(f"Answers by {found.chat.engine} {found.chat.model}".rstrip(), style="bold")
        out.print(_table(measured["both"], _answer_cells, waits=False))
    for name, line in (lines or {}).items():
        out.print()
        out.print(_told(name, line))


_NAMES: Final[dict[Rankers, str]] = {
    "both": "Search",
    "lexical": "Lexical search alone",
    "dense": "Dense search alone, judged by similarity",
}


def _table(groups: dict[str, Figures], cells: Callable[[Figures], _Cells], *, waits: bool) -> Table:
    table = Table("questions", box=None, pad_edge=False)
    names = [name.replace("answer_", "").replace("_", " ") for name in cells(next(iter(groups.values())))]
    for column in ("", *names, *(("p50 ms", "p95 ms") if waits else ())):
        table.add_column(column, justify="right")
    for group, one in groups.items():
        times = [f"{seconds * 1000:.1f}" for seconds in (one.p50, one.p95)] if waits else []
        table.add_row(group, str(one.questions), *map(_shown, cells(one).values()), *times)
    return table


def _told(name: str, line: Line | None) -> str:
    if line is None:
        return f"{name}: to find its best line takes questions that can be answered and some that cannot"
    *sections, key = name.split(".")
    yaml = "".join(f"{'  ' * depth}{part}:\n" for depth, part in enumerate(sections))
    return (
        f"{name}: the refusals' F1 is {line.f1:.3f} at {line.cut:.2f}, {line.before:.3f} as it is set. "
        f"In assistant.yaml:\n{yaml}{'  ' * len(sections)}{key}: {line.cut:.2f}"
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _document(
    found: Evaluation,
    measured: dict[Rankers, dict[str, Figures]],
    lines: dict[str, Line | None] | None,
    missed: Sequence[str],
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "documents": found.documents,
        "embeddings": {"engine": found.embeddings.engine, "model": found.embeddings.model},
        "chat": {"engine": found.chat.engine, "model": found.chat.model} if found.chat else None,
        "figures": {
            rankers: {name: _as_json(one) for name, one in groups.items()} for rankers, groups in measured.items()
        },
        "missed": list(missed),
    }
    if lines is not None:
        document["calibration"] = {name: asdict(line) if line else None for name, line in lines.items()}
    return document


def _as_json(one: Figures) -> dict[str, Any]:
    waits = {"p50_ms": one.p50 * 1000, "p95_ms": one.p95 * 1000}
    return {
        "questions": one.questions,
        "answerable": one.answerable,
        **_search_cells(one),
        **waits,
        **_answer_cells(one),
    }
