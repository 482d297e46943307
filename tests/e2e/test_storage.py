"""The data folder under trouble: a second process, a full disk, folders that cannot be written."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.to_thread import run_sync

from memory.folder import open_data_folder
from tests.e2e.conftest import EXAMPLES, Process, Tingshuo, running

LOCKED, IO = 75, 74


def test_a_second_process_on_the_same_folder_is_told_which_one_has_it(tingshuo: Tingshuo, handbook: Path) -> None:
    with running("serve", "--port", "0") as server:
        assert server.line(error=True).startswith("Serving at http://127.0.0.1:")
        for arguments in (["ask", "hello", "--no-speech"], ["knowledge", "list"], ["ingest", "."]):
            done = tingshuo(*arguments)
            assert done.code == LOCKED
            assert str(server.process.pid) in done.err
            assert "TINGSHUO_DATA" in done.err
        found = json.loads(tingshuo("doctor", "--json").out)
        assert (found["ok"], found["data"]["locked_by"]) == (True, server.process.pid)
        done = tingshuo("demo", "--question", "How long is the probation period?")
        assert done.code == 0, done


@pytest.mark.anyio
async def test_a_second_demo_at_the_same_time_is_told_to_wait(data_folder: Path) -> None:
    async with open_data_folder(data_folder / "demo"):
        done = await run_sync(Process("demo", "--question", "How long is the probation period?").ended)
    assert done.code == LOCKED
    assert "another demo is running" in done.err
    assert "Wait" in done.err


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder on a disk of 8 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        reason = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError as error:
        reason = str(error)
    if reason:
        pytest.skip(f"no small disk can be mounted here: {reason}")
    monkeypatch.setenv("TINGSHUO_DATA", str(disk / "data"))
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_while_ingesting_keeps_what_was_in(tingshuo: Tingshuo, small_disk: Path, tmp_path: Path) -> None:
    assert tingshuo("ingest", EXAMPLES / "knowledge" / "employee-handbook.en.md").code == 0
    before = json.loads(tingshuo("knowledge", "list", "--json").out)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - 500_000))
    big = tmp_path / "big.md"
    big.write_text("\n\n".join(f"# Part {n}\n\nThe part number {n} weighs {n * 7} grams." for n in range(20_000)))
    done = tingshuo("ingest", big)
    assert done.code == IO, done
    assert "Free some space" in done.err
    ballast.unlink()
    assert json.loads(tingshuo("knowledge", "list", "--json").out) == before
    assert "three months" in tingshuo("ask", "How long is the probation period?", "--no-speech").out


def test_a_ledger_that_is_damaged_is_told(tingshuo: Tingshuo, handbook: Path) -> None:
    (handbook / "ledger.sqlite3").write_bytes(b"not a database" * 100)
    done = tingshuo("ask", "hello", "--no-speech")
    assert done.code == IO
    assert "damaged" in done.err


def test_a_vector_index_that_has_gone_is_told(tingshuo: Tingshuo, handbook: Path) -> None:
    shutil.rmtree(handbook / "chroma")
    done = tingshuo("ask", "How long is the probation period?", "--no-speech")
    assert done.code == IO
    assert "tingshuo reindex" in done.err
