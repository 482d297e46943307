"""Personas: a Modelfile is the brain, a YAML file the body; reads files, and knows no engine."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from os import stat_result
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

import yaml
from pydantic import Field, ValidationError, model_validator

from configs.errors import ConfigError, PersonaNotFound
from configs.modelfile import Modelfile, read_modelfile
from configs.section import Section

SHIPPED = Path(__file__).with_name("personas")
ROOT_MODELFILE = Path(__file__).parents[1] / "Modelfile"
"""The default persona's brain in a checkout; a wheel carries it as `default.Modelfile` among the shipped personas."""

ToolName = Literal["knowledge_search", "remember", "recall", "forget"]
Pace = Annotated[float, Field(ge=0.5, le=2)]
Level = Annotated[int | None, Field(strict=True, ge=0)]
Read = TypeVar("Read")


class Bilingual(Section):
    """A short text in both languages; either may be missing."""

    en: str = ""
    zh: str = ""

    def of(self, language: str) -> str:
        """The text in that language ("zh", "zh-CN", "en" …); where it is missing, the other; "" when both are."""
        return self.zh or self.en if language.startswith("zh") else self.en or self.zh


class PersonaVoice(Section):
    """Who speaks; the engine maps the name to what it has."""

    name: str = "default"
    speed: Pace = 1.0
    """1 is the engine's own pace, 2 twice as fast."""
    pitch: Pace = 1.0
    """1 is the engine's own pitch."""
    oral: Annotated[Level, Field(le=9)] = None
    """How many interjections such as "um" it may add; this and what follows act in ChatTTS only."""
    laugh: Annotated[Level, Field(le=2)] = None
    """How readily it laughs."""
    break_: Annotated[Level, Field(le=7)] = Field(default=None, alias="break")
    """How much it pauses."""

    @property
    def acts(self) -> bool:
        """Whether it asks for what ChatTTS alone can do."""
        return (self.oral, self.laugh, self.break_) != (None, None, None)


class Body(Section):
    """What a persona's YAML file says."""

    title: Bilingual = Bilingual()
    """What people call it."""
    description: Bilingual = Bilingual()
    """One line on what it is for."""
    modelfile: str = ""
    """The path of its Modelfile, relative to the YAML file; when empty, `<name>.Modelfile` among the personas."""
    model: str = ""
    """The Ollama model made from its Modelfile; when empty, `tingshuo-<name>`. Where Ollama lacks it, FROM serves."""
    language: Literal["auto", "en", "zh"] = "auto"
    """The language to hear and speak; "auto" is the speaker's."""
    voice: PersonaVoice = PersonaVoice()
    """Who speaks, how fast and how high; with ChatTTS also `oral` (0 to 9), `laugh` (0 to 2) and `break` (0 to 7)."""
    greeting: Bilingual = Bilingual()
    """What it says first; empty for nothing."""
    style: str = ""
    """How it speaks, told to the model after the rules that hold for everything spoken."""
    tools: tuple[ToolName, ...] = get_args(ToolName)
    """What it may call; `remember`, `recall` and `forget` only where it has a memory."""
    knowledge: tuple[str, ...] = ("default",)
    """The knowledge bases that it may search."""
    memory: Literal["shared", "own", False] = "shared"
    """Where it keeps what a user says: with all personas that share, by itself alone, or nowhere (`off`)."""
    grounded: Literal["always", "when_embedded", "never"] = "when_embedded"
    """When it answers only what documents support and refuses the rest; "when_embedded": where no language model is."""
    reasoning: Literal[False, True, "low", "medium", "high"] = False
    """Whether the model thinks before it speaks (`on`, `off`), or how hard."""

    @model_validator(mode="after")
    def _can_answer(self) -> "Body":
        if self.grounded == "always" and not self.knowledge:
            raise ValueError("`grounded: always` needs a knowledge base to answer from")
        return self


class Persona(Body):
    """Who the assistant is: a body and its brain."""

    name: str
    """Its file's name, without `.yaml`."""
    brain: Modelfile
    """What its Modelfile says."""


def persona_folders(data: Path) -> tuple[Path, Path]:
    """Where personas are looked for: the user's own folder in the data folder, then the shipped one."""
    return data / "personas", SHIPPED


