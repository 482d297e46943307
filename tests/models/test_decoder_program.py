"""The program that decodes: what it cannot reach, and that it ends with whoever started it."""

import errno
import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from configs.sandbox.framing import LENGTHS, message

ROOT = Path(__file__).parents[2]
CONFINED = """
import json, os, resource, socket, sys
sys.path[:] = sys.argv[2:]
import models.decoder_program as program
attempts = json.loads(sys.argv[1])
found = {}

def try_all(header):
    return lambda body: ({name: tried(attempt) for name, attempt in attempts.items()}, b"")

def tried(attempt):
    try:
        eval(attempt)
    except OSError as error:
        return type(error).__name__, error.errno
    return "done", 0

program._reading = try_all
program.main()
"""
ATTEMPTS = {
    "a file": "open('/etc/passwd')",
    "a module": "open(program.__file__)",
    "a folder": "os.open('/', os.O_RDONLY)",
    "a new file": "open('/tmp/new', 'w')",
    "a socket": "socket.socket()",
    "a pipe, which no hook of Python sees": "os.pipe()",
}


def test_the_program_reaches_no_file_and_no_socket() -> None:
    asked = message({"limits": {"seconds": 10, "memory": 10**9}}, b"")
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, json.dumps(ATTEMPTS), *sys.path, str(ROOT)],
        input=asked,
        capture_output=True,
        check=True,
        timeout=30,
    )
    size, _ = LENGTHS.unpack(done.stdout[: LENGTHS.size])
    found: dict[str, tuple[str, int]] = json.loads(done.stdout[LENGTHS.size : LENGTHS.size + size])
    for name in ("a file", "a folder", "a new file", "a socket"):
        assert found.pop(name)[0] == "PermissionError"
    # In C there is no place for it.
    assert {name: number for name, (_, number) in found.items()} == dict.fromkeys(found, errno.EMFILE)


PARENT = """
import sys
import anyio
from configs.settings import Limits
from models.decoding import open_decoder

async def main():
    async with open_decoder(Limits()) as decoder:
        await decoder.warm()
        print(*[process.pid for process in decoder._processes if process.pid], flush=True)
        await anyio.sleep(60)

anyio.run(main)
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux's handles of processes")
def test_no_process_is_left_when_the_program_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        process = os.pidfd_open(int(parent.stdout.readline()))
        assert select.select([process], [], [], 0) == ([], [], [])
        parent.kill()
        assert select.select([process], [], [], 10) == ([process], [], [])
    os.close(process)
