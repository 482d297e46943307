"""What a question's argument means."""

import io
import sys
from functools import partial
from pathlib import Path

import pytest

from api.answer import Asked
from api.question import check_question, question_of
from api.terminal.ask import Wishes
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


@pytest.mark.parametrize("argument", ["./documents", "documents/", "documents/../documents", ".", ".."])
def test_a_folder_is_to_be_ingested(argument: str) -> None:
    with pytest.raises(RequestError, match="folder") as caught:
        question_of(argument, 8000)
    assert caught.value.hint.startswith(f"tingshuo ingest {argument} ")


@pytest.mark.parametrize("half", ["a\udcffb", "\udce5\udcb9 half"])
def test_half_a_character_is_refused(half: str) -> None:
    with pytest.raises(RequestError, match="not UTF-8") as caught:
        question_of(half, 8000)
    str(caught.value).encode()


def test_a_long_text_is_refused_in_few_words() -> None:
    with pytest.raises(RequestError, match="not UTF-8") as caught:
        question_of("a" * 100_000 + "\udce5", 200_000)
    assert len(str(caught.value)) < 400


def test_utf_8_that_the_locale_did_not_understand_is_understood() -> None:
    question = "年假有多少天？"
    assert question_of(question.encode().decode("ascii", "surrogateescape"), 8000) == question


@pytest.mark.parametrize("kind", ["persona", "user", "conversation"])
@pytest.mark.parametrize("name", ["", "c\udcff", "two\nlines", "\x1b[2J", "x" * 201, "a\u2028b", "\x00"])
def test_a_name_that_cannot_be_shown_is_refused_at_the_door(kind: str, name: str) -> None:
    for made in (partial(Asked, "Hello?"), Wishes):
        with pytest.raises(RequestError, match=f"cannot be a {kind}") as caught:
            made(**{kind: name})  # type: ignore[arg-type]
        str(caught.value).encode()
        with pytest.raises(RequestError, match="knowledge base"):
            made(knowledge=("default", name))


def test_names_in_any_script_are_taken() -> None:
    assert Asked("Hello?", persona="旅伴", user="Zoë O'Neil", conversation="é" * 200, knowledge=["手册 2"]).user


@pytest.mark.parametrize(("text", "error"), [("", RequestError), (" \n", RequestError), ("x" * 101, RequestTooLarge)])
def test_what_is_no_question(text: str, error: type[RequestError]) -> None:
    check_question("x" * 100, 100)
    with pytest.raises(error):
        check_question(text, 100)


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
