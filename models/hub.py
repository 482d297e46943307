"""The Hugging Face Hub or a mirror of it, for `tingshuo pull` alone; nothing else here reaches beyond the machine.

Not by `huggingface_hub`: as of 2.4 it begins anew what another run left unfinished, checks no hash, only warns where
the disk is too small, tells the Hub what program calls it, and fetches from further hosts through `hf_xet`.
"""

import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

import anyio
import httpx
from anyio.to_thread import run_sync

from configs.errors import ConfigError, EngineError, EngineFailed, EngineUnavailable, ModelNotFound
from models.downloads import Download, size_of, writing

T = TypeVar("T")

PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt; a transfer that got on begins at the first again."""
REDIRECTS: Final = 5

_TIMES: Final = httpx.Timeout(30, connect=15)
_AS_IT_IS: Final = {"Accept-Encoding": "identity"}
"""Compressed, a file would have another size, and could not be resumed."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MIRROR: Final = "Set HF_ENDPOINT to another mirror, or unset it."
_AWAY: Final = (
    "Connect to the network and pull again: it goes on where it stopped. Behind a proxy set HTTPS_PROXY; where "
    "huggingface.co is out of reach, set HF_ENDPOINT to a mirror."
)


@dataclass
class Hub:
    """A server that speaks the Hub's protocol. Made by `open_hub`."""

    client: httpx.AsyncClient
    endpoint: str
    pauses: Sequence[float] = PAUSES
    retrying: Callable[[str], None] = field(default=lambda reason: None)
    """Called with the reason before each further attempt."""

    async def look(
        self,
        repository: str,
        names: Sequence[str],
        folder: Path,
        optional: Sequence[str] = (),
        hashes: Mapping[str, str] | None = None,
    ) -> list[Download]:
        """Those files of a repository, and the optional ones that it has, the smallest first; fetches none yet.

        `hashes` are known SHA-256 by name, which count more than what the server says. Raises ModelNotFound,
        EngineUnavailable or EngineFailed.
        """
        found = []
        for name in (*names, *optional):
            url = f"{self.endpoint}/{repository}/resolve/main/{quote(name)}"
            try:
                size, sha256 = await self._retried(partial(self._described, url), lambda: 0)
            except ModelNotFound:
                if name in names:
                    raise
                continue
            found.append(Download(url, folder / name, size, (hashes or {}).get(name, sha256)))
        return sorted(found, key=lambda file: file.size)

    async def fetch(self, wanted: Download, follow: Callable[[int], None]) -> None:
        """Fetches a file, from where an earlier attempt ended; it gets its name when it is whole and checked.

        `follow` hears how many bytes are there. Cancelled or failed, it leaves what it has for the next time. Raises
        ModelNotFound, EngineUnavailable, EngineFailed (damaged: the bad part is deleted) or DataFolderUnwritable.
        """
        if not await run_sync(wanted.is_complete):
            with writing(wanted.path):
                wanted.path.parent.mkdir(parents=True, exist_ok=True)
            await self._retried(partial(self._rest, wanted, follow), lambda: size_of(wanted.part))
            await run_sync(wanted.finish)
        follow(wanted.size)

    async def _retried(self, attempt: Callable[[], Awaitable[T]], grown: Callable[[], int]) -> T:
        """What an attempt brings, tried again while trying may help: on and on as long as `grown` grows."""
        failures = 0
        while True:
            before = grown()
            try:
                return await attempt()
            except EngineUnavailable as error:
                failures = 1 if grown() > before else failures + 1
                if failures > len(self.pauses):
                    raise
                self.retrying(error.message)
                await anyio.sleep(self.pauses[failures - 1])

    async def _described(self, url: str) -> tuple[int, str]:
        """A file's size and its SHA-256, "" where that is not told.

        The Hub tells both before it sends the caller on to its store, whose own tag may be another hash.
        """
        request = self.client.build_request("HEAD", url, headers=_AS_IT_IS)
        for _ in range(REDIRECTS):
            with _reaching(url):
                response = await self.client.send(request)
            tag = response.headers.get("x-linked-etag")
            if tag is None and response.next_request:
                request = response.next_request
                continue
            _check(response, url)
            if tag is None and request.url.host == _host(url):
                tag = response.headers.get("etag")
            size = response.headers.get("x-linked-size") or response.headers.get("content-length") or ""
            if not size.isdecimal():
                raise EngineFailed(f"{_host(url)} does not say how large {url} is", _MIRROR)
            found = _SHA256.fullmatch((tag or "").strip('"').lower())
            return int(size), found[0] if found else ""
        raise EngineFailed(f"{_host(url)} sends the caller of {url} on without end", _MIRROR)

    async def _rest(self, wanted: Download, follow: Callable[[int], None]) -> None:
        """One attempt at what is missing of a file. Raises EngineUnavailable where it broke off."""
        had = size_of(wanted.part)
        if 0 < had == wanted.size:
            return
        headers = {**_AS_IT_IS, "Range": f"bytes={had}-"} if 0 < had < wanted.size else _AS_IT_IS
        with _reaching(wanted.url):
            async with self.client.stream("GET", wanted.url, headers=headers, follow_redirects=True) as response:
                if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    wanted.part.unlink()
                _check(response, wanted.url)
                resumed = response.headers.get("content-range", "").startswith(f"bytes {had}-")
                await _write(response, wanted, had if resumed else 0, follow)
        if size_of(wanted.part) < wanted.size:
            raise EngineUnavailable(f"{wanted.url} ended too soon", _AWAY)


