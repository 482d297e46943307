import json
import subprocess
import sys
from pathlib import Path

import pytest

ATTEMPTS = {
    "connect": "socket.create_connection(('127.0.0.1', 9))",
    "name": "socket.getaddrinfo('localhost', 80)",
    "socket": "socket.socket()",
    "run": "subprocess.run(['true'])",
    "system": "os.system('true')",
    "fork": "os.fork()",
    "exec": "os.execv('/bin/true', ['true'])",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "write": "open(FOLDER + '/new', 'w')",
    "write by number": "os.open(FOLDER + '/new', os.O_CREAT | os.O_WRONLY)",
    "read": "open(FOLDER + '/secret').read()",
    "password": "open('/etc/passwd').read()",
    "link out": "open(FOLDER + '/../' + FOLDER.split('/')[-1] + '/secret').read()",
    "remove": "os.remove(FOLDER + '/secret')",
    "rename": "os.rename(FOLDER + '/secret', FOLDER + '/other')",
    "folder": "os.mkdir(FOLDER + '/new')",
    "kill": "os.kill(os.getppid(), 0)",
    "library": "ctypes.CDLL(None)",
    "memory": "bytearray(600_000_000)",
}
PROGRAM = """
import json, os, resource, socket, subprocess, sys, ctypes
sys.path[:] = sys.argv[2:]
FOLDER = sys.argv[1]
from configs.sandbox.confinement import confine
confine(500_000_000)
found = {}
for name, attempt in json.loads(sys.stdin.read()).items():
    try:
        eval(attempt)
        found[name] = "done"
    except BaseException as error:
        found[name] = type(error).__name__
import wave
from lxml import etree
found["module"] = wave.__name__ + etree.__name__
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text("secret")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), *sys.path, str(Path(__file__).parents[2])],
        input=json.dumps(ATTEMPTS),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "secret").read_text() == "secret"
    assert [path.name for path in folder.iterdir()] == ["secret"]
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_what_is_out_of_reach(outcomes: dict[str, str], attempt: str) -> None:
    assert outcomes[attempt] == ("MemoryError" if attempt == "memory" else "PermissionError")


def test_modules_are_in_reach(outcomes: dict[str, str]) -> None:
    assert outcomes["module"] == "wavelxml.etree"
