"""The process that reads files, from outside: started when it is needed, ended when it fails; it knows no file."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import ByteReceiveStream, Process

from configs.sandbox.framing import LENGTHS

_PROGRAM: Final = "import sys; sys.path[:] = sys.argv[1:]; from {module} import main; main()"
_HEADER_BYTES: Final = 1_000_000
_LOST: Final = (
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    OSError,
    ValueError,
)


class ProcessLost(Exception):
    """The process did not start, has ended in the middle of a file, or answers nonsense; its text says which."""


class SandboxedProcess:
    """One process at a time; one file at a time."""

    def __init__(self, program: str, files: int) -> None:
        """`program` is Python; after so many files the process is replaced: what a reader leaves does not add up."""
        self._program = program
        self._files = files
        self._process: Process | None = None
        self._done = 0

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return None if self._process is None else self._process.pid

    @asynccontextmanager
    async def working(self, seconds: float) -> AsyncGenerator[None, None]:
        """Lets it work on one file, in so many seconds; what fails or is cancelled inside ends it.

        Raises TimeoutError, also where it computed for too long, and ProcessLost.
        """
        sound = False
        try:
            with anyio.fail_after(seconds):
                if self._process is None:
                    with anyio.CancelScope(shield=True):
                        self._process, self._done = await _started(self._program), 0
                yield
            self._done += 1
            sound = self._done < self._files
        except TimeoutError:  # which is an OSError
            raise
        except _LOST as error:
            raise await self._lost() from error
        finally:
            if not sound:
                await self.aclose()

    async def send(self, data: bytes) -> None:
        """A piece of a message to the process; inside `working`. If it has ended, `receive` tells."""
        assert self._process is not None
        assert self._process.stdin is not None
        # It may have told why before it ended.
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            await self._process.stdin.send(data)

    async def receive(self, most: int) -> tuple[dict[str, Any], bytes]:
        """The header and the body of its answer, which may have `most` bytes; inside `working`."""
        assert self._process is not None
        stdout = self._process.stdout
        assert stdout is not None
        header_bytes, body_bytes = LENGTHS.unpack(await _exactly(stdout, LENGTHS.size))
        if header_bytes > _HEADER_BYTES or body_bytes > most:
            raise ValueError("the answer is too long")
        header = json.loads(await _exactly(stdout, header_bytes))
        if not isinstance(header, dict):
            raise ValueError("the answer has no header")
        body = await _exactly(stdout, body_bytes)
        if header.get("ended"):
            self._done = self._files
        return header, body

    async def aclose(self) -> None:
        """Ends the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is None:
            return
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            await process.aclose()

    async def _lost(self) -> TimeoutError | ProcessLost:
        """How the process broke."""
        if self._process is None:
            return ProcessLost("cannot be started")
        with anyio.move_on_after(1):
            await self._process.wait()
        code = self._process.returncode
        if code == -signal.SIGXCPU:
            return TimeoutError()
        how = "gave no sense" if code is None else f"was ended by {signal.Signals(-code).name}" if code < 0 else "broke"
        return ProcessLost(how)


def program_of(module: str) -> str:
    """What runs the `main` of a module in a process."""
    return _PROGRAM.format(module=module)


async def _started(program: str) -> Process:
    """Without the environment, the working folder and what site-packages would run at the start of Python."""
    return await anyio.open_process(
        [sys.executable, "-I", "-S", "-X", "utf8", "-c", program, *_places()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        # More threads of OpenBLAS, which nothing here computes with, would only take memory.
        env={"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
    )


def _places() -> list[str]:
    """Where modules come from."""
    ours = str(Path(__file__).resolve().parents[2])
    return list(dict.fromkeys([*(os.path.abspath(place) for place in sys.path), ours]))


async def _exactly(stream: ByteReceiveStream, size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        parts.append(await stream.receive(size))
        size -= len(parts[-1])
    return b"".join(parts)
