"""What every mouth does, asked of ChatTTS.

Random weights know no length, so the two tests that compare durations are not asked of them.
"""

from typing import Any

import pytest

from models.engines.chattts import ChatTts
from tests.chattts.conftest import Roll
from tests.contracts.test_text_to_speech import (  # noqa: F401
    test_a_blank_text_yields_nothing,
    test_cancelling_frees_the_engine,
    test_concurrent_callers_queue,
    test_it_speaks_chinese_and_english_in_its_own_format,
    test_leaving_after_a_chunk_frees_the_engine,
)

pytestmark = [pytest.mark.chattts, pytest.mark.anyio]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mouth(engine: ChatTts, roll: Roll, monkeypatch: pytest.MonkeyPatch) -> ChatTts:
    """ChatTTS, whose every sound ends after 60 steps."""
    dice = roll(60)
    chat: Any = engine._model._chat
    infer_code = chat._infer_code

    def anew(*given: Any) -> Any:
        dice.draws = 0
        return infer_code(*given)

    monkeypatch.setattr(chat, "_infer_code", anew)
    return engine
