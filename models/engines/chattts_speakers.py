"""ChatTTS's speakers: a name is a vector in a file, drawn once from a fixed seed and loaded ever after."""

from pathlib import Path

import numpy as np

from configs.errors import DataFolderUnwritable, EngineFailed, RequestError
from models.audio import Floats

NAMED = (
    "default",
    *("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin", "cedar"),
)
"""Names that are always there, OpenAI's among them; the place of a name is its seed, so new ones only go to the end."""

_KEY = "speaker"


class Speakers:
    """The speakers of one folder: the named ones, and whoever else has a `<name>.safetensors` there; blocking."""

    def __init__(self, folder: Path, mean: Floats, deviation: Floats) -> None:
        """`mean` and `deviation` are those of the model's speakers, shape (dimensions,)."""
        self._folder = folder
        self._mean = mean
        self._deviation = deviation

    def names(self) -> list[str]:
        """Every name that `vector` knows."""
        return sorted({*NAMED, *(file.stem for file in self._folder.glob("*.safetensors"))})

    def vector(self, name: str) -> Floats:
        """A speaker, shape (dimensions,); a named one's file is made at its first use.

        Raises RequestError for an unknown name, EngineFailed for a file that holds no speaker, DataFolderUnwritable.
        """
        if name not in self.names():
            raise RequestError(f"there is no voice {name!r}", f"Use one of: {', '.join(self.names())}.")
        file = self._folder / f"{name}.safetensors"
        if not file.exists():
            self._write(file, self._drawn(NAMED.index(name)))
        return self._read(file)

    def _drawn(self, seed: int) -> Floats:
        # NumPy keeps the numbers of this old generator for ever, so a seed is the same voice on every machine.
        noise = np.random.RandomState(seed).standard_normal(self._mean.size)
        return (self._mean + self._deviation * noise).astype(np.float32)

    def _read(self, file: Path) -> Floats:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        remedy = "Delete it to have it made again, or put the right file there."
        try:
            vector: Floats = load_file(file)[_KEY].astype(np.float32)
        except (SafetensorError, OSError, KeyError) as error:
            raise EngineFailed(f"{file} is no speaker's file: {error}", remedy) from error
        if vector.shape != self._mean.shape or not np.isfinite(vector).all():
            raise EngineFailed(f"{file} holds no speaker of this model: it has the shape {vector.shape}", remedy)
        return vector

    def _write(self, file: Path, vector: Floats) -> None:
        from safetensors.numpy import save_file

        unfinished = file.with_suffix(".unfinished")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save_file({_KEY: vector}, unfinished)
            unfinished.replace(file)
        except OSError as error:
            raise DataFolderUnwritable(f"{file} cannot be written: {error}", "Free space or grant access.") from error
