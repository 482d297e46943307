"""What every test of the whole product starts from: embedded engines alone, and documents that are taken in once."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner

from api.terminal.commands import app
from api.terminal.ingest import ingest
from configs.settings import load_settings

EXAMPLES = Path(__file__).parents[2] / "examples"
QUESTIONS = EXAMPLES / "questions"

NO_OLLAMA = {
    # Port 9 is for discarding; nobody listens there, so "auto" takes the embedded engines.
    "TINGSHUO_CHAT__OLLAMA__HOST": "http://127.0.0.1:9",
    "TINGSHUO_EMBEDDINGS__OLLAMA__HOST": "http://127.0.0.1:9",
}


class Ended:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert "Traceback" not in err + out, err + out

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


Tingshuo = Callable[..., Ended]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the example documents; to be copied, not used."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    settings = load_settings(data=folder, embeddings={"engine": "hashed"})
    assert anyio.run(partial(ingest, settings, [EXAMPLES / "knowledge"], "default")) == 0
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data_folder: Path) -> None:
    """A working directory of its own, and no Ollama even where one runs."""
    monkeypatch.chdir(tmp_path)
    for name, value in NO_OLLAMA.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def handbook(prepared: Path, data_folder: Path) -> Path:
    """This test's data folder, with the example documents in it."""
    return shutil.copytree(prepared, data_folder)


@pytest.fixture
def tingshuo() -> Tingshuo:
    """Runs a command in this process."""

    def run(*arguments: object, typed: str | bytes = "") -> Ended:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ended(done.exit_code, done.stdout, done.stderr)

    return run


class Process:
    """A command as a program of its own."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "api.cli", *map(str, arguments)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def ended(self, typed: str | None = None) -> Ended:
        out, err = self.process.communicate(typed, timeout=40)
        return Ended(self.process.returncode, out, err)

    def line(self, *, error: bool = False) -> str:
        stream = self.process.stderr if error else self.process.stdout
        assert stream
        return stream.readline()


@contextmanager
def running(*arguments: object) -> Iterator[Process]:
    """A command that is killed if the test leaves it behind."""
    started = Process(*arguments)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def wait_for(path: Path) -> None:
    """Until a file is there."""
    until = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < until, f"{path} never came"
        time.sleep(0.01)
