"""`tingshuo pull`: fetches the models that a persona and the settings ask for; the one command that reaches out."""

from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from anyio.to_thread import run_sync

from api.errors import lines
from api.terminal.doctor import Diagnosis, look_at_engines
from api.terminal.screen import amount, note, print_engines
from api.terminal.transfer import Follow, transfer
from configs.errors import AssistantError, EngineUnavailable, ModelNotFound
from configs.persona import Personas, persona_folders
from configs.settings import Settings
from models.downloads import Download, alone, check_space
from models.engines import chattts_loading as chattts
from models.engines import ollama_models
from models.engines.ollama_probe import probe, probe_all
from models.hub import Hub, open_hub
from models.sentence_encoders import FILES, PUBLISHED, encoder_folder
from models.weights import (
    CHATTTS_FILES,
    CHATTTS_REPOSITORY,
    WHISPER_EXTRAS,
    WHISPER_FILES,
    chattts_folder,
    missing,
    whisper_folder,
    whisper_home,
    whisper_repository,
)

Part = Literal["ollama", "onnx", "whisper", "chattts"]


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's files on the Hub."""

    title: str
    folder: Path
    files: tuple[Download, ...]

    @property
    def remaining(self) -> int:
        """Bytes that are still to come, by the sizes of what is there."""
        return sum(file.size - file.here for file in self.files)


@dataclass
class Plan:
    """What is to be fetched, and what stood in the way."""

    settings: Settings
    models: list[tuple[str, str]] = field(default_factory=list)
    """Addresses of Ollama, each with a model that it is to fetch."""
    weights: list[Weights] = field(default_factory=list)
    failures: list[AssistantError] = field(default_factory=list)

    @contextmanager
    def noting(self) -> Generator[None, None, None]:
        """What fails inside is said and kept, and the rest goes on."""
        try:
            yield
        except AssistantError as error:
            note(lines(error))
            self.failures.append(error)

    def told(self) -> list[str]:
        """A line for each thing that is to come."""
        return [f"{model}: from Ollama's library, by Ollama at {host}" for host, model in self.models] + [
            f"{found.title}: {amount(found.remaining)} into {found.folder}" for found in self.weights if found.remaining
        ]


async def planned(settings: Settings, persona: str | None, only: Part | None) -> Plan:
    """Looks what is wanted and how large it is; fetches nothing. Raises PersonaNotFound and ConfigError."""
    plan = Plan(settings.model_copy(update={"persona": persona or settings.persona}))
    for host, model in _ollama_models(plan.settings, only):
        with plan.noting():
            if not await _is_pulled(host, model):
                plan.models.append((host, model))
    async with open_hub(retrying=_retrying) as hub:
        with plan.noting():
            if encoder := await _encoder(hub, settings, only):
                plan.weights.append(encoder)
        with plan.noting():
            if whisper := await _whisper(hub, settings, only):
                plan.weights.append(whisper)
        with plan.noting():
            if voice := await _chattts(hub, settings, only):
                plan.weights.append(voice)
    return plan


async def pull(plan: Plan) -> int:
    """Fetches what is planned, says what will serve now, and returns the exit code: that of the first failure."""
    with transfer() as follow:
        for host, model in plan.models:
            with plan.noting():
                await _pull_model(host, model, follow)
        if plan.weights:
            with plan.noting(), alone(plan.settings.data / "models"):
                await _fetch(plan, follow)
    found = Diagnosis()
    await look_at_engines(plan.settings, found)
    print_engines(found.choices)
    return next((error.exit_code for error in plan.failures), 0)


def _ollama_models(settings: Settings, only: Part | None) -> list[tuple[str, str]]:
    """Each address of Ollama that is used, with the model that it needs."""
    personas, wanted = Personas(persona_folders(settings.data)), []
    from_, folder = personas.get(settings.persona).brain.from_, personas.files(settings.persona)[1].parent
    if _wants("ollama", only, settings.chat.engine, "ollama"):
        if ollama_models.is_local(from_, folder):
            note(f"{from_}: files of the persona {settings.persona}, nothing to fetch")
        else:
            wanted += [(host, from_) for host in settings.chat.ollama.servers]
    if _wants("ollama", only, settings.embeddings.engine, "ollama"):
        wanted += [(host, settings.embeddings.ollama.model) for host in settings.embeddings.ollama.servers]
    return wanted


