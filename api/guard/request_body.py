"""What is sent with a request, bounded before it is understood; what it means, it does not know."""

from codecs import BOM_UTF8
from collections.abc import AsyncGenerator
from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from configs.errors import RequestTooLarge

Model = TypeVar("Model", bound=BaseModel)


def content_type(request: Request) -> str:
    """The body's type, without its parameters. Raises HTTPException 415 for a body that is compressed."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise HTTPException(415, f"content encoding {encoding!r} is not taken: send the body as it is")
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def pieces(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes; close with `aclosing`. What the sender says of its length is not believed.

    Raises RequestTooLarge as soon as more than `most` bytes have come.
    """
    taken = 0
    async for piece in request.stream():
        taken += len(piece)
        if taken > most:
            raise RequestTooLarge(f"the body is larger than {most} bytes", "Send less at once.")
        yield piece


async def read(request: Request, most: int) -> bytes:
    """The whole body. Raises RequestTooLarge over `most` bytes."""
    return b"".join([piece async for piece in pieces(request, most)])


def as_json(data: bytes, kind: type[Model]) -> Model:
    """The body as JSON of that kind; a byte order mark may stand before it. Raises RequestValidationError."""
    try:
        return kind.model_validate_json(data.removeprefix(BOM_UTF8))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error


def json_bytes(characters: int) -> int:
    """No JSON of a text that is short enough is longer: a character has at most 12 bytes, as two escapes."""
    return 12 * characters + 100_000
