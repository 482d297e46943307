"""A server held to its OpenAPI document by schemathesis: what it generates, what is sent, and what must hold."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import numpy as np
import ollama
import openai.types as openai_types
import schemathesis
from openai.types.audio import Transcription, TranscriptionVerbose
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response as OpenAIResponse
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter, ValidationError
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.transport.serialization import Binary

from models.audio import from_floats, wav_bytes

SPEECH: Final = wav_bytes(from_floats((0.3 * np.sin(np.arange(8_000) / 5)).astype(np.float32), 16_000))
MODELS: Final = {
    "/v1/audio/speech": "tts-1",
    "/v1/audio/transcriptions": "whisper-1",
    "/v1/audio/translations": "whisper-1",
    "/v1/embeddings": "text-embedding-3-small",
    "/api/embed": "hashed",
    "/api/embeddings": "hashed",
}
"""A model that is served; elsewhere a persona."""
LENIENT: Final = ("/v1/chat/.*", "/v1/responses", "/v1/embeddings", "/v1/audio/.*", "/api/.*")
"""Where numbers may be sent as text, and the like: other servers take them as well."""
REFUSED_BY_MEANING: Final = (
    "/v1/ask", "/v1/audio/.*", "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/knowledge/.*",
    "/v1/memory.*", "/v1/turns.*", "/api/.*",
)  # fmt: skip
"""Where what a schema allows can still be refused: a sound that is none, a name that cannot be shown, a number of
dimensions that the vectors do not have."""
WHOLE: Final[Mapping[str, Any]] = {
    "/v1/chat/completions": ChatCompletion,
    "/v1/responses": OpenAIResponse,
    "/v1/embeddings": openai_types.CreateEmbeddingResponse,
    "/v1/models/{model}": openai_types.Model,
    "/v1/audio/transcriptions": TranscriptionVerbose | Transcription,
    "/v1/audio/translations": TranscriptionVerbose | Transcription,
    "/api/chat": ollama.ChatResponse,
    "/api/generate": ollama.GenerateResponse,
    "/api/embed": ollama.EmbedResponse,
    "/api/embeddings": ollama.EmbeddingsResponse,
    "/api/tags": ollama.ListResponse,
    "/api/ps": ollama.ProcessResponse,
    "/api/show": ollama.ShowResponse,
}
"""What the clients' own libraries take an answer for."""
STREAMED: Final[Mapping[str, Any]] = {
    "/v1/chat/completions": ChatCompletionChunk,
    "/v1/responses": ResponseStreamEvent,
    "/api/chat": ollama.ChatResponse,
    "/api/generate": ollama.GenerateResponse,
}
TYPES: Final = {
    True: {path: TypeAdapter(kind) for path, kind in STREAMED.items()},
    False: {path: TypeAdapter(kind) for path, kind in WHOLE.items()},
}


@dataclass
class Outcome:
    """What came of a run."""

    cases: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    """How often each operation was answered with what was asked for."""
    failures: dict[str, str] = field(default_factory=dict)
    """The first of each kind at each operation, with how to repeat it."""


