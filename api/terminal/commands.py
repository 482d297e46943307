"""The commands of `tingshuo`: their names, arguments and help; each loads what it needs when it is run."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from api.terminal.key_commands import key
from api.terminal.memory_commands import memory
from api.terminal.process import be_quiet, reported, run

# Plain help: drawing it with rich would take most of the time until it shows.
app = typer.Typer(
    rich_markup_mode=None,
    name="tingshuo",
    help="A local-first voice assistant: speak a question, hear an answer from your own documents.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
documents = typer.Typer(rich_markup_mode=None, help="What the knowledge bases hold.", no_args_is_help=True)
app.add_typer(documents, name="knowledge")
personas = typer.Typer(rich_markup_mode=None, help="Who the assistant can be.", no_args_is_help=True)
app.add_typer(personas, name="persona")
app.add_typer(memory, name="memory")
app.add_typer(key, name="key")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE.wav", help="Where the spoken answer goes.")]
Persona = Annotated[str | None, typer.Option(metavar="NAME", help="Who answers; else the settings' persona.")]
Bases = Annotated[
    list[str] | None, typer.Option("--knowledge", metavar="NAME", help="A knowledge base to search; repeatable.")
]
Base = Annotated[str, typer.Option("--knowledge", metavar="NAME", help="The knowledge base.")]
User = Annotated[str | None, typer.Option(metavar="NAME", help="Who asks; else the settings' user.")]
Conversation = Annotated[str | None, typer.Option(metavar="ID", help="The conversation to go on with; else a new one.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tingshuo {version('tingshuo')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what goes on, on standard error.")] = False,
) -> None:
    """A local-first voice assistant: speak a question, hear an answer from your own documents."""
    if verbose:
        be_quiet(verbose=True)


@app.command()
@reported()
def demo(
    question: Annotated[
        str | None, typer.Option(metavar="TEXT|AUDIO", help="Another question about the example documents.")
    ] = None,
    json: Json = False,
    out: Out = None,
    persona: Persona = None,
    knowledge: Bases = None,
    user: User = None,
    conversation: Conversation = None,
) -> None:
    """Ask a spoken question about the example documents and hear the answer."""
    from api.terminal import demo as door
    from api.terminal.ask import Wishes
    from configs.settings import load_settings

    wishes = Wishes(json, out, persona, tuple(knowledge or ()), user, conversation)
    run(partial(door.demo, load_settings(), question, wishes))


@app.command()
@reported()
def ask(
    question: Annotated[str, typer.Argument(metavar="TEXT|AUDIO", help="Words, a recording, or - for standard input.")],
    json: Json = False,
    out: Out = None,
    speak: Annotated[bool, typer.Option("--speech/--no-speech", help="Whether the answer is spoken.")] = True,
    persona: Persona = None,
    knowledge: Bases = None,
    user: User = None,
    conversation: Conversation = None,
) -> None:
    """Ask once, in words or with a recording."""
    if out and not speak:
        raise typer.BadParameter("without speech there is nothing to write", param_hint="--out")
    from api.terminal import ask as door
    from configs.settings import load_settings

    wishes = door.Wishes(json, out, persona, tuple(knowledge or ()), user, conversation, speak)
    run(partial(door.ask, load_settings(), question, wishes))


@app.command()
@reported()
def chat(
    speak: Annotated[bool, typer.Option("--speak/--no-speak", help="Whether replies are spoken as well.")] = False,
    persona: Persona = None,
    knowledge: Bases = None,
    user: User = None,
    conversation: Conversation = None,
) -> None:
    """Talk in words; Ctrl-C cuts a reply short, Ctrl-D ends."""
    from api.terminal import chat as door
    from api.terminal.ask import Wishes
    from configs.settings import load_settings

    wishes = Wishes(False, None, persona, tuple(knowledge or ()), user, conversation, speak)
    door.chat(load_settings(), wishes)


@app.command()
@reported()
def talk(
    half_duplex: Annotated[
        bool, typer.Option("--half-duplex", help="Do not listen while a reply is played, for want of headphones.")
    ] = False,
    persona: Persona = None,
    knowledge: Bases = None,
    user: User = None,
    conversation: Conversation = None,
) -> None:
    """Talk through the microphone and the loudspeaker; speak over a reply to cut it short."""
    from api.terminal import talk as door
    from api.terminal.ask import Wishes
    from configs.settings import load_settings

    wishes = Wishes(False, None, persona, tuple(knowledge or ()), user, conversation)
    run(partial(door.talk, load_settings(), wishes, half_duplex=half_duplex))


@app.command()
@reported()
def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Documents, or folders of them.")],
    knowledge: Base = "default",
    watch: Annotated[bool, typer.Option("--watch", help="Follow changes of the files until Ctrl-C.")] = False,
) -> None:
    """Take documents into a knowledge base; those whose files are gone from a folder go."""
    from api.terminal import ingest as door
    from configs.settings import load_settings

    if watch:
        run(partial(door.follow, load_settings(), paths, knowledge))
    raise typer.Exit(run(partial(door.ingest, load_settings(), paths, knowledge)))


@app.command()
@reported()
def reindex(
    knowledge: Annotated[
        list[str] | None, typer.Option("--knowledge", metavar="NAME", help="Only this knowledge base; repeatable.")
    ] = None,
) -> None:
    """Make the vectors of the knowledge bases anew, with the best embeddings that are ready now."""
    from api.terminal import knowledge as door
    from configs.settings import load_settings

    run(partial(door.reindex, load_settings(), knowledge or ()))


@app.command("eval")
@reported()
def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="Questions whose answers are known.")],
    knowledge: Annotated[str | None, typer.Option(metavar="NAME", help="Ask a knowledge base of your own.")] = None,
    answers: Annotated[bool, typer.Option("--answers", help="Have whole answers as well.")] = False,
    ablation: Annotated[bool, typer.Option("--ablation", help="Lexical and dense search also alone.")] = False,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Find the best line for refusing.")] = False,
    least: Annotated[
        str, typer.Option(metavar="NAME=VALUE,...", help="Exit with 1 where a figure is less: recall@5=0.95")
    ] = "",
    json: Json = False,
) -> None:
    """Measure search and answers on questions whose answers are known."""
    from api.terminal import evaluate as door
    from configs.settings import load_settings

    wishes = door.Wishes(knowledge, answers, ablation, calibrate, least, json)
    raise typer.Exit(run(partial(door.run_evaluation, load_settings(), file, wishes)))


@documents.command("list")
@reported()
def list_documents(json: Json = False) -> None:
    """List the documents, by knowledge base."""
    from api.terminal import knowledge as door
    from configs.settings import load_settings

    run(partial(door.list_documents, load_settings(), json=json))


@documents.command("search")
@reported()
def search(
    question: str,
    knowledge: Bases = None,
    limit: Annotated[int | None, typer.Option(min=1, max=100, help="The most passages.")] = None,
    json: Json = False,
) -> None:
    """Show the passages that answer a question, and whether they are enough."""
    from api.terminal import knowledge as door
    from configs.settings import load_settings

    run(partial(door.search, load_settings(), question, knowledge or (), limit, json=json))


@documents.command("remove")
@reported()
def remove(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A document's path, file name or title.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All documents of the knowledge base.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    knowledge: Base = "default",
) -> None:
    """Take a document out of a knowledge base, or all of them."""
    from api.terminal import knowledge as door
    from configs.settings import load_settings

    if (name is None) != everything:
        raise typer.BadParameter("name a document, or give --all", param_hint="NAME")
    if everything and not yes:
        typer.confirm(f"Remove all documents from {knowledge!r}?", abort=True, err=True)
    run(partial(door.remove, load_settings(), name, knowledge))


@app.command()
@reported()
def serve(
    host: Annotated[str | None, typer.Option(help="An address of this machine; else the settings'.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = None,
) -> None:
    """Serve the HTTP API."""
    from api import listening
    from api.guard.keys import keyed
    from api.terminal.screen import note
    from api.tracing.destination import destination
    from configs.settings import load_settings

    settings = load_settings()
    destination(settings.tracing)
    door, chosen = settings.server, settings.server.port if port is None else port
    with listening.bind(
        host or door.host, chosen, published_on_loopback=door.published_on_loopback, keyed=keyed(settings.data)
    ) as taken:
        from api.server import serve as serving

        url = listening.address(taken)
        code = run(partial(serving, settings, taken, lambda: note(f"Serving at {url} (Ctrl-C ends)")))
    if code:
        raise KeyboardInterrupt


@app.command()
@reported()
def pull(
    persona: Annotated[str | None, typer.Option(metavar="NAME", help="For whom; else the settings' persona.")] = None,
    only: Annotated[
        Literal["ollama", "onnx", "whisper", "chattts"] | None, typer.Option(help="One part alone.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Fetch the models that the persona and the settings ask for, or what is missing of them."""
    from api.terminal import pull as door
    from api.terminal.screen import note
    from configs.settings import load_settings

    plan = run(partial(door.planned, load_settings(), persona, only))
    for line in plan.told():
        note(line)
    if plan.told() and not yes and sys.stdin.isatty():
        typer.confirm("Fetch this?", default=True, abort=True, err=True)
    raise typer.Exit(run(partial(door.pull, plan)))


