"""`tingshuo knowledge`: what the knowledge bases hold, what they find, taking documents out, indexing anew."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

from agent.store import open_store
from api.knowledge_json import as_json, found_json
from api.question import check_names, check_question, words
from api.safe_text import safe
from api.terminal.screen import NO_DOCUMENTS, console, note, place, print_json, quote
from configs.settings import Settings
from memory.knowledge import Retrieval, StoredDocument
from memory.reindexing import ReindexProgress


async def list_documents(settings: Settings, *, json: bool) -> None:
    """Prints all documents, by knowledge base."""
    async with open_store(settings) as store:
        documents = await store.knowledge.documents()
    if json:
        print_json([as_json(document) for document in documents])
    elif not documents:
        note(NO_DOCUMENTS)
    for base in () if json else dict.fromkeys(document.knowledge for document in documents):
        console().print(safe(base), style="bold")
        for document in documents:
            if document.knowledge == base:
                size = f"{document.characters} characters, {document.passages} passages"
                console().print(f"  {safe(document.title)}  ({size})  {_source(document)}")


async def search(settings: Settings, question: str, knowledge: Sequence[str], limit: int | None, *, json: bool) -> None:
    """Prints the passages that answer, and whether they are enough to answer from."""
    check_names(knowledge=knowledge)
    question = words(question)
    check_question(question, settings.limits.question_characters)
    async with open_store(settings) as store:
        found = await store.knowledge.search(question, knowledge=knowledge or ["default"], limit=limit)
    if json:
        print_json(found_json(found))
        return
    out = console()
    verdict = "The documents answer this" if found.answerable else "The documents do not answer this"
    out.print(f"{verdict} ({_measures(found)}).", style="bold")
    for passage in found.passages:
        where = f"{safe(place(passage))}  [{passage.start}:{passage.end}]"
        out.print(f"{passage.score:.2f}  {where}")
        out.print(f"      {quote(passage.text)}", style="dim")


async def remove(settings: Settings, document: str | None, knowledge: str) -> None:
    """Takes one document out, or with None all of them, and says which."""
    check_names(knowledge=[knowledge])
    async with open_store(settings) as store:
        gone = await store.knowledge.remove(document, knowledge=knowledge)
    for removed in gone:
        console().print(f"removed {safe(removed.title)}  {_source(removed)}")


async def reindex(settings: Settings, knowledge: Sequence[str]) -> None:
    """Makes the vectors of knowledge bases, or of all, anew with the best embeddings that are ready, and says so."""
    async with open_store(settings, reindexing=True) as store:
        note(f"Embedding with {store.embeddings.engine} {store.embeddings.model}".rstrip())
        async with store.memories.reindexable() as memories:
            with _bar() as draw:
                done = await store.knowledge.reindex(knowledge, others=memories, progress=draw)
    if done.aside:
        note(f"The damaged vector index now lies in {done.aside}; it may be deleted.")
    if not done.done:
        note(NO_DOCUMENTS)
    for one in done.done:
        models = one.model if one.before in (None, one.model) else f"{one.before} -> {one.model}"
        what = "passages" if one.of == "knowledge_base" else "memories"
        console().print(f"{safe(one.name)}: {one.texts} {what} reindexed ({safe(models)})")


@contextmanager
def _bar() -> Generator[Callable[[ReindexProgress], None], None, None]:
    """A progress bar on standard error, where that is a terminal."""
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("Reading…", total=None)

        def draw(progress: ReindexProgress) -> None:
            name = safe(progress.name).replace("[", "\\[")
            bar.update(task, description=name, completed=progress.texts, total=progress.of_texts)

        yield draw


def _measures(found: Retrieval) -> str:
    similarity = "" if found.similarity is None else f", similarity {found.similarity:.2f}"
    return f"coverage {found.coverage:.2f}{similarity}"


def _source(document: StoredDocument) -> str:
    return f"uploaded as {safe(document.source)}" if document.uploaded else safe(document.source)
