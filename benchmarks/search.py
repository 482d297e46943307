"""Knowledge search at ten thousand passages, and how fast they get there."""

import random
import time
from pathlib import Path

from agent.store import open_store
from benchmarks.figures import Figure, spread
from configs.settings import load_settings

DOCUMENTS = 100
PASSAGES = 100
"""In each document."""
SEED = 7
PAGE = 1800
"""Characters: a standard page."""


async def measure(folder: Path) -> list[Figure]:
    """Ingests generated documents in both languages, then asks two hundred questions."""
    chance = random.Random(SEED)
    documents = folder / "documents"
    documents.mkdir(parents=True)
    for number in range(DOCUMENTS):
        (documents / f"{number}.md").write_text(_document(number, chance), encoding="utf-8")
    settings = load_settings(data=folder / "data", embeddings={"engine": "hashed"})
    async with open_store(settings) as store:
        began = time.perf_counter()
        await store.knowledge.ingest([documents])
        taken = time.perf_counter() - began
        waits = []
        for _ in range(200):
            began = time.perf_counter()
            await store.knowledge.search(_question(chance), knowledge=["default"])
            waits.append((time.perf_counter() - began) * 1000)
    total, characters = DOCUMENTS * PASSAGES, sum(len(_document(n, random.Random(SEED))) for n in range(DOCUMENTS))
    return [
        Figure(
            "ingestion",
            f"{total / taken:.0f} passages/s, {characters / PAGE / taken:.0f} pages/s",
            "",
            f"{total} passages, a page of {PAGE} characters, hashed embeddings",
        ),
        Figure("knowledge search", spread(waits[10:]), "", f"{total} passages, dense and lexical, both languages"),
    ]


WORDS = (
    "travel budget office garden river copper window letter engine market signal winter harbour ticket " * 3
).split()
CHARACTERS = "员工手册规定每年假期报销流程办公室设备安全培训出差补贴合同期限通知会议记录项目预算客户服务质量管理标准"


def _document(number: int, chance: random.Random) -> str:
    sections = []
    for section in range(PASSAGES):
        if number % 2:
            body = "".join(chance.choice(CHARACTERS) for _ in range(180)) + f"编号{number}之{section}。"
        else:
            body = " ".join(f"{chance.choice(WORDS)}{chance.randrange(400)}" for _ in range(90)) + "."
        sections.append(f"## Section {section}\n\n{body}\n")
    return f"# Document {number}\n\n" + "\n".join(sections)


def _question(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return "".join(chance.choice(CHARACTERS) for _ in range(10)) + "是什么？"
    return "what about " + " ".join(f"{chance.choice(WORDS)}{chance.randrange(400)}" for _ in range(5))
