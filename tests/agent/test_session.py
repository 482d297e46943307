"""Barge-in: speech over a reply ends the turn at that instant, and the history holds what was heard."""

import math
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup

from agent.events import SpeechReady, TranscriptReady, TurnEnded
from agent.session import Session
from agent.turn import Emit
from memory.ledger import open_ledger
from memory.turns import Turns
from models.engines.fake import FakeTextToSpeech
from models.text_to_speech import Voice
from tests.agent.cast import (
    FRAME,
    MemoryHistory,
    ScriptedResponder,
    Seen,
    company,
    deltas,
    ears,
    listener,
    microphone,
    mouth,
)
from tests.conftest import Backend
from tools.speech_input import SpeechStarted

pytestmark = pytest.mark.anyio

REPLY = "The first clause is short, and the second goes on for quite a while after it. Then there is a third sentence."
NOTICED = 0.1 + FRAME
"""The longest time from the first loud frame to the notice of it: the shortest speech, and one frame's grain."""


@pytest.fixture(params=["trio-virtual", "asyncio-real"])
def anyio_backend(request: pytest.FixtureRequest, trio_virtual: Backend) -> Backend:
    return trio_virtual if request.param == "trio-virtual" else ("asyncio", {})


def slack(backend: Backend) -> float:
    """Seconds by which real time may be late on a busy machine; virtual time never is."""
    return 1e-6 if backend[0] == "trio" else 0.15


async def test_speech_over_a_reply_ends_the_turn_at_that_instant(anyio_backend: Backend) -> None:
    responder, history, seen = ScriptedResponder(deltas(REPLY), wait=0.02), MemoryHistory(), Seen()
    speaking = mouth(first_chunk=0.15)
    session = Session(listener(), company(responder, history, mouth=speaking), conversation="c", user="u")
    # Speech until 1 s, its end is noticed at 1.5 s; 3.0 s: speech over the reply; the frames end at 4.4 s.
    await session.run(microphone((0.5, False), (0.5, True), (2.0, False), (0.6, True), (0.8, False)), seen)

    barge_in = seen.of(SpeechStarted)[1][0]
    ends = seen.of(TurnEnded)
    first = ends[0][1]
    assert isinstance(first, TurnEnded)
    assert first.outcome == "interrupted"
    assert ends[0][0] - barge_in <= slack(anyio_backend)
    between = [at for at, event in seen.of(SpeechReady) if barge_in + slack(anyio_backend) < at < ends[1][0]]
    assert all(
        isinstance(event, SpeechReady) and event.turn != first.turn
        for at, event in seen.of(SpeechReady)
        if at > barge_in
    ), between
    assert responder.closed == 2
    await _is_free(speaking)


async def _is_free(engine: FakeTextToSpeech) -> None:
    with anyio.fail_after(1):
        async for _ in engine.synthesize("free", language="en", voice=Voice()):
            pass


async def test_history_holds_what_was_heard_and_no_more(trio_virtual: Backend, anyio_backend: Backend) -> None:
    responder, history, seen = ScriptedResponder(deltas(REPLY)), MemoryHistory(), Seen()
    # 0.05 s a character and no other wait: what was heard can be counted by hand.
    session = Session(listener(), company(responder, history, ears=ears("Tell me.")), conversation="c", user="u")
    await session.run(microphone((0.5, True), (2.5, False), (0.3, True)), seen)

    cut = history.turns[0]
    started = seen.of(SpeechReady)[0][0]
    ended = seen.of(TurnEnded)[0][0]
    most = math.ceil((ended - started) / 0.05)
    assert cut.outcome == "interrupted"
    assert cut.reply == REPLY
    assert REPLY.startswith(cut.heard)
    assert 0 < len(cut.heard) <= most
    # Never less than what sounded, but for the word that was being spoken.
    assert len(cut.heard) >= most - len("quite a while ") - slack(anyio_backend) / 0.05
    assert responder.settled[0] == (cut.heard, "interrupted")


