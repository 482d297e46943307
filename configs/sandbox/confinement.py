"""What a process that reads files may take, and that it reaches no network, program or other file."""

import os
import resource
import sys
from typing import BinaryIO, Final

FILES: Final = 64
"""Files open at once; modules and the pipes need no more."""
_REFUSED: Final = (
    "socket.", "subprocess.", "ctypes.", "ftplib.", "http.", "smtplib.", "urllib.", "webbrowser.", "pty.", "shutil.",
    "tempfile.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "os.chdir",
    "os.chmod", "os.chown", "os.kill", "os.link", "os.mkdir", "os.putenv", "os.remove", "os.rename", "os.rmdir",
    "os.setxattr", "os.symlink", "os.truncate", "os.utime", "resource.prlimit",
)  # fmt: skip
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def take_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes that the process was started with, out of reach of a reader that prints or reads."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)
    os.close(nothing)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


def confine(memory: int, files: int = FILES) -> None:
    """Takes from this process for good: memory over `memory` bytes, writing, the network, other programs.

    With no `files`, nothing at all can be opened any more, in C neither.
    """
    for limit, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_AS, memory),
    ):
        # macOS lacks a limit of the address space; there the parent's clock has to do.
        if sys.platform != "darwin" or limit != resource.RLIMIT_AS:
            resource.setrlimit(limit, (most, most))
    readable = tuple(os.path.join(os.path.realpath(path), "") for path in [*sys.path, sys.base_prefix] if path)

    def refuse(event: str, args: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = args
            if isinstance(path, int):
                return
            name = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]
            if (isinstance(flags, int) and flags & _WRITING) or not name.startswith(readable):
                raise PermissionError(f"a file may not open {name!r}")
        elif event.startswith(_REFUSED):
            raise PermissionError(f"a file may not do this: {event}")

    sys.addaudithook(refuse)


def allow_time(seconds: float) -> None:
    """Lets the process compute for that much longer; then the system ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
