import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from langchain_core.embeddings import Embeddings

from configs.errors import (
    DataFolderUnwritable,
    DocumentUnreadable,
    EmbeddingMismatch,
    KnowledgeBaseNotFound,
    RequestError,
    RequestTooLarge,
)
from configs.settings import Grounding, Limits
from memory.folder import DataFolder
from memory.index import VectorIndex, open_index
from memory.ingestion import Progress
from memory.knowledge import Knowledge, open_knowledge
from memory.ledger import Ledger
from models.engines.hashed import HashedEmbeddings

pytestmark = pytest.mark.anyio

on_both_backends = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])

FRUIT = "# Fruit\n\n## Apples\n\nApples are harvested in September.\n\n## Pears\n\nPears ripen after the harvest.\n"
WEATHER = "# 天气\n\n## 台风\n\n台风多在八月登陆。\n"


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "fruit.md").write_text(FRUIT, encoding="utf-8")
    (folder / "weather.md").write_text(WEATHER, encoding="utf-8")
    return folder


@asynccontextmanager
async def opened(
    folder: DataFolder, ledger: Ledger, embeddings: Embeddings, similarity: float | None = None
) -> AsyncGenerator[Knowledge, None]:
    async with (
        open_index(folder.index) as index,
        open_knowledge(
            ledger, index, embeddings, Grounding(), Limits(document_bytes=50_000), similarity=similarity
        ) as knowledge,
    ):
        yield knowledge


async def headings(knowledge: Knowledge, question: str, *names: str) -> list[str]:
    retrieval = await knowledge.search(question, knowledge=names or ["default"])
    return [passage.heading for passage in retrieval.passages]


@on_both_backends
async def test_what_is_ingested_is_found_with_its_place(knowledge: Knowledge, documents: Path) -> None:
    ingestion = await knowledge.ingest([documents])
    assert [(file.path.name, file.outcome, file.passages) for file in ingestion.files] == [
        ("fruit.md", "added", 2),
        ("weather.md", "added", 1),
    ]
    retrieval = await knowledge.search("when are apples harvested", knowledge=["default"])
    assert retrieval.answerable
    assert retrieval.coverage == pytest.approx(1.0)
    assert retrieval.similarity is not None
    passage = retrieval.passages[0]
    assert (passage.knowledge, passage.document, passage.heading) == ("default", "Fruit", "Apples")
    assert passage.source == str(documents / "fruit.md")
    assert passage.text == FRUIT[passage.start : passage.end] == "Apples are harvested in September."
    assert await headings(knowledge, "台风什么时候登陆？") == ["台风"]


@pytest.mark.parametrize(
    "question", ["", "   ", "?!", "what is it", "那是什么", "who is the president of France", "😀", "\ud800"]
)
async def test_nothing_is_given_for_what_the_documents_do_not_answer(
    knowledge: Knowledge, documents: Path, question: str
) -> None:
    await knowledge.ingest([documents])
    retrieval = await knowledge.search(question, knowledge=["default"])
    assert not retrieval.answerable
    assert retrieval.passages == ()


@pytest.mark.parametrize("question", ["1 2 3", "What is 2+2?", "25", "二十五天？"])
async def test_bare_numbers_are_not_answered_by_documents_that_hold_them(
    knowledge: Knowledge, documents: Path, question: str
) -> None:
    (documents / "numbers.md").write_text("# Numbers\n\n1 2 3: in 25 days, 25天 and 2 or 3 weeks.\n")
    await knowledge.ingest([documents])
    assert not (await knowledge.search(question, knowledge=["default"])).answerable


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("每位员工每年享有25天带薪年假。", "員工每年有多少天年假？"),
        ("新员工的试用期为三个月。", "試用期多久？"),
        ("每位員工每年享有25天帶薪年假。", "员工每年有多少天年假？"),
        ("新員工的試用期為三個月。", "试用期多久？"),
    ],
)
async def test_traditional_and_simplified_chinese_find_each_other(
    knowledge: Knowledge, documents: Path, document: str, question: str
) -> None:
    (documents / "weather.md").write_text(f"# 规定\n\n{document}\n", encoding="utf-8")
    await knowledge.ingest([documents])
    found = await knowledge.search(question, knowledge=["default"])
    assert [passage.text for passage in found.passages] == [document]


async def test_searching_no_knowledge_base_finds_nothing(knowledge: Knowledge) -> None:
    assert not (await knowledge.search("apples", knowledge=[])).answerable