@app.command()
@reported()
def say(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say, or - for standard input.")],
    out: Out = None,
    voice: Annotated[str | None, typer.Option(metavar="NAME", help="Else the persona's.")] = None,
    speed: Annotated[float | None, typer.Option(min=0.5, max=2.0, help="1 is the voice's own pace.")] = None,
    language: Annotated[
        Literal["auto", "en", "zh"], typer.Option(help="In which all is read; auto is each clause's own.")
    ] = "auto",
    persona: Annotated[str | None, typer.Option(metavar="NAME", help="Whose voice; else the settings'.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print each clause as it would be spoken, and no more.")] = False,
) -> None:
    """Say a text into a sound file."""
    from api.terminal import say as door
    from configs.settings import load_settings

    settings, wishes = load_settings(), door.Wishes(out, voice, speed, language, persona)
    clauses = door.clauses(settings, text, wishes)
    if show:
        door.show(clauses)
    else:
        run(partial(door.say, settings, clauses, wishes))


@personas.command("list")
@reported()
def list_personas(json: Json = False) -> None:
    """List who there is."""
    from api.terminal import persona as door
    from configs.settings import load_settings

    door.list_personas(load_settings(), json=json)


@personas.command("show")
@reported()
def show_persona(name: str, json: Json = False) -> None:
    """Show what the model is told of a persona, and the rest of it."""
    from api.terminal import persona as door
    from configs.settings import load_settings

    door.show(load_settings(), name, json=json)


@personas.command("apply")
@reported()
def apply_persona(name: str) -> None:
    """Have Ollama make the persona's model, tingshuo-NAME, from its Modelfile."""
    from api.terminal import persona as door
    from configs.settings import load_settings

    run(partial(door.apply, load_settings(), name))


@personas.command("new")
@reported()
def new_persona(
    name: str,
    source: Annotated[str, typer.Option("--from", metavar="NAME", help="Whom it is like at first.")] = "default",
) -> None:
    """Write a new persona for you to change."""
    from api.terminal import persona as door
    from configs.settings import load_settings

    door.new(load_settings(), name, source)


@app.command()
@reported()
def doctor(json: Json = False) -> None:
    """Say which engines would serve, why, what would be better, and what stands in the way."""
    from api.terminal.diagnosis import print_diagnosis
    from api.terminal.doctor import diagnose

    found = run(diagnose)
    print_diagnosis(found, json=json)
    raise typer.Exit(found.exit_code)
