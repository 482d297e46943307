"""Which memories answer a question, and in which order; which questions none answers."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import settings
from memory.chunking import estimate_tokens
from memory.folder import DataFolder
from memory.index import VectorIndex, open_index
from memory.ledger import Ledger
from memory.memories import Memories, Memory, Recollection
from memory.recollection import fitting
from models.engines.hashed import HashedEmbeddings
from tests.memory.test_memories import NOON, NORA, TOM, fact, told, turn

pytestmark = pytest.mark.anyio

LATER = NOON + timedelta(days=30)


@pytest.fixture
async def index(folder: DataFolder) -> AsyncGenerator[VectorIndex, None]:
    async with open_index(folder.index) as index:
        yield index


@pytest.fixture
async def memories(ledger: Ledger, index: VectorIndex) -> Memories:
    return Memories(ledger, index, HashedEmbeddings(64), settings.Memory())


SAID = (
    "I live in Leeds.",
    "My cat is called Milo.",
    "My sister Imogen lives in Bristol.",
    "I'm allergic to peanuts.",
    "I work as a nurse at the children's hospital.",
    "My birthday is on the third of June.",
    "My husband drives a red car.",
    "我住在苏州，离老城很近。",
    "我养了一只狗，名字叫旺财。",
    "我妈妈住在扬州。",
    "我最喜欢的水果是杨梅。",
    "我女儿今年五岁，小名叫糖糖。",
)
ANSWERS = (
    ("What is the name of my cat?", "Milo"),
    ("what's my cat called", "Milo"),
    ("Which pets do I have?", "旺财"),
    ("Where does my sister live?", "Bristol"),
    ("What am I allergic to?", "peanuts"),
    ("what do I do for a living", "nurse"),
    ("where do I work", "nurse"),
    ("When was I born?", "June"),
    ("what colour is my husband's car", "red"),
    ("我的狗叫什么名字？", "旺财"),
    ("我家里有什么宠物", "旺财"),
    ("我妈妈住在哪个城市", "扬州"),
    ("我喜欢吃什么水果？", "杨梅"),
    ("我女儿几岁了", "五岁"),
    ("我的猫叫什么名字", "Milo"),
    ("How old is my daughter?", "五岁"),
)
UNANSWERED = (
    "What is my rabbit called?",
    "What's my brother's name?",
    "What is my wife's job?",
    "How tall am I?",
    "What's the weather like?",
    "我儿子叫什么？",
    "我哥哥住在哪里？",
    "我的电话号码是多少？",
    "我血型是什么",
    "the",
    "吗？",
    "",
)


@pytest.fixture
async def filled(ledger: Ledger, memories: Memories) -> Memories:
    await told(ledger, memories, *(turn(number, text) for number, text in enumerate(SAID, 1)))
    await told(ledger, memories, turn(99, "My rabbit is called Hops and my brother's name is Jim.", TOM))
    return memories


def texts(found: Recollection) -> list[str]:
    return [memory.text for memory in found.memories]


async def test_a_question_finds_what_was_said_in_other_words(filled: Memories) -> None:
    wrong = {}
    for question, answer in ANSWERS:
        found = await filled.recall(NORA, question, now=LATER)
        if not (found.answerable and answer in texts(found)[0]):
            wrong[question] = texts(found)
    assert wrong == {}


async def test_what_was_never_said_is_not_answered(filled: Memories) -> None:
    wrong = {}
    for question in UNANSWERED:
        found = await filled.recall(NORA, question, now=LATER)
        if found.answerable or found.memories:
            wrong[question] = texts(found)
    assert wrong == {}


async def test_somebody_elses_home_is_not_mine(ledger: Ledger, memories: Memories) -> None:
    others = (
        "My sister lives in Bristol.",
        "Hazel is allergic to walnuts.",
        "我妈妈住在扬州。",
        "他叫阿磊，在成都上班。",
    )
    await told(ledger, memories, *(turn(number, text) for number, text in enumerate(others, 1)))
    for question in ("Where do I live?", "what am I allergic to", "我住在哪里？", "我在哪里上班"):
        assert texts(await memories.recall(NORA, question, now=LATER)) == []


async def test_the_last_word_comes_first(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "I moved to York."), turn(3, "我搬到杭州了。"))
    for question in ("Where do I live?", "where is my home now", "我现在住在哪里？"):
        found = texts(await memories.recall(NORA, question, now=LATER))
        assert found == ["我搬到杭州了。", "I moved to York.", "I live in Leeds."]


async def test_the_past_is_what_held_before(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "I moved to York."))
    for question in ("Where did I live before?", "where did I use to live in the past", "我以前住在哪里？"):
        assert texts(await memories.recall(NORA, question, now=LATER))[0] == "I live in Leeds."


async def test_a_fact_that_has_ended_answers_only_about_the_past(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, turn(1, "My office is in Leeds, you see."), turn(2, "It is in York from now on."))
    (old,) = await memories.add_facts(NORA, [fact(1, "Works in Leeds", "in Leeds")], upto=["t1"])
    await memories.add_facts(NORA, [fact(2, "Works in York", "in York", replaces=(old.id,))], upto=["t2"])
    now = texts(await memories.recall(NORA, "Where do I work?", now=LATER))
    assert "Works in York" in now
    assert "Works in Leeds" not in now
    assert "Works in Leeds" in texts(await memories.recall(NORA, "Where did I work before?", now=LATER))


async def test_a_time_narrows_to_what_was_said_then(ledger: Ledger, memories: Memories) -> None:
    said = [(1, "I want to travel to Orkney."), (2, "I want to travel to Wales.")]
    for days, (number, text) in zip((0, 61), said, strict=True):
        await told(ledger, memories, replace(turn(number, text), created_at=NOON + timedelta(days=days)))
    now = NOON + timedelta(days=64)
    for question, answer in (
        ("Where did I want to travel in March?", "Orkney"),
        ("三月我想去哪里旅行？", "Orkney"),
        ("where did I want to travel three days ago", "Wales"),
        ("What did I say in March?", "Orkney"),
    ):
        assert texts(await memories.recall(NORA, question, now=now)) == [f"I want to travel to {answer}."]
    assert not (await memories.recall(NORA, "What did I say yesterday?", now=now)).answerable


async def test_a_time_that_something_takes_place_is_no_time_of_saying(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, turn(1, "In February I'm going to sing in the opera."))
    now = NOON + timedelta(days=365)
    assert texts(await memories.recall(NORA, "What do I sing in February?", now=now))


async def test_turns_that_are_seen_anyway_are_left_out(ledger: Ledger, memories: Memories) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "I live in York."))
    await memories.add_facts(NORA, [fact(2, "Lives in York", "live in York")], upto=["t2"])
    assert texts(await memories.recall(NORA, "Where do I live?", without=["t2"], now=LATER)) == ["I live in Leeds."]
    assert not (await memories.recall(NORA, "Where do I live?", without=["t1", "t2"], now=LATER)).answerable


async def test_a_reply_answers_only_where_it_is_asked_for(ledger: Ledger, memories: Memories) -> None:
    await told(
        ledger,
        memories,
        turn(1, "Recommend a film.", reply="Watch Ikiru, a film by Kurosawa.", rests_on="model"),
        turn(2, "What is my dog called?", reply="I don't know what your dog is called.", rests_on="model"),
    )
    found = await memories.recall(NORA, "Which film did you recommend?", now=LATER)
    assert [memory.reply for memory in found.memories] == ["Watch Ikiru, a film by Kurosawa."]
    assert not (await memories.recall(NORA, "What is my dog called?", now=LATER)).answerable
    assert not (await memories.recall(NORA, "Which films do I like?", now=LATER)).answerable


async def test_users_never_see_each_others(filled: Memories) -> None:
    assert texts(await filled.recall(TOM, "What is my rabbit called?", now=LATER))
    for question, _ in ANSWERS:
        assert not any(text in SAID for text in texts(await filled.recall(TOM, question, now=LATER)))


class Meaning(HashedEmbeddings):
    """Embeddings to which everything about felines is the same."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0, 0.0] if {"tomcat", "moggy"} & set(text.lower().split()) else [0.0, 1.0] for text in texts]