async def test_an_unknown_knowledge_base_is_told_with_those_that_exist(knowledge: Knowledge, documents: Path) -> None:
    with pytest.raises(KnowledgeBaseNotFound) as caught:
        await knowledge.search("apples", knowledge=["default"])
    assert "none yet" in caught.value.hint
    await knowledge.ingest([documents], knowledge="水果 and more")
    for attempt in (
        lambda: knowledge.search("apples", knowledge=["水果 and more", "fruits"]),
        lambda: knowledge.documents("fruits"),
        lambda: knowledge.remove(knowledge="fruits"),
    ):
        with pytest.raises(KnowledgeBaseNotFound, match="'fruits'") as caught:
            await attempt()
        assert "水果 and more" in caught.value.hint


async def test_knowledge_bases_are_searched_apart_or_together(knowledge: Knowledge, documents: Path) -> None:
    await knowledge.ingest([documents / "fruit.md"], knowledge="水果")
    await knowledge.ingest([documents / "weather.md"], knowledge="天气")
    assert await knowledge.knowledge_bases() == ("天气", "水果")
    assert await headings(knowledge, "apples harvested", "天气") == []
    assert await headings(knowledge, "apples harvested", "天气", "水果", "水果") == ["Apples"]
    assert [document.title for document in await knowledge.documents()] == ["天气", "Fruit"]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
async def test_a_name_that_cannot_be_seen_is_refused(knowledge: Knowledge, documents: Path, name: str) -> None:
    with pytest.raises(RequestError, match="cannot name"):
        await knowledge.ingest([documents], knowledge=name)


async def test_a_bad_file_does_not_stop_the_good_ones(knowledge: Knowledge, documents: Path) -> None:
    (documents / "a-picture.md").write_bytes(b"\x89PNG\0\0")
    (documents / "b-huge.txt").write_bytes(b"x" * 20_000_001)
    ingestion = await knowledge.ingest([documents, documents / "gone.md"])
    outcomes = {file.path.name: (file.outcome, type(file.error)) for file in ingestion.files}
    assert outcomes == {
        "a-picture.md": ("failed", DocumentUnreadable),
        "b-huge.txt": ("failed", RequestTooLarge),
        "fruit.md": ("added", type(None)),
        "weather.md": ("added", type(None)),
        "gone.md": ("failed", DocumentUnreadable),
    }
    assert (ingestion.count("failed"), ingestion.count("added")) == (3, 2)


async def test_when_nothing_can_be_read_no_knowledge_base_comes_to_be(knowledge: Knowledge, tmp_path: Path) -> None:
    await knowledge.ingest([tmp_path / "gone.md"])
    assert await knowledge.knowledge_bases() == ()


async def test_names_and_links_that_cannot_be_do_not_stop_the_good_ones(knowledge: Knowledge, documents: Path) -> None:
    (documents / "loop.md").symlink_to(documents / "loop.md")
    (documents / os.fsdecode(b"caf\xe9.md")).write_text(FRUIT)
    told: list[Progress] = []
    ingestion = await knowledge.ingest([documents], progress=told.append)
    errors = [file.error for file in ingestion.files if file.outcome == "failed"]
    assert all(isinstance(error, DocumentUnreadable) for error in errors)
    messages = " ".join(error.message for error in errors if error)
    assert messages.encode().isascii()
    assert "loop.md" in messages
    assert r"caf\udce9.md" in messages
    assert (len(errors), ingestion.count("added")) == (2, 2)
    outcomes = [progress.outcome for progress in told if progress.outcome]
    assert sorted(outcomes) == ["added", "added", "failed", "failed"]


async def test_progress_is_told_for_batches_and_files(knowledge: Knowledge, documents: Path) -> None:
    told: list[Progress] = []
    (documents / "fruit.md").write_text("".join(f"# H{n}\n\ntext {n}\n\n" for n in range(150)))
    await knowledge.ingest([documents], progress=told.append)
    assert [(p.path.name, p.file, p.files, p.passages, p.of_passages, p.outcome) for p in told] == [
        ("fruit.md", 1, 2, 64, 150, None),
        ("fruit.md", 1, 2, 128, 150, None),
        ("fruit.md", 1, 2, 150, 150, None),
        ("fruit.md", 1, 2, 150, 150, "added"),
        ("weather.md", 2, 2, 1, 1, None),
        ("weather.md", 2, 2, 1, 1, "added"),
    ]


class Counting(HashedEmbeddings):
    """Counts what it embeds."""

    embedded = 0
    calls = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.embedded += len(texts)
        self.calls += 1
        return super().embed_documents(texts)


