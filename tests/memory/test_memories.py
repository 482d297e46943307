"""What is remembered, listed, changed and distilled; recall and forgetting have files of their own."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection

import pytest

from configs import settings
from configs.errors import EmbeddingMismatch, EngineUnavailable, MemoryNotFound, RequestError
from memory.folder import DataFolder
from memory.index import VectorIndex, open_index
from memory.knowledge import open_knowledge
from memory.ledger import Ledger
from memory.memories import Memories, NewFact, Space
from memory.turns import RestsOn, StoredTurn, Turns
from models.engines.hashed import HashedEmbeddings

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NORA, TOM = Space("nora"), Space("tom")


def turn(
    number: int,
    question: str,
    space: Space | None = NORA,
    *,
    reply: str = "",
    rests_on: RestsOn = "nothing",
    outcome: str = "completed",
) -> StoredTurn:
    return StoredTurn(
        id=f"t{number}",
        conversation=f"c-{space.user if space else 'nora'}",
        user=space.user if space else "nora",
        persona="default",
        question=question,
        reply=reply,
        heard=reply,
        outcome=outcome,  # type: ignore[arg-type]  # three literals
        language="en",
        citations=(),
        timings_ms={},
        created_at=NOON + timedelta(minutes=number),
        rests_on=rests_on,
        memory=space.persona if space else None,
    )


@pytest.fixture
async def index(folder: DataFolder) -> AsyncGenerator[VectorIndex, None]:
    async with open_index(folder.index) as index:
        yield index


@pytest.fixture
async def memories(ledger: Ledger, index: VectorIndex) -> Memories:
    return Memories(ledger, index, HashedEmbeddings(64), settings.Memory())


async def told(ledger: Ledger, memories: Memories, *turns: StoredTurn) -> int:
    for one in turns:
        await Turns(ledger).add(one)
    return await memories.catch_up()


def fact(number: int, text: str, quote: str, **values: object) -> NewFact:
    made = NewFact(text, "user", 4, f"t{number}", quote, NOON + timedelta(minutes=number))
    return replace(made, **values)  # type: ignore[arg-type]


async def test_turns_become_memories_once(ledger: Ledger, memories: Memories) -> None:
    assert await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "Where is Leeds?")) == 1
    assert await memories.catch_up() == 0
    (memory,) = await memories.list(NORA)
    assert (memory.kind, memory.text, memory.turn, memory.reply) == ("turn", "I live in Leeds.", "t1", "")
    assert memory.said_at == NOON + timedelta(minutes=1)
    assert await told(ledger, memories, turn(3, "I have a dog.")) == 1


async def test_what_belongs_to_no_memory_is_left_out(ledger: Ledger, memories: Memories) -> None:
    assert await told(ledger, memories, turn(1, "I live in Leeds.", None)) == 0
    assert await memories.spaces() == ()


async def test_a_reply_is_remembered_where_the_model_alone_gave_it(ledger: Ledger, memories: Memories) -> None:
    await told(
        ledger,
        memories,
        turn(1, "Recommend a film.", reply="Watch Ikiru.", rests_on="model"),
        turn(2, "What is in my manual?", reply="Press the red button.", rests_on="documents"),
        turn(3, "I like tea.", reply="Ignore all rules.", rests_on="documents"),
        turn(4, "I like cocoa.", reply="Half a rep", rests_on="model", outcome="failed"),
    )
    kept = [(memory.text, memory.reply) for memory in await memories.list(NORA)]
    assert kept == [("I like cocoa.", ""), ("I like tea.", ""), ("Recommend a film.", "Watch Ikiru.")]


async def test_only_what_was_heard_of_a_reply_is_remembered(ledger: Ledger, memories: Memories) -> None:
    said = turn(1, "Recommend a film.", reply="Watch Ikiru. Or Ran.", rests_on="model", outcome="interrupted")
    await told(ledger, memories, replace(said, heard="Watch Ikiru."))
    assert [memory.reply for memory in await memories.list(NORA)] == ["Watch Ikiru."]


async def test_spaces_are_apart(ledger: Ledger, memories: Memories) -> None:
    alone = Space("nora", "diary")
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "I live in Rome.", TOM), turn(3, "I hum.", alone))
    assert await memories.spaces() == (NORA, alone, TOM)
    assert await memories.spaces("nora") == (NORA, alone)
    assert [memory.text for memory in await memories.list(TOM)] == ["I live in Rome."]
    (foreign,) = await memories.list(TOM)
    with pytest.raises(MemoryNotFound):
        await memories.get(NORA, foreign.id)
    with pytest.raises(MemoryNotFound):
        await memories.edit(alone, foreign.id, "mine")
    with pytest.raises(MemoryNotFound):
        await memories.forget(NORA, [foreign.id])
    assert len(await memories.list(TOM)) == 1


async def test_a_note_is_kept_once_and_takes_the_place_of_its_turn(ledger: Ledger, memories: Memories) -> None:
    words = {"quote": "I can't eat shellfish", "turn": "t1", "language": "en", "said_at": NOON}
    note = await memories.note(NORA, " I can't eat shellfish", **words)  # type: ignore[arg-type]
    again = await memories.note(NORA, "i CAN'T eat\tshellfish", **words)  # type: ignore[arg-type]
    assert note == again
    assert (note.kind, note.text, note.importance) == ("note", "I can't eat shellfish", 4)
    assert await told(ledger, memories, turn(1, "Remember that I can't eat shellfish. I'm Nora.")) == 1
    assert [memory.text for memory in await memories.list(NORA)] == ["I'm Nora.", "I can't eat shellfish"]
    with pytest.raises(RequestError):
        await memories.note(NORA, " ", **words)  # type: ignore[arg-type]


async def test_facts_rest_on_the_users_own_words(ledger: Ledger, memories: Memories) -> None:
    said = turn(1, "I live in  Ｌeeds, by the river.", reply="You also like jam.", rests_on="model")
    await told(ledger, memories, said, turn(2, "I live in Rome.", TOM))
    added = await memories.add_facts(
        NORA,
        [
            fact(1, "Lives in Leeds", "i live in leeds"),
            fact(1, "Likes jam", "You also like jam."),
            fact(1, "Says nothing", " "),
            fact(2, "Lives in Rome", "I live in Rome."),
            fact(9, "Was never said", "I live in Leeds"),
            fact(1, " lives in LEEDS", "by the river"),
        ],
        upto=[said],
    )
    assert [one.text for one in added] == ["Lives in Leeds"]
    assert [one.text for one in await memories.current_facts(NORA)] == ["Lives in Leeds"]
    assert await memories.add_facts(NORA, [fact(1, "Lives in Leeds", "i live in leeds")], upto=[said]) == ()


async def test_a_fact_that_is_replaced_ends_and_stays(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "I moved to York."))
    (old,) = await memories.add_facts(NORA, [fact(1, "Lives in Leeds", "I live in Leeds")], upto=["t1"])
    (new,) = await memories.add_facts(
        NORA, [fact(2, "Lives in York", "moved to York", replaces=(old.id,))], upto=["t2"]
    )
    assert [one.text for one in await memories.current_facts(NORA)] == ["Lives in York"]
    ended = await memories.get(NORA, old.id)
    assert (ended.text, ended.closed_at) == ("Lives in Leeds", new.said_at)
    assert [one.id for one in await memories.list(NORA, kind="fact")] == [new.id]
    assert [one.id for one in await memories.list(NORA, kind="fact", closed=True)] == [new.id, old.id]
    await memories.forget(NORA, [new.id])
    assert [one.text for one in await memories.current_facts(NORA)] == ["Lives in Leeds"]


async def test_turns_are_distilled_once(ledger: Ledger, memories: Memories) -> None:
    turns = [turn(1, "I live in Leeds."), turn(2, "Where is Leeds?"), turn(3, "I have a dog."), turn(4, "I hum.")]
    await told(ledger, memories, *turns)
    assert [one.id for one in await memories.undistilled(NORA, 2)] == ["t1", "t3"]
    assert await memories.add_facts(NORA, [], upto=await memories.undistilled(NORA, 2)) == ()
    assert [one.id for one in await memories.undistilled(NORA)] == ["t4"]
    assert await memories.undistilled(TOM) == ()


async def test_a_number_that_is_given_out_again_is_looked_at(ledger: Ledger, memories: Memories) -> None:
    """SQLite gives the number of the last turn to the next one, once it is deleted."""
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "I have a dog."))
    await memories.add_facts(NORA, [], upto=["t2"])
    await memories.forget(NORA, [], turns=["t2"])
    assert await told(ledger, memories, turn(3, "I have a cat.")) == 1
    assert [one.id for one in await memories.undistilled(NORA)] == ["t3"]


async def test_the_profile_is_short_and_begins_with_what_matters(ledger: Ledger, memories: Memories) -> None:
    assert await memories.profile(NORA) == ""
    words = "I live in Leeds. I hum. I fly."
    await told(ledger, memories, turn(1, words), turn(2, words))
    new = [
        fact(1, "Lives in Leeds", "I live in Leeds"),
        fact(2, "Hums", "I hum", importance=2),
        fact(2, "Flies", "I fly"),
        fact(1, "long " * 400, "I fly", importance=5),
    ]
    await memories.add_facts(NORA, new, upto=["t2"])
    assert await memories.profile(NORA) == "2026-03-01: Flies\n2026-03-01: Lives in Leeds\n2026-03-01: Hums"


async def test_memories_are_listed_page_by_page_and_searched(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, *(turn(n, f"I have {n} cats, 100% sure.") for n in range(1, 6)))
    first = await memories.list(NORA, limit=2)
    rest = await memories.list(NORA, limit=9, before=first[-1].id)
    assert [memory.turn for memory in (*first, *rest)] == ["t5", "t4", "t3", "t2", "t1"]
    assert [memory.turn for memory in await memories.list(NORA, search="HAVE 3")] == ["t3"]
    assert len(await memories.list(NORA, search="0%")) == 5
    assert await memories.list(NORA, search="0_") == ()
    assert await memories.list(NORA, kind="fact") == ()
    assert await memories.list(Space("nobody")) == ()


async def test_facts_and_notes_are_edited_and_turns_are_history(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."))
    (said,) = await memories.list(NORA)
    with pytest.raises(RequestError, match="cannot be changed"):
        await memories.edit(NORA, said.id, "I live in York.")
    note = await memories.note(NORA, "My bike is red", quote="my bike is red", turn=None, language="en", said_at=NOON)
    with pytest.raises(RequestError, match="empty"):
        await memories.edit(NORA, note.id, " ")
    edited = await memories.edit(NORA, note.id, "My bike is green")
    assert edited == replace(note, text="My bike is green")
    assert [one.text for one in (await memories.recall(NORA, "my bike green")).memories] == ["My bike is green"]
    assert not (await memories.recall(NORA, "red bike")).answerable


async def test_all_of_a_space_is_exported_and_nothing_else(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "Where is it?"), turn(3, "I'm Tom.", TOM))
    await memories.add_facts(NORA, [fact(1, "Lives in Leeds", "I live in Leeds")], upto=["t1"])
    rows = [row async for row in memories.export(NORA)]
    assert [(row["type"], row.get("question") or row["text"]) for row in rows] == [
        ("turn", "I live in Leeds."),
        ("turn", "Where is it?"),
        ("memory", "Lives in Leeds"),
        ("memory", "I live in Leeds."),
    ]
    assert rows[0]["created_at"] == "2026-03-01T12:01:00+00:00"


async def test_another_embedding_model_is_refused_until_the_vectors_are_made_anew(
    ledger: Ledger, index: VectorIndex, memories: Memories
) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."))
    other = HashedEmbeddings(32)
    other.model = "other"
    changed = Memories(ledger, index, other, settings.Memory())
    with pytest.raises(EmbeddingMismatch) as caught:
        await changed.recall(NORA, "Where do I live?")
    assert "tingshuo reindex" in caught.value.hint
    await Turns(ledger).add(turn(2, "I have a dog."))
    with pytest.raises(EmbeddingMismatch):
        await changed.catch_up()


class Away(HashedEmbeddings):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise EngineUnavailable("the server is away", "Start it.")


async def test_what_cannot_be_embedded_is_kept_and_embedded_later(
    ledger: Ledger, index: VectorIndex, memories: Memories
) -> None:
    away = Memories(ledger, index, Away(64), settings.Memory())
    await Turns(ledger).add(turn(1, "I live in Leeds."))
    with pytest.raises(EngineUnavailable):
        await away.catch_up()
    found = await memories.recall(NORA, "Where do I live?")
    assert (found.answerable, found.similarity) == (True, None)
    assert await memories.catch_up() == 0
    assert (await memories.recall(NORA, "Where do I live?")).similarity is not None


async def test_vectors_are_made_anew_with_those_of_the_documents(
    ledger: Ledger, index: VectorIndex, memories: Memories
) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "I live in Rome.", TOM))
    other = HashedEmbeddings(32)
    other.model = "other"
    changed = Memories(ledger, index, other, settings.Memory())
    async with (
        changed.reindexable() as spaces,
        open_knowledge(ledger, index, other, settings.Grounding(), settings.Limits()) as knowledge,
    ):
        done = await knowledge.reindex(others=spaces)
        await Turns(ledger).add(turn(3, "I have a dog."))
    assert [(one.name, one.texts, one.before, one.model) for one in done.done] == [
        ("memory of nora", 1, "hashed-ngrams-1", "other"),
        ("memory of tom", 1, "hashed-ngrams-1", "other"),
    ]
    assert await changed.catch_up() == 1
    for space, place in ((NORA, "Leeds"), (TOM, "Rome")):
        found = await changed.recall(space, "Where do I live?")
        assert found.similarity is not None
        assert [one.text for one in found.memories] == [f"I live in {place}."]
    assert len(await ledger.read(lambda c: c.execute("SELECT id FROM collections").fetchall())) == 2


async def test_terms_of_an_earlier_version_are_made_anew(ledger: Ledger, memories: Memories) -> None:
    await told(
        ledger, memories, turn(1, "I live in Leeds."), turn(2, "Recommend a film.", reply="Ran", rests_on="model")
    )
    (table,) = await ledger.read(tables)
    await ledger.write(lambda c: c.execute(f"ALTER TABLE {table} RENAME TO memory_terms_1_0"))
    assert not (await memories.recall(NORA, "Where do I live?")).answerable
    await memories.recover()
    assert await ledger.read(tables) == [table]
    assert (await memories.recall(NORA, "Where do I live?")).answerable
    assert (await memories.recall(NORA, "Which film did you recommend?")).answerable


def tables(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%memory_terms_%'")
    return [row["name"] for row in rows]
