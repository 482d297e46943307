"""The commands of `tingshuo memory`: their names, arguments and help; each loads what it needs when it is run."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from api.terminal.process import reported, run

memory = typer.Typer(rich_markup_mode=None, help="What the assistant remembers of you.", no_args_is_help=True)

User = Annotated[str | None, typer.Option(metavar="NAME", help="Whose; else the settings' user.")]
Own = Annotated[str, typer.Option("--persona", metavar="NAME", help="A persona that keeps its memory to itself.")]


@memory.command("list")
@reported()
def list_memories(
    user: User = None,
    persona: Own = "",
    kind: Annotated[Literal["turn", "fact", "note"] | None, typer.Option(help="Only these.")] = None,
    search: Annotated[str | None, typer.Option(metavar="WORDS", help="Only what holds these words.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Facts that no longer hold as well.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    before: Annotated[int | None, typer.Option(metavar="NUMBER", help="Only what came before that one.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")] = False,
) -> None:
    """Show what is remembered, the newest first."""
    from api.terminal import memory as door
    from configs.settings import load_settings

    chosen = door.Chosen(kind, search, closed, limit, before)
    run(partial(door.list_memories, load_settings(), door.Whose(user, persona), chosen, json=json))


@memory.command()
@reported()
def edit(number: int, text: str, user: User = None, persona: Own = "") -> None:
    """Correct a fact or a note."""
    from api.terminal import memory as door
    from configs.settings import load_settings

    run(partial(door.edit, load_settings(), door.Whose(user, persona), number, text))


@memory.command()
@reported()
def export(
    out: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Else standard output.")] = None,
    user: User = None,
    persona: Own = "",
) -> None:
    """Write everything that is remembered, as JSON lines."""
    from api.terminal import memory as door
    from configs.settings import load_settings

    run(partial(door.export, load_settings(), door.Whose(user, persona), out))


@memory.command()
@reported()
def forget(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[NUMBER...]", help="As `list` shows them.")] = None,
    about: Annotated[str | None, typer.Option(metavar="WORDS", help="All that holds these words.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All memories and conversations of the user.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    user: User = None,
    persona: Own = "",
) -> None:
    """Erase memories for good, with the turns that they were said in."""
    from api.terminal import memory as door
    from configs.settings import load_settings

    if (bool(numbers), about is not None, everything).count(True) != 1:
        raise typer.BadParameter("name memories by number, or give --about or --all", param_hint="NUMBER")
    settings, whose = load_settings(), door.Whose(user, persona)
    if everything and not yes:
        name = whose.space(settings).user
        typer.confirm(f"Forget everything that {name!r} has ever said?", abort=True, err=True)
    run(partial(door.forget, settings, whose, numbers or (), about, everything=everything))
