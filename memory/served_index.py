"""The vector index on a Chroma server, where each ledger keeps to the collections that bear its own name."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import SplitResult, urlsplit

import httpx

from configs.errors import ConfigError, IndexUnavailable
from memory.index import VectorIndex
from memory.ledger import Ledger

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.client import Client

TIMES: Final = httpx.Timeout(60, connect=5)
"""Seconds; adding a batch takes the longest."""


class ServedIndex(VectorIndex):
    """The index on a server. Where that is away, IndexUnavailable; what it keeps is not lost by that."""

    def __init__(self, url: str, ledger: str) -> None:
        """`ledger` tells this ledger's collections from those of others. Raises ConfigError for no URL of a server."""
        super().__init__(f"ledger-{ledger}")
        self._url = url
        self._place = _place(url)

    async def set_aside(self) -> None:
        """Drops this ledger's collections; those of others stay."""

        def step() -> None:
            client = self._open()
            for collection in client.list_collections():
                ledger, _, number = collection.name.rpartition("-")
                if ledger == self._prefix and number.isdecimal():
                    client.delete_collection(collection.name)

        await self._run(step)

    def _connected(self) -> "Client":
        from chromadb import HttpClient
        from chromadb.config import Settings
        from chromadb.errors import ChromaAuthError

        secure = self._place.scheme == "https"
        port = self._place.port or (443 if secure else 80)
        settings = Settings(_env_file=None, anonymized_telemetry=False)
        # Chroma's own way to find that nobody answers leaves its connections open.
        httpx.get(f"{self._url.rstrip('/')}/api/v2/heartbeat", timeout=TIMES).raise_for_status()
        try:
            client = HttpClient(str(self._place.hostname), port, secure, settings=settings)
        except (ValueError, ChromaAuthError) as error:
            self._away(error)
        # Chroma waits for ever, and raises a bare Exception for an answer that is not its own; it has no setting.
        session = _sessions(client)[0]
        session.timeout = TIMES
        session.event_hooks = {"response": [_check]}
        return client  # type: ignore[return-value]  # it is one

    def _disconnect(self, client: "Client") -> None:
        super()._disconnect(client)
        for session in _sessions(client):  # which Chroma leaves open
            session.close()

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        try:
            with super()._translated():
                yield
        except httpx.HTTPError as error:
            self._away(error)

    def _away(self, error: Exception) -> NoReturn:
        raise IndexUnavailable(
            f"the Chroma server at {self._url} does not answer: {' '.join(str(error).split()) or repr(error)}",
            "Start it with `chroma run --path FOLDER --port PORT`, or correct `index.url`; "
            "where a proxy is set, name that host in NO_PROXY.",
        ) from error


@asynccontextmanager
async def open_served_index(url: str, ledger: Ledger) -> AsyncGenerator[ServedIndex, None]:
    """This ledger's part of the index on that server. Raises ConfigError."""
    name = await ledger.read(lambda connection: str(connection.execute("SELECT id FROM identity").fetchone()["id"]))
    index = ServedIndex(url, name)
    try:
        yield index
    finally:
        await index.aclose()


def _sessions(client: "ClientAPI") -> tuple[httpx.Client, ...]:
    """The connections of a client, and those with which it has looked at the database."""
    return client._server._session, client._admin_client._server._session  # type: ignore[attr-defined]


def _place(url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        fine = place.scheme in ("http", "https") and place.hostname and (place.port or 1) and place.path in ("", "/")
    except ValueError:
        fine = False
    if not fine:
        raise ConfigError(f"`index.url` is no address of a Chroma server: {url!r}", "Write http://HOST:PORT.")
    return place


def _check(response: httpx.Response) -> None:
    """Refuses what no Chroma server says: its errors are JSON with a name."""
    if response.is_success:
        return
    response.read()
    try:
        known = "error" in response.json()
    except ValueError:
        known = False
    if not known or response.status_code in (502, 503, 504):
        response.raise_for_status()
