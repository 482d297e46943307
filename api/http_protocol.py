"""HTTP/1.1 on a socket, as uvicorn speaks it, with limits until a request is there; knows no application."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

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

    def handle_events(self) -> None:
        """What answers a request does not close the connection over what its caller still sends."""
        super().handle_events()
        if self.cycle is not None and self.cycle.transport is self.transport:
            self.cycle.transport = _Lingering(self.transport, self._leave)

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
        headers = [
            ("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close"),
            ("x-request-id", f"req_{uuid4().hex}"), ("x-should-retry", "false"),
        ]  # fmt: skip
        self._refused = True
        self._come()
        if self.cycle is not None:
            # The application may still be waiting for the rest of a body.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self._linger()

    def _leave(self) -> None:
        """Ends the connection after an answer."""
        if self.conn.their_state is h11.SEND_BODY and not self._refused:
            self._refused = True
            self.flow.resume_reading()
            self._linger()
        else:
            self.transport.close()

    def _linger(self) -> None:
        """Ends what is sent here now, and the connection when the caller does, or a little later."""
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.close)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.header_seconds, self.transport.close)

    def _come(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class _Lingering(asyncio.Transport):
    """A connection that is closed in another way."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        super().__init__()
        self._transport = transport
        self._close = close

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """As the connection does."""
        self._transport.write(data)

    def is_closing(self) -> bool:
        """As the connection tells."""
        return self._transport.is_closing()

    def close(self) -> None:
        """In that other way."""
        self._close()


def http_protocol(header_seconds: float) -> type[HttpProtocol]:
    """The protocol, with so many seconds for the line and the headers of a request."""
    return type("LimitedHttpProtocol", (HttpProtocol,), {"header_seconds": header_seconds})
