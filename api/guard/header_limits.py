"""How many headers a request may have, and how large they and its address may be; what they say, it does not know."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from api.guard.refusal import refuse

BYTES = 32_768
"""Of all headers together, and of the address."""

COUNT = 100
FIELDS = 200
"""In the query."""


class HeaderLimits:
    """Refuses a request whose headers or query are out of proportion."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it with 431 or 414."""
        if scope["type"] in ("http", "websocket") and (refused := _refusal(scope)):
            await refuse(scope, receive, send, refused)
            return
        await self._app(scope, receive, send)


def _refusal(scope: Scope) -> HTTPException | None:
    headers, query = scope["headers"], scope["query_string"]
    if len(headers) > COUNT or sum(len(name) + len(value) for name, value in headers) > BYTES:
        return HTTPException(431, f"more than {COUNT} headers, or more than {BYTES} bytes of them")
    if len(query) > BYTES or query.count(b"&") >= FIELDS:
        return HTTPException(414, f"the query has more than {FIELDS} fields or {BYTES} bytes")
    return None
