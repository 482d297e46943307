"""Kills a process at random moments while it ingests, removes and remembers, and looks at what is left each time.

`python -m tests.memory.killing --kills 100`. One data folder is used throughout, so that damage would add up.
"""

import argparse
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from sqlite3 import Connection
from typing import Final

import anyio
from anyio import to_thread

from agent.assistant import open_assistant
from agent.store import Store, open_store
from configs.settings import Settings, load_settings
from memory.index import EmbeddedIndex
from memory.ingestion import Progress
from memory.inspection import check_ledger, check_vectors, expected, inspect
from memory.ledger import open_ledger
from memory.remembered import Space

NOTES: Final = 8
ROUND: Final = 3
"""Notes that are written anew in a round; one more goes, and comes back in the next."""


def settings(data: Path) -> Settings:
    """What needs no server."""
    return load_settings(data=data, embeddings={"engine": "hashed"}, chat={"engine": "extractive"})


def note(name: int, version: int) -> str:
    """A document of several passages, of which each says which it is."""
    body = "\n\n".join(f"## Part {part}\n\nThe keyword is {word(name, version)} here." for part in range(4))
    return f"# Note {name}\n\n{body}\n"


def word(name: int, version: int) -> str:
    """Stands in one version of one note alone."""
    return f"k{name}v{version}x"


def say(*words: object) -> None:
    """Tells the parent, who reads it even when this process is dead."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def victim(data: Path, documents: Path, first: int) -> None:
    """Changes notes, takes them in and talks, and says what it is about to do and what is done, until it is killed."""
    async with open_assistant(settings(data), hears=False, speaks=False) as assistant:
        say("ready")
        for version in count(first):
            await _round(assistant.store, documents, version)
            turn = await assistant.ask(text=f"My locker code is c{version}y.", speak=False)
            say("told", turn.turn, version)


async def _round(store: Store, documents: Path, version: int) -> None:
    names = random.sample(range(NOTES), ROUND + 1)
    for name in names[1:]:
        say("writing", name, version)
        await anyio.Path(documents / f"{name}.md").write_text(note(name, version))
    say("deleting", names[0], version)
    await anyio.Path(documents / f"{names[0]}.md").unlink(missing_ok=True)

    def tell(progress: Progress) -> None:
        if progress.outcome:
            say(progress.outcome, progress.path.stem, version)

    await store.knowledge.ingest([documents], progress=tell)


@dataclass
class Account:
    """What the victims said they would do and had done."""

    acknowledged: dict[int, int] = field(default_factory=dict)
    """The version of each note that was in; 0 once it was removed."""
    possible: dict[int, set[int]] = field(default_factory=dict)
    """Versions that may have come in since."""
    on_disk: dict[int, int] = field(default_factory=dict)
    """The version of each file, as the last victim left it."""
    turns: dict[str, int] = field(default_factory=dict)
    version: int = 1

    def read(self, lines: list[str]) -> None:
        """Takes down what one victim said."""
        for line in lines:
            what, *rest = line.split()
            if what == "ready":
                continue
            if what == "told":
                self.turns[rest[0]] = int(rest[1])
                continue
            name, version = map(int, rest)
            self.version = max(self.version, version + 1)
            if what in ("writing", "deleting"):
                self.on_disk[name] = version if what == "writing" else 0
                self.possible.setdefault(name, set()).add(self.on_disk[name])
            elif what in ("added", "replaced", "unchanged", "removed"):
                self.acknowledged[name], self.possible[name] = self.on_disk[name], set()

    def look(self, documents: Path) -> None:
        """Sees how far the victim came with its files; one that it had only begun to write is empty."""
        for name in range(NOTES):
            path = documents / f"{name}.md"
            found = re.search(r"k\d+v(\d+)x", path.read_text()) if path.exists() else None
            self.on_disk[name] = int(found[1]) if found else 0
            self.possible.setdefault(name, set()).add(self.on_disk[name])

    def may_be(self, name: int) -> set[int]:
        """The versions of a note of which one must be found; 0 is none."""
        return {self.acknowledged.get(name, 0)} | self.possible.get(name, set())


def kill_once(data: Path, documents: Path, account: Account, chance: random.Random, longest: float) -> None:
    """Starts a victim and kills it: mostly while it works, sometimes while it opens."""
    command = [sys.executable, "-m", "tests.memory.killing", "--victim", str(data), str(documents)]
    with subprocess.Popen([*command, str(account.version)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = [process.stdout.readline()] if chance.random() < 0.85 else []
        time.sleep(chance.uniform(0, longest))
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL, f"the victim ended by itself: {process.returncode}"
    # A line that was cut off was not told.
    account.read([line for line in said if line.endswith("\n")])
    account.look(documents)


async def check(data: Path, documents: Path, account: Account) -> None:
    """Raises AssertionError for whatever was lost, doubled or left over."""
    await check_files(data)
    async with open_store(settings(data)) as store:
        there = {Path(document.source).stem: document for document in await store.knowledge.documents()}
        assert len(there) == len(await store.knowledge.documents()), "a document is there twice"
        for name in range(NOTES):
            allowed = account.may_be(name)
            found = {version for version in allowed if version and await _finds(store, name, version)}
            if str(name) in there:
                assert len(found) == 1, f"note {name}: found {found} of {allowed}"
            else:
                assert not found, f"note {name}: found {found}, but not listed"
                assert 0 in allowed, f"note {name} is lost: {allowed}"
            account.acknowledged[name] = found.pop() if found else 0
            account.possible[name] = {account.on_disk[name]}
        await store.memories.catch_up()
        for turn in list(account.turns)[-5:]:
            recalled = await store.memories.recall(Space("owner"), f"What locker code is c{account.turns[turn]}y?")
            assert recalled.memories, f"turn {turn} is not recalled"
            assert recalled.memories[0].turn == turn
    async with open_ledger(data / "ledger.sqlite3") as ledger:
        await ledger.read(partial(_check_rows, turns=account.turns))
        collections = await ledger.read(expected)
    index = EmbeddedIndex(data / "chroma")
    for one in collections:
        assert one.wanted == one.known == (await index.ids(one.number) if one.known else frozenset())
        await check_vectors(index, one)
    await index.aclose()


async def check_files(data: Path) -> None:
    """SQLite's own check of its files, before anything is opened that might mend them."""
    for path in (data / "ledger.sqlite3", data / "chroma" / "chroma.sqlite3", data / "checkpoints.sqlite"):
        if await anyio.Path(path).exists():
            with closing(sqlite3.connect(path)) as connection:
                check_ledger(connection)


