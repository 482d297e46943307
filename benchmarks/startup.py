"""How long until something happens: the first help text, and a server that answers."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TINGSHUO_DATA": str(folder)}
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with anyio.fail_after(60):
            async with httpx.AsyncClient(trust_env=False) as client:
                while True:
                    try:
                        if (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200:
                            return time.perf_counter() - began
                    except httpx.TransportError:
                        await anyio.sleep(0.02)
    finally:
        process.terminate()
        process.wait(10)
