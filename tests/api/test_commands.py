"""The commands themselves: quick to load, and honest about what nobody expected."""

import json
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest
from typer.testing import CliRunner

from api.terminal.commands import app
from configs.persona import SHIPPED, load_persona
from tests.api.sound_stand_in import Devices

COMMANDS = ("demo", "ask", "chat", "talk", "ingest", "knowledge", "serve", "pull", "say", "persona", "doctor")


def test_help_names_every_command() -> None:
    out = CliRunner().invoke(app, ["--help"]).stdout
    for command in COMMANDS:
        assert f" {command} " in out
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"tingshuo {version('tingshuo')}\n"


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, json, api.cli, api.terminal.commands; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "pydantic", "anyio", "langchain_core", "chromadb", "fastapi", "av", "uvicorn", "rich.progress"}
    assert not heavy & set(json.loads(done.stdout))


def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError("1/0")

    monkeypatch.setattr("configs.settings.load_settings", fail)


def test_a_mistake_of_ours_is_one_line_and_a_way_to_see_more(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    done = CliRunner().invoke(app, ["ask", "hello"])
    assert done.exit_code == 70
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: unexpected ZeroDivisionError: 1/0",
        "  try: Set TINGSHUO_DEBUG=1 to see where it came from.",
    ]


def test_who_asks_sees_the_traceback_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    monkeypatch.setenv("TINGSHUO_DEBUG", "1")
    done = CliRunner().invoke(app, ["ask", "hello"])
    assert done.exit_code == 70
    assert "Traceback" in done.stderr
    assert done.stderr.rstrip().endswith("see where it came from.")


def test_chat_speaks_a_reply_to_its_end_before_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Devices(speed=20)
    monkeypatch.setattr("api.terminal.chat.load_devices", lambda: devices)
    monkeypatch.setenv("TINGSHUO_PERSONA", "companion")
    monkeypatch.setenv("TINGSHUO_CHAT__ENGINE", "fake")
    monkeypatch.setenv("TINGSHUO_CHAT__FAKE__REPLIES", '["Ten letters."]')
    monkeypatch.setenv("TINGSHUO_TEXT_TO_SPEECH__ENGINE", "fake")
    done = CliRunner().invoke(app, ["chat", "--speak"], input="Say ten letters.\n")
    assert done.exit_code == 0, done.stderr
    # The scripted voice sounds 0.06 s a character at 24000 samples a second; there are 12 characters.
    speed = load_persona("companion", [SHIPPED]).voice.speed
    sounded = np.count_nonzero(np.frombuffer(bytes(devices.played), "<i2"))
    assert sounded == pytest.approx(12 * 0.06 * 24_000 / speed, rel=0.01)
