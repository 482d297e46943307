"""A few kills at random moments; `python -m tests.memory.killing` does many."""

import random
from pathlib import Path

import pytest

from tests.memory.killing import run

pytestmark = pytest.mark.anyio


async def test_what_was_acknowledged_outlives_a_kill_at_any_moment(tmp_path: Path) -> None:
    await run(tmp_path, kills=4, seed=random.randrange(1000), longest=1.5, every=4)
