"""Starts and ends of speech: times worked out by hand, and laws for any probabilities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.settings import Listening
from tools.endpointing import Endpointer, SpeechEnd, SpeechStart

FRAME = 0.1
LISTENING = Listening(
    speech_threshold=0.5,
    silence_threshold=0.3,
    shortest_speech=0.2,
    end_silence=0.5,
    longest_utterance=2.0,
)


def events(frames: str, listening: Listening = LISTENING) -> list[tuple[str, float, float]]:
    """What frames show: S speech, - silence, ~ between the thresholds; times are in tenths of a second."""
    endpointer = Endpointer(listening, FRAME)
    found = []
    for frame in frames:
        event = endpointer.push({"S": 0.9, "-": 0.1, "~": 0.4}[frame])
        if event:
            kind = "start" if isinstance(event, SpeechStart) else "forced" if event.forced else "end"
            found.append((kind, round(event.at / FRAME, 6), round(event.noticed_at / FRAME, 6)))
    return found


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("", []),
        ("----------", []),
        ("~~~~~~~~~~", []),
        ("S-S-S-S-", []),
        ("---SS", [("start", 3, 5)]),
        ("---SSS----", [("start", 3, 5)]),
        ("---SSS-----", [("start", 3, 5), ("end", 6, 11)]),
        # Between the thresholds nothing changes: it goes on as speech, or as silence
        ("-~~SS-----", [("start", 3, 5), ("end", 5, 10)]),
        ("S~-----", [("start", 0, 2), ("end", 2, 7)]),
        ("SS~~~-----", [("start", 0, 2), ("end", 5, 10)]),
        ("SS-~~~~", [("start", 0, 2), ("end", 2, 7)]),
        # A pause that is too short does not end it, and the pause begins anew
        ("SS----S-----", [("start", 0, 2), ("end", 7, 12)]),
        # The next utterance
        ("SS-----SS-----", [("start", 0, 2), ("end", 2, 7), ("start", 7, 9), ("end", 9, 14)]),
        # The longest utterance: it is cut, and what follows is the next
        ("S" * 21, [("start", 0, 2), ("forced", 20, 20)]),
        ("S" * 25 + "-" * 5, [("start", 0, 2), ("forced", 20, 20), ("start", 20, 22), ("end", 25, 30)]),
        ("S" * 17 + "---", [("start", 0, 2), ("forced", 17, 20)]),
        ("S" * 15 + "-----", [("start", 0, 2), ("end", 15, 20)]),
    ],
)
def test_when_speech_begins_and_ends(frames: str, expected: list[tuple[str, float, float]]) -> None:
    assert events(frames) == expected


@pytest.mark.parametrize(
    ("seconds", "frame", "needed"),
    [(0.1, 0.032, 4), (0.096, 0.032, 3), (0.0, 0.032, 1), (0.14, 0.02, 7)],
)
def test_a_shortest_speech_is_counted_in_whole_frames(seconds: float, frame: float, needed: int) -> None:
    endpointer = Endpointer(LISTENING.model_copy(update={"shortest_speech": seconds}), frame)
    *before, last = [endpointer.push(1.0) for _ in range(needed)]
    assert before == [None] * (needed - 1)
    assert isinstance(last, SpeechStart)


def test_the_end_of_the_stream_ends_the_utterance() -> None:
    endpointer = Endpointer(LISTENING, FRAME)
    assert endpointer.finish() is None
    for probability in (0.9, 0.9, 0.9, 0.1):
        endpointer.push(probability)
    assert endpointer.began == 0.0
    end = endpointer.finish()
    assert end
    assert (round(end.at, 6), round(end.noticed_at, 6), end.forced) == (0.3, 0.4, False)
    assert endpointer.began is None
    assert endpointer.finish() is None


SETTINGS = st.builds(
    Listening,
    speech_threshold=st.just(0.5),
    silence_threshold=st.sampled_from([0.2, 0.35, 0.5]),
    shortest_speech=st.floats(0, 0.4),
    end_silence=st.floats(0, 1),
    longest_utterance=st.floats(0.5, 5),
)


@given(probabilities=st.lists(st.floats(0, 1), max_size=300), listening=SETTINGS)
def test_laws(probabilities: list[float], listening: Listening) -> None:
    endpointer, frame = Endpointer(listening, 0.032), 0.032
    found = [event for event in map(endpointer.push, probabilities) if event]
    last = endpointer.finish()
    found += [last] if last else []
    assert [type(event) for event in found] == [SpeechStart, SpeechEnd] * (len(found) // 2)
    previous = 0.0
    for start, end in zip(found[::2], found[1::2], strict=True):
        assert previous <= start.at < end.at <= end.noticed_at
        assert end.at - start.at <= listening.longest_utterance + 1e-6
        burst = probabilities[round(start.at / frame) : round(start.noticed_at / frame)]
        assert burst[0] >= 0.5
        assert min(burst) >= listening.silence_threshold
        assert len(burst) * frame >= listening.shortest_speech - 1e-6
        previous = end.at


@given(
    bursts=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 20)), max_size=30),
    loud=st.floats(0.5, 1),
)
def test_bursts_that_are_too_short_are_not_speech(bursts: list[tuple[int, int]], loud: float) -> None:
    endpointer = Endpointer(Listening(shortest_speech=0.128), 0.032)
    for length, pause in bursts:
        assert [endpointer.push(loud) for _ in range(length)] == [None] * length
        assert [endpointer.push(0.0) for _ in range(pause)] == [None] * pause
