"""The OpenAPI document: what the routes tell of themselves, and what any may be refused with; serves nothing."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from api.guard.permissions import permission_for

Schema = dict[str, Any]

ABOUT: Final = """\
A voice assistant on your own machine: it answers questions, spoken or written, from your own documents.

- `/v1` speaks as OpenAI's API does, `/api` as Ollama's: a persona takes the place of a model.
- Without keys, callers on the server's own machine need none. As soon as there is one (`tingshuo key create NAME`),
  every call needs one; what scopes it needs stands beside each.
- A refusal has an error that says what is wrong and what helps: in OpenAI's form, below `/api` in Ollama's.
- Each answer has an `x-request-id`, by which the server's log knows the request."""

TAGS: Final = {
    "chat": "Questions, and what a persona answers.",
    "audio": "Speech into text, and text into speech.",
    "models": "The personas.",
    "embeddings": "Texts as vectors.",
    "knowledge": "The documents that answers are drawn from.",
    "memory": "What is remembered of a user.",
    "turns": "Turns that were kept, and where their time went.",
    "personas": "Who can answer, and how each speaks.",
    "health": "What watches over the server.",
    "ollama": "The same for clients of Ollama.",
}

REFUSALS: Final = {
    400: "What was sent is wrong; `param` names the field, where it is one.",
    401: "A key is needed, or the one that was sent is not known.",
    403: "The key does not open this, or not for this user; or it is a web page that may not call, or another's name.",
    404: "What is named is not here.",
    408: "The body did not come in time.",
    409: "The vectors were made with another embedding model: `tingshuo reindex` makes them anew.",
    413: "More was sent than one request may hold.",
    414: "The query is too long.",
    415: "The body is of a type that is not taken.",
    422: "There is nothing in it: no speech, no text.",
    429: "Too much at once; `retry-after` says when there may be room.",
    431: "The headers are too large, or too many.",
    500: "An engine broke while it worked, or something that nobody foresaw; the server's log says more.",
    501: "Not served here.",
    503: "What it takes is missing or not ready, or the server is ending.",
    507: "The data folder cannot be written: there is no room, or no right to.",
}
ANY: Final = (400, 401, 403, 414, 429, 431, 500, 503)
"""What every route may be refused with."""
WITH_BODY: Final = (408, 413, 415)
"""And every one that takes a body."""

JSON: Final = "application/json"
TEXT: Final[Schema] = {"type": "string"}
BYTES: Final[Schema] = {"type": "string", "format": "binary"}

_HEADERS: Final[Mapping[int, Mapping[str, Schema]]] = {
    401: {"www-authenticate": {"schema": {"const": "Bearer"}, "required": True}},
    429: {
        "retry-after": {"schema": {"type": "integer"}, "required": True, "description": "Seconds."},
        "retry-after-ms": {"schema": {"type": "integer"}, "required": True, "description": "Milliseconds."},
    },
}
_REQUEST_ID: Final[Schema] = {
    "description": "The caller's own id of the request, or one that was made for it.",
    "schema": TEXT,
    "required": True,
}
_SECURITY: Final[Mapping[str, Schema]] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "api-key": {"type": "apiKey", "in": "header", "name": "api-key"},
}


class Answer(BaseModel):
    """What a route answers, as it is documented; clients leave aside what they do not know."""

    model_config = ConfigDict(use_attribute_docstrings=True, protected_namespaces=())


class ErrorDetail(Answer):
    """What went wrong."""

    message: str
    type: str
    """Whose it is to mend: `invalid_request_error` or `server_error`."""
    param: str | None
    """The field that is wrong."""
    code: str | None
    hint: str | None
    """What helps."""


class Error(Answer):
    """A refusal in OpenAI's form."""

    error: ErrorDetail


class OllamaError(Answer):
    """A refusal in Ollama's form."""

    error: str


class DocumentedApp(FastAPI):
    """An application whose document also tells of what stands before its routes."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once, in about a tenth of a second."""
        if self.openapi_schema is None:
            _complete(super().openapi())
        assert self.openapi_schema is not None
        return self.openapi_schema


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """A route's own refusals, as FastAPI's `responses`; their bodies are filled in with the document."""
    return {status: {"description": REFUSALS[status]} for status in statuses}


