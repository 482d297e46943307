"""Where an engine's weights lie on this machine; looks, and never downloads."""

from collections.abc import Sequence
from pathlib import Path

from configs.errors import EngineNotInstalled, ModelNotFound

WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json")
WHISPER_EXTRAS = ("preprocessor_config.json", "vocabulary.json", "vocabulary.txt")
"""Further files that some of the models have."""
CHATTTS_REPOSITORY = "2Noise/ChatTTS"
CHATTTS_FILES = (
    *(f"asset/{part}.safetensors" for part in ("Decoder", "DVAE", "Embed", "Vocos")),
    *("asset/gpt/config.json", "asset/gpt/model.safetensors"),
    *(f"asset/tokenizer/{part}.json" for part in ("special_tokens_map", "tokenizer_config", "tokenizer")),
)


def whisper_folder(model: str, data: Path) -> Path | None:
    """The folder of a Whisper model: a path as it is, else what `tingshuo pull` put into the data folder."""
    for folder in (Path(model).expanduser(), whisper_home(model, data)):
        if folder.is_dir():
            return folder
    return None


def whisper_repository(model: str) -> str:
    """Where on the Hugging Face Hub a size of Whisper lies, as faster-whisper knows. Takes a second; blocking.

    Raises EngineNotInstalled, and ModelNotFound, which lists the sizes.
    """
    try:
        from faster_whisper.utils import _MODELS
    except ImportError as error:
        raise EngineNotInstalled("faster-whisper is not installed", "uv sync") from error
    known: dict[str, str] = _MODELS
    if model not in known:
        raise ModelNotFound(
            f"faster-whisper knows no model {model!r}, and there is no such folder",
            f"Set `speech_to_text.faster_whisper.model` to one of: {', '.join(known)}.",
        )
    return known[model]


def whisper_home(model: str, data: Path) -> Path:
    """Where `tingshuo pull` puts a size of Whisper."""
    return data / "models" / f"faster-whisper-{model}"


def chattts_folder(data: Path) -> Path:
    """Where `tingshuo pull` puts ChatTTS."""
    return data / "models" / "chattts"


def missing(folder: Path, files: Sequence[str]) -> list[str]:
    """Which of the files the folder lacks."""
    return [name for name in files if not (folder / name).is_file()]