async def test_what_has_not_changed_is_left_alone(folder: DataFolder, ledger: Ledger, documents: Path) -> None:
    embeddings = Counting()
    async with opened(folder, ledger, embeddings) as knowledge:
        await knowledge.ingest([documents])
        before, embedded = await knowledge.documents(), embeddings.embedded
        ingestion = await knowledge.ingest([documents])
        assert ingestion.count("unchanged") == 2
        assert (await knowledge.documents(), embeddings.embedded) == (before, embedded)


async def test_small_documents_are_taken_in_together_and_told_one_by_one(
    folder: DataFolder, ledger: Ledger, documents: Path
) -> None:
    embeddings, told = Counting(), list[Progress]()
    for n in range(100):
        (documents / f"{n:03}.md").write_text(f"# Note {n}\n\n## One\n\nfirst {n}\n\n## Two\n\nsecond {n}\n")
    (documents / "007.md").write_bytes(b"\x89PNG\0\0")
    async with opened(folder, ledger, embeddings) as knowledge:
        await knowledge.ingest([documents / "005.md"])
        embeddings.calls = 0
        ingestion = await knowledge.ingest([documents], progress=told.append)
        assert embeddings.calls == 4  # 98 notes of 2 passages, fruit.md with 2 and weather.md with 1, 64 at a time
        expected = {f"{n:03}.md": "added" for n in range(100)} | {"005.md": "unchanged", "007.md": "failed"}
        expected |= {"fruit.md": "added", "weather.md": "added"}
        assert {file.path.name: file.outcome for file in ingestion.files} == expected
        assert [file.path.name for file in ingestion.files] == sorted(expected)
        assert [p.file for p in told if p.outcome] == list(range(1, 103))
        assert [p.path for p in told if p.outcome] == [file.path for file in ingestion.files]
        passages = [(p.passages, p.of_passages) for p in told if p.outcome is None and p.path.name == "050.md"]
        assert passages == [(2, 2)]
        for n in (0, 31, 32, 99):
            found = (await knowledge.search(f"second {n}", knowledge=["default"])).passages
            assert found[0].document == f"Note {n}"
            assert found[0].heading == "Two"


@on_both_backends
async def test_a_changed_document_takes_its_own_place(knowledge: Knowledge, documents: Path) -> None:
    await knowledge.ingest([documents])
    (documents / "fruit.md").write_text(FRUIT.replace("September", "October").replace("Pears", "Plums"))
    ingestion = await knowledge.ingest([documents])
    assert [file.outcome for file in ingestion.files] == ["replaced", "unchanged"]
    found = await knowledge.search("when are apples harvested", knowledge=["default"])
    assert [passage.text for passage in found.passages] == ["Apples are harvested in October."]
    assert await headings(knowledge, "plums") == ["Plums"]
    assert await headings(knowledge, "when do pears ripen") == []
    assert len(await knowledge.documents()) == 2


@pytest.mark.parametrize("name", ["Fruit", "fruit.md", "path"])
async def test_a_removed_document_is_gone_and_can_come_back(knowledge: Knowledge, documents: Path, name: str) -> None:
    await knowledge.ingest([documents])
    removed = await knowledge.remove(str(documents / "fruit.md") if name == "path" else name, knowledge="default")
    assert [document.title for document in removed] == ["Fruit"]
    assert await headings(knowledge, "apples harvested") == []
    assert [document.title for document in await knowledge.documents("default")] == ["天气"]
    assert (await knowledge.ingest([documents])).count("added") == 1
    assert await headings(knowledge, "apples harvested") == ["Apples"]


@on_both_backends
async def test_a_knowledge_base_goes_with_its_last_document(knowledge: Knowledge, documents: Path) -> None:
    await knowledge.ingest([documents])
    assert len(await knowledge.remove(knowledge="default")) == 2
    assert await knowledge.knowledge_bases() == ()
    await knowledge.ingest([documents])
    assert await headings(knowledge, "apples harvested") == ["Apples"]


async def test_removing_what_is_not_there_or_not_clear_changes_nothing(knowledge: Knowledge, documents: Path) -> None:
    (documents / "copy.md").write_text(FRUIT)
    await knowledge.ingest([documents])
    with pytest.raises(KnowledgeBaseNotFound, match="no document 'Bread'") as unknown:
        await knowledge.remove("Bread", knowledge="default")
    assert "Fruit" in unknown.value.hint
    with pytest.raises(RequestError, match="2 documents are called 'Fruit'") as unclear:
        await knowledge.remove("Fruit", knowledge="default")
    assert str(documents / "copy.md") in unclear.value.hint
    assert len(await knowledge.documents()) == 3


