"""Files that were sent: their names, how long they are kept, and that nothing of them stays where it should not."""

import os
from io import FileIO
from pathlib import Path

import anyio
import pytest

from configs.errors import (
    DataFolderUnwritable,
    DocumentUnreadable,
    IndexUnavailable,
    RateLimitExceeded,
    RequestError,
    RequestTooLarge,
)
from configs.settings import Limits
from memory import jobs, uploads
from memory.folder import DataFolder
from memory.index import EmbeddedIndex
from memory.job_queue import Job, Upload
from memory.jobs import Jobs
from memory.knowledge import Knowledge
from memory.ledger import Ledger
from memory.uploads import IncomingUpload, Uploads, file_name

pytestmark = pytest.mark.anyio

RIVER = b"# Rivers\n\nThe Rhine is 1233 km long.\n"


@pytest.fixture
def queue(ledger: Ledger, knowledge: Knowledge) -> Jobs:
    return Jobs(ledger, knowledge)


@pytest.fixture
def kept(folder: DataFolder) -> Path:
    return folder.uploads


def files(kept: Path) -> list[str]:
    return sorted(os.listdir(kept)) if kept.exists() else []


async def send(queue: Jobs, knowledge: Knowledge, name: str, content: bytes) -> Job:
    async with knowledge.uploads.incoming() as incoming:
        incoming.write(content)
        return await queue.add_upload(incoming.end(name))


async def taken_in(queue: Jobs, knowledge: Knowledge, name: str, content: bytes) -> Job:
    job = await send(queue, knowledge, name, content)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(queue.run)
        with anyio.fail_after(30):
            ended = await queue.finished(job.id)
        tasks.cancel_scope.cancel()
    return ended


async def found(knowledge: Knowledge, question: str) -> list[tuple[str, str]]:
    passages = (await knowledge.search(question, knowledge=["default"])).passages
    return [(passage.document, passage.source) for passage in passages]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_upload_is_known_by_its_name_and_kept_until_it_is_removed(
    queue: Jobs, knowledge: Knowledge, kept: Path
) -> None:
    job = await taken_in(queue, knowledge, "河流.txt", "莱茵河全长1233公里。\n".encode("gb18030"))
    assert (job.state, job.outcomes, job.paths, job.upload and job.upload.name) == (
        "done",
        {"added": 1},
        (),
        "河流.txt",
    )
    (document,) = await knowledge.documents()
    assert (document.title, document.source, document.uploaded) == ("河流", "河流.txt", True)
    assert await found(knowledge, "莱茵河有多长？") == [("河流", "河流.txt")]
    (file,) = files(kept)
    assert (kept / file).read_bytes() == "莱茵河全长1233公里。\n".encode("gb18030")
    assert (kept / file).stat().st_mode & 0o777 == 0o600
    await knowledge.remove("河流.txt", knowledge="default")
    assert (files(kept), await queue.all()) == ([], ())


async def test_the_same_name_replaces_and_the_same_bytes_change_nothing(
    queue: Jobs, knowledge: Knowledge, kept: Path
) -> None:
    await taken_in(queue, knowledge, "rivers.md", RIVER)
    first = files(kept)
    assert (await taken_in(queue, knowledge, "rivers.md", RIVER)).outcomes == {"unchanged": 1}
    assert files(kept) == first
    assert (await taken_in(queue, knowledge, "rivers.md", RIVER.replace(b"1233", b"1232"))).outcomes == {"replaced": 1}
    (file,) = files(kept)
    assert b"1232" in (kept / file).read_bytes()
    assert (await taken_in(queue, knowledge, "other.md", RIVER)).outcomes == {"added": 1}
    assert len(files(kept)) == 2


async def test_what_cannot_be_read_goes_and_leaves_what_was_there(
    queue: Jobs, knowledge: Knowledge, kept: Path
) -> None:
    await taken_in(queue, knowledge, "rivers.md", RIVER)
    job = await taken_in(queue, knowledge, "rivers.md", b"%PDF-1.7 in disguise")
    assert (job.state, job.outcomes) == ("failed", {"failed": 1})
    (error,) = job.errors
    assert (error.path, error.kind) == ("rivers.md", "DocumentUnreadable")
    assert error.message == "'rivers.md' is named .md, but it is a PDF"
    assert len(files(kept)) == 1
    assert await found(knowledge, "How long is the Rhine?") == [("Rivers", "rivers.md")]


