"""Files on their way onto the disk: room, damage, and that only one pull writes."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from configs.errors import DataFolderLocked, DataFolderUnwritable, EngineFailed
from models.downloads import SPARE, Download, alone, check_space, sha256_of

Usage = namedtuple("Usage", "total used free")

# FIPS 180-4's example: the hash of "abc".
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def download(path: Path, size: int = 3, hashed: str = ABC) -> Download:
    return Download(f"https://hub.example/r/resolve/main/{path.name}", path, size, hashed)


def test_a_hash_is_the_standards(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == ABC


def test_a_good_part_gets_its_name_and_takes_the_place_of_an_old_file(tmp_path: Path) -> None:
    wanted = download(tmp_path / "model.bin")
    wanted.path.write_bytes(b"old and longer")
    wanted.part.write_bytes(b"abc")
    wanted.finish()
    assert wanted.path.read_bytes() == b"abc"
    assert [file.name for file in tmp_path.iterdir()] == ["model.bin"]


@pytest.mark.parametrize(("size", "hashed", "content"), [(3, ABC, b"abd"), (3, "", b"abcd"), (4, "", b"abc")])
def test_a_bad_part_is_deleted_and_named(tmp_path: Path, size: int, hashed: str, content: bytes) -> None:
    wanted = download(tmp_path / "model.bin", size, hashed)
    wanted.part.write_bytes(content)
    with pytest.raises(EngineFailed, match=r"model\.bin came damaged") as caught:
        wanted.finish()
    assert "pull again" in caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("content", "complete"), [(b"abc", True), (b"abd", False), (b"ab", False), (None, False)])
def test_complete_is_whole_and_undamaged(tmp_path: Path, content: bytes | None, complete: bool) -> None:
    wanted = download(tmp_path / "model.bin")
    if content is not None:
        wanted.path.write_bytes(content)
    assert wanted.is_complete() is complete


@pytest.mark.parametrize(
    ("free", "fits"),
    [(SPARE + 700, True), (SPARE + 699, False)],
    ids=["just enough", "one byte short"],
)
def test_what_is_still_to_come_must_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, fits: bool) -> None:
    there, begun, none = (download(tmp_path / "new" / name, 500) for name in ("there", "begun", "none"))
    (tmp_path / "new").mkdir()
    there.path.write_bytes(bytes(500))
    begun.part.write_bytes(bytes(300))
    looked: list[Path] = []

    def usage(path: Path) -> Usage:
        looked.append(path)
        return Usage(0, 0, free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    if fits:
        check_space([there, begun, none], tmp_path / "new" / "not" / "yet")
    else:
        with pytest.raises(DataFolderUnwritable):
            check_space([there, begun, none], tmp_path / "new" / "not" / "yet")
    assert looked == [tmp_path / "new"]


def test_the_figures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, 1_000_000_000))
    with pytest.raises(DataFolderUnwritable, match=r"1\.62 GB.* 1\.00 GB are free"):
        check_space([download(tmp_path / "model.bin", 1_617_000_000)], tmp_path)


def test_a_full_disk_is_no_matter_where_nothing_is_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, 0))
    (tmp_path / "abc").write_bytes(b"abc")
    check_space([download(tmp_path / "abc")], tmp_path)


def test_two_pulls_do_not_write_at_once(tmp_path: Path) -> None:
    with alone(tmp_path / "models"), pytest.raises(DataFolderLocked), alone(tmp_path / "models"):
        pass
    with alone(tmp_path / "models"):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(DataFolderUnwritable, match="data"), alone(tmp_path / "data" / "models"):
        pass
