"""The credential of a request: one function reads every channel that there is; whether it opens, it does not know."""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from starlette.types import Scope

from configs.errors import InvalidApiKey

SUBPROTOCOL = "openai-insecure-api-key."
"""How OpenAI's SDKs for browsers, which cannot set headers of a WebSocket, begin the subprotocol with the key."""


def credential(scope: Scope) -> str | None:
    """The token that a request or a WebSocket comes with, or None. Raises InvalidApiKey for several different ones."""
    found = {token for token in _tokens(scope) if token}
    if len(found) > 1:
        raise InvalidApiKey("several different keys were sent", "Send one: Authorization: Bearer KEY")
    return found.pop() if found else None


def _tokens(scope: Scope) -> Iterator[str]:
    for name, value in scope["headers"]:
        said = value.decode("latin-1").strip()
        if name == b"authorization":
            scheme, _, rest = said.partition(" ")
            # Others are a proxy's own affair.
            if scheme.lower() == "bearer":
                yield rest.strip()
        elif name in (b"x-api-key", b"api-key"):
            yield said
    # Elsewhere an address is kept by browsers and proxies, and so no place for a key.
    if scope["type"] == "websocket":
        for protocol in scope.get("subprotocols", ()):
            if protocol.startswith(SUBPROTOCOL):
                yield protocol.removeprefix(SUBPROTOCOL)
        for name, said in parse_qsl(scope["query_string"].decode("latin-1")):
            if name == "api_key":
                yield said
