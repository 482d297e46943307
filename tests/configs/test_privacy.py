"""Nothing phones home, also not from below Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAR = """
from configs.privacy import stay_local
stay_local()
import numpy, anyio
from models.engines.silero import Silero
stream = anyio.run(Silero.open).open_stream()
print(stream.probability(numpy.zeros(512, dtype=numpy.float32)) < 0.5)
"""


def test_voice_activity_leaves_no_telemetry_behind(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    environment |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", HEAR], env=environment, capture_output=True, text=True, check=False, timeout=50
    )
    assert done.stdout.strip() == "True", done.stderr
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("name", ["LANGSMITH_TRACING", "ORT_DISABLE_TELEMETRY", "ANONYMIZED_TELEMETRY"])
def test_what_the_shell_says_for_other_programs_does_not_count(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from configs.privacy import QUIET, stay_local

    monkeypatch.setenv(name, "something else")
    for quiet in QUIET:
        monkeypatch.setenv(quiet, "something else")
    stay_local()
    assert os.environ[name] == QUIET[name]
