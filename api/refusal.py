"""A refusal over HTTP: any error in OpenAI's form, with the status that it has; raises none itself."""

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import body, error_body
from configs.errors import AssistantError


def error_response(error: Exception) -> JSONResponse:
    """Any error in OpenAI's form, with the status that it has."""
    match error:
        case AssistantError():
            return JSONResponse(body(error), error.status)
        case RequestValidationError():
            first = error.errors()[0]
            param = ".".join(str(part) for part in first["loc"] if not isinstance(part, int)) or None
            message = f"{param}: {first['msg']}" if param else str(first["msg"])
            return JSONResponse(error_body(400, message, code="invalid_value", param=param), 400)
        case HTTPException():
            content = error_body(error.status_code, error.detail, code=_CODES.get(error.status_code))
            return JSONResponse(content, error.status_code, headers=error.headers)
        case other:
            message = f"unexpected {type(other).__name__}; the server's log says more"
            return JSONResponse(error_body(500, message, code="internal_error"), 500)


_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
    421: "misdirected_request",
    499: "caller_gone",
    503: "shutting_down",
}
