"""A voice that fails, at any moment of a reply, fails the turn and nothing else."""

from collections.abc import AsyncGenerator

import pytest
from anyio.lowlevel import checkpoint

from agent.turn import Question, Turn
from configs import settings
from configs.errors import EngineFailed
from models.audio import AudioChunk
from models.engines.fake import FakeTextToSpeech
from models.text_to_speech import Voice
from tests.agent.cast import MemoryHistory, ScriptedResponder, Seen, company, deltas

pytestmark = pytest.mark.anyio

REPLY = deltas("First clause here, then a second one, and a third. A last sentence stands at the end. " * 4, 2)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("steps", range(60))
async def test_a_voice_that_fails_fails_the_turn_and_nothing_else(steps: int) -> None:
    class Breaking(FakeTextToSpeech):
        async def synthesize(self, text: str, *, language: str, voice: Voice) -> AsyncGenerator[AudioChunk, None]:
            for _ in range(steps):
                await checkpoint()
            raise EngineFailed("the voice broke", "open it again")
            yield

    broken = Breaking(settings.FakeTextToSpeech())
    history = MemoryHistory()
    turn = Turn(Question("c", "u", "?"), company(ScriptedResponder(REPLY), history, mouth=broken), Seen())
    ended = await turn.run()
    assert isinstance(ended.error, EngineFailed)
    assert [kept.outcome for kept in history.turns] == ["failed"]
