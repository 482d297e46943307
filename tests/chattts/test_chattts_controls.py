"""Oral, laugh and break in ChatTTS itself: each level reaches it, and no rewriting speaks other words."""

import logging
import threading
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from models.audio import AudioChunk, Floats, from_floats, joined
from models.engines.chattts import ChatTts
from models.engines.chattts_text import STEP
from models.text_to_speech import Voice
from tests.chattts.conftest import WANTED, Roll
from tests.chattts.tiny import Dictation
from tests.conftest import Backend

pytestmark = pytest.mark.chattts

TEXT = "你好，世界。"

Dictate = Callable[..., Dictation]


class Heard:
    """What ChatTTS was given: texts to rewrite with their parameters, and texts to speak; and what it rewrote."""

    def __init__(self) -> None:
        self.rewritten: list[tuple[str, Any]] = []
        self.spoken: list[str] = []
        self.rewritings: list[list[int]] = []


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Backend:
    return request.param, {}


@pytest.fixture
def heard(chat: Any, monkeypatch: pytest.MonkeyPatch) -> Heard:
    """Listens where texts enter the package; the real weights go on."""
    heard = Heard()
    _listen(chat, heard, monkeypatch)
    return heard


def _listen(chat: Any, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    refine, infer = chat._refine_text, chat._infer_code

    def refined(text: list[str], device: Any, params: Any) -> Any:
        heard.rewritten.append((text[0], params))
        made = refine(text, device, params)
        heard.rewritings.append(made.ids[0].tolist())
        return made

    def inferred(text: list[str], *given: Any) -> Any:
        heard.spoken.append(text[0])
        return infer(text, *given)

    monkeypatch.setattr(chat, "_refine_text", refined)
    monkeypatch.setattr(chat, "_infer_code", inferred)


@pytest.fixture
def dictate(chat: Any, roll: Roll, monkeypatch: pytest.MonkeyPatch) -> Dictate:
    """Has the next rewriting come out as given, None for babble, and the sound after it end after 40 steps."""
    import torch

    draw = torch.multinomial

    def put(text: str | None, among: Any = None) -> Dictation:
        dictation = Dictation(among or chat, draw, roll(40), text)
        monkeypatch.setattr(torch, "multinomial", dictation)
        return dictation

    return put


def sound(model: Any, speaker: Floats, voice: Voice, text: str = TEXT) -> Floats:
    return np.concatenate(list(model.speak(text, speaker, voice)))


@pytest.mark.parametrize("voice", [Voice(), Voice("nova", 1.5), Voice(break_=0), Voice(break_=4)])
def test_nothing_is_rewritten_unless_asked(model: Any, speaker: Floats, heard: Heard, roll: Roll, voice: Voice) -> None:
    roll(40)
    sound(model, speaker, voice)
    assert heard.rewritten == []


@pytest.mark.parametrize(
    ("voice", "prompt"),
    [
        (Voice(oral=2, laugh=0, break_=6), "[oral_2][laugh_0][break_6]"),
        (Voice(oral=9), "[oral_9][laugh_0][break_0]"),
        (Voice(laugh=1, break_=7), "[oral_0][laugh_1][break_7]"),
    ],
)
def test_each_level_reaches_the_rewriting(
    model: Any, speaker: Floats, heard: Heard, dictate: Dictate, voice: Voice, prompt: str
) -> None:
    dictate("你好[uv_break]世界[laugh]")
    sound(model, speaker, voice)
    ((text, params),) = heard.rewritten
    assert (text, params.prompt) == (TEXT, prompt)
    assert (params.ensure_non_empty, params.manual_seed) == (False, None)
    (spoken,) = heard.spoken
    assert spoken.replace(" ", "") == "你好[uv_break]世界[laugh]"


def test_the_tokens_reach_the_model_as_tokens(
    model: Any, chat: Any, speaker: Floats, roll: Roll, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as letters in brackets, which it would read out."""
    encoded: list[list[int]] = []
    encode = chat.tokenizer.encode

    def encoding(*given: Any, **options: Any) -> Any:
        made = encode(*given, **options)
        encoded.append(made[0][0, :, 0].tolist())
        return made

    monkeypatch.setattr(chat.tokenizer, "encode", encoding)
    roll(40)
    sound(model, speaker, Voice(break_=3))
    known = chat.tokenizer._tokenizer.convert_tokens_to_ids
    expected = ["[Stts]", "[spk_emb]", "[speed_5]", *"你好，", "[uv_break]", *"世界。", "[lbreak]", "[Ptts]"]
    assert encoded == [[known(token) for token in expected]]


def test_levels_are_heard(model: Any, speaker: Floats, roll: Roll) -> None:
    sounds = []
    for level in (None, 1, 3, 7):
        roll(40)
        sounds.append(sound(model, speaker, Voice(break_=level)).tobytes())
    assert len(set(sounds)) == 4


def test_a_rewriting_is_the_same_twice(model: Any, speaker: Floats, heard: Heard, dictate: Dictate) -> None:
    """Of random weights too, whose babble is not spoken; whatever chance did before changes nothing."""
    import torch

    voice = Voice(oral=3, laugh=1, break_=2)
    sounds = []
    for number, who in enumerate((voice, Voice(speed=2), voice)):
        torch.manual_seed(number)
        dictate(None)
        sounds.append(sound(model, speaker, who))
    assert len(set(heard.rewritings[0])) > 5
    assert heard.rewritings[0] == heard.rewritings[1]
    assert np.array_equal(sounds[0], sounds[2])
    assert not np.array_equal(sounds[0], sounds[1])
    first, second = (params for _, params in heard.rewritten)
    assert first is not second


def test_streamed_is_whole(model: Any, chat: Any, speaker: Floats, heard: Heard, dictate: Dictate) -> None:
    """Against the package's own `infer` of the text with its tokens, decoded once as a whole."""
    import torch

    from models.engines.chattts_model import SEED

    dictate("你 好 [uv_break] 世 界 [laugh]")
    pieces = list(model.speak(TEXT, speaker, Voice(laugh=1)))
    assert len(pieces) > 1
    dictate(None)
    torch.manual_seed(SEED)
    params = chat.InferCodeParams(spk_emb=torch.from_numpy(speaker), temperature=WANTED.temperature, show_tqdm=False)
    (result,) = chat._infer_code([heard.spoken[0]], False, chat.device, True, params)
    whole = chat._decode_to_wavs(result.hiddens, True)[0]
    streamed = np.concatenate(pieces)
    assert streamed.size == whole.size == 40 * STEP - 256
    difference = pcm(streamed) - pcm(whole)
    assert np.abs(difference).max() <= 1


def pcm(floats: Floats) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.frombuffer(from_floats(floats, 24_000).pcm, "<i2").astype(np.int64)


@pytest.mark.parametrize(
    "refined",
    ["那个你好世界", "你好", "世界你好", "嗯你啊好嗯世界", "你好[uv_break]世界世界", "[uv_break]" * 6 + "你好世界", ""],
)
def test_a_rewriting_with_other_words_is_not_spoken(
    model: Any, speaker: Floats, heard: Heard, dictate: Dictate, caplog: pytest.LogCaptureFixture, refined: str
) -> None:
    """What is spoken instead has the voice's levels still, and the log says so. "" is an end at the first token."""
    dictate(refined)
    assert sound(model, speaker, Voice(oral=2, laugh=1, break_=3)).size == 40 * STEP - 256
    assert heard.spoken == ["你好，[uv_break]世界。[laugh][lbreak]"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "as written" in record.message


def test_an_interjection_is_spoken_where_it_is_asked_for(
    model: Any, speaker: Floats, heard: Heard, dictate: Dictate
) -> None:
    for oral in (0, 1):
        dictate("嗯 [uv_break] 你好世界")
        sound(model, speaker, Voice(oral=oral))
    assert heard.spoken == ["你好，世界。", "嗯 [uv_break] 你 好 世 界"]


def test_a_rewriting_without_end_is_cut(model: Any, speaker: Floats, dictate: Dictate, heard: Heard) -> None:
    """Twice the six tokens of the text and sixteen more."""
    dictation = dictate(None)
    sound(model, speaker, Voice(oral=1))
    assert dictation.draws == heard.rewritten[0][1].max_new_token == 28


def test_an_interruption_while_rewriting_ends_it_within_a_step(
    model: Any, speaker: Floats, heard: Heard, dictate: Dictate, caplog: pytest.LogCaptureFixture
) -> None:
    dictation = dictate(None)
    dictation.at = {3: model.interrupt}
    assert list(model.speak(TEXT, speaker, Voice(oral=1))) == []
    assert (dictation.draws, heard.spoken, caplog.records) == (4, [], [])
    dictate("你好世界")
    assert sound(model, speaker, Voice(oral=1)).size == 40 * STEP - 256


def test_an_interruption_before_the_rewriting_is_not_forgotten(
    model: Any, speaker: Floats, heard: Heard, dictate: Dictate
) -> None:
    """The package's own `infer` forgets it."""
    dictation = dictate(None)
    speech = model.speak(TEXT, speaker, Voice(laugh=1))
    model.interrupt()
    assert list(speech) == []
    assert dictation.draws <= 1
    assert heard.spoken == []


async def said(engine: ChatTts, voice: Voice, text: str = TEXT) -> AudioChunk:
    async with aclosing(engine.synthesize(text, language="zh", voice=voice)) as speech:
        return joined([chunk async for chunk in speech], engine.format.rate)


@pytest.mark.anyio
async def test_the_engine_acts_as_the_voice_says(
    engine: ChatTts, dictate: Dictate, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat: Any = engine._model._chat
    heard = Heard()
    _listen(chat, heard, monkeypatch)
    dictate("你 好 世 界 [laugh]", chat)
    assert (await said(engine, Voice("nova", 1.0, oral=0, laugh=2, break_=5))).samples == 40 * STEP - 256
    assert heard.rewritten[0][1].prompt == "[oral_0][laugh_2][break_5]"
    assert heard.spoken == ["你 好 世 界 [laugh]"]


@pytest.mark.anyio
async def test_a_caller_cancelled_while_rewriting_frees_the_engine(
    engine: ChatTts, dictate: Dictate, interrupted: threading.Event
) -> None:
    reached = threading.Event()

    def hold() -> None:
        reached.set()
        assert interrupted.wait(20)

    chat: Any = engine._model._chat
    dictation = dictate(None, chat)
    dictation.at = {5: hold}
    async with anyio.create_task_group() as callers:
        callers.start_soon(said, engine, Voice(oral=1))
        await anyio.to_thread.run_sync(reached.wait)
        callers.cancel_scope.cancel()
    assert dictation.draws == 6
    dictate("你好世界", chat)
    assert (await said(engine, Voice(oral=1))).samples == 40 * STEP - 256


@pytest.mark.anyio
async def test_a_speaker_stored_in_a_file_speaks_as_the_name_it_was_made_for(
    engine: ChatTts, dictate: Dictate, tmp_path: Path
) -> None:
    """OpenAI's names are fixed speakers, each in a file; whatever file is put there is a voice as well."""
    chat: Any = engine._model._chat
    sounds = {}
    for name in ("alloy", "cedar"):
        dictate(None, chat)
        sounds[name] = await said(engine, Voice(name))
    (tmp_path / "speakers" / "cedar.safetensors").rename(tmp_path / "speakers" / "granny.safetensors")
    dictate(None, chat)
    assert await said(engine, Voice("granny")) == sounds["cedar"] != sounds["alloy"]