async def _is_pulled(host: str, model: str) -> bool:
    state = await probe(host, within=5)
    if not state.running:
        reason = f"{model} cannot be fetched: no Ollama answers at {state.host}"
        raise EngineUnavailable(reason, "Start it with `ollama serve`, then pull again.")
    if state.has(model):
        note(f"{model}: Ollama at {state.host} has it")
    return state.has(model)


async def _encoder(hub: Hub, settings: Settings, only: Part | None) -> Weights | None:
    """What embeds without Ollama; unless it is asked for, only where no Ollama answers that would embed."""
    slot = settings.embeddings
    if not _wants("onnx", only, slot.engine, "onnx"):
        return None
    if only is None and slot.engine == "auto" and any(one.running for one in await probe_all(slot.ollama.servers)):
        return None
    model, folder = slot.onnx.model, encoder_folder(slot.onnx.model, settings.data)
    if model not in PUBLISHED:
        if not folder.is_dir():
            hint = f"Set `embeddings.onnx.model` to one of: {', '.join(PUBLISHED)}; or to a folder."
            raise ModelNotFound(f"no encoder {model!r} is known, and there is no such folder", hint)
        note(f"onnx: the settings name the folder {folder}, nothing to fetch")
        return None
    look = partial(hub.look, PUBLISHED[model].repository, FILES, folder)
    return await _looked(f"onnx {model}", folder, FILES, look)


async def _whisper(hub: Hub, settings: Settings, only: Part | None) -> Weights | None:
    if not _wants("whisper", only, settings.speech_to_text.engine, "faster-whisper"):
        return None
    model = settings.speech_to_text.faster_whisper.model
    home, there = whisper_home(model, settings.data), whisper_folder(model, settings.data)
    if there and there != home:
        note(f"whisper: the settings name the folder {there}, nothing to fetch")
        return None
    repository = await run_sync(whisper_repository, model)
    title = f"whisper {model}"
    return await _looked(title, home, WHISPER_FILES, partial(hub.look, repository, WHISPER_FILES, home, WHISPER_EXTRAS))


async def _chattts(hub: Hub, settings: Settings, only: Part | None) -> Weights | None:
    installed = chattts.is_installed()
    if only != "chattts" and not (installed and _wants("chattts", only, settings.text_to_speech.engine, "chattts")):
        return None
    folder = chattts_folder(settings.data)
    hashes = chattts.released_hashes() if installed else {}
    known = {name: hashes[chattts.hash_key(name)] for name in CHATTTS_FILES} if installed else {}
    title = "chattts (weights for non-commercial use: CC BY-NC 4.0)"
    look = partial(hub.look, CHATTTS_REPOSITORY, CHATTTS_FILES, folder, hashes=known)
    return await _looked(title, folder, CHATTTS_FILES, look)


async def _looked(
    title: str, folder: Path, names: Sequence[str], look: Callable[[], Awaitable[list[Download]]]
) -> Weights | None:
    """What the Hub has; without it, what is here is enough where no file is missing: a file has its name when whole."""
    try:
        return Weights(title, folder, tuple(await look()))
    except EngineUnavailable as error:
        if missing(folder, names):
            raise
        note(f"{title}: all files are in {folder}; they were not compared with the Hub ({error.message})")
        return None


def _wants(part: Part, only: Part | None, engine: str, name: str) -> bool:
    """Whether a part was asked for, or nothing in particular and the slot's engine may be it."""
    return only == part or (only is None and engine in ("auto", name))


async def _pull_model(host: str, model: str, follow: Follow) -> None:
    async with aclosing(ollama_models.pull(host, model)) as progress:
        async for step in progress:
            if step.total:
                follow(f"{model} {step.layer.removeprefix('sha256:')[:8]}", step.completed, step.total)
    note(f"{model}: Ollama at {host} has it")


async def _fetch(plan: Plan, follow: Follow) -> None:
    async with open_hub(retrying=_retrying) as hub:
        for found in plan.weights:
            with plan.noting():
                await run_sync(check_space, found.files, found.folder)
                for file in found.files:
                    name = file.path.relative_to(found.folder).as_posix()
                    await hub.fetch(file, _following(follow, name, file.size))
                note(f"{found.title}: all {len(found.files)} files are in {found.folder}")


def _following(follow: Follow, name: str, total: int) -> Callable[[int], None]:
    return lambda done: follow(name, done, total)


def _retrying(reason: str) -> None:
    note(f"{reason}; trying again…")