async def test_two_with_one_name_come_one_after_the_other(queue: Jobs, knowledge: Knowledge, kept: Path) -> None:
    earlier = await send(queue, knowledge, "rivers.md", RIVER)
    later = await taken_in(queue, knowledge, "rivers.md", RIVER.replace(b"1233", b"1232"))
    assert ((await queue.get(earlier.id)).outcomes, later.outcomes) == ({"added": 1}, {"replaced": 1})
    assert len(files(kept)) == len(await knowledge.documents()) == 1


async def test_one_that_is_cancelled_goes_at_once(queue: Jobs, knowledge: Knowledge, kept: Path) -> None:
    job = await send(queue, knowledge, "rivers.md", RIVER)
    assert len(files(kept)) == 1
    assert (await queue.cancel(job.id)).state == "cancelled"
    assert (await queue.finished(job.id)).state == "cancelled"
    assert files(kept) == []


async def test_one_that_waits_is_taken_in_after_a_restart(
    queue: Jobs, ledger: Ledger, knowledge: Knowledge, kept: Path
) -> None:
    waiting = await send(queue, knowledge, "rivers.md", RIVER)
    (kept / "half").write_bytes(b"sent in part when the process was killed")
    await knowledge.recover()
    assert files(kept) == [waiting.upload and waiting.upload.file]
    again = Jobs(ledger, knowledge)
    await taken_in(again, knowledge, "other.md", RIVER)
    assert (await again.get(waiting.id)).outcomes == {"added": 1}


async def test_what_comes_in_is_left_alone_by_who_clears_up(knowledge: Knowledge, kept: Path) -> None:
    async with knowledge.uploads.incoming() as incoming:
        incoming.write(b"the first half")
        await knowledge.recover()
        assert len(files(kept)) == 1
    assert files(kept) == []


async def test_a_sender_who_leaves_leaves_nothing(knowledge: Knowledge, kept: Path) -> None:
    with anyio.CancelScope() as scope:
        async with knowledge.uploads.incoming() as incoming:
            incoming.write(b"the first half")
            scope.cancel()
            await anyio.sleep_forever()
    assert files(kept) == []


async def test_an_uploaded_file_and_one_of_a_folder_are_two(
    queue: Jobs, knowledge: Knowledge, kept: Path, tmp_path: Path
) -> None:
    there = tmp_path / "rivers.md"
    there.write_bytes(RIVER)
    await knowledge.ingest([there])
    await taken_in(queue, knowledge, "rivers.md", RIVER)
    assert {document.source for document in await knowledge.documents()} == {"rivers.md", str(there)}
    await knowledge.ingest([tmp_path])
    assert len(await knowledge.documents()) == 2
    assert [gone.uploaded for gone in await knowledge.remove("rivers.md", knowledge="default")] == [True]
    assert files(kept) == []
    assert there.exists()


async def test_words_go_even_where_vectors_cannot(
    queue: Jobs, knowledge: Knowledge, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*args: object) -> None:
        raise IndexUnavailable("the index is away", "Start it.")

    await taken_in(queue, knowledge, "rivers.md", RIVER)
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedIndex, "add", away)
        job = await taken_in(queue, knowledge, "rivers.md", RIVER.replace(b"1233", b"1232"))
        assert (job.state, [error.kind for error in job.errors]) == ("failed", ["IndexUnavailable"])
        assert len(files(kept)) == 1
        assert await found(knowledge, "How long is the Rhine?") == [("Rivers", "rivers.md")]
        patch.setattr(EmbeddedIndex, "drop", away)
        with pytest.raises(IndexUnavailable):
            await knowledge.remove("rivers.md", knowledge="default")
    assert (files(kept), await knowledge.documents(), await queue.all()) == ([], (), ())
    await knowledge.recover()


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("handbook.pdf", "handbook.pdf"),
        ("../../etc/passwd.md", "passwd.md"),
        ("/etc/passwd.md", "passwd.md"),
        ("..\\..\\x.md", "x.md"),
        ("\\\\server\\share\\x.md", "x.md"),
        ("C:\\dir\\x.md", "x.md"),
        ("..%2f..%2fx.md", "..%2f..%2fx.md"),
        ("  x.md ", "x.md"),
        ("CON.md", "CON.md"),
        ("年假 制度.md", "年假 制度.md"),
        ("cafe\u0301.md", "café.md"),
        ("👩\u200d🚀❤\ufe0f.md", "👩\u200d🚀❤\ufe0f.md"),
        ("a" * 197 + ".md", "a" * 197 + ".md"),
    ],
)
def test_of_a_name_the_last_part_counts(sent: str, name: str) -> None:
    assert file_name(sent) == name


