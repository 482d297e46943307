"""What every answer carries and the log tells: a request's id, and how it ended; never what is in it."""

import logging
import re
from uuid import uuid4

from anyio import current_time
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answer_status import STARTS
from api.guard.bodies import has_body
from api.safe_text import safe

log = logging.getLogger(__name__)

SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")

MAY_PASS = (408, 429, 502, 503, 504)
"""Statuses of what may go well another time; SDKs would try all from 500, and 409, again."""


class RequestIds:
    """Gives each request an id, or takes its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; its answer carries the id."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers, began, status = Headers(scope=scope), current_time(), 0
        said = headers.get("x-request-id", "")
        request_id = said if SANE.fullmatch(said) else f"req_{uuid4().hex}"
        scope.setdefault("state", {})["request_id"] = request_id
        unread = scope["type"] == "http" and has_body(headers)

        async def received() -> Message:
            nonlocal unread
            message = await receive()
            unread = unread and message["type"] == "http.request" and bool(message.get("more_body"))
            return message

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] in STARTS:
                status = message.get("status", 101)
                _mark(message, request_id, status, unread=unread)
            await send(message)

        try:
            await self._app(scope, received, sent)
        finally:
            caller = getattr(scope["state"].get("principal"), "name", "-")
            took = (current_time() - began) * 1000
            # The query may hold a key or a question, and so is left out.
            what = safe(f"{scope.get('method', 'WEBSOCKET')} {scope['path']}")[:200]
            log.info("%s %s -> %d in %.0f ms for %s", request_id, what, status, took, caller)


def _mark(message: Message, request_id: str, status: int, *, unread: bool) -> None:
    message.setdefault("headers", [])
    headers = MutableHeaders(scope=message)
    headers["x-request-id"] = request_id
    if status >= 400 and status not in MAY_PASS:
        headers["x-should-retry"] = "false"
    if message["type"] != "websocket.accept":
        headers.setdefault("x-content-type-options", "nosniff")
    if unread:
        # What is still on its way will not be read: it would be taken for the next request.
        headers["connection"] = "close"
