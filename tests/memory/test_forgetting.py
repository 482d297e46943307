"""What is forgotten is gone from every byte of the data folder, for one user and no other, whenever a kill comes."""

import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from configs import settings
from configs.errors import MemoryNotFound
from memory.folder import DataFolder
from memory.index import VectorIndex, open_index
from memory.ledger import Ledger, open_ledger
from memory.memories import Memories, Space
from memory.turns import Turns
from models.engines.hashed import HashedEmbeddings
from tests.memory.test_memories import NOON, NORA, TOM, fact, told, turn

pytestmark = pytest.mark.anyio


@pytest.fixture
async def index(folder: DataFolder) -> AsyncGenerator[VectorIndex, None]:
    async with open_index(folder.index) as index:
        yield index


@pytest.fixture
async def memories(ledger: Ledger, index: VectorIndex) -> Memories:
    return Memories(ledger, index, HashedEmbeddings(64), settings.Memory())


def stands_in(path: Path, word: str) -> list[str]:
    """The files of a folder that hold a word, in UTF-8 or UTF-16, in upper or lower case."""
    wanted = [form.encode(code) for form in (word, word.lower(), word.upper()) for code in ("utf-8", "utf-16-le")]
    files = [file for file in path.rglob("*") if file.is_file()]
    return [file.name for file in files if any(form in file.read_bytes() for form in wanted)]


async def rows(ledger: Ledger, table: str) -> int:
    return int(await ledger.read(lambda c: c.execute(f"SELECT count(*) FROM {table}").fetchone()[0]))


async def test_a_turn_takes_all_that_was_drawn_from_it(ledger: Ledger, memories: Memories, folder: DataFolder) -> None:
    await told(ledger, memories, turn(1, "My password is Rumpelstilz."), turn(2, "I live in Leeds."))
    await memories.add_facts(NORA, [fact(1, "Uses Rumpelstilz", "Rumpelstilz", subject="Rumpelstilz")], upto=["t1"])
    assert stands_in(folder.path, "Rumpelstilz")
    said = next(one for one in await memories.list(NORA, kind="turn") if one.turn == "t1")
    gone = await memories.forget(NORA, [said.id])
    assert (gone.memories, gone.turns) == (2, (("c-nora", "t1"),))
    assert not stands_in(folder.path, "Rumpelstilz")
    assert [one.text for one in await memories.list(NORA, closed=True)] == ["I live in Leeds."]
    assert [one.id for one in await Turns(ledger).of("c-nora")] == ["t2"]
    assert not (await memories.recall(NORA, "What is my password?")).answerable
    assert await rows(ledger, "memories") == 1
    with pytest.raises(MemoryNotFound):
        await memories.forget(NORA, [said.id])


async def test_a_fact_takes_the_turn_in_which_its_words_stand(
    ledger: Ledger, memories: Memories, folder: DataFolder
) -> None:
    await told(ledger, memories, turn(1, "我的密码是蓬蓬裙。"))
    (drawn,) = await memories.add_facts(NORA, [fact(1, "密码：蓬蓬裙", "蓬蓬裙")], upto=["t1"])
    assert stands_in(folder.path, "蓬蓬裙")
    assert (await memories.forget(NORA, [drawn.id])).memories == 2
    assert not stands_in(folder.path, "蓬蓬裙")
    assert not stands_in(folder.path, "蓬裙")


async def test_what_was_edited_leaves_no_trace_of_the_words_before(
    ledger: Ledger, memories: Memories, folder: DataFolder
) -> None:
    note = await memories.note(NORA, "The code is Xylophon", quote="", turn=None, language="en", said_at=NOON)
    await memories.edit(NORA, note.id, "The code is a secret")
    assert not stands_in(folder.path, "Xylophon")


async def test_a_turn_that_nothing_was_remembered_of_is_forgotten_too(
    ledger: Ledger, memories: Memories, folder: DataFolder
) -> None:
    await told(ledger, memories, turn(1, "Is Quasimodo a name?"), turn(2, "Is Esmeralda a name?", TOM))
    gone = await memories.forget(NORA, [], turns=["t1", "t2", "t3"])
    assert (gone.memories, gone.turns) == (0, (("c-nora", "t1"),))
    assert not stands_in(folder.path, "Quasimodo")
    assert stands_in(folder.path, "Esmeralda")


async def test_a_conversation_is_forgotten_with_its_memories(
    ledger: Ledger, memories: Memories, folder: DataFolder
) -> None:
    await told(ledger, memories, turn(1, "I live in Quedlinburg."), turn(2, "I live in Rome.", TOM))
    gone = await memories.forget_conversation("c-nora")
    assert (gone.memories, gone.turns) == (1, (("c-nora", "t1"),))
    assert not stands_in(folder.path, "Quedlinburg")
    assert await Turns(ledger).of("c-nora") == ()
    assert len(await memories.list(TOM)) == 1
    assert (await memories.forget_conversation("c-nora")).turns == ()


