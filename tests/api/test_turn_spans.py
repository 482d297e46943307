"""From a turn's ledger to spans: their times are the ledger's, and they hold no word of it."""

from collections.abc import Iterator
from dataclasses import replace

import anyio
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent.events import Failed, MemoriesRecalled, PassagesFound, ReplyEvent, TextDelta, TokensUsed, TurnEnded
from agent.session import Session
from agent.turn import Question, Turn
from api.tracing.stage_times import stage_times
from api.tracing.turn_spans import TurnSpans
from configs.errors import EngineFailed
from models.selection import Choice
from tests.agent.cast import MemoryHistory, ScriptedResponder, Seen, company, deltas, ears, listener, microphone, mouth
from tests.conftest import Backend

pytestmark = pytest.mark.anyio

SECRET = "The vault opens with swordfish"
SERVED = (
    Choice("chat", "ollama", "it answers", embedded=False, model="qwen3:8b"),
    Choice("embeddings", "hashed", "needs nothing", embedded=True),
    Choice("speech_to_text", "fake", "scripted", embedded=True),
    Choice("text_to_speech", "fake", "scripted", embedded=True),
)


@pytest.fixture
def anyio_backend(trio_virtual: Backend) -> Backend:
    return trio_virtual


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exported: InMemorySpanExporter) -> Iterator[TurnSpans]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    yield TurnSpans(provider.get_tracer("tests"))
    provider.shutdown()


