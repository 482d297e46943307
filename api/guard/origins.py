"""Where a call comes from: by which name the server is called, and from which web page; who calls, it does not know."""

import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.guard.refusal import refuse

METHODS = "GET, HEAD, POST, PATCH, DELETE"
SENT = (
    "accept", "api-key", "authorization", "content-type", "openai-beta", "traceparent", "tracestate", "x-api-key",
    "x-request-id",
)  # fmt: skip
"""Headers that a page may send, beside those by which OpenAI's SDKs tell about themselves."""
STAINLESS = "x-stainless-"
READ = (
    "retry-after, retry-after-ms, x-request-id, x-should-retry, x-ratelimit-limit-requests, "
    "x-ratelimit-remaining-requests, x-ratelimit-reset-requests"
)
"""Headers that a page may read."""


class Origins:
    """Answers only where it is called by a name of its own, and by no page that it does not know.

    A web page elsewhere can point its own name at this machine, which the Host header tells; or call this machine by
    its right name, which the Origin header tells. Programs send no Origin.
    """

    def __init__(self, app: ASGIApp, *, names: Collection[str], origins: Collection[str], beyond: bool) -> None:
        """`beyond` says that other machines can reach the server, by its address in their network."""
        self._app = app
        self._names = {name.lower() for name in names}
        self._origins = {origin.lower() for origin in origins}
        self._beyond = beyond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it with 403; answers what a browser asks first."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refused := self._refusal(headers):
            await refuse(scope, receive, send, refused)
        elif (origin := headers.get("origin", "")).lower() not in self._origins:
            await self._app(scope, receive, send)
        elif scope.get("method") == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers, origin)(scope, receive, send)
        else:
            await self._app(scope, receive, _shared(send, origin))

    def _refusal(self, headers: Headers) -> HTTPException | None:
        hosts, origins = headers.getlist("host") or ["localhost"], headers.getlist("origin")
        if len(hosts) > 1 or not self._is_own(hosts[0]):
            said = ", ".join(hosts)[:300]
            return HTTPException(
                403, f"this server does not answer to the name {said!r}: call it 127.0.0.1, or add it to server.names"
            )
        if len(origins) > 1 or not all(self._may_call(origin.lower(), hosts[0].lower()) for origin in origins):
            said = ", ".join(origins)[:300]
            return HTTPException(403, f"pages of {said!r} may not call: server.origins names those that may")
        if "access-control-request-private-network" in headers:
            return HTTPException(403, "pages of other networks may not call this server")
        return None

    def _is_own(self, host: str) -> bool:
        name = name_of(host)
        return is_local_name(host) or name in self._names or (self._beyond and _is_near(name))

    def _may_call(self, origin: str, host: str) -> bool:
        return origin in self._origins or origin in (f"http://{host}", f"https://{host}")


def name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.strip("[]").lower()


def is_local_name(host: str) -> bool:
    """Whether a Host header names this machine's loopback."""
    name = name_of(host)
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_near(name: str) -> bool:
    """Whether a name is one of the own network, which nobody outside can point at it."""
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return name.endswith((".local", ".internal"))


def _preflight(headers: Headers, origin: str) -> Response:
    asked = [name.strip().lower() for name in headers.get("access-control-request-headers", "").split(",")]
    allowed = [*SENT, *(name for name in asked if name.startswith(STAINLESS) and name.replace("-", "").isalnum())]
    told = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": ", ".join(allowed),
        "access-control-max-age": "600",
        "vary": "Origin",
    }
    return Response(status_code=204, headers=told)


def _shared(send: Send, origin: str) -> Send:
    """Lets a page of this origin, which is on the list, read what is sent."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["access-control-allow-origin"] = origin
            headers["access-control-expose-headers"] = READ
            headers.add_vary_header("Origin")
        await send(message)

    return sent
