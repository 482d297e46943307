"""Messages between the server and a process that reads files: lengths, a JSON header and bytes; never a pickle."""

import json
import struct
from typing import Any, Final

LENGTHS: Final = struct.Struct(">II")
"""What every message begins with: the bytes of its header, which is JSON, and of its body."""


def head(header: dict[str, Any], body_bytes: int) -> bytes:
    """What goes through the pipe before a body of that many bytes."""
    packed = json.dumps(header).encode()
    return LENGTHS.pack(len(packed), body_bytes) + packed


def message(header: dict[str, Any], body: bytes) -> bytes:
    """A message as it goes through the pipe."""
    return head(header, len(body)) + body
