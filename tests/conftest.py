"""The ground every test stands on: no network, no settings of the developer, a data folder and a clock of its own."""

import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from trio.testing import MockClock

Backend = tuple[str, dict[str, object]]
OURS = ("agent", "api", "configs", "memory", "models", "tools")

# Libraries read these when they are imported, so they are set before anything else is.
os.environ.update(
    HF_HUB_OFFLINE="1", ANONYMIZED_TELEMETRY="False", LANGSMITH_TRACING="false", ORT_DISABLE_TELEMETRY="1"
)

settings.register_profile(
    "tingshuo",
    deadline=None,
    max_examples=60,
    derandomize=bool(os.environ.get("CI")),
    # How fast examples are made says how busy the machine is, not whether the code is right.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tingshuo")


class NetworkReached(AssertionError):
    """A test went for the network; no OSError, so that no code takes it for an unreachable server."""


_reached: list[str] = []


def is_local(host: object) -> bool:
    """Whether a host of a socket call is this machine: loopback, unspecified, or its own name."""
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or name in ("", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(str(name))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _host(event: str, args: tuple[object, ...]) -> object:
    """The host that an audited socket call goes for; None when it goes for none."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        return args[0]
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = args[0], args[1]
        inet = isinstance(sock, socket.SocketType) and sock.family in (socket.AF_INET, socket.AF_INET6)
        return address[0] if inet and isinstance(address, tuple) else None
    return None


def _guard(event: str, args: tuple[object, ...]) -> None:
    """An audit hook: unlike a patched method, no code can hold an older copy of it."""
    if event.startswith("socket.") and not is_local(host := _host(event, args)):
        _reached.append(f"{event} to {host!r}")
        raise NetworkReached(f"tests reach nothing beyond this machine, but this went for {host!r} ({event})")


sys.addaudithook(_guard)


@pytest.fixture
def reached() -> list[str]:
    """What this test has gone for beyond this machine; a test that does so on purpose clears it."""
    return _reached


@pytest.fixture(autouse=True)
def network_blocked() -> Iterator[None]:
    """Fails a test that went for the network, even where the code under test swallowed the error."""
    yield
    found = [*_reached]
    _reached.clear()
    assert not found, f"went for the network: {found}"


@pytest.fixture(autouse=True)
def data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The data folder of this test alone, not made yet; the developer's settings and proxies do not reach it."""
    for name in os.environ:
        ours = name.startswith("TINGSHUO_") and not name.startswith("TINGSHUO_TEST_")
        theirs = name in ("OLLAMA_HOST", "OLLAMA_HOSTS") or name.startswith("OTEL_") or name.lower().endswith("_proxy")
        if ours or theirs:
            monkeypatch.delenv(name)
    folder = tmp_path / "data"
    monkeypatch.setenv("TINGSHUO_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def logs_heard() -> None:
    """Every logger speaks, whatever an earlier test's command or linter has silenced in this process."""
    logging.disable(logging.NOTSET)
    for logger in [logging.getLogger(name) for name in logging.root.manager.loggerDict]:
        logger.disabled = False
        logger.propagate = True
        if logger.name.split(".")[0] in OURS:
            logger.setLevel(logging.NOTSET)


@pytest.fixture
def anyio_backend() -> Backend:
    """Asyncio, unless a test file overrides this fixture."""
    return "asyncio", {}


@pytest.fixture
def trio_virtual() -> Backend:
    """Trio on a clock that jumps as soon as every task waits; a new clock for each test."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@pytest.fixture
def trio_virtual_with_threads() -> Backend:
    """The same, but the clock first waits 50 ms for threads, which it does not see."""
    return "trio", {"clock": MockClock(autojump_threshold=0.05)}