def told(exported: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """The spans by name, of one turn; all hang below the turn's, and none holds a word of it."""
    found = {span.name: span for span in exported.get_finished_spans()}
    assert len(found) == len(exported.get_finished_spans())
    turn = found["turn"].context
    assert turn
    for name, span in found.items():
        assert "swordfish" not in span.to_json()
        assert not span.events
        if name != "turn":
            assert span.parent
            assert span.parent.span_id == turn.span_id
    return found


def milliseconds(span: ReadableSpan, since: ReadableSpan) -> tuple[int, int]:
    """When a span began and ended, after another one's beginning."""
    assert span.start_time
    assert span.end_time
    assert since.start_time
    begin, end = ((at - since.start_time) / 1e6 for at in (span.start_time, span.end_time))
    return round(begin), round(end)


def outcomes(found: dict[str, ReadableSpan]) -> dict[str, object]:
    return {name: (span.attributes or {})["tingshuo.outcome"] for name, span in found.items()}


async def test_a_spoken_turn_is_told_stage_by_stage(exported: InMemorySpanExporter, spans: TurnSpans) -> None:
    events: list[ReplyEvent] = [PassagesFound((), answerable=False), MemoriesRecalled(()), TextDelta(f"{SECRET}.")]
    responder = ScriptedResponder([*events, TokensUsed(120, 7)], wait=0.1)
    served = company(
        responder, MemoryHistory(), ears=ears(SECRET, delay=0.4), mouth=mouth(first_chunk=0.15, character_seconds=0.1),
        watch=spans, engines=SERVED,
    )  # fmt: skip
    await Session(listener(), served, conversation="swordfish", user="swordfish").run(
        microphone((0.32, True), (6.0, False)), Seen()
    )
    found = told(exported)
    # The pause is 0.5 s and a frame's rest, the ears take 0.4 s, each of four events 0.1 s. A clause that ends with the
    # reply is known to be one when the reply has ended. The voice takes 0.15 s, and 31 characters sound 3.1 s.
    assert {name: milliseconds(span, found["turn"]) for name, span in found.items() if name != "listening"} == {
        "transcription": (512, 912),
        "retrieval": (912, 1012),
        "recall": (912, 1112),
        "first_token": (1112, 1212),
        "first_clause": (1212, 1312),
        "first_audio": (1312, 1462),
        "generation": (1212, 1312),
        "synthesis": (1462, 1462),
        "playback": (1462, 4562),
        "turn": (0, 4562),
    }
    assert set(outcomes(found).values()) == {"completed"}


async def test_a_turn_tells_who_served_it_in_the_words_of_the_conventions(
    exported: InMemorySpanExporter, spans: TurnSpans
) -> None:
    responder = ScriptedResponder([TextDelta("Yes."), TokensUsed(120, 7)])
    served = company(responder, MemoryHistory(), watch=spans, engines=SERVED)
    turn = Turn(Question("c", "u", SECRET), served, Seen())
    await turn.run()
    attributes = dict(told(exported)["turn"].attributes or {})
    hashed = attributes.pop("gen_ai.conversation.id")
    assert attributes == {
        "tingshuo.turn.id": turn.id,
        "tingshuo.outcome": "completed",
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.output.type": "speech",
        "gen_ai.provider.name": "ollama",
        "gen_ai.request.model": "qwen3:8b",
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 7,
        "tingshuo.engine.chat": "ollama",
        "tingshuo.engine.embeddings": "hashed",
        "tingshuo.engine.speech_to_text": "fake",
        "tingshuo.engine.text_to_speech": "fake",
    }
    assert isinstance(hashed, str)
    exported.clear()
    for conversation in ("c", "d"):
        await Turn(Question(conversation, "u", SECRET), served, Seen()).run()
    names = [(span.attributes or {}).get("gen_ai.conversation.id") for span in exported.get_finished_spans()]
    same, other = filter(None, names)
    assert same == hashed != other


async def test_barge_in_ends_what_was_under_way(exported: InMemorySpanExporter, spans: TurnSpans) -> None:
    reply = f"{SECRET}, and the second clause goes on for quite a while after it. Then there is a third sentence."
    responder = ScriptedResponder([PassagesFound((), answerable=False), *deltas(reply)], wait=0.2)
    served = company(responder, MemoryHistory(), mouth=mouth(first_chunk=0.15), watch=spans, engines=SERVED)
    interruption = (0.5, True), (3.0, False), (0.3, True)
    with anyio.move_on_after(4.2):
        await Session(listener(), served, conversation="c", user="u").run(microphone(*interruption, (9, False)), Seen())
    *first, turn = exported.get_finished_spans()[:10]
    found = {span.name: span for span in first}
    assert outcomes(found) == {
        **dict.fromkeys(
            ("listening", "transcription", "retrieval", "first_token", "first_clause", "first_audio"), "completed"
        ),
        **dict.fromkeys(("generation", "synthesis", "playback"), "interrupted"),
    }
    ends = {found[name].end_time for name in ("generation", "synthesis", "playback")}
    assert len(ends) == 1
    assert turn.name == "turn"
    assert (turn.attributes or {})["tingshuo.outcome"] == "interrupted"
    # Being interrupted is no error.
    assert turn.status.is_unset
    assert abs(ends.pop() - (turn.end_time or 0)) < 1_000_000  # type: ignore[operator]


@pytest.mark.parametrize(
    ("events", "failed"),
    [
        # The model breaks before it says a word, in the midst of its words, and with an apology in their place.
        ([PassagesFound((), answerable=False), "break"], {"first_token"}),
        ([PassagesFound((), answerable=False), TextDelta(f"{SECRET}, "), "break"], {"generation"}),
        ([PassagesFound((), answerable=False), TextDelta("Sorry."), "tell"], {"generation"}),
        # What looks things up breaks.
        (["break"], {"retrieval"}),
    ],
)
async def test_a_failure_is_told_where_it_was_and_of_what_kind(
    exported: InMemorySpanExporter, spans: TurnSpans, events: list[ReplyEvent | str], failed: set[str]
) -> None:
    failure = EngineFailed(f"cannot answer {SECRET!r}", "start it")

    class Breaking(ScriptedResponder):
        async def respond(self, inquiry: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
            for event in events:
                await anyio.sleep(0.1)
                if event == "break":
                    raise failure
                yield Failed(failure) if event == "tell" else event

    served = company(Breaking([]), MemoryHistory(), watch=spans, engines=SERVED[:2])
    ended = await Turn(Question("c", "u", SECRET), replace(served, speaker=None), Seen()).run()
    assert ended.error is failure
    found = told(exported)
    broken = {name for name, span in found.items() if not span.status.is_ok and not span.status.is_unset}
    assert broken == {"turn", *failed}
    for name in broken:
        assert found[name].status.description is None
        assert (found[name].attributes or {})["error.type"] == "EngineFailed"
    assert {name for name, outcome in outcomes(found).items() if outcome == "failed"} == broken


async def test_a_turn_that_was_cut_before_it_began_has_no_stages(
    exported: InMemorySpanExporter, spans: TurnSpans
) -> None:
    turn = Turn(Question("c", "u", SECRET), company(ScriptedResponder([]), MemoryHistory(), watch=spans), Seen())
    turn.cancel()
    await turn.run()
    assert outcomes(told(exported)) == {"turn": "interrupted"}


def test_what_the_model_searches_for_later_is_no_stage_before_its_first_word() -> None:
    timings = {"transcript": 0.0, "first_token": 100.0, "retrieval": 300.0, "reply_end": 500.0}
    ended = TurnEnded("t", "c", "completed", "", "en", "", "", "", False, (), timings)
    times = {stage.name: (stage.begin, stage.end) for stage in stage_times(ended, 500.0)}
    assert times == {"retrieval": (0.0, 300.0), "first_token": (0.0, 100.0), "generation": (100.0, 500.0)}
