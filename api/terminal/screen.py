"""What a person sees at the terminal: results on standard output, progress on standard error; knows no engine."""

import json
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.safe_text import safe, safe_lines
from memory.passages import PATH_SEPARATOR, Citation, Passage
from models.selection import Choice

if TYPE_CHECKING:
    from agent.events import TurnEnded
    from api.answer import Answer

QUOTE = 100
"""The most characters of a source that are shown."""


def console() -> Console:
    """Standard output, where long lines are not broken when it is no terminal."""
    return _Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


class _Console(Console):
    """Rich's console, which leaves it to us to end the process."""

    def on_broken_pipe(self) -> None:
        """The reader has gone."""
        raise BrokenPipeError


def print_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON document on standard output."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    sys.stdout.write(json.dumps(document, ensure_ascii=ascii_only, indent=2) + "\n")


def note(text: str) -> None:
    """A line on standard error, or the lines of an error."""
    sys.stderr.write(safe_lines(text) + "\n")
    sys.stderr.flush()


NO_DOCUMENTS = "No documents are kept yet: tingshuo ingest PATH"


@contextmanager
def status(first: str) -> Generator[Callable[[str], None], None, None]:
    """A line on standard error that says what goes on; nothing where that is no terminal."""
    stderr = Console(stderr=True)
    if not stderr.is_terminal:
        yield lambda text: None
        return
    with stderr.status(first) as shown:
        yield shown.update


def print_answer(answer: "Answer", path: Path | None) -> None:
    """An answer with its sources, stages, engines, and where its sound is."""
    out, turn = console(), answer.turn
    if turn.transcript:
        out.print(Text("Heard   ", "bold"), safe(turn.transcript.text), sep="")
    out.print(Text("Answer  ", "bold green"), safe_lines(turn.reply), sep="")
    print_evidence(turn)
    out.print()
    out.print(_stages(turn.timings_ms))
    out.print()
    print_engines(answer.engines)
    if path and answer.sound:
        out.print()
        out.print(Text("Sound   ", "bold"), f"{path} ({answer.sound.seconds:.1f} s)", sep="")


def print_sources(citations: Iterable[Citation]) -> None:
    """Where an answer comes from: the document, the heading, and the beginning of the passage."""
    out = console()
    for citation in citations:
        out.print(Text("Source  ", "bold"), safe(place(citation)), Text(f"  “{quote(citation.text)}”", "dim"), sep="")


def print_evidence(turn: "TurnEnded") -> None:
    """What an answer rests on: what the user said before, the sources; and the sentences that they do not bear out."""
    out = console()
    for memory in turn.memories:
        day = f"{memory.said_at.astimezone():%Y-%m-%d}"
        out.print(Text("Memory  ", "bold"), day, Text(f"  “{quote(memory.text)}”", "dim"), sep="")
    print_sources(turn.citations)
    for sentence in turn.unsupported:
        out.print(Text("Beware  ", "bold yellow"), "not in the sources: ", safe(sentence), sep="")


def print_engines(choices: Iterable[Choice]) -> None:
    """Which engine serves each slot, why, and what would be better."""
    out = console()
    for choice in choices:
        named = f"{choice.engine} {choice.model}".strip() + (" (embedded)" if choice.embedded else "")
        out.print(Text(f"{choice.slot:<16}", "bold"), f"{named}: {choice.why}", sep="")
        if choice.better:
            out.print(Text(f"{'':<16}better: {choice.better}", "yellow"))
            if choice.remedy:
                out.print(Text(f"{'':<16}get it: {choice.remedy}", "yellow"))


def quote(text: str) -> str:
    """The beginning of a text, on one line."""
    line = safe(" ".join(text.split()))
    return line if len(line) <= QUOTE else line[: QUOTE - 1].rstrip() + "…"


def place(source: Citation | Passage) -> str:
    """The document, the headings and the page where a piece of it stands."""
    document, path = source.document, source.heading
    # A heading's path begins with the title where the document has one.
    if path and path != document and not path.startswith(document + PATH_SEPARATOR):
        path = f"{document}{PATH_SEPARATOR}{path}"
    return (path or document) + (f", p. {source.page}" if source.page else "")


def amount(size: float) -> str:
    """So many bytes, for a person."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _stages(timings: Mapping[str, float]) -> Table:
    table = Table("stage", box=None, pad_edge=False)
    table.add_column("ms", justify="right")
    for stage, milliseconds in timings.items():
        table.add_row(stage.replace("_", " "), f"{milliseconds:.0f}")
    return table
