"""`make bench`: every benchmark in turn, one table."""

import os
import platform
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import anyio
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure
from configs.privacy import stay_local

DEFAULT = ("startup", "turn", "agent", "search", "memory", "prefix", "hearing", "spoken_form", "api")
"""What runs unless something is named; `chattts` needs its extra, and a GPU to be quick."""


def main() -> None:
    """Runs the benchmarks named on the command line, or the default ones."""
    stay_local()
    wanted = sys.argv[1:] or DEFAULT
    if unknown := set(wanted) - {*DEFAULT, "chattts"}:
        sys.exit(f"error: there is no benchmark {min(unknown)!r}\n  try: Name some of {', '.join(DEFAULT)}, chattts.")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            print(f"… {name}", file=sys.stderr)
            figures += anyio.run(import_module(f"benchmarks.{name}").measure, Path(folder) / name)
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for heading in ("what", "figure", "aim", "conditions"):
        table.add_column(heading, overflow="fold")
    for figure in figures:
        table.add_row(figure.what, figure.value, figure.aim, figure.conditions)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
