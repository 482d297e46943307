"""HTTP/1.1 on a socket, as uvicorn speaks it, with limits until a request is there; knows no application."""

import asyncio
import json
import sys
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from api.errors import error_body

LINGER = 1.0
"""Seconds in which what a refused caller still sends is dropped, so that the refusal reaches it."""


class HttpProtocol(H11Protocol):
    """Ends a connection whose headers do not come in time, and says what was wrong with those that cannot be read."""

    header_seconds = 10.0

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._waiting: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request is awaited."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """A piece of a request, which is dropped after one that was refused."""
        if self._refused:
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait()
        else:
            self._come()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any longer."""
        self._come()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuses what h11 could not read, with the status that it proposes."""
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        message = "the headers are too large" if status == 431 else "this is not HTTP/1.1"
        code = "headers_too_large" if status == 431 else "invalid_request"
        body = json.dumps(error_body(status, message, code=code)).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close")]
        self._refused = True
        self._come()
        if self.cycle is not None:
            # The application may still be waiting for the rest of a body.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.close)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.header_seconds, self.transport.close)

    def _come(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def http_protocol(header_seconds: float) -> type[HttpProtocol]:
    """The protocol, with so many seconds for the line and the headers of a request."""
    return type("LimitedHttpProtocol", (HttpProtocol,), {"header_seconds": header_seconds})