async def test_what_was_removed_is_off_the_disk(knowledge: Knowledge, folder: DataFolder, documents: Path) -> None:
    def on_disk(word: str) -> bool:
        return any(word.encode() in file.read_bytes() for file in folder.path.rglob("*") if file.is_file())

    (documents / "fruit.md").write_text("# Secret\n\nThe xylophonist plays at night.\n")
    await knowledge.ingest([documents])
    assert on_disk("xylophonist")
    await knowledge.remove("Secret", knowledge="default")
    assert not on_disk("xylophonist")


async def test_another_embedding_model_is_refused_until_the_base_is_removed(
    folder: DataFolder, ledger: Ledger, documents: Path
) -> None:
    async with opened(folder, ledger, HashedEmbeddings(256)) as knowledge:
        await knowledge.ingest([documents / "fruit.md"])
    async with opened(folder, ledger, Placed({})) as knowledge:
        with pytest.raises(EmbeddingMismatch):
            await knowledge.search("apples", knowledge=["default"])
        with pytest.raises(EmbeddingMismatch):
            await knowledge.ingest([documents])
        assert len(await knowledge.documents()) == 1
        await knowledge.remove(knowledge="default")
        assert (await knowledge.ingest([documents])).count("added") == 2


class Placed(Embeddings):
    """Puts texts where a test wants them: the first key that a text holds decides."""

    def __init__(self, places: dict[str, list[float]]) -> None:
        self.places = places

    def embed_query(self, text: str) -> list[float]:
        return next((vector for key, vector in self.places.items() if key in text), [0.0, 0.0, 1.0])

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


MEANING = {"Apples": [1.0, 0.0, 0.0], "orchard": [0.8, 0.6, 0.0], "tractor": [0.4, 0.9, 0.0], "苹果": [1.0, 0.0, 0.0]}


@pytest.mark.parametrize(("question", "answerable"), [("orchard work", True), ("tractor repair", False)])
async def test_nearness_in_meaning_supports_from_its_threshold_on(
    folder: DataFolder, ledger: Ledger, documents: Path, question: str, answerable: bool
) -> None:
    async with opened(folder, ledger, Placed(MEANING), similarity=0.5) as knowledge:
        await knowledge.ingest([documents])
        retrieval = await knowledge.search(question, knowledge=["default"])
        assert retrieval.answerable == answerable
        assert [passage.heading for passage in retrieval.passages] == (["Apples"] if answerable else [])
    async with opened(folder, ledger, Placed(MEANING)) as knowledge:
        assert not (await knowledge.search(question, knowledge=["default"])).answerable


async def test_nearness_can_rank_and_leave_it_to_the_words_what_answers(
    folder: DataFolder, ledger: Ledger, documents: Path
) -> None:
    near = MEANING | {"Pears": [0.0, 1.0, 0.0]}
    (documents / "more.md").write_text("# More\n\n## Pears\n\nPears too.\n\n## Apples\n\nApples keep in the cellar.\n")
    async with opened(folder, ledger, Placed(near), similarity=1.0) as knowledge:
        await knowledge.ingest([documents])
        assert (await knowledge.search("Do Apples keep in the cellar?", knowledge=["default"])).answerable
        unsaid = await knowledge.search("Apples: orchard ladders for tractor repair?", knowledge=["default"])
        assert not unsaid.answerable
        assert unsaid.similarity == pytest.approx(1.0)
        assert unsaid.nearest[0].score == pytest.approx(unsaid.coverage)
    async with opened(folder, ledger, Placed(near), similarity=0.5) as knowledge:
        assert (await knowledge.search("Apples: orchard ladders for tractor repair?", knowledge=["default"])).answerable


async def test_passages_in_the_language_of_the_question_come_first(
    folder: DataFolder, ledger: Ledger, documents: Path
) -> None:
    (documents / "zh.md").write_text("# 水果\n\n## 苹果\n\n苹果在九月收获。\n", encoding="utf-8")
    async with opened(folder, ledger, Placed(MEANING), similarity=0.5) as knowledge:
        await knowledge.ingest([documents])
        assert await headings(knowledge, "orchard, when?") == ["Apples", "苹果"]
        assert await headings(knowledge, "orchard几月收获？") == ["苹果", "Apples"]


