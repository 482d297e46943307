"""One turn over scripted parts: order, times, failures."""

import itertools
from collections.abc import AsyncGenerator

import anyio
import pytest

from agent.events import (
    PassagesFound,
    Refused,
    ReplyEvent,
    SpeechReady,
    TextDelta,
    TranscriptReady,
    TurnEnded,
    TurnStarted,
)
from agent.inquiry import Inquiry
from agent.turn import Question, Turn
from configs.errors import EngineFailed, EngineUnavailable
from models.audio import silence
from tests.agent.cast import MemoryHistory, ScriptedResponder, Seen, company, deltas, mouth
from tests.conftest import Backend

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(trio_virtual: Backend) -> Backend:
    return trio_virtual


def asked(text: str) -> Question:
    return Question("c", "u", text)


@pytest.mark.parametrize(
    ("reply", "size", "first_audio_ms"),
    [
        # The model's first token after 200 ms, then one every 25 ms; the voice takes 150 ms.
        ("好的，我来为您查一下，请稍等。", 2, 225 + 150),
        ("Sure, let me look. It takes a moment.", 5, 200 + 150),
    ],
)
async def test_the_first_clause_is_spoken_as_soon_as_it_stands(reply: str, size: int, first_audio_ms: float) -> None:
    responder = ScriptedResponder(deltas(reply, size))
    waits = iter([0.2] + [0.025] * 100)
    inner = responder.respond

    async def timed(inquiry: Inquiry) -> AsyncGenerator[ReplyEvent, None]:
        async for event in inner(inquiry):
            await anyio.sleep(next(waits))
            yield event

    responder.respond = timed  # type: ignore[method-assign]
    turn = Turn(asked("?"), company(responder, MemoryHistory(), mouth=mouth(first_chunk=0.15), patience=0.2), Seen())
    ended = await turn.run()
    assert ended.timings_ms["first_audio"] == pytest.approx(first_audio_ms, abs=0.11)


async def test_the_order_of_events_and_what_the_end_tells() -> None:
    events: list[ReplyEvent] = [PassagesFound((), answerable=False), *deltas("A short reply. And more of it.")]
    history, seen = MemoryHistory(), Seen()
    ended = await Turn(asked("What?"), company(ScriptedResponder(events), history), seen).run()
    kinds = list(dict.fromkeys(type(event) for _, event in seen.events))
    assert kinds == [TurnStarted, PassagesFound, TextDelta, SpeechReady, TurnEnded]
    assert (ended.outcome, ended.question, ended.reply) == ("completed", "What?", "A short reply. And more of it.")
    assert ended.heard == ended.reply == history.turns[0].heard
    assert ended.spoken == "A short reply. And more of it."


async def test_every_character_of_the_reply_is_spoken_by_some_clause() -> None:
    reply = "First, a clause; then 3.5 more: done. “Quoted.” 最后，一句中文。"
    seen = Seen()
    await Turn(asked("?"), company(ScriptedResponder(deltas(reply, 3)), MemoryHistory()), seen).run()
    spans: list[tuple[int, int]] = []
    for _, event in seen.of(SpeechReady):
        assert isinstance(event, SpeechReady)
        if event.chunk.first:
            spans.append((event.chunk.clause.start, event.chunk.clause.end))
    assert spans[0][0] == 0
    assert spans[-1][1] == len(reply)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))


async def test_a_refusal_cites_nothing() -> None:
    ended = await Turn(
        asked("?"), company(ScriptedResponder([Refused(), TextDelta("No [1].")]), MemoryHistory()), Seen()
    ).run()
    assert ended.refused
    assert ended.citations == ()


async def test_an_error_ends_the_turn_as_failed_and_what_was_said_stays_said() -> None:
    class Breaking(ScriptedResponder):
        async def respond(self, inquiry: Inquiry):  # type: ignore[no-untyped-def]  # noqa: ANN202
            yield TextDelta("Half of it, ")
            await anyio.sleep(1)
            raise EngineFailed("the model went away", "start it")

    responder, history = Breaking([]), MemoryHistory()
    ended = await Turn(asked("?"), company(responder, history), Seen()).run()
    assert ended.outcome == "failed"
    assert isinstance(ended.error, EngineFailed)
    assert ended.reply == "Half of it, "
    assert responder.settled == [("Half of it, ", "failed")]
    assert history.turns[0].outcome == "failed"


async def test_a_turn_that_takes_too_long_says_so() -> None:
    responder = ScriptedResponder(deltas("Too slow."), wait=40)
    ended = await Turn(asked("?"), company(responder, MemoryHistory(), time_limit=60), Seen()).run()
    assert ended.outcome == "failed"
    assert isinstance(ended.error, EngineUnavailable)
    assert "60 s" in ended.error.message
    assert responder.closed == 1


async def test_a_silent_sound_is_unheard() -> None:
    history, seen = MemoryHistory(), Seen()
    question = Question("c", "u", sound=silence(1.0, 16_000))
    ended = await Turn(question, company(ScriptedResponder(deltas("x")), history), seen).run()
    assert (ended.outcome, history.turns) == ("unheard", [])
    transcript = seen.of(TranscriptReady)[0][1]
    assert isinstance(transcript, TranscriptReady)
    assert transcript.transcript.gate == "no speech"


async def test_cancelled_before_it_began_it_is_over_at_once() -> None:
    history, seen = MemoryHistory(), Seen()
    turn = Turn(asked("What?"), company(ScriptedResponder(deltas("never")), history), seen)
    turn.cancel()
    ended = await turn.run()
    await turn.wait_done()
    assert (ended.outcome, ended.reply) == ("interrupted", "")
