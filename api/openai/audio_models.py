"""The names by which callers know the ears and the mouth: OpenAI's, old and new, are all the engine in force."""

from typing import Literal

from configs.errors import ModelNotServed

Kind = Literal["transcription", "speech"]

MODELS: dict[Kind, tuple[str, ...]] = {
    "transcription": (
        "whisper-1",
        "gpt-transcribe",
        "gpt-4o-transcribe",
        "gpt-4o-mini-transcribe",
        "gpt-4o-mini-transcribe-2025-12-15",
        "gpt-live-transcribe",
        "gpt-realtime-whisper",
    ),
    "speech": ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15"),
}
"""What is listed."""

_FAMILIES: dict[Kind, tuple[str, ...]] = {"transcription": ("whisper", "transcribe"), "speech": ("tts",)}
"""What other servers' names of such models have in common: "whisper-large-v3", "Systran/faster-whisper-small"."""


def check_model(asked: str, kind: Kind, engine: str) -> None:
    """Raises ModelNotServed where a name is neither the engine's, nor one of OpenAI's, nor of their families."""
    name = asked.lower()
    speakers_apart = kind == "transcription" and "diarize" in name
    if speakers_apart or not (name == engine or any(family in name for family in _FAMILIES[kind])):
        raise ModelNotServed(
            f"the model {asked[:80]!r} does not exist here", f"Use one of: {', '.join(MODELS[kind][:4])}.", "model"
        )