async def test_a_reply_that_nobody_interrupts_is_heard_to_its_end(anyio_backend: Backend) -> None:
    responder, history, seen = ScriptedResponder(deltas("All of it.")), MemoryHistory(), Seen()
    session = Session(listener(), company(responder, history), conversation="c", user="u")
    await session.run(microphone((0.3, True), (1.6, False)), seen)

    kinds = [type(event) for _, event in seen.events]
    assert kinds.count(TurnEnded) == 1
    assert kinds.index(TranscriptReady) < kinds.index(SpeechReady) < kinds.index(TurnEnded)
    assert [(turn.outcome, turn.heard) for turn in history.turns] == [("completed", "All of it.")]
    ended_at, ended = seen.of(TurnEnded)[0]
    assert isinstance(ended, TurnEnded)
    # It ends when the sound has been played, not when it has been made: 10 characters of 0.05 s.
    assert ended_at - seen.of(SpeechReady)[0][0] == pytest.approx(0.5, abs=0.001 + slack(anyio_backend))
    assert list(ended.timings_ms) == [
        "speech_end", "endpoint", "transcript", "first_token", "first_clause", "first_audio", "reply_end",
        "speech_done", "played",
    ]  # fmt: skip
    assert ended.live
    assert ended.began is not None
    # The pause of 0.5 s, the reply, and the 0.5 s that it sounds lie between the end of the speech and of the turn.
    assert anyio.current_time() - ended.began >= 1.0


async def test_the_end_of_the_caller_ends_the_turn_and_keeps_it(anyio_backend: Backend) -> None:
    responder, history, seen = ScriptedResponder(deltas(REPLY), wait=0.02), MemoryHistory(), Seen()
    session = Session(listener(), company(responder, history), conversation="c", user="u")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_cancelled_at(2.0), tasks)
        await session.run(microphone((0.3, True), (60, False)), seen)
    assert [turn.outcome for turn in history.turns] == ["interrupted"]
    assert 0 < len(history.turns[0].heard) < len(REPLY)


def _cancelled_at(seconds: float):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async def wait(tasks: TaskGroup) -> None:
        await anyio.sleep(seconds)
        tasks.cancel_scope.cancel()

    return wait


async def test_a_sound_without_speech_makes_no_turn_of_the_history(anyio_backend: Backend) -> None:
    responder, history, seen = ScriptedResponder(deltas(REPLY)), MemoryHistory(), Seen()
    session = Session(listener(), company(responder, history, ears=ears("")), conversation="c", user="u")
    await session.run(microphone((0.3, True), (1.0, False)), seen)
    ended = seen.of(TurnEnded)[0][1]
    assert isinstance(ended, TurnEnded)
    assert (ended.outcome, history.turns, responder.settled) == ("unheard", [], [])


class TestWithTheRealLedger:
    """The same barge-in with SQLite, whose threads the virtual clock waits for."""

    @pytest.fixture(params=["trio", "asyncio"])
    def anyio_backend(self, request: pytest.FixtureRequest, trio_virtual_with_threads: Backend) -> Backend:
        return trio_virtual_with_threads if request.param == "trio" else ("asyncio", {})

    async def test_the_ledger_holds_only_what_was_heard(self, tmp_path: Path) -> None:
        responder = ScriptedResponder(deltas(REPLY))
        async with open_ledger(tmp_path / "ledger.sqlite") as ledger:
            turns = Turns(ledger)
            session = Session(
                listener(),
                company(responder, turns, ears=ears("Tell me.")),  # type: ignore[arg-type]
                conversation="c",
                user="u",
            )
            emit: Emit = Seen()
            await session.run(microphone((0.3, True), (1.5, False), (0.3, True)), emit)
            kept = await turns.of("c", 10)
        assert next(turn.outcome for turn in kept) == "interrupted"
        assert REPLY.startswith(kept[0].heard)
        assert 0 < len(kept[0].heard) < len(REPLY)
