from pathlib import Path

import anyio
import pytest

from configs.errors import DocumentUnreadable
from memory import watching
from memory.watching import is_heeded, watch

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "gone", "heeded"),
    [
        ("a.md", False, True),
        ("deep/a.PDF", False, True),
        ("deep", False, True),
        ("deep.v2", True, True),
        ("a.part", False, False),
        (".hidden.md", False, False),
        (".git/a.md", True, False),
        ("../other/a.md", False, False),
    ],
)
def test_what_cannot_be_ingested_is_not_heeded(tmp_path: Path, path: str, gone: bool, heeded: bool) -> None:
    root = tmp_path / ".config" / "documents"
    (root / "deep").mkdir(parents=True)
    assert is_heeded([root], Path(str(root / path).replace("documents/../", "")), gone=gone) == heeded


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_each_change_is_told_and_a_file_is_followed_through_its_replacement(tmp_path: Path) -> None:
    file, bell = tmp_path / "a.md", [anyio.Event()]
    file.write_text("one")

    async def rung() -> None:
        with anyio.fail_after(10):
            await bell[0].wait()
        bell[0] = anyio.Event()

    async with anyio.create_task_group() as tasks:
        await tasks.start(watch, [file], lambda: bell[0].set())
        file.write_text("two")
        await rung()
        (tmp_path / "new.md").write_text("three")
        await anyio.Path(tmp_path / "new.md").replace(file)
        await rung()
        with anyio.fail_after(10):
            while not bell[0].is_set():  # until the new file is watched in the place of the old
                file.write_text("four")
                with anyio.move_on_after(0.3):
                    await bell[0].wait()
        before = anyio.current_time()
        tasks.cancel_scope.cancel()
    assert anyio.current_time() - before < 2, "the thread that waits for changes holds the end up"


async def test_what_the_system_cannot_watch_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError('OS file watch limit reached. about ["/x"]')

    monkeypatch.setattr("watchfiles.main.RustNotify", full)
    with pytest.raises(DocumentUnreadable, match="limit reached") as caught:
        await watch([tmp_path], lambda: None)
    assert "max_user_watches" in caught.value.hint


async def test_a_path_that_is_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_AGAIN", 0.02)
    came = anyio.Event()
    async with anyio.create_task_group() as tasks:
        await tasks.start(watch, [tmp_path / "drive"], came.set)
        await anyio.Path(tmp_path / "drive").mkdir()
        with anyio.fail_after(10):
            await came.wait()
        tasks.cancel_scope.cancel()