def example(**fields: JsonValue) -> ConfigDict:
    """What a model that is asked with shows as an example, as a part of its `model_config`."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def answers(description: str, content: Mapping[str, Any], *, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What a route answers, as FastAPI's `responses`; by media type a type, or a media type object."""
    told: dict[str, Any] = {"description": description}
    others = {kind: dict(given) for kind, given in content.items() if isinstance(given, dict)}
    models = [given for given in content.values() if not isinstance(given, dict)]
    return {status: told | ({"model": models[0]} if models else {}) | ({"content": others} if others else {})}


def sent(content: Mapping[str, Any]) -> dict[str, Any]:
    """What FastAPI cannot tell of a body that is read by hand, as its `openapi_extra`; `content` as in `answers`."""
    kinds = {
        kind: given if isinstance(given, dict) else {"schema": schema_of(given)} for kind, given in content.items()
    }
    return {"requestBody": {"required": True, "content": kinds}}


def events_of(model: Any, last: str = "") -> Schema:  # noqa: ANN401  # what pydantic takes for a type
    """The media type object of server-sent events whose data is JSON, but for that of the `last` one."""
    data: Schema = {**TEXT, "contentMediaType": JSON, "contentSchema": schema_of(model, "serialization")}
    data = {"anyOf": [data, {"const": last}]} if last else data
    return {"itemSchema": {"type": "object", "properties": {"event": TEXT, "data": data}, "required": ["data"]}}


def lines_of(model: Any) -> Schema:  # noqa: ANN401  # what pydantic takes for a type
    """The media type object of JSON, a line each."""
    return {"itemSchema": schema_of(model, "serialization")}


def schema_of(model: Any, mode: Literal["validation", "serialization"] = "validation") -> Schema:  # noqa: ANN401
    """The JSON schema of a type, without definitions of its own, as the document takes one anywhere."""
    schema = TypeAdapter(model).json_schema(mode=mode)
    definitions = schema.pop("$defs", {})

    def put(value: object) -> Any:  # noqa: ANN401  # any JSON
        if isinstance(value, list):
            return [put(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return put(definitions[value["$ref"].rpartition("/")[2]])
        return {key: put(inner) for key, inner in value.items()}

    found: Schema = put(schema)
    return found


def _complete(document: dict[str, Any]) -> None:
    """Adds what stands before the routes."""
    document["openapi"] = "3.2.0"  # which has words for streams
    document["tags"] = [{"name": name, "description": told} for name, told in TAGS.items()]
    components = document["components"]
    components["securitySchemes"] = dict(_SECURITY)
    components["headers"] = {"x-request-id": _REQUEST_ID}
    components["responses"] = {
        f"{door}{status}": _refusal(status, kind)
        for door, kind in (("", Error), ("ollama.", OllamaError))
        for status in REFUSALS
    }
    for gone in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(gone, None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe(path, method, operation)


def _refusal(status: int, kind: type[Answer]) -> dict[str, Any]:
    return {
        "description": REFUSALS[status],
        "headers": {**_HEADERS.get(status, {}), "x-request-id": {"$ref": "#/components/headers/x-request-id"}},
        "content": {JSON: {"schema": schema_of(kind, "serialization")}},
    }


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    """Adds who may call an operation and what it may be refused with."""
    summary, _, rest = operation.pop("description").partition("\n\n")
    operation["summary"] = summary.rstrip(".").replace("\n", " ")
    if rest:
        operation["description"] = rest
    permission = permission_for(path)
    needed = [{name: sorted(permission.scopes)} for name in _SECURITY]
    operation["security"] = [{}, *needed] if permission.public and method == "get" else needed
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    door = "ollama." if path.startswith("/api/") else ""
    for status in {*ANY, *(WITH_BODY if "requestBody" in operation else ())}:
        responses.setdefault(str(status), {})
    for status, response in responses.items():
        if int(status) >= 400 and "content" not in response:
            responses[status] = {"$ref": f"#/components/responses/{door}{status}"}
        else:
            response.setdefault("headers", {})["x-request-id"] = {"$ref": "#/components/headers/x-request-id"}
    operation["responses"] = dict(sorted(responses.items()))
