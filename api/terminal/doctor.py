"""`tingshuo doctor`: what would serve, why, and what stands in the way; changes nothing that is kept."""

import os
import platform
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from filelock import FileLock, Timeout

from api.tracing.destination import destination
from configs.errors import AssistantError, ConfigError, DataFolderUnwritable
from configs.persona import load_persona, persona_folders
from configs.settings import Settings, load_settings
from memory.inspection import Inspection, inspect
from models.gpus import Gpu, find_gpus
from models.readiness import (
    chat_candidates,
    embedding_candidates,
    speech_to_text_candidates,
    text_to_speech_candidates,
    voice_activity_candidates,
)
from models.selection import Candidate, Choice, Slot, choose
from models.video_memory import Division, divide

PACKAGES = (
    "tingshuo", "anyio", "av", "chromadb", "ctranslate2", "espeakng-loader", "fastapi", "faster-whisper", "langchain",
    "langchain-ollama", "langgraph", "numpy", "onnxruntime", "pocketsphinx", "pydantic", "ChatTTS", "torch",
    "sounddevice", "opentelemetry-exporter-otlp-proto-http",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DataState:
    """What is known of the data folder from outside."""

    path: str
    exists: bool
    writable: bool
    bytes: int
    locked: bool
    locked_by: int | None
    """The process that has it open, where that can be told."""


@dataclass
class Diagnosis:
    """What was found."""

    choices: list[Choice] = field(default_factory=list)
    failures: dict[str, AssistantError] = field(default_factory=dict)
    """What cannot work, by slot or part."""
    data: DataState | None = None
    inspection: Inspection | None = None
    persona: str = ""
    tracing: str = ""
    """Where traces are sent; empty where they are not."""
    gpus: list[Gpu] = field(default_factory=list)
    packages: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def division(self) -> Division | None:
        """How the memory of the largest GPU is best divided; None where there is none, or a too small one."""
        return divide(max(gpu.total for gpu in self.gpus)) if self.gpus else None

    @property
    def exit_code(self) -> int:
        """1 where something that is configured cannot work."""
        return 1 if self.failures else 0

    def as_json(self) -> dict[str, Any]:
        """Everything, by name."""
        engines: dict[str, Any] = {
            choice.slot: {key: value for key, value in asdict(choice).items() if key != "slot"}
            for choice in self.choices
        }
        return {
            "ok": not self.failures,
            "problems": {name: {"message": e.message, "hint": e.hint} for name, e in self.failures.items()},
            "engines": engines,
            "persona": self.persona,
            "tracing": self.tracing or None,
            "data": asdict(self.data) if self.data else None,
            "index": _told(self.inspection) if self.inspection else None,
            "gpus": [asdict(gpu) for gpu in self.gpus],
            "best_settings": self.division.settings() if self.division else None,
            "python": f"{platform.python_version()} on {platform.platform()}",
            "packages": self.packages,
            "variables": self.variables,
        }


async def diagnose() -> Diagnosis:
    """Looks at everything; what fails is noted, and the rest looked at all the same."""
    found = Diagnosis(packages={name: _version(name) for name in PACKAGES}, variables=_variables())
    found.gpus = await run_sync(find_gpus)
    try:
        settings = load_settings()
    except ConfigError as error:
        found.failures["settings"] = error
        return found
    try:
        found.tracing = destination(settings.tracing)
    except ConfigError as error:
        found.failures["tracing"] = error
    await look_at_engines(settings, found)
    found.data = await run_sync(data_state, settings.data.expanduser().absolute())
    if not found.data.writable:
        found.failures["data"] = DataFolderUnwritable(
            f"the data folder {found.data.path!r} cannot be written",
            "Give this user a folder that can be written, or name another one with TINGSHUO_DATA.",
        )
    await look_at_index(settings, found)
    return found


async def look_at_index(settings: Settings, found: Diagnosis) -> None:
    """Has ledger and index checked, unless a process uses them."""
    if found.data and found.data.locked:
        found.inspection = Inspection(skipped=f"in use by process {found.data.locked_by or 'unknown'}")
        return
    found.inspection = await inspect(settings.data.expanduser().absolute(), settings.index.url)
    for name, error in (("ledger", found.inspection.ledger), ("index", found.inspection.index)):
        if error:
            found.failures[name] = error


async def look_at_engines(settings: Settings, found: Diagnosis) -> None:
    """Notes who would serve each slot, and what stands in the way."""
    found.persona, models = settings.persona, [settings.persona]
    try:
        persona = load_persona(settings.persona, persona_folders(settings.data))
        models = [persona.model, persona.brain.from_]
    except ConfigError as error:
        found.failures["persona"] = error

    async def here(candidates: Callable[[Settings], Sequence[Candidate]]) -> Sequence[Candidate]:
        return candidates(settings)

    slots: list[tuple[Slot, Awaitable[Sequence[Candidate]]]] = [
        ("chat", chat_candidates(settings, models)),
        ("embeddings", embedding_candidates(settings)),
        ("voice_activity", here(voice_activity_candidates)),
        ("speech_to_text", here(speech_to_text_candidates)),
        ("text_to_speech", here(text_to_speech_candidates)),
    ]
    for slot, candidates in slots:
        try:
            found.choices.append(choose(slot, getattr(settings, slot).engine, await candidates))
        except AssistantError as error:
            found.failures[slot] = error


def _told(inspection: Inspection) -> dict[str, Any]:
    state = "not checked" if inspection.skipped else "damaged" if inspection.ledger or inspection.index else "fine"
    return {"state": state, "vectors": inspection.vectors, "tried": inspection.tried, "why": inspection.skipped or None}


def data_state(path: Path) -> DataState:
    """What a folder looks like from outside; blocking."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    locked = _locked(path / "lock")
    return DataState(
        str(path), path.exists(), writable, _size(path), locked, _holder(path / "holder.pid") if locked else None
    )


def _locked(path: Path) -> bool:
    """Whether a process holds the lock; takes it for an instant to find out."""
    if not path.is_file():
        return False
    try:
        with FileLock(path, thread_local=False).acquire(blocking=False):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _holder(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _size(path: Path) -> int:
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += (Path(folder) / name).lstat().st_size
            except FileNotFoundError:  # a running process tidies up
                continue
    return total


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _variables() -> dict[str, str]:
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith("TINGSHUO_")}
