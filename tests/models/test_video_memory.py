"""How a GPU's memory is divided: against the sizes of real cards and the sums of the reference table."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from configs.settings import load_settings
from models.video_memory import DIVISIONS, GB, SHARE, Division, Needs, divide

MIB = 1 << 20


@pytest.mark.parametrize(
    ("card", "mebibytes", "num_ctx", "cache", "whisper", "chattts", "embeddings"),
    [
        # What nvidia-smi calls their memory; what fits, as computed by hand from published sizes.
        ("RTX 4060, 8 GB", 8188, 8192, "q8_0", "cpu", False, False),
        ("RTX 3060, 12 GB", 12288, 8192, "q8_0", "cpu", True, True),
        ("RTX 4060 Ti, 16 GB", 16380, 8192, "q8_0", "int8_float16", True, True),
        ("RTX 4090, 24 GB", 24564, 32_768, "f16", "float16", True, True),
        ("RTX 6000 Ada, 48 GB", 49140, 32_768, "f16", "float16", True, True),
    ],
)
def test_what_a_card_holds(
    card: str, mebibytes: int, num_ctx: int, cache: str, whisper: str, chattts: bool, embeddings: bool
) -> None:
    found = divide(mebibytes * MIB)
    assert found, card
    assert (found.num_ctx, found.cache, found.whisper) == (num_ctx, cache, whisper)
    assert (found.chattts, found.embeddings) == (chattts, embeddings)


def test_a_card_of_6_gb_is_too_small_for_the_language_model() -> None:
    assert divide(6144 * MIB) is None


@pytest.mark.parametrize(("tokens", "gibibytes"), [(4096, 0.5625), (8192, 1.125), (16_384, 2.25), (32_768, 4.5)])
def test_the_cache_is_that_of_qwen3(tokens: int, gibibytes: float) -> None:
    assert Needs().token * tokens == gibibytes * (1 << 30)


def test_the_sum_for_16_gb_is_the_tables() -> None:
    # 8k in q8_0 about 6.5, Whisper 1.5, ChatTTS 3, embeddings 1, three contexts 1.2.
    found = divide(16380 * MIB)
    assert found
    assert found.needs(Needs()) / GB == pytest.approx(6.5 + 1.5 + 3 + 1 + 1.2, abs=0.2)


@given(st.floats(0, 200), st.floats(0, 20))
def test_it_always_fits_and_more_memory_is_never_worse(total: float, more: float) -> None:
    small, large = divide(total * GB), divide((total + more) * GB)
    if small:
        assert small.needs(Needs()) <= SHARE * total * GB
        assert large
        assert DIVISIONS.index(large) <= DIVISIONS.index(small)


@pytest.mark.parametrize("division", DIVISIONS)
def test_what_to_set_is_what_the_settings_take(
    division: Division, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "assistant.yaml"
    file.write_text(yaml.safe_dump(division.settings()), encoding="utf-8")
    monkeypatch.setenv("TINGSHUO_CONFIG", str(file))
    settings = load_settings()
    assert settings.chat.ollama.num_ctx == division.num_ctx
    assert settings.speech_to_text.faster_whisper.device == ("cpu" if division.whisper == "cpu" else "cuda")
    assert (settings.text_to_speech.engine == "chattts") is division.chattts