@pytest.mark.parametrize(
    "sent",
    ["", " ", ".", "..", "a/..", "a/", "a\0.md", "a\n.md", "a\r\nb.md", "\x1b[31m.md", "\u202efdp.md", "\ud800.md",
     "a" * 198 + ".md", "a\u2028.md", "\u200d"],
)  # fmt: skip
def test_what_is_no_name_is_refused(sent: str) -> None:
    with pytest.raises(RequestError) as refused:
        file_name(sent)
    assert (type(refused.value), refused.value.param) == (RequestError, "name")


@pytest.mark.parametrize(
    ("name", "size", "kind", "said"),
    [
        ("x.md", 11, RequestTooLarge, "limits.document_bytes"),
        ("x.wav", 21, RequestTooLarge, "limits.audio_bytes"),
        ("x.exe", 1, DocumentUnreadable, r"\.exe"),
        ("x", 1, DocumentUnreadable, "no suffix"),
    ],
)
async def test_kinds_and_sizes_that_are_not_taken(
    folder: DataFolder, ledger: Ledger, name: str, size: int, kind: type[RequestError], said: str
) -> None:
    own = Uploads(folder.uploads, ledger, Limits(document_bytes=10, audio_bytes=20))
    async with own.incoming() as incoming:
        incoming.write(bytes(size))
        with pytest.raises(kind, match=said):
            incoming.end(name)
    assert files(folder.uploads) == []


async def test_all_uploads_together_have_a_limit(ledger: Ledger, knowledge: Knowledge, kept: Path) -> None:
    await taken_in(Jobs(ledger, knowledge), knowledge, "rivers.md", RIVER)
    own = Uploads(kept, ledger, Limits(uploads_bytes=len(RIVER) + 5))
    async with own.incoming() as incoming:
        incoming.write(b"12345")
        with pytest.raises(RequestTooLarge, match=r"limits\.uploads_bytes"):
            incoming.write(b"6")


async def test_so_many_may_wait(queue: Jobs, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "QUEUED", 1)
    await send(queue, knowledge, "rivers.md", RIVER)
    with pytest.raises(RateLimitExceeded):
        await send(queue, knowledge, "other.md", RIVER)


async def test_a_full_disk_is_told(knowledge: Knowledge, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, mode: str) -> FileIO:
        os.close(handle)
        return FileIO("/dev/full", mode)

    monkeypatch.setattr(uploads, "FileIO", full)
    async with knowledge.uploads.incoming() as incoming:
        with pytest.raises(DataFolderUnwritable, match="No space left") as told:
            incoming.write(RIVER)
    assert "Free some space" in told.value.hint
    assert files(kept) == []


async def test_a_folder_that_cannot_be_made_is_told(knowledge: Knowledge, kept: Path) -> None:
    await anyio.Path(kept).write_bytes(b"a file in its place")
    with pytest.raises(DataFolderUnwritable, match="Not a directory"):
        async with knowledge.uploads.incoming():
            raise AssertionError("nothing can come in")


def test_one_that_is_written_in_pieces_is_whole(tmp_path: Path) -> None:
    incoming = IncomingUpload(tmp_path / "x", Limits(), 100)
    for piece in (b"a", b"", b"bc"):
        incoming.write(piece)
    assert incoming.end("n.md") == Upload("x", "n.md")
    assert (tmp_path / "x").read_bytes() == b"abc"
