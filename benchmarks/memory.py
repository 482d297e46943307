"""Recall at a thousand, ten thousand and a hundred thousand memories of one user, and how long forgetting takes."""

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from agent.store import Store, open_store
from benchmarks.figures import Figure, spread
from configs.settings import load_settings
from memory.memories import Space
from memory.turns import StoredTurn

SIZES: Final = (1_000, 10_000, 100_000)
FORGOTTEN: Final = 10_000
SEED: Final = 7
BEGINNING: Final = datetime(2024, 1, 1, tzinfo=UTC)


async def measure(folder: Path) -> list[Figure]:
    """Remembers generated statements in both languages, asks two hundred questions at each size, then forgets."""
    chance = random.Random(SEED)
    space, other = Space("owner"), Space("guest")
    figures: list[Figure] = []
    async with open_store(load_settings(data=folder / "data", embeddings={"engine": "hashed"})) as store:
        done = 0
        for size in SIZES:
            began = time.perf_counter()
            await _say(store, space, done, size, chance)
            taken = time.perf_counter() - began
            figures.append(await _recall(store, space, size, chance))
            rate = f"{(size - done) / taken:.0f} turns/s"
            done = size
        figures.append(Figure("remembering", rate, "", f"{SIZES[-2]} to {SIZES[-1]} memories, hashed embeddings"))
        await _say(store, other, SIZES[-1], SIZES[-1] + FORGOTTEN, chance)
        figures.append(await _forget_one(store, space))
        began = time.perf_counter()
        gone = await store.memories.forget_all(other.user)
        taken = time.perf_counter() - began
    figures.append(Figure("forgetting a user", f"{taken:.2f} s", "< 1 s", f"{gone.memories} memories, off the disk"))
    return figures


async def _say(store: Store, space: Space, first: int, end: int, chance: random.Random) -> None:
    for at in range(first, end, 1000):
        turns = [_turn(number, space, chance) for number in range(at, min(at + 1000, end))]
        await store.turns.add(*turns)
        await store.memories.catch_up()


async def _recall(store: Store, space: Space, size: int, chance: random.Random) -> Figure:
    waits = []
    for number in range(210):
        question = _question(number, chance)
        began = time.perf_counter()
        await store.memories.recall(space, question)
        waits.append((time.perf_counter() - began) * 1000)
    return Figure("recall", spread(waits[10:]), "p95 < 30 ms", f"{size} memories of one user, both languages")


async def _forget_one(store: Store, space: Space) -> Figure:
    (newest,) = await store.memories.list(space, limit=1)
    began = time.perf_counter()
    await store.memories.forget(space, [newest.id])
    return Figure(
        "forgetting one", f"{time.perf_counter() - began:.2f} s", "", f"of {SIZES[-1]} memories, off the disk"
    )


THINGS: Final = (
    *("bicycle", "garden", "kettle", "piano", "ladder", "lantern", "cousin"),
    *("neighbour", "teacher", "dentist", "sister", "ticket", "jacket"),
)
PLACES: Final = (
    *("Leeds", "York", "Bristol", "Oslo", "Turin", "Lyon"),
    *("Porto", "Ghent", "Basel", "Vienna", "Bergen", "Cork"),
)
NOUNS: Final = (
    "自行车",
    "花园",
    "茶壶",
    "钢琴",
    "梯子",
    "灯笼",
    "表哥",
    "邻居",
    "老师",
    "牙医",
    "妹妹",
    "车票",
    "外套",
)
CITIES: Final = ("苏州", "杭州", "扬州", "青岛", "大连", "成都", "重庆", "昆明", "桂林", "西安", "洛阳", "厦门")


def _turn(number: int, space: Space, chance: random.Random) -> StoredTurn:
    zh = number % 2
    thing, place, code = chance.choice(NOUNS if zh else THINGS), chance.choice(CITIES if zh else PLACES), number % 5000
    said = (
        f"我的{thing}在{place}，编号是{code}。" if zh else f"My {thing} from {place} has the number {code}, I like it."
    )
    return StoredTurn(
        id=f"{space.user}-{number}",
        conversation="bench",
        user=space.user,
        persona="default",
        question=said,
        reply="",
        heard="",
        outcome="completed",
        language="zh" if zh else "en",
        citations=(),
        timings_ms={},
        created_at=BEGINNING + timedelta(minutes=10 * number),
        memory=space.persona,
    )


def _question(number: int, chance: random.Random) -> str:
    code = chance.randrange(5000)
    if number % 2:
        return f"我在{chance.choice(CITIES)}的{chance.choice(NOUNS)}编号是{code}吗？"
    return f"which {chance.choice(THINGS)} from {chance.choice(PLACES)} has the number {code}, and do I like it?"