async def _finds(store: Store, name: int, version: int) -> bool:
    if not await store.knowledge.knowledge_bases():
        return False
    found = (await store.knowledge.search(word(name, version), knowledge=["default"], limit=20)).passages
    assert {passage.document for passage in found} <= {f"Note {name}"}
    return bool(found)


def _check_rows(connection: Connection, turns: dict[str, int]) -> None:
    def number(statement: str) -> int:
        return int(connection.execute(statement).fetchone()[0])

    assert number("SELECT count(*) FROM documents WHERE state != 'ready'") == 0
    passages = number("SELECT count(*) FROM passages")
    assert passages == number("SELECT coalesce(sum(passages), 0) FROM documents")
    assert passages == number("SELECT count(*) FROM lexicon"), "terms and passages differ"
    assert passages == number("SELECT count(*) FROM lexicon WHERE rowid IN (SELECT id FROM passages)")
    assert number("SELECT count(*) FROM collections WHERE state != 'ready'") == 0
    kept = Counter(row[0] for row in connection.execute("SELECT id FROM turns"))
    assert all(kept[turn] == 1 for turn in turns), "a turn that was acknowledged is lost"
    remembered = Counter(row[0] for row in connection.execute("SELECT turn FROM memories WHERE state = 'kept'"))
    assert all(remembered[turn] == 1 for turn in turns), "a turn is not remembered, or twice"


async def run(folder: Path, kills: int, seed: int, longest: float, *, every: int) -> tuple[str, ...]:
    """Kills and checks; every so many times `tingshuo doctor`'s check is run as well, in its own process."""
    data, documents, account, chance = folder / "data", folder / "documents", Account(), random.Random(seed)
    documents.mkdir()
    for number in range(1, kills + 1):
        await to_thread.run_sync(kill_once, data, documents, account, chance, longest)
        if number % every == 0 and (data / "ledger.sqlite3").exists():
            found = await inspect(data)
            assert (found.ledger, found.index) == (None, None), f"doctor: {found}"
        await check(data, documents, account)
    kept = {name: version for name, version in account.acknowledged.items() if version}
    return f"{kills} kills, {account.version} rounds", f"{len(kept)} notes, {len(account.turns)} turns kept"


def main() -> None:
    """For use by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=4.0, help="seconds until a victim is killed, at most")
    parser.add_argument("--folder", type=Path, help="an empty one, which is left as it is in the end")
    parser.add_argument("--victim", nargs=3)
    wanted = parser.parse_args()
    if wanted.victim:
        data, documents, version = wanted.victim
        anyio.run(victim, Path(data), Path(documents), int(version))
        return
    with tempfile.TemporaryDirectory() as made:
        folder = wanted.folder or made
        begun = time.monotonic()
        told = anyio.run(partial(run, Path(folder), wanted.kills, wanted.seed, wanted.longest, every=1))
        for line in (*told, f"{time.monotonic() - begun:.0f} s; everything acknowledged was there, nothing twice"):
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
