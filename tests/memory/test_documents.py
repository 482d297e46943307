import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import DocumentUnreadable, RequestTooLarge
from configs.settings import Limits
from memory.documents import decode, find_files, read_document

LIMITS = Limits()
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


def test_a_document_has_its_text_and_the_digest_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.MD"
    file.write_bytes(b"hello\r\n")
    document = read_document(file, LIMITS)
    assert document.text == "hello\n"
    assert document.markdown
    # printf 'hello\r\n' | sha256sum
    assert document.digest == "cd2eca3535741f27a8ae40c31b0c41d4057a7a7b912b33b9aed86485d1c84676"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("report.pdf", b"%PDF", r"\.md, \.txt"),
        ("README", b"hello", "no suffix"),
        ("empty.md", b"", "no text"),
        ("blank.txt", b" \n\t\n", "no text"),
        ("image.txt", b"\x89PNG\0\0", "not text"),
    ],
)
def test_an_unreadable_document_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DocumentUnreadable) as caught:
        read_document(file, LIMITS)
    assert name in caught.value.message
    assert re.search(reason, caught.value.message + caught.value.hint)


def test_what_is_no_file_is_unreadable_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    for name, reason in (("gone.md", "does not exist"), ("pipe.txt", "not a regular file")):
        with pytest.raises(DocumentUnreadable, match=reason):
            read_document(tmp_path / name, LIMITS)


def test_the_size_limit_is_exact(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"x" * 100)
    assert read_document(file, Limits(document_bytes=100)).text == "x" * 100
    with pytest.raises(RequestTooLarge, match="99"):
        read_document(file, Limits(document_bytes=99))


def test_folders_are_read_in_order_without_hidden_files_and_each_file_once(tmp_path: Path) -> None:
    for name in ("b.md", "a.txt", "deep/c.md", "deep/er/d.md", ".hidden.md", ".git/e.md", "deep/.f.md"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    found = find_files([tmp_path / "b.md", tmp_path, tmp_path / "gone.md"], LIMITS).files
    names = [str(path.relative_to(tmp_path)) for path in found]
    assert names == ["b.md", "a.txt", "deep/c.md", "deep/er/d.md", "gone.md"]


def test_links_are_not_followed_out_of_a_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / f"{folder.name}.md").write_text("x")
    (inside / "file.md").symlink_to(outside / "outside.md")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "again.md").symlink_to(inside / "inside.md")
    assert find_files([inside], LIMITS).files == (inside / "inside.md",)
    assert find_files([inside / "file.md"], LIMITS).files == (outside / "outside.md",)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.md").write_text("x")
    assert len(find_files([tmp_path], Limits(documents=4)).files) == 4
    with pytest.raises(RequestTooLarge, match="3 files"):
        find_files([tmp_path], Limits(documents=3))


def test_files_of_other_kinds_are_passed_over_in_folders_and_counted(tmp_path: Path) -> None:
    for name in ("a.md", "picture.png", "ledger.sqlite3", "b.txt"):
        (tmp_path / name).write_text("x")
    found = find_files([tmp_path], LIMITS)
    assert [path.name for path in found.files] == ["a.md", "b.txt"]
    assert found.others == 2
    assert find_files([tmp_path / "picture.png"], LIMITS).files == (tmp_path / "picture.png",)


def test_a_path_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="does not exist"):
        read_document(tmp_path / "nothing", LIMITS)


def test_a_link_in_a_circle_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    (tmp_path / "good.md").write_text("good")
    for named in (tmp_path, tmp_path / "loop.md"):
        ((path, error),) = find_files([named], LIMITS).failed
        assert (path, "loop.md" in error.message) == (tmp_path / "loop.md", True)
    assert find_files([tmp_path], LIMITS).files == (tmp_path / "good.md",)


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("closed", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text("good")
    scandir = os.scandir

    def refusing(path: str | Path) -> object:
        # The superuser, whom a container's tests run as, may read every folder.
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = find_files([tmp_path], LIMITS)
    assert found.files == (tmp_path / "open" / "a.md",)
    ((path, error),) = found.failed
    assert path == tmp_path / "closed"
    assert "Permission denied" in error.message
