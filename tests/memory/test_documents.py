import os
import re
from pathlib import Path

import pytest

from configs.errors import DocumentUnreadable, NoSpeechHeard, RequestTooLarge
from configs.settings import Limits
from memory.documents import SUFFIXES, Document, find_files, load, page_of, read

LIMITS = Limits()


pytestmark = pytest.mark.anyio


async def text_of(path: Path, limits: Limits = LIMITS) -> Document:
    return await read(await load(path, limits), limits)


async def test_a_document_has_its_text_and_the_digest_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.MD"
    file.write_bytes(b"hello\r\n")
    document = await text_of(file)
    assert document.text == "hello\n"
    assert document.markdown
    # printf 'hello\r\n' | sha256sum
    assert document.digest == "cd2eca3535741f27a8ae40c31b0c41d4057a7a7b912b33b9aed86485d1c84676"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("report.rtf", b"{\\rtf1", r"\.md, \.markdown, \.txt"),
        ("README", b"hello", "no suffix"),
        ("empty.md", b"", "no text"),
        ("blank.txt", b" \n\t\n", "no text"),
        ("image.txt", b"\x89PNG\0\0", "not text"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n\0", "named .txt, but it is a picture"),
        ("report.docx", b"%PDF-1.7", "named .docx, but it is a PDF"),
        ("report.pdf", b"plain text", "named .pdf, but it is not a PDF"),
        ("old.docx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 99, "with a password, or of the old kind"),
        ("song.md", b"ID3\x04\0", "a sound recording"),
        ("talk.mp3", b"%PDF-1.7", "a PDF"),
        ("voice.wav", b"RIFF\0\0\0\0WAVEfmt ", "nothing to hear it with.*speech to text"),
    ],
)
async def test_an_unreadable_document_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DocumentUnreadable) as caught:
        await text_of(file)
    assert name in caught.value.message
    assert re.search(reason, caught.value.message + caught.value.hint)


async def test_what_is_no_file_is_unreadable_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    for name, reason in (("gone.md", "does not exist"), ("pipe.txt", "not a regular file")):
        with pytest.raises(DocumentUnreadable, match=reason):
            await text_of(tmp_path / name)


async def test_the_size_limit_is_exact(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"x" * 100)
    assert (await text_of(file, Limits(document_bytes=100))).text == "x" * 100
    with pytest.raises(RequestTooLarge, match="99"):
        await text_of(file, Limits(document_bytes=99))


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


async def test_a_path_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="does not exist"):
        await text_of(tmp_path / "nothing")


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


async def test_text_is_composed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("cafe\u0301\r\nka\u0304".encode())
    assert (await text_of(tmp_path / "a.txt")).text == "caf\u00e9\nk\u0101"


async def test_the_limit_of_characters_is_exact(tmp_path: Path) -> None:
    for name in ("a.txt", "a.csv"):
        (tmp_path / name).write_text("一二三四五")
        assert (await text_of(tmp_path / name, Limits(document_characters=5))).text == "一二三四五"
        with pytest.raises(RequestTooLarge, match=r"4 characters of text \(`limits.document_characters`\)"):
            await text_of(tmp_path / name, Limits(document_characters=4))


async def test_a_recording_is_heard_by_what_it_is_given(tmp_path: Path) -> None:
    for suffix in (".wav", ".mp3", ".m4a", ".flac", ".ogg", ".opus", ".webm"):
        assert suffix in SUFFIXES
    recording = tmp_path / "meeting.MP3"
    recording.write_bytes(b"ID3\x04" + b"\0" * 200)
    heard: list[Path] = []

    async def transcribe(path: Path) -> str:
        heard.append(path)
        return "  会议定在周五。\n The budget stays.\n"

    document = await read(await load(recording, LIMITS), LIMITS, transcribe=transcribe)
    assert document.text == "会议定在周五。\n The budget stays."
    assert (document.kind, document.markdown, document.pages, heard) == ("audio", False, (), [recording])
    # (printf 'ID3\x04'; head -c200 /dev/zero) | sha256sum
    assert document.digest == "0ea63626918cb5238d158081b0844563b5285e2935ce24e52aeb9a80f5db7723"


async def test_a_recording_in_which_nothing_is_heard_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF\0\0\0\0WAVE")

    async def silence(path: Path) -> str:
        raise NoSpeechHeard(f"no speech in {path.name}")

    file = await load(tmp_path / "a.wav", LIMITS)
    with pytest.raises(NoSpeechHeard):
        await read(file, LIMITS, transcribe=silence)


async def test_a_recording_may_be_as_large_as_a_recording(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC" + b"\0" * 96)
    limits = Limits(document_bytes=10, audio_bytes=100)
    assert (await load(tmp_path / "a.flac", limits)).content == b""
    with pytest.raises(RequestTooLarge, match=r"limits\.audio_bytes"):
        await load(tmp_path / "a.flac", Limits(audio_bytes=99))


@pytest.mark.parametrize(
    "name", ["two\nlines.md", "tab\there.md", "\u202ereversed.md", "员工 手册.md", "..hidden..md", "-rf.md"]
)
async def test_odd_names_are_read_and_shown_on_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("text")
    (file,) = find_files([tmp_path / name], LIMITS).files
    assert (await text_of(file)).text == "text"
    (tmp_path / name).write_text("")
    with pytest.raises(DocumentUnreadable) as caught:
        await text_of(file)
    assert caught.value.message.isprintable()


def test_a_name_with_a_zero_byte_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("good")
    found = find_files([tmp_path / "a\0b.md", tmp_path], LIMITS)
    assert found.files == (tmp_path / "good.md",)
    ((_, error),) = found.failed
    assert "\\x00" in error.message
    assert error.message.isprintable()


async def test_a_name_that_is_no_utf_8_is_told_so(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff\xfe.md")).write_text("text")
    (found,) = find_files([tmp_path], LIMITS).files
    with pytest.raises(DocumentUnreadable, match="not UTF-8"):
        await text_of(found)


def test_ways_up_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b.md").write_text("x")
    assert find_files([tmp_path / "a" / ".." / "b.md", tmp_path / "b.md"], LIMITS).files == (tmp_path / "b.md",)


@pytest.mark.parametrize(("start", "page"), [(0, 1), (9, 1), (10, 3), (24, 3), (25, 4), (99, 4)])
def test_the_page_of_a_character_is_the_last_one_that_begins_before_it(start: int, page: int) -> None:
    # Page 2 holds nothing.
    document = Document(Path("/a.pdf"), "x" * 100, "", "pdf", (0, 10, 10, 25))
    assert page_of(document, start) == page
    assert page_of(Document(Path("/a.md"), "x" * 100, ""), start) is None
