"""What is at an Ollama address, and how it is reached; loads no model, and imports no LangChain."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import httpx

from configs.errors import ConfigError

CONNECT_SECONDS: Final = 3.0
"""The longest wait for a connection; Ollama accepts at once when it runs."""


@dataclass(frozen=True, slots=True)
class OllamaState:
    """What is at an address: not Ollama, an Ollama without a model, or one that has it."""

    host: str
    """The address as a URL."""
    running: bool
    version: str = ""
    models: tuple[str, ...] = ()
    """All that are pulled, in Ollama's order."""

    def has(self, model: str) -> bool:
        """Whether that model is pulled; a name without a tag means ":latest"."""
        return tagged(model) in map(tagged, self.models)


async def probe(host: str, within: float = 1.0) -> OllamaState:
    """Finds out what is at that address, in at most so many seconds; loads nothing. Raises ConfigError."""
    url = host_url(host)
    with anyio.move_on_after(within):
        try:
            async with httpx.AsyncClient(base_url=url, **client_options(url, within)) as client:
                version = (await client.get("/api/version")).raise_for_status().json()["version"]
                listed = (await client.get("/api/tags")).raise_for_status().json()["models"]
                return OllamaState(url, True, str(version), tuple(str(found["name"]) for found in listed))
        except (httpx.HTTPError, ValueError, LookupError, TypeError):
            # Nothing listens there, or something that is not Ollama: both mean that it is not running.
            pass
    return OllamaState(url, running=False)


async def probe_all(hosts: Sequence[str], within: float = 1.0) -> list[OllamaState]:
    """What `probe` finds at each address, all at once, each address once, in order. Raises ConfigError."""
    urls = [host_url(host) for host in hosts]
    found: dict[str, OllamaState] = {}

    async def one(url: str) -> None:
        found[url] = await probe(url, within)

    async with anyio.create_task_group() as tasks:
        for url in dict.fromkeys(urls):
            tasks.start_soon(one, url)
    return [found[url] for url in dict.fromkeys(urls)]


def host_url(host: str) -> str:
    """An address as people write it ("box", "box:8000", "http://box:8000/") as a URL. Raises ConfigError.

    An address that a server listens at for everybody (0.0.0.0, as OLLAMA_HOST often has it) is called by loopback.
    """
    bare = "://" not in host
    try:
        parts = urlsplit(f"http://{host}" if bare else host)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{host!r} is no address of an Ollama server", "Write it as http://127.0.0.1:11434.")
    netloc = parts.netloc if port or not bare else f"{parts.netloc}:11434"
    if parts.hostname in ("0.0.0.0", "::"):
        netloc = netloc.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
    return parts._replace(netloc=netloc).geturl().rstrip("/")


def client_options(host: str, timeout: float) -> dict[str, Any]:
    """What httpx's clients are made with; a proxy of the environment is not for this machine itself."""
    times = httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout))
    return {"timeout": times, "trust_env": not _is_loopback(host)}


def _is_loopback(url: str) -> bool:
    name = urlsplit(url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def tagged(model: str) -> str:
    """The name with its tag, as Ollama completes it."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"
