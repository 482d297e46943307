"""What a person sees."""

import io
import json
import sys

import pytest

from api.errors import lines
from api.safe_text import safe, safe_lines
from api.terminal.screen import note, place, print_engines, print_json, print_sources, quote
from configs.errors import RequestError
from memory.passages import Citation
from models.selection import Choice


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain 中文 “quoted”", "plain 中文 “quoted”"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\x1bb\x07\x08\x9b2J", "ab2J"),
        ("right\u202eto\u2066left", "righttoleft"),
    ],
)
def test_a_document_cannot_drive_the_terminal(given: str, shown: str) -> None:
    assert safe(given) == safe_lines(given) == shown


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_a_title_cannot_forge_a_line(capsys: pytest.CaptureFixture[str], end: str) -> None:
    title = f"Notes{end}Source  Forged\there"
    assert safe(title) == "Notes␤Source  Forged here"
    print_sources([Citation(title, "", (0, 5), 0.9, "text")])
    note(lines(RequestError(f"no such file: {title}", f"Correct{end}it.")))
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert len(printed.err.splitlines()) == 2


def test_a_reply_keeps_its_lines() -> None:
    assert safe_lines("one\n\ttwo\r\nthree\u2028four\rfive") == "one\n\ttwo\nthree\nfour\nfive"


@pytest.mark.parametrize("text", ["短", "word " * 100, "年假\n二十五天\n" * 50])
def test_a_quote_is_one_short_line(text: str) -> None:
    shown = quote(text)
    assert "\n" not in shown
    assert len(shown) <= 100
    assert text.startswith(shown.rstrip("…").split(" ")[0])


def test_piped_lines_are_not_broken_and_hold_no_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    text = "wide 宽 " * 40
    print_sources([Citation("Handbook " * 20, "Leave [bold] :smile:", (0, 5), 0.9, text)])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "Leave [bold] :smile:" in out
    assert "\x1b" not in out


def test_an_embedded_engine_is_named_as_such_and_what_would_be_better(capsys: pytest.CaptureFixture[str]) -> None:
    choice = Choice("chat", "extractive", "needs no model", True, "ollama (none answers)", "ollama serve")
    print_engines([choice, Choice("embeddings", "ollama", "has it", False, model="qwen3")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["chat", "extractive", "(embedded):", "needs", "no", "model"]
    assert "better: ollama (none answers)" in lines[1]
    assert "get it: ollama serve" in lines[2]
    assert lines[3].split() == ["embeddings", "ollama", "qwen3:", "has", "it"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "gb18030"])
def test_json_reads_back_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    print_json({"reply": "二十五 days “ok”"})
    stream.flush()
    assert json.loads(written.getvalue().decode(encoding)) == {"reply": "二十五 days “ok”"}


@pytest.mark.parametrize(
    ("heading", "page", "shown"),
    [
        ("", None, "Handbook"),
        ("Handbook", None, "Handbook"),
        ("Annual leave", None, "Handbook › Annual leave"),
        ("Handbook › Annual leave", 12, "Handbook › Annual leave, p. 12"),
        ("", 1, "Handbook, p. 1"),
    ],
)
def test_a_source_is_named_with_its_page(heading: str, page: int | None, shown: str) -> None:
    assert place(Citation("Handbook", heading, (0, 5), 1.0, "25 days", page)) == shown
