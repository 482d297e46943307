import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.formats.encoding import decode

CHINESE = "员工每年享有二十五天年假。\r\n第二行\r第三行"
CHINESE_TEXT = "员工每年享有二十五天年假。\n第二行\n第三行"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_the_usual_encodings_of_chinese_are_told_apart(encoding: str) -> None:
    assert decode(CHINESE.encode(encoding)) == CHINESE_TEXT


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_with_its_mark_and_in_english_without_it(encoding: str) -> None:
    mark = "\ufeff".encode(encoding)
    assert decode(mark + CHINESE.encode(encoding)) == CHINESE_TEXT
    assert decode("Plain English, line one\r\n".encode(encoding)) == "Plain English, line one\n"


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"text with one \0 in it, which no text has",
        bytes(range(1, 32)) * 20,
        b"\xfa\xfb\x81\x20" * 10,
        "déjà vu, à côté".encode("latin-1"),
        "ein schöner Gruß, für Übermütige".encode("cp1252"),
    ],
)
def test_what_is_not_text_is_not_guessed_at(content: bytes) -> None:
    assert decode(content) is None


@given(st.binary())
def test_any_bytes_are_text_or_not_without_an_error(content: bytes) -> None:
    text = decode(content)
    assert text is None or ("\0" not in text and "\r" not in text)


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "Z"])))
def test_all_utf_8_is_read_as_it_stands(text: str) -> None:
    assert decode(text.encode()) == text.removeprefix("\ufeff")
