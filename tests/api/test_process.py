"""The process of a command: what it says on standard error, and what never."""

import subprocess
import sys

import pytest

SAYS = """
import logging
from api.terminal.process import be_quiet
be_quiet(verbose={verbose})
logging.getLogger("{logger}").debug("secret")
"""


@pytest.mark.parametrize(
    ("logger", "verbose", "said"),
    [
        ("api", True, True),
        ("api", False, False),
        ("aiosqlite", True, False),
        ("websockets.server", True, False),
    ],
)
def test_what_libraries_are_handed_is_not_logged(logger: str, verbose: bool, said: bool) -> None:
    code = SAYS.format(logger=logger, verbose=verbose)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ("secret" in done.stderr) is said
