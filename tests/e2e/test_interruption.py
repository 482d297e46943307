"""Ctrl-C at every stage: one line, exit code 130, and everything that was kept is still there."""

import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import EXAMPLES, Ended, Tingshuo, running, wait_for

SLOW = {
    "TINGSHUO_PERSONA": "companion",
    "TINGSHUO_CHAT__ENGINE": "fake",
    "TINGSHUO_CHAT__FAKE__REPLIES": '["One two three four five six seven eight nine ten."]',
    "TINGSHUO_CHAT__FAKE__TOKEN": "0.5",
}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that writes two words a second."""
    for name, value in SLOW.items():
        monkeypatch.setenv(name, value)


def interrupted(done: Ended) -> None:
    assert done.code == 130, done
    assert done.err.splitlines()[-1:] == ["interrupted"], done


def turns(data: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(data / "ledger.sqlite3")) as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return ledger.execute("SELECT outcome, reply, heard FROM turns").fetchall()


@pytest.mark.parametrize("seconds", [0.15, 0.8])
def test_while_starting(handbook: Path, slow: None, seconds: float) -> None:
    with running("ask", "Count to ten.") as asking:
        time.sleep(seconds)
        asking.interrupt()
        interrupted(asking.ended())
    assert turns(handbook) == []


def test_while_a_reply_is_made_it_is_kept_as_far_as_it_came(tingshuo: Tingshuo, handbook: Path, slow: None) -> None:
    with running("ask", "Count to ten.", "--no-speech", "--json") as asking:
        wait_for(handbook / "checkpoints.sqlite")
        time.sleep(2)
        asking.interrupt()
        done = asking.ended()
    interrupted(done)
    assert done.out == ""
    ((outcome, reply, heard),) = turns(handbook)
    assert outcome == "interrupted"
    assert "One two three four five six seven eight nine ten.".startswith(reply)
    assert heard == reply
    assert len(json.loads(tingshuo("knowledge", "list", "--json").out)) == 2


def test_in_chat_it_cuts_the_reply_and_then_ends(handbook: Path, slow: None) -> None:
    with running("chat") as chatting:
        stdin, stdout = chatting.process.stdin, chatting.process.stdout
        assert stdin
        assert stdout
        stdin.write("Count to ten.\n")
        stdin.flush()
        assert stdout.read(4) == "One "
        chatting.interrupt()
        shown = "One " + stdout.readline()
        assert shown.endswith(" …\n")
        time.sleep(0.3)
        chatting.interrupt()
        interrupted(chatting.ended())
    ((outcome, reply, heard),) = turns(handbook)
    assert outcome == "interrupted"
    assert shown == f"{reply} …\n"
    assert heard == reply


def test_while_ingesting_whole_documents_are_in_and_the_rest_can_follow(tingshuo: Tingshuo, data_folder: Path) -> None:
    folder = Path("documents")
    folder.mkdir()
    for number in range(150):
        text = "\n\n".join(
            f"# Part {part}\n\nPart {part} of machine {number} weighs {part} grams." for part in range(60)
        )
        (folder / f"machine-{number}.md").write_text(text)
    with running("ingest", folder) as ingesting:
        wait_for(data_folder / "chroma" / "chroma.sqlite3")
        time.sleep(0.5)
        ingesting.interrupt()
        done = ingesting.ended()
    interrupted(done)
    turns(data_folder)
    there = json.loads(tingshuo("knowledge", "list", "--json").out)
    assert len(there) < 150
    assert all(document["passages"] == 60 for document in there)
    (folder / "machine-0.md").rename("machine-0.md")
    done = tingshuo("ingest", "machine-0.md", EXAMPLES / "knowledge")
    assert done.code == 0, done


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_the_server_ends_and_lets_go_of_the_folder(
    tingshuo: Tingshuo, handbook: Path, number: signal.Signals, code: int
) -> None:
    with running("serve", "--port", "0") as server:
        server.line(error=True)
        server.interrupt(number)
        done = server.ended()
    assert (done.code, done.out) == (code, "")
    assert done.err == ("interrupted\n" if code else "")
    assert tingshuo("knowledge", "list").code == 0
