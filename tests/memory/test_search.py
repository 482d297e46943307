"""Search over real parts: SQLite, Chroma and hashed n-grams; where order matters, with a reranker of the test's own."""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import pytest

from configs.errors import EngineUnavailable
from configs.settings import Grounding, Limits
from memory import catalogue
from memory.folder import DataFolder
from memory.index import open_index
from memory.knowledge import open_knowledge
from memory.ledger import Ledger
from memory.reranking import Reranker
from memory.search import Searcher, fuse
from models.engines.hashed import HashedEmbeddings

APPLES = """
# Apples

## Harvest

Apples are harvested in September.

## In the cellar

Apples that are harvested late keep for five months in a cool cellar.
"""
QUESTION = "When are apples harvested?"


def test_ranks_are_fused_as_cormack_and_others_define_it() -> None:
    # Reciprocal rank fusion with k = 60: the sum of 1 / (60 + rank).
    assert fuse([[7, 8], [9, 7]]) == pytest.approx({7: 1 / 61 + 1 / 62, 8: 1 / 62, 9: 1 / 61})


def test_what_both_find_comes_before_what_one_finds() -> None:
    scores = fuse([[1, 2, 3, 4], [5, 6, 7, 4]])
    assert max(scores, key=lambda number: scores[number]) == 4


def test_nothing_found_is_nothing() -> None:
    assert fuse([[], []]) == {}


class Backwards:
    """Likes best what it is given last."""

    async def rank(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        return [float(place) for place in range(len(texts))]


class Away:
    """Cannot be reached."""

    async def rank(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        raise EngineUnavailable("the reranker is away", "Start it.")


Opened = Callable[[Reranker | None, Grounding], tuple[Searcher, list[int]]]


@pytest.fixture
async def opened(ledger: Ledger, folder: DataFolder, tmp_path: Path) -> AsyncGenerator[Opened, None]:
    """Makes searchers over a document on apples, and one whose only section is in several passages."""
    (tmp_path / "apples.md").write_text(APPLES, encoding="utf-8")
    days = (f"On day {day} we read {day * 7} pages of the long book and drank cocoa." for day in range(1, 36))
    (tmp_path / "diary.txt").write_text(f"The diary.\n\n{' '.join(days)}", encoding="utf-8")
    embeddings = HashedEmbeddings(256)
    async with (
        open_index(folder.index) as index,
        open_knowledge(ledger, index, embeddings, Grounding(), Limits()) as knowledge,
    ):
        await knowledge.ingest([tmp_path / "apples.md", tmp_path / "diary.txt"])
        bases = list((await ledger.read(catalogue.knowledge_bases)).values())
        yield lambda reranker, grounding: (Searcher(ledger, index, embeddings, grounding, None, reranker), bases)


@pytest.mark.anyio
async def test_a_reranker_has_the_last_word_on_the_order(opened: Opened) -> None:
    searcher, bases = opened(None, Grounding())
    plain = await searcher.search(QUESTION, bases, 5)
    assert [passage.heading for passage in plain.passages] == ["Harvest", "In the cellar"]
    searcher, bases = opened(Backwards(), Grounding())
    ranked = await searcher.search(QUESTION, bases, 5)
    assert {passage.id for passage in ranked.passages} == {passage.id for passage in plain.passages}
    assert [passage.id for passage in ranked.passages] != [passage.id for passage in plain.passages]


@pytest.mark.anyio
async def test_a_reranker_that_fails_is_told_and_asked_only_where_something_was_found(opened: Opened) -> None:
    searcher, bases = opened(Away(), Grounding())
    with pytest.raises(EngineUnavailable):
        await searcher.search(QUESTION, bases, 5)
    assert not (await searcher.search("Who is the president of France?", bases, 5)).answerable


@pytest.mark.anyio
async def test_a_part_of_a_section_is_read_with_the_parts_beside_it(opened: Opened, tmp_path: Path) -> None:
    text = (tmp_path / "diary.txt").read_text(encoding="utf-8")
    question = "How many pages did we read on day 3?"
    alone, wide = [
        (await opened(None, Grounding(neighbours=reach))[0].search(question, opened(None, Grounding())[1], 1)).passages[
            0
        ]
        for reach in (0, 1)
    ]
    assert alone.matched is None
    assert wide.matched == (alone.start, alone.end)
    assert wide.start <= alone.start < alone.end < wide.end
    assert wide.text == text[wide.start : wide.end]


@pytest.mark.anyio
@pytest.mark.parametrize("rankers", ["lexical", "dense"])
async def test_either_search_can_be_left_out(opened: Opened, rankers: str) -> None:
    searcher, bases = opened(None, Grounding())
    found = await searcher.search(QUESTION, bases, 5, "lexical" if rankers == "lexical" else "dense")
    assert (found.similarity is None) is (rankers == "lexical")
    assert found.passages[0].document == "Apples"
