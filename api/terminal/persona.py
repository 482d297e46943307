"""`tingshuo persona`: who there is, what the model is told, and new ones; opens no engine."""

import re
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from rich.text import Text

from api.safe_text import safe, safe_lines
from api.terminal.screen import console, note, print_json
from configs.errors import ConfigError, DataFolderUnwritable, RequestError
from configs.modelfile import Modelfile, Value, rendered
from configs.persona import Body, Persona, Personas, persona_folders
from configs.settings import Settings
from models.engines import ollama_models

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
"""What Ollama takes in a model's name, and every disk in a file's."""
OMITTED = ("title", "modelfile", "model")
"""What a new persona does not take over."""


def list_personas(settings: Settings, *, json: bool) -> None:
    """Prints every persona; one with a fault is listed with it."""
    personas = Personas(persona_folders(settings.data))
    found = [_described(personas, name, settings.persona) for name in personas.names()]
    if json:
        print_json(found)
        return
    for one in found:
        title = " ".join(filter(None, one.get("title", {}).values()))
        console().print(Text(f"{one['name']:<16}", "bold"), safe(title), " (in use)" if one["in_use"] else "", sep="")
        if error := one.get("error"):
            console().print(Text(f"  {safe(error)}", "red"))
            continue
        console().print(f"  {safe(one['description'])}")
        grounded = one["grounded"].replace("_", " ")
        console().print(f"  language {one['language']}, model {safe(one['model'])}, grounded {grounded}")
        console().print(*(f"  {safe(path)}" for path in one["files"].values()), sep="\n")


def show(settings: Settings, name: str, *, json: bool) -> None:
    """Prints what the model gets of a persona, and the rest of it. Raises PersonaNotFound and ConfigError."""
    from agent.prompt import system_prompt

    personas = Personas(persona_folders(settings.data))
    persona = personas.get(name)
    document = {
        **_described(personas, name, settings.persona),
        "system_prompt": system_prompt(persona),
        "messages": [message._asdict() for message in persona.brain.messages],
        "parameters": _parameters(settings, persona),
        **persona.model_dump(
            mode="json", by_alias=True, include={"voice", "greeting", "tools", "knowledge", "reasoning"}
        ),
    }
    if json:
        print_json(document)
        return
    out = console()
    for key, value in document.items():
        if key not in ("system_prompt", "messages", "in_use"):
            out.print(Text(f"{key:<16}", "bold"), safe(_flat(value)), sep="")
        if key == "voice" and persona.voice.acts:
            out.print(f"{'':<16}oral, laugh and break act with ChatTTS only")
    out.print(Text("\nsystem prompt", "bold"))
    out.print(safe_lines(document["system_prompt"]))
    for message in persona.brain.messages:
        out.print(Text(f"\n{message.role}", "bold"))
        out.print(safe_lines(message.content))


async def apply(settings: Settings, name: str) -> None:
    """Has every Ollama of the settings make the persona's model, or make it again.

    Raises PersonaNotFound, ConfigError, ModelNotFound, EngineUnavailable or EngineFailed.
    """
    personas = Personas(persona_folders(settings.data))
    persona, (body, modelfile) = personas.get(name), personas.files(name)
    if persona.model != f"tingshuo-{name}":
        raise ConfigError(
            f"{body} names a model of its own, {persona.model}, which is taken as it is",
            f"Remove `model:` from it, and tingshuo-{name} is made.",
        )
    brain = replace(persona.brain, parameters=_parameters(settings, persona))
    for host in settings.chat.ollama.servers:
        async with aclosing(ollama_models.create(host, persona.model, brain, modelfile.parent)) as progress:
            async for step in progress:
                note(f"  {step.status}")
        console().print(f"{persona.model}: Ollama at {safe(host)} has it, made from {safe(str(modelfile))}")
    if persona.brain.messages:
        note("Its example messages are not in it: the assistant sends them itself.")


def new(settings: Settings, name: str, source: str) -> None:
    """Writes a persona like another one into the data folder, for a person to change, and prints where.

    Raises RequestError for a name that cannot be or is taken, PersonaNotFound, ConfigError and DataFolderUnwritable.
    """
    folders = persona_folders(settings.data)
    personas = Personas(folders)
    if not NAME.fullmatch(name):
        raise RequestError(
            f"{name!r} cannot name a persona",
            "Use up to 40 of a-z, 0-9, - and _; `title:` in its file may say anything.",
        )
    paths = folders[0] / f"{name}.Modelfile", folders[0] / f"{name}.yaml"
    if name in personas.names() or any(path.exists() for path in paths):
        raise RequestError(
            f"there is a persona {name!r} already",
            "Take another name; `tingshuo persona list` says where its files are.",
        )
    model, (_, modelfile) = personas.get(source), personas.files(source)
    brain = f"# The brain of {name}. Its body is {name}.yaml.\n\n{rendered(_moved(model.brain, modelfile.parent))}"
    _write(dict(zip(paths, (brain, body_text(name, model)), strict=True)))
    for path in reversed(paths):
        console().print(safe(str(path)))


def body_text(name: str, like: Persona) -> str:
    """A YAML file with everything that a body can say, each with its line on what it is."""
    values: dict[str, Any] = {
        "title": {"en": name, "zh": name},
        **like.model_dump(mode="json", by_alias=True, exclude={*OMITTED}),
    }
    parts = [f"# Who {name} is. Its brain is {name}.Modelfile.\n"]
    for key, field in Body.model_fields.items():
        if key in values:
            text = yaml.dump({key: values[key]}, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
            parts.append(f"# {field.description}\n{text}")
    return "\n".join(parts)


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _described(personas: Personas, name: str, in_use: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": name, "in_use": name == in_use}
    try:
        persona, (body, modelfile) = personas.get(name), personas.files(name)
    except ConfigError as error:
        return {**shown, "error": f"{error.message} {error.hint}".strip()}
    return {
        **shown,
        **persona.model_dump(mode="json", include={"title", "language", "model", "grounded"}),
        "description": persona.description.of(persona.language),
        "from": persona.brain.from_,
        "files": {"body": str(body), "modelfile": str(modelfile)},
    }


def _parameters(settings: Settings, persona: Persona) -> dict[str, Value]:
    """What the model is asked with: the context is one for all personas."""
    return {"num_ctx": settings.chat.ollama.num_ctx, **persona.brain.parameters}


def _flat(value: object) -> str:
    """A value on one line."""
    match value:
        case dict():
            return ", ".join(f"{key}: {_flat(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(map(_flat, value)) or "none"
        case None:
            return "unset"
        case other:
            return " ".join(str(other).split())


def _moved(brain: Modelfile, folder: Path) -> Modelfile:
    """The same brain for a Modelfile elsewhere: what it names beside the old one gets its whole path."""

    def whole(named: str) -> str:
        local = named and ollama_models.is_local(named, folder)
        return str((folder / Path(named).expanduser()).absolute()) if local else named

    return replace(brain, from_=whole(brain.from_), adapter=whole(brain.adapter), draft=whole(brain.draft))


def _write(files: Mapping[Path, str]) -> None:
    """Writes files that are not there yet, all or none. Raises DataFolderUnwritable."""
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise DataFolderUnwritable(
            f"{path} cannot be written: {error.strerror or error}", "Free space, or grant access."
        ) from error
