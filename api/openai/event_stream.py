"""Server-sent events as OpenAI's clients read them; knows none of their kinds."""

import json
from typing import Any, Final

from api.errors import body
from configs.errors import AssistantError

MEDIA_TYPE: Final = "text/event-stream"


def event(told: dict[str, Any]) -> bytes:
    """One event."""
    return f"data: {json.dumps(told, ensure_ascii=False)}\n\n".encode()


def named(told: dict[str, Any]) -> bytes:
    """One event whose type stands on a line of its own as well."""
    return f"event: {told['type']}\n".encode() + event(told)


def failed(error: AssistantError) -> bytes:
    """The last event of a stream that cannot go on."""
    return event(body(error))
