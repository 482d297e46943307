"""The latency ledger of a turn."""

import pytest
import trio.testing

from agent.stages import Stages

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_stages_count_from_the_first_and_only_once() -> None:
    stages = Stages()
    assert stages.milliseconds() == {}
    stages.mark("transcript")
    await trio.sleep(0.25)
    stages.mark("first_token")
    await trio.sleep(1)
    stages.mark("first_token")
    assert stages.milliseconds() == {"transcript": 0.0, "first_token": 250.0}


async def test_a_stage_may_have_been_reached_before() -> None:
    stages = Stages()
    stages.mark("transcript")
    stages.mark("speech_end", trio.current_time() - 0.6)
    assert list(stages.milliseconds().items()) == [("speech_end", 0.0), ("transcript", 600.0)]
