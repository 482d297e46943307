"""Engines on tiny weights, shared by the tests of ChatTTS; imports nothing of the extra until a test asks."""

import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from configs import settings
from models.audio import Floats
from models.engines.chattts import ChatTts
from tests.chattts.tiny import Dice, Tiny, make_tiny

Roll = Callable[..., Dice]

WANTED = settings.ChatTts(device="cpu", look_ahead=24)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Weights that no test may change."""
    import torch

    # With more, the threads of a model this small mostly wait for each other.
    torch.set_num_threads(1)
    return make_tiny(tmp_path_factory.mktemp("chattts"))


@pytest.fixture(scope="session")
def chat(tiny: Tiny) -> Any:
    """The package's own object, loaded."""
    from models.engines.chattts_loading import load_chat

    return load_chat("cpu", tiny.folder, tiny.hashes, tiny.config)


@pytest.fixture
def model(chat: Any) -> Any:
    """The blocking part of the engine."""
    from models.engines.chattts_model import ChatTtsModel

    return ChatTtsModel(chat, WANTED.temperature, WANTED.look_ahead)


@pytest.fixture
def speaker(model: Any) -> Floats:
    """Somebody."""
    mean: Floats = model.speakers[0]
    mean[::3] = 1
    return mean


@pytest.fixture
async def engine(tiny: Tiny, tmp_path: Path) -> AsyncIterator[ChatTts]:
    """The whole engine."""
    opened = await ChatTts.open(WANTED, tiny.folder, tmp_path / "speakers", hashes=tiny.hashes, config=tiny.config)
    yield opened
    await opened.aclose()


@pytest.fixture
def interrupted(engine: ChatTts, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Is set once the engine has been told to stop."""
    told = threading.Event()
    chat: Any = engine._model._chat
    interrupt = chat.interrupt

    def tell() -> None:
        interrupt()
        told.set()

    monkeypatch.setattr(chat, "interrupt", tell)
    return told


@pytest.fixture
def roll(monkeypatch: pytest.MonkeyPatch) -> Roll:
    """Puts dice in the place of chance: `roll(60)` ends a sound after 60 steps, `roll(lambda draw: False)` never."""
    import torch

    def put(ends: int | Callable[[int], bool], at: dict[int, Callable[[], None]] | None = None) -> Dice:
        dice = Dice(ends if callable(ends) else lambda draw: draw == ends, at)
        monkeypatch.setattr(torch, "multinomial", dice)
        return dice

    return put
