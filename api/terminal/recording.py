"""Where an answer's sound goes: a WAV file that can be written before the work begins, and is whole or not there."""

import os
import tempfile
from pathlib import Path

from configs.errors import StorageError
from models.audio import AudioChunk, write_wav


def check_writable(path: Path) -> None:
    """Raises StorageError where the file cannot be written; leaves nothing behind. Blocking."""
    try:
        if path.exists():
            path.open("ab").close()
        if _replaceable(path):
            _temporary(path).unlink()
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error


def write_recording(path: Path, sound: AudioChunk) -> None:
    """Writes the sound as a WAV file, which takes the place of what was there. Blocking. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _replaceable(path):
            write_wav(path, sound)
            return
        part = _temporary(path)
        try:
            write_wav(part, sound)
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error


def _replaceable(path: Path) -> bool:
    """Whether another file may take its place; not that of a device such as /dev/null, or of a link."""
    return not path.is_symlink() and (path.is_file() or not path.exists())


def _temporary(path: Path) -> Path:
    handle, name = tempfile.mkstemp(suffix=".part", prefix=f".{path.stem[:40]}.", dir=path.parent)
    os.close(handle)
    return Path(name)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _unwritable(path: Path, reason: str) -> StorageError:
    return StorageError(f"{str(path)!r} cannot be written: {reason}", "Name another file with --out.")
