"""What a question's argument means."""

import io
import sys
from pathlib import Path

import pytest

from api.question import question_of
from configs.errors import RequestError, RequestTooLarge


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.wav").write_bytes(b"RIFF")
    (tmp_path / "documents").mkdir()
    return tmp_path


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize(
    "words", ["How many days?", "年假有多少天？", "documents", "a.wav or b.wav?", "x" * 5000, "nul\0inside", ""]
)
def test_words_are_words(words: str) -> None:
    assert question_of(words, 8000) == words


def test_a_file_that_is_there_is_a_recording() -> None:
    assert question_of("q.wav", 8000) == Path("q.wav")


@pytest.mark.parametrize("name", ["gone.wav", "GONE.MP3", "folder/gone.flac", "我的 问题.ogg"])
def test_a_recording_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(RequestError, match="no such file"):
        question_of(name, 8000)


def test_half_a_character_is_replaced() -> None:
    assert question_of("a\udcffb", 8000) == "a?b"


def test_standard_input_holds_words(monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, "\ufeff年假有多少天？\n".encode())
    assert question_of("-", 8000) == "年假有多少天？\n"


def test_standard_input_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"x" * 100_000)
    with pytest.raises(RequestTooLarge):
        question_of("-", 8000)


def test_a_recording_on_standard_input_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, b"RIFF\xff\xfe")
    with pytest.raises(RequestError, match="not UTF-8"):
        question_of("-", 8000)
