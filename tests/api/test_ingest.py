"""`tingshuo ingest`, and how it follows what happens to the files."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from typer.testing import CliRunner

from api.terminal.commands import app


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ENGINE", "hashed")


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "a.md").write_text("# A\n\nAbout a river.\n")
    (documents / "b.md").write_text("# B\n\nAbout a mountain.\n")
    return documents


def test_what_has_gone_is_counted(documents: Path) -> None:
    assert CliRunner().invoke(app, ["ingest", str(documents)]).stdout == "default: 2 added (2 new passages)\n"
    (documents / "a.md").unlink()
    again = CliRunner().invoke(app, ["ingest", str(documents)])
    assert (again.exit_code, again.stdout) == (0, "default: 1 unchanged, 1 removed (0 new passages)\n")
    (documents / "b.md").unlink()
    empty = CliRunner().invoke(app, ["ingest", str(documents)])
    assert (empty.exit_code, empty.stdout) == (65, "default: 1 failed (0 new passages)\n")
    assert "the 1 known from it stay" in empty.stderr


def test_changes_are_followed_until_ctrl_c(documents: Path) -> None:
    command = [sys.executable, "-m", "api.cli", "ingest", str(documents), "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert line(process.stdout) == "default: 2 added (2 new passages)\n"
            assert line(process.stderr) == "Following changes (Ctrl-C ends)\n"
            (documents / "b.md").write_text("# B\n\nAbout a volcano.\n")
            assert line(process.stdout) == "default: 1 replaced, 1 unchanged (1 new passages)\n"
            (documents / "a.md").unlink()
            assert line(process.stdout) == "default: 1 unchanged, 1 removed (0 new passages)\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            assert line(process.stderr) == "interrupted\n"
        finally:
            process.kill()


def line(stream: IO[str] | None) -> str:
    assert stream
    return stream.readline()


def test_a_path_that_does_not_exist_is_not_followed(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["ingest", str(tmp_path / "gone"), "--watch"])
    assert done.exit_code == 65
    assert "does not exist" in done.stderr
