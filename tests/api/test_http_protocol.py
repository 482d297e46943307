"""HTTP/1.1 over real sockets: what is too large, too slow, broken off or not HTTP at all."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from api.guard.keys import KeyRing
from api.listening import bind
from api.server import FRAME, configured
from tests.api.guarded_app import created, guarded_app

SLOW = 0.5
"""Seconds in which headers, or a body, have to come."""


class _Server(uvicorn.Server):
    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """In a thread, where signals cannot be had."""
        await self._serve(sockets)


@pytest.fixture
def port(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr("api.guard.guards.LOOK", 0.1)
    app, settings = guarded_app(header_seconds=SLOW, body_seconds=SLOW)
    server = _Server(configured(app, settings))
    with bind("127.0.0.1", 0) as taken:
        thread = threading.Thread(target=anyio.run, args=(server.serve, [taken]))
        thread.start()
        try:
            yield taken.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def told(port: int, *sent: bytes, end: bool = False) -> tuple[int, str]:
    """The status and the rest of all that comes back until the server closes; `end` half-closes after sending."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for piece in sent:
            connection.sendall(piece)
        if end:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    status, _, rest = answer.decode("latin-1").partition("\r\n")
    return int(status.split()[1]) if status else 0, rest


HEAD = b"HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CLOSE = b"Connection: close\r\n\r\n"