async def test_all_of_a_user_goes_and_nothing_of_another(
    ledger: Ledger, memories: Memories, index: VectorIndex, folder: DataFolder
) -> None:
    private = Space("nora", "diary")
    await told(
        ledger,
        memories,
        turn(1, "I live in Quedlinburg."),
        turn(2, "I live in Quedlinburg too.", TOM),
        turn(3, "I hum Scheherazade.", private),
        turn(4, "Say nothing of Rumpelstilz.", None),
    )
    gone = await memories.forget_all("nora")
    assert gone.memories == 2
    assert sorted(number for _, number in gone.turns) == ["t1", "t3", "t4"]
    for word in ("Scheherazade", "Rumpelstilz"):
        assert not stands_in(folder.path, word)
    assert await memories.spaces() == (TOM,)
    assert [one.text for one in await memories.list(TOM)] == ["I live in Quedlinburg too."]
    assert (await memories.recall(TOM, "Where do I live?")).answerable
    assert await memories.forgotten_turns() == gone.turns
    await memories.scrubbed(gone.turns)
    await memories.forget_all("tom")
    await memories.scrubbed(await memories.forgotten_turns())
    for word in ("Quedlinburg", "nora"):
        assert not stands_in(folder.path, word)
    for table in ("memories", "memory_spaces", "collections", "turns", "forgotten_turns"):
        assert await rows(ledger, table) == 0
    assert await told(ledger, memories, turn(5, "I live in Rome.")) == 1
    assert [one.text for one in (await memories.recall(NORA, "Where do I live?")).memories] == ["I live in Rome."]


async def test_a_forgotten_vector_is_found_by_no_search(ledger: Ledger, memories: Memories, index: VectorIndex) -> None:
    await told(ledger, memories, turn(1, "I live in Leeds."), turn(2, "I have a dog."))
    first, second = sorted(one.id for one in await memories.list(NORA))
    await memories.forget(NORA, [first])
    vector = HashedEmbeddings(64).embed_query("I live in Leeds.")
    assert [number for number, _ in await index.nearest(1, HashedEmbeddings.model, vector, 9)] == [second]


VICTIM = """
import os, signal, sys
from pathlib import Path
import anyio
from configs import settings
from memory import forgetting, memory_tables
from memory.folder import open_data_folder
from memory.index import VectorIndex, open_index
from memory.ledger import Ledger, open_ledger
from memory.memories import Memories
from models.engines.hashed import HashedEmbeddings
from tests.memory.test_memories import NORA, told, turn

data, step = sys.argv[1:]

def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with (
        open_data_folder(Path(data)) as folder,
        open_ledger(folder.ledger) as ledger,
        open_index(folder.index) as index,
    ):
        memories = Memories(ledger, index, HashedEmbeddings(64), settings.Memory())
        await told(ledger, memories, turn(1, "I live in Quedlinburg."), turn(2, "I have a dog."))
        print("told", flush=True)
        catching = {
            "inside looking": (memory_tables, "mark_seen"),
            "adding vectors": (VectorIndex, "add"),
            "after adding vectors": (memory_tables, "set_embedded"),
        }
        erasing = {
            "inside forgetting": (forgetting, "delete_turns"),
            "scrubbing": (Ledger, "scrub"),
            "deleting vectors": (VectorIndex, "delete"),
            "purging": (forgetting, "purge"),
        }
        if step in catching:
            setattr(*catching[step], kill)
            await told(ledger, memories, turn(3, "I have a cat."))
        elif step == "dropping everything":
            VectorIndex.drop = kill
            await memories.forget_all("nora")
        else:
            setattr(*erasing[step], kill)
            await memories.forget(NORA, [], turns=["t1"])
        print("survived", flush=True)

anyio.run(main)
"""

STEPS = {
    "inside looking": ["dog", "Quedlinburg", "cat"],
    "adding vectors": ["dog", "Quedlinburg", "cat"],
    "after adding vectors": ["dog", "Quedlinburg", "cat"],
    "inside forgetting": ["dog", "Quedlinburg"],
    "scrubbing": ["dog"],
    "deleting vectors": ["dog"],
    "purging": ["dog"],
    "dropping everything": [],
}
"""Where the process dies, and what is remembered afterwards."""


@pytest.mark.parametrize("step", STEPS)
async def test_a_kill_loses_nothing_and_brings_nothing_back(tmp_path: Path, step: str) -> None:
    data = tmp_path / "killed"
    victim = await anyio.run_process([sys.executable, "-c", VICTIM, str(data), step], check=False)
    assert victim.returncode == -signal.SIGKILL, victim.stderr.decode()
    assert victim.stdout.split() == [b"told"]
    async with open_ledger(DataFolder(data).ledger) as ledger, open_index(DataFolder(data).index) as index:
        memories = Memories(ledger, index, HashedEmbeddings(64), settings.Memory())
        await memories.recover()
        await memories.catch_up()
        kept = " ".join(one.text for one in await memories.list(NORA))
        assert [word for word in ("dog", "Quedlinburg", "cat") if word in kept] == STEPS[step]
        left = stands_in(data, "Quedlinburg")
        assert bool(left) == ("Quedlinburg" in STEPS[step]), left
        assert await rows(ledger, "memories") == len(STEPS[step])
        if STEPS[step]:
            vector = HashedEmbeddings(64).embed_query("I have a dog.")
            assert len(await index.nearest(1, HashedEmbeddings.model, vector, 9)) == len(STEPS[step])
        else:
            assert await rows(ledger, "collections") == 0
