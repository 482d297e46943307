"""A client that costs as little as a client can: canned requests over kept connections; knows no API."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from anyio import connect_tcp, create_task_group
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and when, in seconds since the request was sent."""

    status: int
    body: bytes
    first_byte: float
    """Of the body."""
    whole: float


class Line:
    """One kept connection."""

    def __init__(self, stream: SocketStream, host: str) -> None:
        self._stream = stream
        self._host = host
        self._incoming = BufferedByteReceiveStream(stream)

    @classmethod
    async def open(cls, port: int) -> Self:
        """A connection to this machine."""
        return cls(await connect_tcp("127.0.0.1", port), f"127.0.0.1:{port}")

    async def ask(self, path: str, body: bytes = b"", content_type: str = "application/json") -> Reply:
        """GET where there is no body, else POST."""
        method, extra = (
            ("POST", f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n") if body else ("GET", "")
        )
        head = f"{method} {path} HTTP/1.1\r\nhost: {self._host}\r\n{extra}\r\n".encode()
        began = time.perf_counter()
        await self._stream.send(head + body)
        status, headers = await self._head()
        if "content-length" in headers:
            size = int(headers["content-length"])
            first = time.perf_counter() - began
            content = await self._incoming.receive_exactly(size) if size else b""
        else:
            content = await self._chunk()
            first = time.perf_counter() - began
            while piece := await self._chunk():
                content += piece
        return Reply(status, content, first, time.perf_counter() - began)

    async def _head(self) -> tuple[int, Mapping[str, str]]:
        head = (await self._incoming.receive_until(b"\r\n\r\n", 65_536)).decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in head[1:])
        return int(head[0].split()[1]), {name.lower(): value.strip() for name, _, value in fields}

    async def _chunk(self) -> bytes:
        size = int(await self._incoming.receive_until(b"\r\n", 1_000), 16)
        piece = await self._incoming.receive_exactly(size) if size else b""
        await self._incoming.receive_exactly(2)
        return piece

    async def aclose(self) -> None:
        """Ends the connection."""
        await self._stream.aclose()


async def requests_per_second(port: int, clients: int, requests: int, path: str, body: bytes = b"") -> float:
    """How many of these requests so many clients get answered, one after another each."""

    async def client() -> None:
        line = await Line.open(port)
        for _ in range(requests // clients):
            reply = await line.ask(path, body)
            assert reply.status == 200, reply
        await line.aclose()

    began = time.perf_counter()
    async with create_task_group() as tasks:
        for _ in range(clients):
            tasks.start_soon(client)
    return requests // clients * clients / (time.perf_counter() - began)


def as_json(value: Mapping[str, Any]) -> bytes:
    """A JSON body."""
    return json.dumps(value).encode()
