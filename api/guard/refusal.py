"""A refusal over HTTP: any error in OpenAI's form, with the status that it has; raises none itself."""

import math
import re
from collections.abc import Sequence

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from api.errors import body, error_body
from configs.errors import AssistantError, EngineNotInstalled, InvalidApiKey, ModelNotFound, RateLimitExceeded


def error_response(error: Exception) -> JSONResponse:
    """Any error in OpenAI's form, with the status that it has."""
    match error:
        case RateLimitExceeded():
            return JSONResponse(body(error), error.status, headers=_later(error.retry_after))
        case InvalidApiKey():
            return JSONResponse(body(error), error.status, headers={"www-authenticate": "Bearer"})
        case EngineNotInstalled() | ModelNotFound():
            # Other failures of the same status may pass; these last until somebody gets what is missing.
            return JSONResponse(body(error), error.status, headers={"x-should-retry": "false"})
        case AssistantError():
            return JSONResponse(body(error), error.status)
        case RequestValidationError():
            # Of the kinds that a value may be, the one that was meant is that which fits furthest down.
            place, reason = max(
                ((_place(one["loc"]), one["msg"]) for one in error.errors()), key=lambda one: len(one[0])
            )
            param = ".".join(place) or None
            message = f"{param}: {reason}" if param else str(reason)
            return JSONResponse(error_body(400, message, code="invalid_value", param=param), 400)
        case HTTPException():
            content = error_body(error.status_code, error.detail, code=_CODES.get(error.status_code))
            return JSONResponse(content, error.status_code, headers=error.headers)
        case other:
            message = f"unexpected {type(other).__name__}; the server's log says more"
            return JSONResponse(error_body(500, message, code="internal_error"), 500)


async def refuse(scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
    """Answers a request, or a WebSocket that is not accepted yet, with an error."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
    else:
        await error_response(error)(scope, receive, send)


def _place(where: Sequence[str | int]) -> tuple[str, ...]:
    """The way to a value through fields and positions; pydantic puts in it which part of a request, and each kind."""
    parts = [str(part) for part in where if isinstance(part, int) or _FIELD.fullmatch(part)]
    if len(where) > 1 and where[0] in _PARTS:
        parts.pop(0)
    # In JSON that cannot be read there is only a position.
    return () if parts and parts[0].isdigit() else tuple(parts)


def _later(seconds: float) -> dict[str, str]:
    return {"retry-after": str(math.ceil(seconds)), "retry-after-ms": str(math.ceil(seconds * 1000))}


_PARTS = ("body", "path", "query", "header")
_FIELD = re.compile(r"(?!(?:bool|bytes|float|int|none|str)$)[a-z][a-z0-9_]*(?:\[\])?")

_CODES = {
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "request_too_large",
    415: "unsupported_media_type",
    431: "headers_too_large",
    499: "caller_gone",
    503: "shutting_down",
}
