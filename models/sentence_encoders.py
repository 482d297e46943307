"""Sentence encoders: where each lies, and how it wants its texts; looks, and loads none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from configs.sentence_encoder import OnnxEmbedding, Pooling

TOKENIZER: Final = "tokenizer.json"
GRAPHS: Final = ("onnx/model_quantized.onnx", "onnx/model.onnx", "model.onnx")
"""Where the encoder may lie in a folder; the first that is there counts."""
FILES: Final = (GRAPHS[0], TOKENIZER)
"""What is fetched of a repository: the encoder in 8-bit integers, and its tokenizer."""
FETCH: Final = "tingshuo pull --only onnx"
POOLING: Final = "Set `embeddings.onnx.pooling` to cls or mean, as its authors say."


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an encoder makes vectors, as it was trained to."""

    pooling: Pooling
    query_prefix: str = ""
    passage_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """An encoder on the Hugging Face Hub."""

    repository: str
    recipe: Recipe


PUBLISHED: Final[Mapping[str, Published]] = {
    "multilingual-e5-small": Published("Xenova/multilingual-e5-small", Recipe("mean", "query: ", "passage: ")),
    "bge-small-zh-v1.5": Published("Xenova/bge-small-zh-v1.5", Recipe("cls", "为这个句子生成表示以用于检索相关文章：")),
    "bge-small-en-v1.5": Published(
        "Xenova/bge-small-en-v1.5", Recipe("cls", "Represent this sentence for searching relevant passages: ")
    ),
}
"""By the name that the settings have for it."""


def recipe(wanted: OnnxEmbedding) -> Recipe | None:
    """What the settings say, and for the rest what the model was trained with; None where nobody says the pooling."""
    if wanted.model in PUBLISHED:
        trained = PUBLISHED[wanted.model].recipe
    elif wanted.pooling is not None:
        trained = Recipe(wanted.pooling)
    else:
        return None
    return Recipe(
        wanted.pooling or trained.pooling,
        trained.query_prefix if wanted.query_prefix is None else wanted.query_prefix,
        trained.passage_prefix if wanted.passage_prefix is None else wanted.passage_prefix,
    )


def identity(wanted: OnnxEmbedding) -> str:
    """What an index remembers the vectors by: the model with all that its vectors depend on."""
    how = recipe(wanted)
    told = f"{how.pooling}, {how.query_prefix!r}, {how.passage_prefix!r}" if how else "no pooling"
    return f"{wanted.model} (ONNX: {told})"


def encoder_home(model: str, data: Path) -> Path:
    """Where `tingshuo pull` puts a published encoder."""
    return data / "models" / f"onnx-{model}"


def encoder_folder(model: str, data: Path) -> Path:
    """The folder of an encoder, whether or not it is there: of a published one where it is put, else the path."""
    return encoder_home(model, data) if model in PUBLISHED else Path(model).expanduser()


def lacking(folder: Path) -> list[str]:
    """Which files an encoder's folder lacks."""
    graph = [] if graph_of(folder) else [GRAPHS[0]]
    return [*graph, *([] if (folder / TOKENIZER).is_file() else [TOKENIZER])]


def graph_of(folder: Path) -> Path | None:
    """The encoder's own file in a folder."""
    return next((folder / name for name in GRAPHS if (folder / name).is_file()), None)
