"""Forms as clients write them, in whatever pieces they come; and what is none."""

import random
from email.message import EmailMessage

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.guard.multipart import FIELD_BYTES, FIELDS, Form, FormReader
from configs.errors import RequestError, RequestTooLarge

LIMIT = 10_000


def read(body: bytes, boundary: str = "b", pieces: int = 10_000) -> Form:
    reader = FormReader(f"multipart/form-data; boundary={boundary}", file="file", file_bytes=LIMIT)
    for start in range(0, len(body), pieces):
        reader.push(body[start : start + pieces])
    return reader.finish()


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


END = b"--b--\r\n"


@given(st.binary(max_size=400), st.text(max_size=60), st.integers(1, 50))
def test_what_httpx_writes_is_read_however_it_is_cut(file: bytes, value: str, pieces: int) -> None:
    sent = httpx.Request(
        "POST", "http://x", data={"model": value, "word[]": ["a", "b"]}, files={"file": ('ä".wav', file)}
    )
    reader = FormReader(sent.headers["content-type"], file="file", file_bytes=LIMIT)
    body = sent.read()
    for start in range(0, len(body), pieces):
        reader.push(body[start : start + pieces])
    form = reader.finish()
    assert form.file == bytearray(file)
    assert form.file_name == "ä%22.wav"
    assert form.fields == {"model": [value], "word": ["a", "b"]}


@given(st.integers(1, 40), st.integers())
@example(1, 214972)
def test_a_file_may_hold_almost_a_boundary(pieces: int, seed: int) -> None:
    almost = b"".join(random.Random(seed).choices([b"\r\n", b"--", b"b", b"\r", b"-", b"\r\n--c", b"x"], k=60))
    while b"\r\n--b" in almost:
        # What is left and right of one that goes may make another.
        almost = almost.replace(b"\r\n--b", b"")
    assert read(part("file", almost) + END, pieces=pieces).file == bytearray(almost)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (END, {}),
        (part("a", b"") + END, {"a": [""]}),
        (b"a preamble\r\n" + part("a", b"1") + END + b"an epilogue", {"a": ["1"]}),
        (part("a", b"1") + part("a", b"2") + END, {"a": ["1", "2"]}),
        (b"--b  \r\ncontent-disposition:form-data;name=a\r\nX-More: y\r\n\r\n1\r\n--b--", {"a": ["1"]}),
        (part("a", "你好".encode()) + END, {"a": ["你好"]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pieces", [1, 7, 10_000])
def test_forms(body: bytes, fields: dict[str, list[str]], pieces: int) -> None:
    assert read(body, pieces=pieces).fields == fields


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("", ""),
        ('; filename=""', ""),
        ("; filename=a.md", "a.md"),
        ('; FileName="a; b.md"', "a; b.md"),
        (r'; filename="a \"b\" \\c.md"', r'a "b" \c.md'),
        ('; filename="年假.md"', "年假.md"),
        ("; filename*=utf-8''%E5%B9%B4%E5%81%87.md", "年假.md"),
        ("; filename=x.md; filename*=utf-8''%E5%B9%B4%E5%81%87.md", "年假.md"),
        ("; filename*=utf-8''%E5%B9%B4%E5%81%87.md; filename=x.md", "年假.md"),
        ('; filename="../a\0.md"', "../a\0.md"),
    ],
)
def test_what_a_file_is_called_is_told_as_it_was_sent(said: str, name: str) -> None:
    assert read(part("file", b"1", said) + END).file_name == name


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
def test_a_file_can_be_handed_on_as_it_comes(pieces: int) -> None:
    handed: list[bytes] = []
    reader = FormReader("multipart/form-data; boundary=b", file="file", file_bytes=LIMIT, take_file=handed.append)
    body = part("a", b"1") + part("file", b"2" * LIMIT) + part("c", b"3") + END
    for start in range(0, len(body), pieces):
        reader.push(body[start : start + pieces])
    assert reader.finish() == Form({"a": ["1"], "c": ["3"]}, bytearray(), "")
    assert b"".join(handed) == b"2" * LIMIT
    with pytest.raises(RequestTooLarge):
        FormReader("multipart/form-data; boundary=b", file="file", file_bytes=1, take_file=handed.append).push(body)


def test_a_second_writer_of_forms_is_understood() -> None:
    message = EmailMessage()
    message["Content-Type"] = 'multipart/form-data; boundary="a b"'
    assert read(part("a", b"1").replace(b"--b", b"--a b") + b"--a b--", '"a b"').fields == {"a": ["1"]}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", RequestError),
        (b"--b", RequestError),
        (b"nothing of the kind", RequestError),
        (part("a", b"1"), RequestError),
        (b"--bx\r\n", RequestError),
        (b"--b" + b" " * 20_000, RequestError),
        (b"--b\r\n\r\nno head\r\n--b--", RequestError),
        (b"--b\r\ncontent-disposition: form-data\r\n\r\n1\r\n--b--", RequestError),
        (b"--b\r\ncontent-disposition: attachment; name=a\r\n\r\n1\r\n--b--", RequestError),
        (b"--b\r\nx: " + b"y" * 20_000, RequestError),
        (b"--b\r\nx: " + b"y" * 9_000 + b"\r\n\r\n", RequestError),
        (part("a", b"\xff") + END, RequestError),
        (part("file", b"1") + part("file", b"2") + END, RequestError),
        (part("sound", b"1", '; filename="a.wav"') + END, RequestError),
        (part("file", bytes(LIMIT + 1)) + END, RequestTooLarge),
        (part("a", bytes(FIELD_BYTES + 1)) + END, RequestTooLarge),
        (part("a", b"1") * (FIELDS + 1) + END, RequestTooLarge),
    ],
)
@pytest.mark.parametrize("pieces", [3, 100_000])
def test_what_is_no_form_or_too_much(body: bytes, kind: type[RequestError], pieces: int) -> None:
    with pytest.raises(RequestError) as refused:
        read(body, pieces=pieces)
    assert type(refused.value) is kind


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "x; boundary=" + "b" * 300]
)
def test_a_form_needs_a_boundary(content_type: str) -> None:
    with pytest.raises(RequestError):
        FormReader(content_type, file="file", file_bytes=1)


def test_limits_hold_before_the_end_has_come() -> None:
    reader = FormReader("multipart/form-data; boundary=b", file="file", file_bytes=LIMIT)
    reader.push(part("file", bytes(LIMIT // 2)).removesuffix(b"\r\n"))
    with pytest.raises(RequestTooLarge) as refused:
        reader.push(bytes(LIMIT))
    assert refused.value.param == "file"
