"""How long until something happens: the first help text, and a server that answers."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from subprocess import DEVNULL

import anyio
import httpx

from benchmarks.figures import Figure


async def measure(folder: Path) -> list[Figure]:
    """Import time of the terminal's door, and the time from start to a ready /health."""
    imported = [_seconds([sys.executable, "-c", "import api.cli"]) for _ in range(5)]
    empty = [_seconds([sys.executable, "-c", "pass"]) for _ in range(5)]
    helped = [_seconds([sys.executable, "-m", "api.cli", "--help"]) for _ in range(5)]
    bare = median(imported) - median(empty)
    return [
        Figure("import api.cli", f"{bare * 1000:.0f} ms", "< 300 ms", "median of 5, less an empty interpreter"),
        Figure("tingshuo --help", f"{median(helped) * 1000:.0f} ms", "< 300 ms", "median of 5, whole process"),
        Figure("serve until ready", f"{await _ready(folder):.2f} s", "", "embedded engines, empty data folder"),
    ]


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


async def _ready(folder: Path) -> float:
    port = free_port()
    environment = {**os.environ, "TINGSHUO_DATA": str(folder)}
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port)]
    began = time.perf_counter()
    async with await anyio.open_process(command, env=environment, stdout=DEVNULL, stderr=DEVNULL) as process:
        try:
            with anyio.fail_after(60):
                await answered(f"http://127.0.0.1:{port}/health")
            return time.perf_counter() - began
        finally:
            process.terminate()


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def answered(address: str) -> None:
    """Waits until an address answers with 200."""
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(address)).status_code == 200:
                    return
            except httpx.TransportError:
                await anyio.sleep(0.02)
