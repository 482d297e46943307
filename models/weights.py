"""Where an engine's weights lie on this machine; looks, and never downloads."""

from pathlib import Path

WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json")


def whisper_folder(model: str, data: Path) -> Path | None:
    """The folder of a Whisper model: a path as it is, else what `tingshuo pull` put into the data folder."""
    for folder in (Path(model).expanduser(), data / "models" / f"faster-whisper-{model}"):
        if folder.is_dir():
            return folder
    return None


def missing(folder: Path, files: tuple[str, ...]) -> list[str]:
    """Which of the files the folder lacks."""
    return [name for name in files if not (folder / name).is_file()]