async def test_the_limit_is_kept(knowledge: Knowledge, documents: Path) -> None:
    (documents / "fruit.md").write_text("".join(f"# Apples {n}\n\napples\n\n" for n in range(30)))
    await knowledge.ingest([documents])
    for limit, expected in ((None, Grounding().passages), (2, 2), (0, 0)):
        found = await knowledge.search("apples", knowledge=["default"], limit=limit)
        assert len(found.passages) == expected
        assert found.answerable


class Gated(HashedEmbeddings):
    """Stops at the second batch, until it is let through."""

    def __init__(self) -> None:
        super().__init__(64)
        self.calls = 0
        self.stopped = anyio.Event()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls += 1
        if self.calls == 2:
            anyio.from_thread.run_sync(self.stopped.set)
            anyio.from_thread.run(anyio.sleep_forever)
        return super().embed_documents(texts)


@on_both_backends
async def test_cancelling_keeps_what_is_in_and_leaves_nothing_half_done(
    folder: DataFolder, ledger: Ledger, documents: Path
) -> None:
    embeddings = Gated()
    kinds = "".join(f"\n## Kind {n}\n\nA kind of pear.\n" for n in range(62))
    (documents / "fruit.md").write_text(FRUIT + kinds)
    async with opened(folder, ledger, embeddings) as knowledge:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(knowledge.ingest, [documents])
            await embeddings.stopped.wait()
            assert await headings(knowledge, "apples harvested") == ["Apples"]
            assert await headings(knowledge, "台风登陆") == []
            tasks.cancel_scope.cancel()
        assert [document.title for document in await knowledge.documents()] == ["Fruit"]
        rows = await ledger.read(lambda c: c.execute("SELECT count(*) FROM documents").fetchone()[0])
        assert rows == 1
        outcomes = [file.outcome for file in (await knowledge.ingest([documents])).files]
        assert outcomes == ["unchanged", "added"]


class Breaking(HashedEmbeddings):
    """Fails as a lost server does."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise ConnectionError


async def test_a_failing_engine_stops_the_ingestion_and_leaves_nothing(
    folder: DataFolder, ledger: Ledger, documents: Path
) -> None:
    async with opened(folder, ledger, Breaking()) as knowledge:
        with pytest.raises(ConnectionError):
            await knowledge.ingest([documents])
        assert await knowledge.knowledge_bases() == ()


async def test_a_full_disk_keeps_what_is_in(knowledge: Knowledge, ledger: Ledger, documents: Path) -> None:
    def pages(connection_limit: int) -> str:
        return f"PRAGMA max_page_count = {connection_limit}"

    await knowledge.ingest([documents])
    there = await ledger.read(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    (documents / "long.txt").write_text("\n\n".join(f"Paragraph {n} of a long text." * 20 for n in range(300)))
    await ledger.read(lambda c: c.execute(pages(there + 10)).fetchone())
    with pytest.raises(DataFolderUnwritable):
        await knowledge.ingest([documents])
    assert await headings(knowledge, "apples harvested") == ["Apples"]
    assert len(await knowledge.documents()) == 2
    await ledger.read(lambda c: c.execute(pages(1_000_000)).fetchone())
    assert (await knowledge.ingest([documents])).count("added") == 1


@on_both_backends
async def test_a_search_during_a_replacement_sees_the_old_or_the_new(
    folder: DataFolder, ledger: Ledger, documents: Path
) -> None:
    seen: set[str] = set()
    async with opened(folder, ledger, HashedEmbeddings(64)) as knowledge:
        await knowledge.ingest([documents])

        async def watch() -> None:
            while True:
                found = (await knowledge.search("when are apples harvested", knowledge=["default"])).passages
                assert len(found) == 1
                seen.add(found[0].text.split()[-1])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            for month in ("October.", "November.", "December."):
                (documents / "fruit.md").write_text(FRUIT.replace("September.", month))
                await knowledge.ingest([documents])
            tasks.cancel_scope.cancel()
    assert seen <= {"September.", "October.", "November.", "December."}
    assert len(seen) > 1


async def test_vectors_without_a_document_are_not_found(
    knowledge: Knowledge, folder: DataFolder, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(self: VectorIndex, base: int, ids: object) -> None:
        pass

    await knowledge.ingest([documents])
    with monkeypatch.context() as patched:
        patched.setattr(VectorIndex, "delete", nothing)
        await knowledge.remove("Fruit", knowledge="default")
    assert await headings(knowledge, "apples harvested") == []