@schemathesis.check
def as_clients_read_it(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Validates an answer with the types of OpenAI's and Ollama's own libraries."""
    kind = response.headers.get("content-type", [""])[0].partition(";")[0]
    types = TYPES[kind in ("text/event-stream", "application/x-ndjson")]
    if response.status_code != 200 or case.operation.path not in types or kind in ("text/plain", "text/vtt"):
        return
    if isinstance(case.body, dict) and case.body.get("encoding_format") == "base64":
        # Which the library has read before it looks at the types.
        return
    for told in pieces(kind, response.content):
        try:
            types[case.operation.path].validate_python(told)
        except ValidationError as error:
            raise AssertionError(str(error)) from error


def pieces(kind: str, content: bytes) -> list[Any]:
    """The JSON in an answer."""
    match kind:
        case "text/event-stream":
            data = [line.removeprefix("data: ") for line in content.decode().splitlines() if line.startswith("data: ")]
            return [json.loads(one) for one in data if one != "[DONE]"]
        case "application/x-ndjson":
            return [json.loads(line) for line in content.splitlines()]
        case "application/json":
            return [json.loads(content)]
    return []


def held(url: str, cases: int, *, headers: Mapping[str, str] | None = None, **more: Any) -> Outcome:
    """Holds a server to its document with at least so many generated cases for each operation."""
    document = closed(httpx.get(f"{url}/openapi.json", headers=headers, trust_env=False, timeout=30).json())
    config = {
        "base-url": url,
        "continue-on-failure": True,
        "cache": {"enabled": False},
        "headers": dict(headers or {}),
        "seed": 0 if os.environ.get("CI") else None,
        "request-timeout": 30,
        "generation": {"max-examples": cases, "deterministic": bool(os.environ.get("CI")), "no-shrink": True},
        "phases": {
            "stateful": {"enabled": False},
            # What is generated at random may be valid on the wire: a list is a field that comes twice.
            "fuzzing": {"checks": {"negative_data_rejection": {"enabled": False}}},
        },
        "checks": {
            # Models are not made or moved here, which Ollama's clients know by 501.
            "not_a_server_error": {"expected-statuses": ["2xx", "4xx", "501"]},
            "negative_data_rejection": {"expected-statuses": ["4xx", "501"]},
            "ignored_auth": {"enabled": bool(headers)},
        },
        "operations": [
            {"include-path-regex": path, "checks": {"positive_data_acceptance": {"enabled": False}}}
            for path in REFUSED_BY_MEANING
        ]
        + [{"include-path-regex": path, "checks": {"negative_data_rejection": {"enabled": False}}} for path in LENIENT],
        **more,
    }
    given = {name: value for name, value in config.items() if value is not None}
    found = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(given))
    outcome = Outcome()
    for event in from_schema(found).execute():
        match event:
            case events.ScenarioFinished():
                _note(event, outcome)
            case events.NonFatalError():
                outcome.failures[f"{event.label}: error"] = str(event.value)
            case events.FatalError():
                raise event.exception
    return outcome


def _note(event: events.ScenarioFinished, outcome: Outcome) -> None:
    recorder = event.recorder
    outcome.cases += len(recorder.interactions)
    for one in recorder.interactions.values():
        outcome.answered[recorder.label] += one.response is not None and one.response.status_code < 300
    for checks in recorder.checks.values():
        for check in checks:
            if info := check.failure_info:
                what = f"{recorder.label}: {check.name}: {info.failure.title}"
                outcome.failures.setdefault(what, f"{info.failure.message}\n{info.code_sample}")


@schemathesis.hook("before_call")
def served(ctx: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Names a model that there is, and sends a sound that is one: else little would be asked beyond that."""
    path, body = case.operation.path, case.body
    sound: Any = Binary(SPEECH)
    if isinstance(body, Binary) and path == "/v1/ask":
        case.body = sound
    if not isinstance(body, dict):
        return
    changed: dict[str, Any] = dict(body)
    if isinstance(model := body.get("model"), str) and 0 < len(model) <= 200:
        changed["model"] = MODELS.get(path, "companion")
    if isinstance(body.get("file"), Binary) and path.startswith("/v1/audio/"):
        changed["file"] = sound
    # The model that stands in calls no tool, which is its failure where it must.
    changed.pop("tool_choice", None)
    case.body = changed


def closed(document: Any) -> Any:
    """The document with every answer held to the fields that it tells of, though clients are to take more."""
    operations = [one for path in document["paths"].values() for one in path.values()]
    asked = _refs(json.dumps([operation.get("requestBody") for operation in operations]))
    schemas = document["components"]["schemas"]
    for name in schemas.keys() - asked:
        schemas[name] = _closed(schemas[name])
    for operation in operations:
        operation["responses"] = _closed(operation["responses"])
    return document


def _refs(text: str) -> set[str]:
    return {piece.partition('"')[0] for piece in text.split("#/components/schemas/")[1:]}


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _closed(one) for name, one in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        inner.setdefault("additionalProperties", False)
    return inner