@asynccontextmanager
async def open_hub(
    *, pauses: Sequence[float] = PAUSES, retrying: Callable[[str], None] = lambda reason: None
) -> AsyncGenerator[Hub, None]:
    """The Hub, or the mirror that HF_ENDPOINT names, through the environment's proxies. Raises ConfigError."""
    endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", endpoint):
        raise ConfigError(f"HF_ENDPOINT is no address: {endpoint!r}", "Write it as https://hf-mirror.com, or unset it.")
    try:
        # A proxy is not for this machine itself.
        client = httpx.AsyncClient(timeout=_TIMES, trust_env=_host(endpoint) not in ("127.0.0.1", "::1", "localhost"))
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"the proxy of the environment cannot be used: {error}",
            "Give HTTPS_PROXY and ALL_PROXY an http:// address, or unset them.",
        ) from error
    async with client:
        yield Hub(client, endpoint, pauses, retrying)


async def _write(response: httpx.Response, wanted: Download, start: int, follow: Callable[[int], None]) -> None:
    """Adds what comes to the part, of which the first `start` bytes count."""
    with writing(wanted.part):
        async with await anyio.open_file(wanted.part, "ab" if start else "wb") as file:
            follow(start)
            # As it comes: larger pieces would be lost where the transfer breaks off.
            async for piece in response.aiter_bytes():
                await file.write(piece)
                start += len(piece)
                follow(min(start, wanted.size))


def _check(response: httpx.Response, url: str) -> None:
    """Raises what a status means."""
    status = response.status_code
    failure: type[EngineError] = EngineFailed
    if status < 400:
        return
    hint = _MIRROR
    if status in (401, 403):
        hint = "It asks for a login, or has no such repository: unset HF_ENDPOINT, or put the files there by hand."
    if status in (408, 416, 429) or status >= 500:
        failure, hint = EngineUnavailable, "Pull again later: it goes on where it stopped."
    elif status in (401, 403, 404, 410):
        failure = ModelNotFound
    said = "".join(filter(str.isprintable, response.headers.get("x-error-message", "")))[:200]
    raise failure(f"{_host(url)} does not give {url}: {status} {said}".rstrip(), hint)


@contextmanager
def _reaching(url: str) -> Generator[None, None, None]:
    """Turns what the network does into EngineUnavailable, and what no Hub would answer into EngineFailed."""
    try:
        yield
    except httpx.TransportError as error:
        reason = str(error) or type(error).__name__
        raise EngineUnavailable(f"{_host(url)} cannot be reached, or broke off: {reason}", _AWAY) from error
    except (httpx.TooManyRedirects, httpx.DecodingError, httpx.InvalidURL) as error:
        raise EngineFailed(f"{_host(url)} does not speak the Hub's protocol: {error}", _MIRROR) from error


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
