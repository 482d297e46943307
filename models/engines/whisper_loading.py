"""From a folder to a Whisper model that is ready, with what CTranslate2 complains of in words; decodes nothing."""

import json
from pathlib import Path
from typing import Any

from configs import settings
from configs.errors import EngineError, EngineFailed, EngineNotInstalled, EngineUnavailable, ModelNotFound
from models.engines.placement import REMEDY as CUBLAS_REMEDY
from models.engines.placement import find_machine, place
from models.engines.whisper_encoding import OneEncoding

PROMPTED = 50_000
"""Tokens from which a vocabulary is Whisper's own: those who made the model taught it what a prompt is."""

_FETCH = "Run `tingshuo pull` to fetch the model again."
_SMALLER = (
    "Set `speech_to_text.faster_whisper.compute_type` to int8_float16, or `.model` to a smaller one (small, base)."
)


def failure(error: Exception) -> EngineError:
    """What CTranslate2's complaint means to a reader."""
    text = str(error)
    if "out of memory" in text:
        return EngineFailed(f"Whisper does not fit into the memory: {text}", _SMALLER)
    if "libcublas" in text or "cublas64" in text:
        return EngineUnavailable(f"Whisper cannot use CUDA: {text}", CUBLAS_REMEDY)
    return EngineFailed(f"Whisper failed: {text}", "If it stays so, run `tingshuo doctor`.")


def languages(model: Any) -> tuple[str, ...]:  # noqa: ANN401
    """The languages that a loaded model has a token for; `supported_languages` names a hundred whatever the model."""
    if not model.model.is_multilingual:
        return ("en",)
    return tuple(
        code for code in model.supported_languages if model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None
    )


def follows_prompts(model: Any) -> bool:  # noqa: ANN401
    """Whether a loaded model has learnt to follow what is put before a sound; any other is thrown off by it."""
    return bool(model.hf_tokenizer.get_vocab_size() >= PROMPTED)


def unspoken(model: Any) -> tuple[int, ...]:  # noqa: ANN401
    """The tokens of brackets, notes and the like, which nobody says; the library seeks them anew for every sound."""
    from faster_whisper.tokenizer import Tokenizer

    return tuple(Tokenizer(model.hf_tokenizer, multilingual=False).non_speech_tokens)


def load(section: settings.FasterWhisper, folder: Path) -> Any:  # noqa: ANN401
    """faster-whisper's model; blocking. Raises as `FasterWhisper.open` does."""
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise EngineNotInstalled("faster-whisper is not installed", "pip install faster-whisper") from error
    _check(folder)
    placement = place(section.device, section.compute_type, find_machine())
    try:
        model = WhisperModel(
            str(folder), device=placement.device, compute_type=placement.compute_type, local_files_only=True
        )
    except (RuntimeError, ValueError) as error:
        found = failure(error)
        if type(found) is EngineFailed and found.hint != _SMALLER:
            found = EngineFailed(f"{str(folder / 'model.bin')!r} cannot be loaded: {error}", _FETCH)
        raise found from error
    if model.feature_extractor.mel_filters.shape[0] != model.model.n_mels:
        raise ModelNotFound(f"{str(folder / 'preprocessor_config.json')!r} is missing or of another model", _FETCH)
    model.encode = OneEncoding(model.encode)
    return model


def _check(folder: Path) -> None:
    """Every file that a model needs is there and can be read; a missing tokenizer would otherwise be downloaded."""
    named = {
        "model.bin": None,
        "config.json": (dict, "suppress_ids"),
        "tokenizer.json": (dict, "model"),
        "vocabulary.json": (list, "<|startoftranscript|>"),
    }
    if (folder / "vocabulary.txt").is_file():
        del named["vocabulary.json"]
    for name in named:
        if not (folder / name).is_file():
            raise ModelNotFound(f"the Whisper model in {str(folder)!r} has no {name}", _FETCH)
    if (folder / "preprocessor_config.json").is_file():
        named["preprocessor_config.json"] = (dict, "feature_size")
    for name, content in named.items():
        if content:
            _check_json(folder / name, *content)


def _check_json(path: Path, kind: type, member: str) -> None:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise EngineFailed(f"{str(path)!r} is damaged: {error}", _FETCH) from error
    if not isinstance(found, kind) or member not in found:  # type: ignore[operator]  # a dict or a list
        raise EngineFailed(f"{str(path)!r} is damaged: it has no {member!r}", _FETCH)
