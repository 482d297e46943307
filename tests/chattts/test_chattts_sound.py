"""The sound of ChatTTS: streamed and whole are one, and each defect of the package stays away from the caller."""

import inspect
import itertools
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import EngineFailed
from models.audio import Floats, from_floats
from models.engines.chattts_text import STEP, plausible_steps
from models.text_to_speech import Voice
from tests.chattts.conftest import WANTED, Roll
from tests.chattts.tiny import Dice

pytestmark = pytest.mark.chattts

TEXT = "你好，世界。"
SEAM = 256


def pieces(model: Any, speaker: Floats, text: str = TEXT, speed: float = 1.0) -> list[Floats]:
    return list(model.speak(text, speaker, Voice(speed=speed)))


def pcm(sound: Floats) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.frombuffer(from_floats(sound, 24_000).pcm, "<i2").astype(np.int64)


Packaged = Callable[[str, Floats, int], tuple[Floats, Floats]]


@pytest.fixture
def packaged(chat: Any, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """What the package's own `infer` makes of a text with a speaker and a seed: as decoded, and as returned."""

    def infer(text: str, speaker: Floats, seed: int) -> tuple[Floats, Floats]:
        import torch

        decoded: list[Any] = []
        original = chat._decode_to_wavs

        def decode(*given: Any) -> Any:
            decoded.append(original(*given))
            return decoded[-1]

        wanted = chat.InferCodeParams(spk_emb=torch.from_numpy(speaker), temperature=WANTED.temperature)
        wanted.show_tqdm = False
        torch.manual_seed(seed)
        with monkeypatch.context() as patch:
            patch.setattr(chat, "_decode_to_wavs", decode)
            (returned,) = chat.infer(
                [text], skip_refine_text=True, split_text=False, do_text_normalization=False, params_infer_code=wanted
            )
        return decoded[0][0], returned

    return infer


@pytest.mark.parametrize("text", [TEXT, "hello world. how are you.", "[uv_break]"])
def test_streamed_is_whole_sample_for_sample(
    model: Any, speaker: Floats, roll: Roll, packaged: Packaged, text: str
) -> None:
    from models.engines.chattts_model import SEED

    roll(100)
    whole, returned = packaged(text, speaker, SEED)
    roll(100)
    streamed = pieces(model, speaker, text)
    assert len(streamed) > 3
    joined = np.concatenate(streamed)
    assert joined.size == whole.size == 100 * STEP - 256
    assert np.abs(pcm(joined) - pcm(whole)).max() <= 1
    # The package itself deletes quiet samples anywhere; there are some, and none is lost here.
    assert returned.size < joined.size
    assert np.array_equal(returned, whole[np.abs(whole) > 1e-5])


def test_the_sound_depends_on_what_comes_after_it(model: Any, speaker: Floats, roll: Roll) -> None:
    """So that the test above can fail: less ahead of the first chunk gives another end of it."""
    from models.engines.chattts_model import ChatTtsModel

    hasty = ChatTtsModel(model._chat, WANTED.temperature, look_ahead=1)
    roll(100)
    exact = np.concatenate(pieces(model, speaker))
    roll(100)
    soon = np.concatenate(pieces(hasty, speaker))
    assert soon.size == exact.size
    different = np.flatnonzero(np.abs(pcm(soon) - pcm(exact)) > 1)
    assert different.size
    assert different.max() < 80 * STEP, "from 80 steps on, there is time enough to be exact"


def test_no_seam_clicks_where_decodings_disagree(
    model: Any, chat: Any, speaker: Floats, roll: Roll, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each decoding gets a level of its own, so that whatever jumps is a seam."""
    levels = itertools.cycle([0.0, 0.5])

    def level(hidden: list[Any], use_decoder: bool) -> Floats:
        return np.full((1, STEP * len(hidden[0]) - 256), next(levels), np.float32)

    monkeypatch.setattr(chat, "_decode_to_wavs", level)
    roll(100)
    sound = np.concatenate(pieces(model, speaker))
    assert (sound.min(), sound.max(), sound.size) == (0, 0.5, 100 * STEP - 256)
    assert np.abs(np.diff(sound)).max() <= 0.5 / 255 + 1e-6


def test_a_seam_is_blended_from_the_old_sound_into_the_new() -> None:
    from models.engines.chattts_model import blended

    sound = blended(np.zeros(SEAM, np.float32), np.ones(600, np.float32))
    assert (sound[0], sound[SEAM - 1], sound[-1], sound.size) == (0, 1, 1, 600)
    assert np.diff(sound).max() == pytest.approx(1 / (SEAM - 1), rel=1e-3)
    assert np.array_equal(blended(np.zeros(0, np.float32), sound), sound)


@given(look_ahead=st.integers(1, 64), reach=st.integers(1, 64), made=st.lists(st.integers(1, 30), max_size=60))
def test_what_is_handed_out_has_seen_enough(look_ahead: int, reach: int, made: list[int]) -> None:
    from models.engines.chattts_model import speakable

    spoken = 0
    for steps in itertools.accumulate(made):
        until = speakable(steps, spoken, look_ahead, reach)
        assert until == spoken or until - spoken >= 12
        if until > spoken:
            assert steps - until >= min(look_ahead, reach)
            assert spoken < 2 * reach or steps - until >= reach
        spoken = until


def test_the_first_sound_comes_after_24_steps(model: Any, speaker: Floats, roll: Roll) -> None:
    from models.engines.chattts_model import ChatTtsModel

    dice = roll(100)
    sound = ChatTtsModel(model._chat, 0.3, look_ahead=12).speak(TEXT, speaker, Voice())
    assert next(sound).size == 12 * STEP
    assert dice.draws == 24
    sound.close()


def test_reach_of_the_released_weights_is_52_steps() -> None:
    """Counted by hand from ChatTTS's default configuration, in mel frames of 256 samples.

    Decoder: two convolutions of 3, twelve of 7 dilated by 2, one of 3; vocos: one of 7, eight of 7; two frames of the
    inverse Fourier transform. 1 + 1 + 12 * 6 + 1 + 3 + 8 * 3 + 2 = 104 frames, two to a step.
    """
    from dataclasses import asdict
    from types import SimpleNamespace

    import torch
    from ChatTTS.config import Config
    from ChatTTS.model import DVAE
    from vocos.pretrained import instantiate_class

    from models.engines.chattts_model import reach

    config = Config()
    with torch.device("meta"):
        decoder = DVAE(decoder_config=asdict(config.decoder), dim=config.decoder.idim, coef=config_coefficients())
        backbone = instantiate_class((), asdict(config.vocos.backbone))
        head = instantiate_class((), asdict(config.vocos.head))
    assert reach(SimpleNamespace(decoder=decoder, vocos=SimpleNamespace(backbone=backbone, head=head))) == 52


def config_coefficients() -> str:
    import pybase16384

    coefficients: str = pybase16384.encode_to_string(np.ones(100, np.float32).tobytes())
    return coefficients


def test_the_same_words_sound_the_same_twice_and_another_voice_differs(model: Any, speaker: Floats, roll: Roll) -> None:
    sounds = []
    for who in (speaker, speaker, -speaker):
        roll(40)
        sounds.append(np.concatenate(pieces(model, who)))
    assert np.array_equal(sounds[0], sounds[1])
    assert not np.array_equal(sounds[0], sounds[2])


def test_speed_reaches_the_model(model: Any, speaker: Floats, roll: Roll) -> None:
    sounds = []
    for speed in (1.0, 2.0):
        roll(40)
        sounds.append(np.concatenate(pieces(model, speaker, speed=speed)))
    assert not np.array_equal(sounds[0], sounds[1])


@pytest.mark.parametrize("early", [1, 2])
def test_an_end_at_once_is_tried_again_with_another_seed(
    model: Any, speaker: Floats, roll: Roll, caplog: pytest.LogCaptureFixture, early: int
) -> None:
    dice = roll(lambda draw: draw < early or draw == early + 40)
    sound = np.concatenate(pieces(model, speaker))
    assert (sound.size, dice.draws) == (40 * STEP - 256, early + 41)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * early


def test_the_next_attempt_has_another_seed(model: Any, speaker: Floats, roll: Roll) -> None:
    roll(lambda draw: draw == 40)
    first = np.concatenate(pieces(model, speaker))
    roll(lambda draw: draw in (0, 41))
    second = np.concatenate(pieces(model, speaker))
    assert first.size == second.size
    assert not np.array_equal(first, second)


def test_a_sound_too_short_for_its_text_is_tried_again(model: Any, speaker: Floats, roll: Roll) -> None:
    text = "今天天气很好今天天气很好今天天气很好"
    fewest = plausible_steps(text, 1.0)[0]
    assert fewest > 20
    dice = roll(lambda draw: draw in (20, 21 + fewest))
    assert np.concatenate(pieces(model, speaker, text)).size == fewest * STEP - 256
    assert dice.draws == 22 + fewest


def test_no_attempt_is_endless(model: Any, speaker: Floats, roll: Roll) -> None:
    """The package itself would call itself until the interpreter gives up."""
    dice = roll(lambda draw: True)
    with pytest.raises(EngineFailed, match="too soon 3 times") as failure:
        pieces(model, speaker)
    assert dice.draws == 3
    assert failure.value.hint


def test_babble_is_cut_without_a_click(
    model: Any, speaker: Floats, roll: Roll, caplog: pytest.LogCaptureFixture
) -> None:
    dice = roll(lambda draw: False)
    longest = plausible_steps(TEXT, 1.0)[1]
    sound = np.concatenate(pieces(model, speaker))
    assert dice.draws == longest
    assert sound.size < longest * STEP
    assert np.abs(sound[-8:]).max() < 0.05 * np.abs(sound[-2048:-SEAM]).max()
    assert "cut off" in caplog.text


def test_nothing_of_one_call_reaches_the_next(model: Any, chat: Any, speaker: Floats, roll: Roll) -> None:
    """The package writes the voice and the words of a text into the parameters, the default ones included."""
    roll(40)
    alone = np.concatenate(pieces(model, speaker))
    roll(40)
    pieces(model, -speaker, "hello. world. again. and again.")
    roll(40)
    assert np.array_equal(np.concatenate(pieces(model, speaker)), alone)
    default = inspect.signature(type(chat).infer).parameters["params_infer_code"].default
    assert (default.spk_smp, default.txt_smp) == (None, None)


def test_several_sentences_are_made_once(model: Any, speaker: Floats, roll: Roll) -> None:
    """The package would make the first one a second time, as a sample of the voice."""
    dice = roll(40)
    pieces(model, speaker, "hello. world. again. ")
    assert dice.draws == 41


def test_the_compiled_splitter_of_tags_is_never_needed(model: Any, speaker: Floats, roll: Roll) -> None:
    """Its compilation takes seconds; so the warm-up need not have texts with tags."""
    from ChatTTS import norm

    from models.engines.chattts_text import sayable

    roll(40)
    pieces(model, speaker, sayable("你好[laugh]，3 > 2! [unclosed"))
    assert norm._split_tags.signatures == []


def test_an_interruption_ends_within_a_step(model: Any, speaker: Floats, roll: Roll) -> None:
    dice = roll(lambda draw: False, {40: model.interrupt})
    sound = list(model.speak(TEXT, speaker, Voice()))
    assert dice.draws == 41
    assert len(sound) == 1
    roll(40)
    assert np.concatenate(pieces(model, speaker)).size == 40 * STEP - 256


def test_an_interruption_before_the_first_step_is_not_forgotten(model: Any, speaker: Floats, roll: Roll) -> None:
    dice = roll(40)
    sound = model.speak(TEXT, speaker, Voice())
    model.interrupt()
    assert list(sound) == []
    assert dice.draws <= 1


def test_a_full_gpu_is_said_with_a_remedy(
    model: Any, chat: Any, speaker: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def fail(*given: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(chat, "_infer_code", fail)
    with pytest.raises(EngineFailed, match="no memory") as failure:
        pieces(model, speaker)
    assert "smaller" in failure.value.hint
    assert isinstance(failure.value.__cause__, torch.OutOfMemoryError)


def test_what_breaks_in_the_model_is_an_engine_error(
    model: Any, speaker: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def fail(scores: object, **options: object) -> None:
        raise RuntimeError("probability tensor contains nan")

    monkeypatch.setattr(torch, "multinomial", fail)
    with pytest.raises(EngineFailed, match="contains nan"):
        pieces(model, speaker)


def test_the_dice_end_a_sound_and_nothing_else_does(model: Any, speaker: Floats, roll: Roll) -> None:
    dice = roll(30)
    assert isinstance(dice, Dice)
    assert np.concatenate(pieces(model, speaker)).size == 30 * STEP - 256