def load_persona(name: str, folders: Sequence[Path]) -> Persona:
    """The persona with that name, read once. Raises PersonaNotFound and ConfigError, as `Personas.get` does."""
    return Personas(folders).get(name)


class Personas:
    """The personas in some folders, at least one; a changed file counts from the next `get`.

    The body `<name>.yaml` and the brain `<name>.Modelfile` are each taken from the first folder that has them, so that
    one of the two can be replaced alone.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._body = _Reread(_read_body)
        self._brain = _Reread(read_modelfile)

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._bodies())

    def get(self, name: str) -> Persona:
        """The persona with that name. Raises PersonaNotFound, and ConfigError where a file of it is wrong."""
        yaml_file, modelfile = self.files(name)
        body = self._body(yaml_file)
        given = {**dict(body), "model": body.model or f"tingshuo-{name}"}
        return Persona(name=name, brain=self._brain(modelfile), **given)

    def files(self, name: str) -> tuple[Path, Path]:
        """Its YAML file and its Modelfile. Raises as `get` does."""
        bodies = self._bodies()
        if name not in bodies:
            raise PersonaNotFound(
                f"there is no persona {name!r}",
                f"Take one of {', '.join(sorted(bodies)) or '(none)'}, or write {self._folders[0] / 'NAME.yaml'}.",
            )
        return bodies[name], self._modelfile(name, bodies[name], self._body(bodies[name]).modelfile)

    def _bodies(self) -> dict[str, Path]:
        """Every YAML file by its name; so a name that is asked for never becomes a path."""
        paths = (path for folder in reversed(self._folders) for path in folder.glob("[!.]*.yaml"))
        return {path.stem: path for path in paths}

    def _modelfile(self, name: str, body: Path, given: str) -> Path:
        if given:
            return body.parent / Path(given).expanduser()
        for path in self._modelfile_candidates(name):
            if path.is_file():
                return path
        raise ConfigError(
            f"the persona {name!r} in {body} has no Modelfile",
            f"Write {body.with_name(f'{name}.Modelfile')}, or name another one with `modelfile:`.",
        )

    def _modelfile_candidates(self, name: str) -> Iterator[Path]:
        for folder in self._folders:
            if folder == SHIPPED and name == "default":
                yield ROOT_MODELFILE
            yield folder / f"{name}.Modelfile"


class _Reread(Generic[Read]):
    """Reads a file when it is new or has changed, by inode, time and size."""

    def __init__(self, read: Callable[[Path], Read]) -> None:
        self._read = read
        self._known: dict[Path, tuple[tuple[int, ...], Read]] = {}

    def __call__(self, path: Path) -> Read:
        try:
            stamp = _stamp(path.stat())
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}", "Create it, or correct its path.") from error
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = (stamp, self._read(path))
        return known[1]


def _stamp(stat: stat_result) -> tuple[int, ...]:
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _read_body(path: Path) -> Body:
    values, root = _read_yaml(path)
    try:
        return Body.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        message = f"`{where}`: {reason}" if where else reason
        hint = f"The keys are {_keys(first['loc'])}." if first["type"] == "extra_forbidden" else "Mend it there."
        raise ConfigError(f"{path}, line {_line(root, first['loc'])}: {message}", hint) from error


def _keys(location: Sequence[int | str]) -> str:
    """What a key may be called where pydantic found one that is none."""
    inner = Body.model_fields[str(location[0])].annotation if len(location) > 1 else Body
    assert isinstance(inner, type)
    assert issubclass(inner, Section)
    return ", ".join(field.alias or name for name, field in inner.model_fields.items())


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, where PyYAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> tuple[Any, yaml.Node | None]:
    """The file's value, and its tree, which knows the lines. Raises ConfigError."""
    try:
        loader = _Loader(path.read_text(encoding="utf-8-sig"))
        root = loader.get_single_node()
        return ({} if root is None else loader.construct_document(root)), root
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", "Correct its permissions.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}, line {line}: not valid YAML: {error.problem}", "Mend that line.") from error
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path} is not valid YAML: {reason}", "Mend it, and save it as UTF-8.") from error


def _line(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """The line, from 1, of what pydantic calls `location`, as near as the tree knows it."""
    line = node.start_mark.line if node is not None else 0
    for part in location:
        if isinstance(node, yaml.MappingNode):
            key, node = next(((key, value) for key, value in node.value if key.value == str(part)), (node, None))
            line = key.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line
    return line + 1