async def test_what_is_near_in_meaning_answers_with_embeddings_that_know_it(ledger: Ledger, index: VectorIndex) -> None:
    for similarity, answerable in ((0.6, True), (1.0, False), (None, False)):
        memories = Memories(ledger, index, Meaning(2), settings.Memory(), similarity=similarity)
        await told(ledger, memories, turn(1, "There sits a moggy today."), turn(2, "It rained on the parade."))
        found = await memories.recall(NORA, "Whose tomcat was it?", now=LATER)
        assert found.answerable is answerable
        assert found.similarity == pytest.approx(1.0)
        assert texts(found) == (["There sits a moggy today."] if answerable else [])


async def test_recall_does_not_wait_for_vectors_that_are_being_made(ledger: Ledger, index: VectorIndex) -> None:
    memories = Memories(ledger, index, HashedEmbeddings(64), settings.Memory())
    await told(ledger, memories, turn(1, "I live in Leeds."))
    async with memories.reindexable():
        with anyio.fail_after(5):
            assert (await memories.recall(NORA, "Where do I live?", now=LATER)).answerable


MEMORY = Memory(1, "turn", "", "", "", "t", "", 3, "en", datetime(2026, 1, 1, tzinfo=UTC), None)


@given(
    st.lists(st.tuples(st.text(max_size=400), st.text(max_size=400)), max_size=30),
    st.integers(1, 20),
    st.floats(50, 1000),
)
def test_never_more_than_may_be_given(words: list[tuple[str, str]], items: int, tokens: float) -> None:
    memories = [replace(MEMORY, id=n, text=text, reply=reply) for n, (text, reply) in enumerate(words)]
    kept = fitting(memories, items, tokens)
    assert len(kept) <= items
    assert sum(estimate_tokens(one.text) + estimate_tokens(one.reply) for one in kept) <= tokens
    assert [one.id for one in kept] == sorted(one.id for one in kept)
    assert bool(kept) == bool(words)


async def test_a_recollection_is_no_larger_than_the_settings_say(ledger: Ledger, index: VectorIndex) -> None:
    memories = Memories(ledger, index, HashedEmbeddings(64), settings.Memory(items=3, tokens=50))
    await told(
        ledger, memories, *(turn(n, f"My cat number {n} is called Milo, {'and so on, ' * n}yes.") for n in range(1, 9))
    )
    found = await memories.recall(NORA, "What is my cat called?", now=LATER)
    assert 0 < len(found.memories) <= 3
    assert sum(estimate_tokens(memory.text) for memory in found.memories) <= 50
