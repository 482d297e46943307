"""What could serve each slot on this machine now, best first; finds out without loading any engine."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from configs.errors import EngineNotInstalled, ModelNotFound
from configs.sentence_encoder import OnnxEmbedding
from configs.settings import Settings
from models import sentence_encoders
from models.engines import chattts_loading as chattts
from models.engines.ollama_probe import OllamaState, probe_all
from models.selection import Candidate
from models.weights import CHATTTS_FILES, WHISPER_FILES, chattts_folder, missing, whisper_folder

SCRIPTED = Candidate("fake", True, "scripted, for tests and benchmarks", embedded=True, automatic=False)
INSTALL = "uv sync"


async def chat_candidates(settings: Settings, models: Sequence[str]) -> list[Candidate]:
    """Who could think; `models` are the Ollama models that would do, best first."""
    states = await probe_all(settings.chat.ollama.servers)
    extractive = Candidate(
        "extractive", True, "needs no language model: quotes the passages that answer", embedded=True
    )
    return [_ollama(states, models), extractive, SCRIPTED]


async def embedding_candidates(settings: Settings) -> list[Candidate]:
    """What could turn text into vectors."""
    states = await probe_all(settings.embeddings.ollama.servers)
    hashed = Candidate("hashed", True, "needs no weights: hashed character n-grams", embedded=True)
    onnx = _onnx(settings.embeddings.onnx, settings.data)
    return [_ollama(states, [settings.embeddings.ollama.model]), onnx, hashed]


def embedding_model(engine: str, settings: Settings) -> str:
    """What an index remembers the embeddings of that engine by."""
    if engine == "ollama":
        return settings.embeddings.ollama.model
    if engine == "onnx":
        return sentence_encoders.identity(settings.embeddings.onnx)
    from models.engines.hashed import HashedEmbeddings

    return HashedEmbeddings.model


def speech_to_text_candidates(settings: Settings) -> list[Candidate]:
    """Who could hear."""
    sphinx = _packaged("pocketsphinx", "pocketsphinx", "its English model comes in its wheel; hears English only")
    return [_faster_whisper(settings.speech_to_text.faster_whisper.model, settings.data), sphinx, SCRIPTED]


def text_to_speech_candidates(settings: Settings) -> list[Candidate]:
    """Who could speak."""
    return [
        _chattts(settings.text_to_speech.chattts.device, settings.data),
        _packaged("espeak-ng", "espeakng_loader", "its voices come in its wheel; Chinese and English"),
        SCRIPTED,  # voices
    ]


def voice_activity_candidates(settings: Settings) -> list[Candidate]:
    """What could tell speech from silence."""
    return [_packaged("silero", "faster_whisper", "Silero v6 comes in faster-whisper's wheel"), SCRIPTED]


def _ollama(states: Sequence[OllamaState], models: Sequence[str]) -> Candidate:
    """`models` stand best first; one that every server has goes before one that only some have."""
    wanted, hosts = models[-1], ", ".join(state.host for state in states)
    fetch = f"tingshuo pull --only ollama (or: ollama pull {wanted})"
    running = [state for state in states if state.running]
    if not running:
        return Candidate("ollama", False, f"no Ollama answers at {hosts}", f"ollama serve, then: {fetch}")
    most = max(models, key=lambda model: sum(state.has(model) for state in running))
    serving = [state for state in running if state.has(most)]
    if not serving:
        reason = f"Ollama at {hosts} does not have {wanted}"
        return Candidate("ollama", False, reason, fetch, failure=ModelNotFound)
    reason = f"Ollama {serving[0].version} at {', '.join(state.host for state in serving)} has {most}"
    if absent := [state.host for state in states if state not in serving]:
        reason += f", not so {', '.join(absent)}"
    return Candidate("ollama", True, reason, model=most)


def _onnx(wanted: OnnxEmbedding, data: Path) -> Candidate:
    folder = sentence_encoders.encoder_folder(wanted.model, data)
    if lacking := sentence_encoders.lacking(folder):
        known = wanted.model in sentence_encoders.PUBLISHED
        remedy = sentence_encoders.FETCH if known else f"put an encoder in ONNX and its tokenizer into {folder}"
        there = f"{folder} lacks {', '.join(lacking)}" if folder.is_dir() else f"no weights of {wanted.model!r}"
        return Candidate("onnx", False, there, remedy, failure=ModelNotFound)
    if sentence_encoders.recipe(wanted) is None:
        return Candidate("onnx", False, f"nobody says how {wanted.model!r} pools", sentence_encoders.POOLING)
    return Candidate("onnx", True, f"{wanted.model} in {folder}", model=wanted.model)


def _faster_whisper(model: str, data: Path) -> Candidate:
    if find_spec("faster_whisper") is None:
        return Candidate("faster-whisper", False, "not installed", INSTALL, failure=EngineNotInstalled)
    folder = whisper_folder(model, data)
    named = Path(model).expanduser()
    own = named.is_dir() or len(named.parts) > 1
    remedy = f"put a CTranslate2 Whisper model into {named}" if own else "tingshuo pull --only whisper"
    if folder is None:
        return Candidate("faster-whisper", False, f"no weights of {model!r}", remedy, failure=ModelNotFound)
    if lacking := missing(folder, WHISPER_FILES):
        reason = f"{folder} lacks {', '.join(lacking)}"
        return Candidate("faster-whisper", False, reason, remedy, failure=ModelNotFound)
    return Candidate("faster-whisper", True, f"{model} in {folder}")


def _chattts(device: str, data: Path) -> Candidate:
    # Without a GPU it is no better than what is there: named, it serves; `auto` neither takes nor recommends it.
    gpus = chattts.count_gpus()
    interactive = chattts.will_use_gpu(device, gpus)
    if device == "cuda" and not gpus:
        reason, remedy = "there is no CUDA device", "Set `text_to_speech.chattts.device` to auto."
        return Candidate("chattts", False, reason, remedy, automatic=False)
    if not chattts.is_installed():
        reason, failure = "not installed", EngineNotInstalled
        return Candidate("chattts", False, reason, chattts.INSTALL, automatic=interactive, failure=failure)
    folder = chattts_folder(data)
    if lacking := missing(folder, CHATTTS_FILES):
        reason = f"{folder} lacks {', '.join(lacking)}"
        return Candidate("chattts", False, reason, chattts.FETCH, automatic=interactive, failure=ModelNotFound)
    where = "on the GPU" if interactive else "on the CPU, where a second of speech takes about ten"
    return Candidate("chattts", True, f"its weights in {folder}, {where}", automatic=interactive)


def _packaged(engine: str, package: str, reason: str) -> Candidate:
    if find_spec(package) is None:
        return Candidate(engine, False, "not installed", INSTALL, embedded=True, failure=EngineNotInstalled)
    return Candidate(engine, True, reason, embedded=True)
