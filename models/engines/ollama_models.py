"""Ollama's own models, fetched and made with progress; runs none of them."""

import json
import re
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from ollama import ResponseError

from configs.errors import ConfigError, EngineError, EngineFailed, EngineUnavailable, ModelNotFound
from configs.modelfile import Modelfile
from models.engines.ollama_failures import cut, translated
from models.engines.ollama_probe import client_options, host_url, probe

SILENCE_SECONDS: Final = 600.0
"""The longest wait for a line of progress: Ollama says nothing while it checks gigabytes."""

REASONS: Final[tuple[tuple[tuple[str, ...], type[EngineError], str], ...]] = (
    (
        ("file does not exist", "invalid model name"),
        ModelNotFound,
        "Correct FROM in the persona's Modelfile, or `embeddings.ollama.model`: https://ollama.com/library lists all.",
    ),
    (
        ("no such host", "dial tcp", "i/o timeout", "network is unreachable", "handshake", "max retries exceeded"),
        EngineUnavailable,
        "Connect Ollama's machine to the network and pull again: it goes on where it stopped. Behind a proxy, start "
        "`ollama serve` with HTTPS_PROXY set.",
    ),
    (("newer version of ollama",), EngineFailed, "Update Ollama, then pull again."),
    (("no space left",), EngineFailed, "Free space where Ollama keeps its models (OLLAMA_MODELS), then pull again."),
)
"""Signs in Ollama's words when it cannot fetch a model, and what they mean."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far Ollama is."""

    status: str
    layer: str = ""
    """The file that is being fetched; empty between files."""
    completed: int = 0
    total: int = 0
    """Bytes of that file."""


async def pull(host: str, model: str) -> AsyncGenerator[Progress, None]:
    """Has Ollama fetch a model from its library; what it has of it already, it keeps. Close with `aclosing`.

    Raises ModelNotFound, EngineUnavailable or EngineFailed.
    """
    with _explained(model):
        async with aclosing(_posted(host, "/api/pull", model, {})) as lines:
            async for line in lines:
                yield line


async def create(host: str, model: str, brain: Modelfile, folder: Path) -> AsyncGenerator[Progress, None]:
    """Has Ollama make a model from a Modelfile in that folder, or make it again. Close with `aclosing`.

    Its MESSAGE lines are left out: the assistant sends them with every request, after its system prompt, and Ollama
    would send those of the model once more, before it. SYSTEM goes in, since it counts only where a request brings no
    system message, as in `ollama run`. Raises ConfigError, ModelNotFound, EngineUnavailable or EngineFailed.
    """
    _check_source(brain, folder)
    state = await probe(host, within=5)
    if not state.running:
        raise EngineUnavailable(f"no Ollama answers at {state.host}", "ollama serve")
    if too_old(state.version, brain.requires):
        raise EngineUnavailable(
            f"{model} requires Ollama {brain.requires}; {state.host} has {state.version}", "Update Ollama."
        )
    # Ollama would fetch it without a question.
    if not state.has(brain.from_):
        raise ModelNotFound(f"Ollama at {state.host} does not have {brain.from_}", "tingshuo pull --only ollama")
    async with aclosing(_posted(host, "/api/create", model, _fields(brain))) as lines:
        async for line in lines:
            yield line


def is_local(from_: str, folder: Path) -> bool:
    """Whether FROM or ADAPTER names files, as Ollama tells: by what lies beside the Modelfile."""
    return from_.startswith(("/", ".", "~")) or from_.endswith((".gguf", ".safetensors")) or (folder / from_).exists()


def too_old(version: str, required: str) -> bool:
    """Whether an Ollama of that version is older than what REQUIRES asks for; one built by hand says 0.0.0."""
    found, wanted = _numbers(version), _numbers(required)
    return any(found) and found < wanted


def _numbers(version: str) -> tuple[int, ...]:
    """ "0.32.15-rc1" is (0, 32, 15); what is missing is 0."""
    parts = [int(part) for part in re.findall(r"[0-9]+", version.partition("-")[0])[:3]]
    return (*parts, 0, 0, 0)[:3]


def _check_source(brain: Modelfile, folder: Path) -> None:
    named = {
        "FROM": brain.from_ if is_local(brain.from_, folder) else "",
        "ADAPTER": brain.adapter,
        "DRAFT": brain.draft,
    }
    for instruction, value in named.items():
        if value:
            raise ConfigError(
                f"{instruction} {value} in the Modelfile names files, which only Ollama's own command takes in",
                "Make a model of them: `ollama create NAME -f MODELFILE`; then write FROM NAME.",
            )


def _fields(brain: Modelfile) -> dict[str, Any]:
    parameters = {name: list(value) if isinstance(value, tuple) else value for name, value in brain.parameters.items()}
    fields = {
        "from": brain.from_,
        "system": brain.system,
        "parameters": parameters,
        "template": brain.template,
        "license": list(brain.license),
        "renderer": brain.renderer,
        "parser": brain.parser,
        "requires": brain.requires,
    }
    return {name: value for name, value in fields.items() if value}


async def _posted(host: str, path: str, model: str, fields: Mapping[str, Any]) -> AsyncGenerator[Progress, None]:
    """Ollama's lines of progress up to "success"; not by its client, which lacks some of the fields."""
    url = host_url(host)
    body = {"model": model, **fields, "stream": True}
    status = ""
    with translated(url, model):
        async with (
            httpx.AsyncClient(base_url=url, **client_options(url, SILENCE_SECONDS)) as client,
            client.stream("POST", path, json=body) as response,
        ):
            if response.is_error:
                raise ResponseError((await response.aread()).decode(errors="replace"), response.status_code)
            async for text in response.aiter_lines():
                line = json.loads(text)
                if "error" in line:
                    raise ResponseError(str(line["error"]), int(line.get("status", -1)))
                status = str(line.get("status", ""))
                digest = str(line.get("digest", ""))
                yield Progress(status, digest, int(line.get("completed", 0)), int(line.get("total", 0)))
        if status != "success":
            raise cut(url, model, "it never said that it was done")


@contextmanager
def _explained(model: str) -> Generator[None, None, None]:
    """Says of a failed pull what Ollama's words mean."""
    try:
        yield
    except EngineError as error:
        words = error.__cause__.error if isinstance(error.__cause__, ResponseError) else ""
        for signs, failure, hint in REASONS:
            if any(sign in words.lower() for sign in signs):
                raise failure(f"Ollama cannot fetch {model!r}: {words}", hint) from error
        raise
