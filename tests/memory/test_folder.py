import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from configs.errors import DataFolderLocked, DataFolderUnwritable
from memory.folder import open_data_folder

pytestmark = pytest.mark.anyio

HOLDER = """
import sys, anyio
from pathlib import Path
from memory.folder import open_data_folder
async def hold():
    async with open_data_folder(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
anyio.run(hold)
"""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def held_elsewhere(path: Path) -> Generator["subprocess.Popen[str]", None, None]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


async def test_is_made_for_its_user_alone(tmp_path: Path) -> None:
    async with open_data_folder(tmp_path / "deep" / "data") as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700
        assert folder.ledger.parent == folder.index.parent == folder.path


async def test_refuses_a_second_process_and_names_the_first(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as holder:
        with pytest.raises(DataFolderLocked, match=rf"process {holder.pid}\b") as caught:
            async with open_data_folder(tmp_path):
                pass
        assert "TINGSHUO_DATA" in caught.value.hint


async def test_a_killed_process_frees_it(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        async with open_data_folder(tmp_path):
            pass


async def test_refuses_a_second_opener_in_the_same_process_until_the_first_is_done(tmp_path: Path) -> None:
    async with open_data_folder(tmp_path):
        with pytest.raises(DataFolderLocked, match=rf"process {os.getpid()}\b"):
            async with open_data_folder(tmp_path):
                pass
    async with open_data_folder(tmp_path):
        pass


async def test_a_file_cannot_be_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, file / "below"):
        with pytest.raises(DataFolderUnwritable, match="file"):
            async with open_data_folder(path):
                pass


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that not even root can write")
async def test_a_folder_that_cannot_be_written_cannot_be_it() -> None:
    with pytest.raises(DataFolderUnwritable, match="cannot be written"):
        async with open_data_folder(Path("/proc/tingshuo")):
            pass
