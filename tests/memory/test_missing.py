"""Files that go: their documents go with them, unless a whole folder seems to be away."""

import shutil
import wave
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from sqlite3 import Connection

import anyio
import pytest

from agent.citations import cited
from configs.errors import DocumentUnreadable
from memory.documents import Found
from memory.ingestion import Ingestion, Progress
from memory.knowledge import Knowledge
from memory.ledger import Ledger
from memory.missing import find_missing
from memory.turns import StoredTurn, Turns

pytestmark = pytest.mark.anyio


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    (folder / "deep").mkdir(parents=True)
    for name, word in (("a.md", "river"), ("b.md", "mountain"), ("deep/c.md", "desert")):
        (folder / name).write_text(f"# Title {name}\n\nThis is about a {word}.\n")
    return folder


def outcomes(ingestion: Ingestion) -> dict[str, str]:
    return {file.path.name: file.outcome for file in ingestion.files}


def record(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(bytes(3200))


def count(connection: Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


async def titles(knowledge: Knowledge) -> list[str]:
    return [document.title for document in await knowledge.documents()]


async def test_a_document_goes_with_its_file(knowledge: Knowledge, ledger: Ledger, documents: Path) -> None:
    await knowledge.ingest([documents])
    (documents / "a.md").rename(documents / "moved.md")
    shutil.rmtree(documents / "deep")
    told: list[Progress] = []
    done = await knowledge.ingest([documents], progress=told.append)
    assert outcomes(done) == {"a.md": "removed", "c.md": "removed", "b.md": "unchanged", "moved.md": "added"}
    assert {p.path.name: p.outcome for p in told if p.outcome} == outcomes(done)
    assert {(p.file, p.files) for p in told if p.outcome} == {(1, 4), (2, 4), (3, 4), (4, 4)}
    assert await titles(knowledge) == ["Title b.md", "Title a.md"]
    assert not (await knowledge.search("desert", knowledge=["default"])).answerable
    for table in ("documents", "passages", "lexicon"):
        rows = await ledger.read(partial(count, table=table))
        assert rows == 2


async def test_only_what_lies_in_the_folder_and_the_knowledge_base_goes(
    knowledge: Knowledge, documents: Path, tmp_path: Path
) -> None:
    (tmp_path / "documents-2").mkdir()
    shutil.copy(documents / "a.md", tmp_path / "documents-2" / "d.md")
    await knowledge.ingest([documents, tmp_path / "documents-2"])
    await knowledge.ingest([documents / "a.md"], knowledge="other")
    (documents / "a.md").unlink()
    (documents / "deep" / "c.md").unlink()
    (tmp_path / "documents-2" / "d.md").unlink()
    (documents / "deep" / "e.md").write_text("# E\n\nnew")
    assert outcomes(await knowledge.ingest([documents / "deep"])) == {"c.md": "removed", "e.md": "added"}
    assert sorted(await titles(knowledge)) == ["E", "Title a.md", "Title a.md", "Title a.md", "Title b.md"]
    assert outcomes(await knowledge.ingest([documents / "a.md"])) == {"a.md": "failed"}
    assert len(await titles(knowledge)) == 5


async def test_a_file_that_is_hidden_or_of_another_kind_now_is_not_gone(knowledge: Knowledge, documents: Path) -> None:
    await knowledge.ingest([documents])
    (documents / "link.md").symlink_to(documents / "link.md")
    assert outcomes(await knowledge.ingest([documents])) == {
        "link.md": "failed", "a.md": "unchanged", "b.md": "unchanged", "c.md": "unchanged"
    }  # fmt: skip
    assert find_missing([documents], Found((documents / "a.md",), 0, ()), [str(documents / "b.md")]).gone == ()


@pytest.mark.parametrize("away", ["folder", "content"])
async def test_a_drive_that_is_away_takes_nothing_with_it(knowledge: Knowledge, documents: Path, away: str) -> None:
    await knowledge.ingest([documents])
    drive = anyio.Path(documents.with_name("elsewhere"))
    await anyio.Path(documents).rename(drive)
    if away == "content":
        await anyio.Path(documents).mkdir()
        (documents / "README.jpg").write_bytes(b"Mount the drive here.")
    done = await knowledge.ingest([documents])
    assert outcomes(done) == {"documents": "failed"}
    error = done.files[0].error
    assert isinstance(error, DocumentUnreadable)
    assert ("the 3 known from it stay" if away == "content" else "does not exist") in error.message
    assert len(await titles(knowledge)) == 3
    assert (await knowledge.search("desert", knowledge=["default"])).answerable
    if away == "content":
        shutil.rmtree(documents)
    await drive.rename(documents)
    assert set(outcomes(await knowledge.ingest([documents])).values()) == {"unchanged"}


def test_what_lies_in_a_folder_that_could_not_be_read_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.md").touch()
    failed = ((tmp_path / "deep", DocumentUnreadable("no")),)
    sources = [str(tmp_path / "gone.md"), str(tmp_path / "deep" / "c.md"), str(tmp_path / "a.md" / "below.md")]
    missing = find_missing([tmp_path], Found((tmp_path / "a.md",), 0, failed), sources)
    assert missing.gone == (tmp_path / "gone.md", tmp_path / "a.md" / "below.md")
    assert missing.doubtful == ()


async def test_a_file_that_vanishes_while_others_are_read_stops_nothing(knowledge: Knowledge, documents: Path) -> None:
    record(documents / "a.wav")

    async def vanish(path: Path) -> str:
        (documents / "b.md").unlink()
        return "A talk."

    done = await knowledge.ingest([documents], transcribe=vanish)
    assert outcomes(done) == {"a.md": "added", "a.wav": "added", "b.md": "failed", "c.md": "added"}


async def test_a_document_can_be_removed_while_others_come_in(knowledge: Knowledge, documents: Path) -> None:
    await knowledge.ingest([documents])
    record(documents / "talk.wav")
    hearing, removed = anyio.Event(), anyio.Event()

    async def transcribe(path: Path) -> str:
        hearing.set()
        await removed.wait()
        return "A talk about volcanoes."

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(knowledge.ingest, [documents], transcribe=transcribe))
        await hearing.wait()
        await knowledge.remove("Title b.md", knowledge="default")
        assert await titles(knowledge) == ["Title a.md", "Title deep/c.md"]
        removed.set()
    assert (await knowledge.search("volcanoes", knowledge=["default"])).answerable


async def test_a_citation_holds_what_its_document_said(knowledge: Knowledge, ledger: Ledger, documents: Path) -> None:
    await knowledge.ingest([documents])
    passages = (await knowledge.search("a river", knowledge=["default"])).passages
    turn = StoredTurn(
        id="t", conversation="c", user="u", persona="p", question="a river?", reply="See [1].", heard="See [1].",
        outcome="completed", language="en", citations=cited("See [1].", passages), timings_ms={},
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    await Turns(ledger).add(turn)
    (documents / "a.md").unlink()
    await knowledge.ingest([documents])
    assert not (await knowledge.search("a river", knowledge=["default"])).answerable
    (kept,) = await Turns(ledger).of("c")
    assert [(c.document, c.text) for c in kept.citations] == [("Title a.md", "This is about a river.")]