def test_ten_megabytes_of_headers_are_refused_and_others_still_served(port: int) -> None:
    """CVE-2025-48956."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /health " + HEAD)
        refused = b""
        try:
            for _ in range(10_000):
                connection.sendall(b"X-Large: " + b"a" * 1000 + b"\r\n")
        except OSError:
            pass
        else:
            refused = connection.recv(65536)
    assert refused == b"" or b" 431 " in refused
    assert told(port, b"GET /health " + HEAD + CLOSE)[0] == 200


@pytest.mark.parametrize("size", [40_000, 200_000])
def test_headers_that_are_too_large_are_told_so(port: int, size: int) -> None:
    status, rest = told(port, b"GET /health " + HEAD + b"X-Large: " + b"a" * size + b"\r\n" + CLOSE)
    assert status == 431
    head, _, body = rest.partition("\r\n\r\n")
    assert json.loads(body)["error"]["code"] == "headers_too_large"
    assert "\r\nx-request-id: req_" in head.lower()


def test_an_address_that_is_too_long_is_refused_with_an_id(port: int) -> None:
    status, rest = told(port, b"GET /v1/knowledge/search?q=" + b"a" * 200_000 + b" " + HEAD + CLOSE)
    assert status == 431
    assert "\r\nx-request-id: req_" in rest.lower()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET http://evil.com/health HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n", 403),
        (b"POST /v1/ask " + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST /v1/ask " + HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (b"POST /v1/ask " + HEAD + b"Content-Length: 2000000000\r\n\r\n", 413),
        (b"POST /v1/ask " + HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST /v1/ask " + HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
        (b"GET /v1/ask/../../health " + HEAD + CLOSE, 404),
        (b"GET /health%00 " + HEAD + CLOSE, 404),
    ],
)
def test_what_is_no_request_is_refused_in_openais_form(port: int, sent: bytes, status: int) -> None:
    found, rest = told(port, sent)
    assert found == status
    assert "error" in json.loads(rest.partition("\r\n\r\n")[2]) or status == 404


def test_a_caller_that_is_refused_can_end_what_it_sends(port: int) -> None:
    """Else its next piece would meet a closed connection, and the refusal might never be read."""
    head = b"POST /v1/ask " + HEAD + b"Content-Type: text/plain\r\nContent-Length: 3000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        for _ in range(3):
            connection.sendall(b" " * 1_000_000)
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("sent", [b"", b"GET /heal", b"GET /health " + HEAD + b"X: "])
def test_headers_that_do_not_come_are_not_waited_for(port: int, sent: bytes) -> None:
    assert told(port, sent) == (0, "")


@pytest.mark.parametrize("kind", [b"application/json", b"audio/wav"])
def test_a_body_that_does_not_come_is_not_waited_for(port: int, kind: bytes) -> None:
    status, rest = told(port, b"POST /v1/ask " + HEAD + b"Content-Type: " + kind + b"\r\nContent-Length: 9\r\n\r\n{")
    assert status == 408
    assert "connection: close" in rest.lower()


@pytest.mark.parametrize("sent", [b"", b"GET /health " + HEAD, b"POST /v1/ask " + HEAD + b"Content-Length: 9\r\n\r\n{"])
def test_a_caller_that_half_closes_has_gone(port: int, sent: bytes) -> None:
    """Nothing tells it from one that has left, for whom no engine may go on working."""
    assert told(port, sent, end=True)[0] == 0
    assert told(port, b"GET /health " + HEAD + CLOSE)[0] == 200


def test_a_body_behind_a_refusal_is_not_taken_for_a_request(port: int, data_folder: Path) -> None:
    created(data_folder, "phone", "chat")
    hidden = b"GET /health " + HEAD + b"\r\n"
    length = str(len(hidden)).encode()
    status, rest = told(port, b"POST /v1/ask " + HEAD + b"Content-Length: " + length + b"\r\n\r\n", hidden)
    assert status == 401
    assert "HTTP/1.1" not in rest


@pytest.mark.parametrize(
    ("headers", "query", "protocols"),
    [
        ({"Authorization": "Bearer {}"}, "", None),
        ({"x-api-key": "{}"}, "", None),
        ({}, "?model=a&api_key={}", None),
        ({}, "", ["realtime", "openai-insecure-api-key.{}"]),
    ],
)
def test_a_websocket_opens_by_every_channel_and_closes_with_its_key(
    port: int, data_folder: Path, headers: dict[str, str], query: str, protocols: list[str] | None
) -> None:
    """CVE-2026-44553: sockets lived on after their key."""
    token, narrow = created(data_folder, "phone", "chat", "audio"), created(data_folder, "narrow", "chat")

    def opened(key: str) -> ClientConnection:
        named = [Subprotocol(each.format(key)) for each in protocols] if protocols else None
        sent = {name: value.format(key) for name, value in headers.items()}
        url = f"ws://127.0.0.1:{port}/v1/realtime{query.format(key)}"
        return connect(url, additional_headers=sent, subprotocols=named, proxy=None)

    for key, status in ((token + "x", 401), (narrow, 403)):
        with pytest.raises(InvalidStatus) as refused, opened(key):
            pass
        assert refused.value.response.status_code == status
    with opened(token) as talking:
        assert talking.recv() == "phone"
        assert talking.subprotocol == ("realtime" if protocols else None)
        KeyRing(data_folder).revoke("phone")
        with pytest.raises(ConnectionClosed) as closed:
            talking.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_no_page_that_is_not_named_opens_a_websocket(port: int) -> None:
    """CWE-1385."""
    url = f"ws://127.0.0.1:{port}/v1/realtime"
    for origin, status in (("https://evil.com", 403), ("null", 403)):
        with pytest.raises(InvalidStatus) as refused, connect(url, origin=Origin(origin), proxy=None):
            pass
        assert refused.value.response.status_code == status
    with pytest.raises(InvalidStatus) as refused, connect(url, additional_headers={"Host": "evil.com"}, proxy=None):
        pass
    with connect(url, origin=Origin(f"http://127.0.0.1:{port}"), proxy=None) as talking:
        assert talking.recv() == "local"


def test_a_message_of_a_websocket_has_a_limit(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/v1/realtime", proxy=None, compression=None) as talking:
        talking.recv()
        talking.send("a" * (FRAME + 1))
        with pytest.raises(ConnectionClosed) as closed:
            talking.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009  # RFC 6455: the message is too big
