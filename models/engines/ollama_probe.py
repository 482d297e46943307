"""What is at an Ollama address, and how it is reached; loads no model, and imports no LangChain."""

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
        return _tagged(model) in map(_tagged, self.models)


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


def host_url(host: str) -> str:
    """An address as people write it ("box", "box:8000", "http://box:8000/") as a URL. Raises ConfigError."""
    bare = "://" not in host
    try:
        parts = urlsplit(f"http://{host}" if bare else host)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{host!r} is no address of an Ollama server", "Write it as http://127.0.0.1:11434.")
    address = parts if port or not bare else parts._replace(netloc=f"{parts.netloc}:11434")
    return address.geturl().rstrip("/")


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


def _tagged(model: str) -> str:
    """The name with its tag, as Ollama completes it."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"
