"""What could serve each slot on this machine now, best first; finds out without loading any engine."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from configs.errors import EngineNotInstalled, ModelNotFound
from configs.settings import Settings
from models.engines.ollama_probe import OllamaState, probe
from models.selection import Candidate
from models.weights import WHISPER_FILES, missing, whisper_folder

SCRIPTED = Candidate("fake", True, "scripted, for tests and benchmarks", embedded=True, automatic=False)
INSTALL = "uv sync"


async def chat_candidates(settings: Settings, models: Sequence[str]) -> list[Candidate]:
    """Who could think; `models` are the Ollama models that would do, best first."""
    state = await probe(settings.chat.ollama.host)
    extractive = Candidate(
        "extractive", True, "needs no language model: quotes the passages that answer", embedded=True
    )
    return [_ollama(state, models), extractive, SCRIPTED]


async def embedding_candidates(settings: Settings) -> list[Candidate]:
    """What could turn text into vectors."""
    state = await probe(settings.embeddings.ollama.host)
    hashed = Candidate("hashed", True, "needs no weights: hashed character n-grams", embedded=True)
    return [_ollama(state, [settings.embeddings.ollama.model]), hashed]


def speech_to_text_candidates(settings: Settings) -> list[Candidate]:
    """Who could hear."""
    sphinx = _packaged("pocketsphinx", "pocketsphinx", "its English model comes in its wheel; hears English only")
    return [_faster_whisper(settings.speech_to_text.faster_whisper.model, settings.data), sphinx, SCRIPTED]


def text_to_speech_candidates(settings: Settings) -> list[Candidate]:
    """Who could speak."""
    return [
        _packaged("espeak-ng", "espeakng_loader", "its voices come in its wheel; Chinese and English"),
        SCRIPTED,  # voices
    ]


def voice_activity_candidates(settings: Settings) -> list[Candidate]:
    """What could tell speech from silence."""
    return [_packaged("silero", "faster_whisper", "Silero v6 comes in faster-whisper's wheel"), SCRIPTED]


def _ollama(state: OllamaState, models: Sequence[str]) -> Candidate:
    wanted = models[-1]
    if not state.running:
        return Candidate("ollama", False, f"no Ollama answers at {state.host}", f"ollama serve && ollama pull {wanted}")
    if model := next((model for model in models if state.has(model)), None):
        return Candidate("ollama", True, f"Ollama {state.version} at {state.host} has {model}", model=model)
    reason = f"Ollama at {state.host} does not have {wanted}"
    return Candidate("ollama", False, reason, f"ollama pull {wanted}", failure=ModelNotFound)


def _faster_whisper(model: str, data: Path) -> Candidate:
    if find_spec("faster_whisper") is None:
        return Candidate("faster-whisper", False, "not installed", INSTALL, failure=EngineNotInstalled)
    folder = whisper_folder(model, data)
    remedy = f"put a CTranslate2 Whisper model into {data / 'models' / f'faster-whisper-{model}'}"
    if folder is None:
        return Candidate("faster-whisper", False, f"no weights of {model!r}", remedy, failure=ModelNotFound)
    if lacking := missing(folder, WHISPER_FILES):
        reason = f"{folder} lacks {', '.join(lacking)}"
        return Candidate("faster-whisper", False, reason, remedy, failure=ModelNotFound)
    return Candidate("faster-whisper", True, f"{model} in {folder}")


def _packaged(engine: str, package: str, reason: str) -> Candidate:
    if find_spec(package) is None:
        return Candidate(engine, False, "not installed", INSTALL, embedded=True, failure=EngineNotInstalled)
    return Candidate(engine, True, reason, embedded=True)
