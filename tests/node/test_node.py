"""The server as the JavaScript clients see it: each `*.test.js` here asks a real one, and each of its tests is told."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.api.audio_server import WHISPER
from tests.api.guarded_app import created
from tests.e2e.conftest import running
from tests.node.scripted_model import reply
from tests.ollama_stand_in import ollama_stand_in

# The first test starts the server, and each asks it from a process of its own.
pytestmark = [pytest.mark.node, pytest.mark.timeout(150)]

HERE = Path(__file__).parent
ORIGIN = "https://chat.example.org"
MINUTE = 150
"""Requests that a key may make in a minute; each file has its own key."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    url: str
    data: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`tingshuo serve` with real ears and a real voice, over a scripted model."""
    data = tmp_path_factory.mktemp("node") / "data"
    with ollama_stand_in() as model, pytest.MonkeyPatch.context() as patch:
        model.script = reply
        settings = {
            "CHAT__ENGINE": "ollama",
            "CHAT__OLLAMA__HOST": model.host,
            "EMBEDDINGS__ENGINE": "hashed",
            "SPEECH_TO_TEXT__ENGINE": "faster-whisper",
            "SPEECH_TO_TEXT__FASTER_WHISPER__MODEL": str(WHISPER / "ct2"),
            "TEXT_TO_SPEECH__ENGINE": "espeak-ng",
            "SERVER__ORIGINS": json.dumps([ORIGIN]),
            "SERVER__REQUESTS_PER_MINUTE": str(MINUTE),
            "DATA": str(data),
        }
        for name, value in settings.items():
            patch.setenv(f"TINGSHUO_{name}", value)
        with running("serve", "--port", "0") as process:
            line = process.line(error=True)
            assert line.startswith("Serving at "), line
            yield Served(line.split()[2], data)


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.js")), ids=lambda path: path.name.removesuffix(".test.js"))
def test_a_client(file: Path, served: Served, subtests: pytest.Subtests, tmp_path: Path) -> None:
    told = tmp_path / "told.xml"
    reporters = ["--test-reporter=spec", "--test-reporter-destination=stdout"]
    reporters += ["--test-reporter=junit", f"--test-reporter-destination={told}"]
    ended = subprocess.run(
        ["node", "--import=./loopback.js", *reporters, file.name],
        cwd=HERE,
        env={
            "PATH": os.environ["PATH"],
            "TINGSHUO_URL": served.url,
            "TINGSHUO_KEY": created(served.data, file.name, "chat", "audio"),
            "TINGSHUO_ORIGIN": ORIGIN,
            "TINGSHUO_RECORDINGS": str(WHISPER),
        },
        timeout=60,
        check=False,
    )
    cases = list(ElementTree.parse(told).iter("testcase")) if told.exists() else []
    for case in cases:
        with subtests.test(case.get("name")):
            if wrong := "\n".join(f"{found.tag}: {found.text}" for found in case):
                pytest.fail(wrong, pytrace=False)
    if ended.returncode or not cases:
        pytest.fail(f"node ended with {ended.returncode}, after {len(cases)} tests", pytrace=False)
