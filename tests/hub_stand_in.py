"""A stand-in for the Hugging Face Hub: its answers for files, on real sockets; keeps no history of them."""

import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LARGE = 1000
"""Bytes from which a file lies in the store, as the Hub keeps large ones."""


@dataclass
class HubStandIn:
    """A running server: fill `files`, set how it fails, read `requests`."""

    endpoint: str
    store: str
    """Another host name of the same server."""
    files: dict[str, bytes] = field(default_factory=dict)
    """By "repository/file"."""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, target and Range of each, in order."""
    statuses: list[int] = field(default_factory=list)
    """What the next requests are answered with, whatever they ask for."""
    cut_after: int | None = None
    """Every transfer ends after so many bytes, without a word."""
    hold_after: int | None = None
    """A transfer waits after so many bytes for `go_on`."""
    go_on: threading.Event = field(default_factory=threading.Event)
    knows_ranges: bool = True
    damage: bool = False
    """What is sent differs from what is announced."""

    def gets(self) -> list[tuple[str, str]]:
        """File and Range of each transfer."""
        return [(target.rsplit("/", 1)[1], span) for method, target, span in self.requests if method == "GET"]


@contextmanager
def hub_stand_in() -> Generator[HubStandIn, None, None]:
    """A stand-in on a free port; it has stopped when the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    port = server.server_address[1]
    stand_in = server.stand_in = HubStandIn(f"http://127.0.0.1:{port}", f"http://localhost:{port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="hub-stand-in")
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubStandIn

    def setup(self) -> None:
        super().setup()
        self.hub = self.server.stand_in  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_HEAD(self) -> None:
        """What a file is: a large one with its hash and the way to the store, a small one as it is."""
        found = self._found()
        if found is None:
            return
        if len(found) < LARGE:
            # Git's name for the content, which is no SHA-256.
            tag = sha1(b"blob %d\0" % len(found) + found, usedforsecurity=False).hexdigest()
            self._head(200, {"ETag": f'"{tag}"', "Content-Length": str(len(found))})
        elif self.path.startswith("/store/"):
            # The store's own tag looks like a SHA-256 and is none of the content.
            self._head(200, {"ETag": f'"{sha256(b"blocks").hexdigest()}"', "Content-Length": str(len(found))})
        else:
            linked = {"X-Linked-ETag": f'"{sha256(found).hexdigest()}"', "X-Linked-Size": str(len(found))}
            self._head(302, {**linked, "Location": self._in_store(), "Content-Length": "0"})

    def do_GET(self) -> None:
        """The content, or the way to it."""
        found = self._found()
        if found is None:
            return
        if len(found) >= LARGE and not self.path.startswith("/store/"):
            self._head(302, {"Location": self._in_store(), "Content-Length": "0"})
            return
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and self.hub.knows_ranges else 0
        headers = {"Content-Length": str(len(found) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(found) - 1}/{len(found)}"
        self._head(206 if start else 200, headers)
        self._send(bytes(255 - byte for byte in found[start:]) if self.hub.damage else found[start:])

    def _found(self) -> bytes | None:
        """The file that is asked for; None where the answer is given already."""
        self.hub.requests.append((self.command, self.path, self.headers.get("Range", "")))
        status = self.hub.statuses.pop(0) if self.hub.statuses else 0
        parts = re.fullmatch(r"(?:/store)?/(.+)/resolve/main/(.+)", urlsplit(self.path).path)
        found = self.hub.files.get(f"{parts[1]}/{parts[2]}") if parts else None
        if status or found is None:
            self._head(status or 404, {"Content-Length": "0", "X-Error-Message": "Entry not found"})
            return None
        return found

    def _in_store(self) -> str:
        return f"{self.hub.store}/store{urlsplit(self.path).path}"

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, body: bytes) -> None:
        if self.hub.cut_after is not None and len(body) > self.hub.cut_after:
            self.wfile.write(body[: self.hub.cut_after])
            self.close_connection = True
            return
        if self.hub.hold_after is not None and len(body) > self.hub.hold_after:
            self.wfile.write(body[: self.hub.hold_after])
            self.wfile.flush()
            self.hub.go_on.wait(30)
            body = body[self.hub.hold_after :]
        try:
            self.wfile.write(body)
        except OSError:
            # The client went away, as it may.
            self.close_connection = True
