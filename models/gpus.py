"""Which GPUs this machine has, as NVIDIA's own tool tells; opens none of them."""

import csv
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

QUERY: Final = ("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
SECONDS: Final = 5.0
"""A driver that hangs is no GPU."""
_MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Gpu:
    """A card and its memory, in bytes."""

    name: str
    total: int
    free: int


def find_gpus() -> list[Gpu]:
    """The cards, none where there is no driver. Blocking."""
    try:
        asked = subprocess.run(QUERY, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return list(read_table(asked.stdout))


def read_table(table: str) -> Iterator[Gpu]:
    """The cards in what the tool prints, name and mebibytes; a row without figures, such as "[N/A]", is none."""
    for row in csv.reader(table.splitlines(), skipinitialspace=True):
        if len(row) == 3 and row[1].isdecimal() and row[2].isdecimal():
            yield Gpu(row[0], int(row[1]) * _MEBIBYTE, int(row[2]) * _MEBIBYTE)
