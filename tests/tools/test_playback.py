"""What was heard, to the character and the instant: by the sample clock, and by a client's word."""

import math

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from models.audio import silence
from tests.conftest import Backend
from tools.clauses import Clause
from tools.playback import GRACE, PACE, Playback
from tools.speech_output import SpeechChunk

ENGLISH = Clause("Hello there my friend. ", 0, 23)
CHINESE = Clause("今天天气很好。我们", 23, 32)


class Clock:
    """A time that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def playback(clock: Clock) -> Playback:
    return Playback(clock)


def chunk(clause: Clause, seconds: float, *, last: bool = False, spoken: str | None = None) -> SpeechChunk:
    language = "zh" if any("\u4e00" <= character <= "\u9fff" for character in clause.display) else "en"
    text = clause.display if spoken is None else spoken
    return SpeechChunk(silence(seconds, 1000), clause, text, language, first=False, last=last)


def whole(clause: Clause, seconds: float) -> list[SpeechChunk]:
    """A clause's sound in one chunk, and its end."""
    return [chunk(clause, seconds), chunk(clause, 0, last=True)]


def heard_at(playback: Playback, clock: Clock, *seconds: float) -> list[int]:
    """What is heard so long after now."""
    began, found = clock.now, []
    for moment in seconds:
        clock.now = began + moment
        found.append(playback.heard())
    return found


def test_nothing_is_heard_of_nothing(playback: Playback) -> None:
    assert playback.heard() == 0


def test_english_is_heard_word_by_word(playback: Playback, clock: Clock) -> None:
    for piece in whole(ENGLISH, 2.3):  # a tenth of a second for each of 23 characters
        playback.add(piece)
    # "Hello| |there| |my| |friend.| |"
    assert heard_at(playback, clock, 0, 0.45, 0.5, 0.6, 1.05, 1.15, 2.15, 2.2, 2.3, 9) == [
        0, 0, 5, 6, 6, 11, 15, 22, 23, 23,
    ]  # fmt: skip


def test_chinese_is_heard_character_by_character(playback: Playback, clock: Clock) -> None:
    playback.add(chunk(ENGLISH, 0, last=True))
    for piece in whole(CHINESE, 1.8):  # 0.2 s for each of 9 characters
        playback.add(piece)
    assert heard_at(playback, clock, 0, 0.19, 0.2, 0.39, 1.0, 1.79, 1.8) == [23, 23, 24, 24, 28, 31, 32]


def test_clauses_follow_each_other(playback: Playback, clock: Clock) -> None:
    for piece in (*whole(ENGLISH, 2.0), *whole(CHINESE, 1.8)):
        playback.add(piece)
    assert heard_at(playback, clock, 1.99, 2.0, 2.2, 3.8) == [22, 23, 24, 32]


def test_an_underrun_is_not_heard(playback: Playback, clock: Clock) -> None:
    playback.add(chunk(CHINESE, 0.9))
    clock.now += 5
    playback.add(chunk(CHINESE, 0.9, last=True))
    assert heard_at(playback, clock, 0, 0.2, 0.9) == [23 + 4, 23 + 5, 32]


def test_a_clause_with_nothing_to_say_is_heard_when_it_is_passed(playback: Playback, clock: Clock) -> None:
    code = Clause("```\nx\n```\n", 23, 33)
    for piece in (*whole(ENGLISH, 2.0), chunk(code, 0, last=True, spoken="")):
        playback.add(piece)
    assert heard_at(playback, clock, 1.99, 2.0) == [22, 33]


def test_an_unfinished_clause_is_estimated_from_its_characters(playback: Playback, clock: Clock) -> None:
    playback.add(chunk(CHINESE, 0.6))
    # At the usual pace nine characters would take 9 * PACE; nothing beyond what was handed out is ever heard.
    usual = 9 * PACE["zh"]
    assert heard_at(playback, clock, 0.3, 0.6, 5) == [
        23 + int(0.3 / usual * 9),
        *[23 + int(0.6 / usual * 9 + 1e-6)] * 2,
    ]


def test_an_unfinished_clause_is_never_heard_whole(playback: Playback, clock: Clock) -> None:
    playback.add(chunk(CHINESE, 60))
    assert heard_at(playback, clock, 60) == [31]
    playback.add(chunk(CHINESE, 0, last=True))
    assert playback.heard() == 32


def test_the_pace_is_learnt_from_the_clause_before(playback: Playback, clock: Clock) -> None:
    first, second = Clause("一二三四五", 0, 5), Clause("六七八九十", 5, 10)
    for piece in (*whole(first, 5.0), chunk(second, 1.0)):  # one second a character
        playback.add(piece)
    assert heard_at(playback, clock, 5.5, 6.0) == [5, 6]


def test_emoji_and_marks_are_not_torn(playback: Playback, clock: Clock) -> None:
    display = "👩\u200d👩\u200d👧e\u0301好"
    for piece in whole(Clause(display, 0, len(display)), len(display)):
        playback.add(piece)
    # 👩 ZWJ 👩 ZWJ 👧 e ´ 好: one second for each
    assert heard_at(playback, clock, *range(9)) == [0, 0, 0, 0, 0, 5, 5, 7, 8]


# The client's word


def test_the_clients_word_wins(playback: Playback, clock: Clock) -> None:
    for piece in whole(CHINESE, 1.8):
        playback.add(piece)
    assert heard_at(playback, clock, 1.8) == [32]
    playback.acknowledge(0.4)
    assert heard_at(playback, clock, 0, 50) == [25, 25]
    playback.acknowledge(1.0)
    assert playback.heard() == 28
    playback.acknowledge(1.795)  # rounded by the client
    assert playback.heard() == 32


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([1.0, 0.4], 28),
        ([1.0, -3.0], 28),
        ([-3.0], 23),
        ([0.0], 23),
        ([1e9], 32),
        ([math.inf], 32),
        ([-math.inf], 23),
        ([1.0, math.nan], 28),
    ],
)
def test_silly_words_are_clamped(playback: Playback, words: list[float], expected: int) -> None:
    playback.add(chunk(ENGLISH, 0, last=True))
    for piece in whole(CHINESE, 1.8):
        playback.add(piece)
    for seconds in words:
        playback.acknowledge(seconds)
    assert playback.heard() == expected


def test_a_word_about_what_was_not_handed_out_counts_for_what_was(playback: Playback) -> None:
    playback.add(chunk(CHINESE, 0.9))
    playback.acknowledge(60)
    playback.add(chunk(CHINESE, 0.9, last=True))
    assert playback.heard() == 27


# Waiting


@pytest.fixture
def anyio_backend(trio_virtual: Backend) -> Backend:
    return trio_virtual


@pytest.mark.anyio
async def test_waiting_ends_when_the_sound_does() -> None:
    playback, began = Playback(), anyio.current_time()
    for piece in whole(ENGLISH, 2.0):
        playback.add(piece)
    await anyio.sleep(0.5)
    await playback.wait_played()
    assert anyio.current_time() - began == pytest.approx(2.0, abs=1e-6)
    assert playback.heard() == 23
    await playback.wait_played()
    assert anyio.current_time() - began == pytest.approx(2.0, abs=1e-6)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [("asyncio", {}), ("trio", {})])
async def test_there_is_nothing_to_wait_for_in_nothing() -> None:
    playback = Playback()
    await playback.wait_played()
    playback.add(chunk(ENGLISH, 0, last=True))
    await playback.wait_played()
    assert playback.heard() == 23


@pytest.mark.anyio
async def test_waiting_is_for_what_was_added_before() -> None:
    playback, began = Playback(), anyio.current_time()
    playback.add(chunk(ENGLISH, 1.0))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(playback.wait_played)
        await anyio.sleep(0.5)
        playback.add(chunk(ENGLISH, 7.0))
    assert anyio.current_time() - began == pytest.approx(1.0, abs=1e-6)


async def acknowledged(*words: tuple[float, float]) -> float:
    """How long a wait for two seconds of sound takes, with a client that says these things at these times."""
    playback, began = Playback(), anyio.current_time()
    for piece in whole(ENGLISH, 2.0):
        playback.add(piece)
    ended: list[float] = []

    async def wait() -> None:
        await playback.wait_played()
        ended.append(anyio.current_time() - began)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        for at, seconds in words:
            await anyio.sleep_until(began + at)
            playback.acknowledge(seconds)
        await checkpoint()
    return ended[0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), 2.0),
        (((1.0, 0.7), (2.3, 2.0)), 2.3),  # it plays 0.3 s late
        (((1.0, 0.7), (2.3, 1.995)), 2.3),
        (((0.5, 2.0),), 0.5),  # it says that it is through
        (((1.0, 0.7),), 2.3 + GRACE),  # and then nothing more
        (((1.0, 0.7), (2.0, 0.7), (2.5, 0.1)), 2.3 + GRACE),
        (((1.0, 0.7), (4.0, 1.0)), 5.0 + GRACE),  # it stalls, and then goes on
    ],
)
async def test_waiting_goes_by_the_clients_word(words: tuple[tuple[float, float], ...], expected: float) -> None:
    assert await acknowledged(*words) == pytest.approx(expected, abs=1e-6)


@pytest.mark.anyio
async def test_waiting_can_be_cancelled() -> None:
    playback = Playback()
    playback.add(chunk(ENGLISH, 60))
    with anyio.move_on_after(1) as scope:
        await playback.wait_played()
    assert scope.cancelled_caught


# Laws

DISPLAYS = st.lists(
    st.sampled_from(["word ", "好", "，", "don't ", "3.14 ", "😀", "\u0301", "。", "\n"]), min_size=1, max_size=8
)


@given(
    displays=st.lists(DISPLAYS.map("".join), max_size=5),
    steps=st.lists(st.tuples(st.integers(0, 900), st.floats(0, 2), st.none() | st.floats(-1, 10)), max_size=20),
)
def test_heard_grows_ends_between_words_and_never_exceeds(
    displays: list[str], steps: list[tuple[int, float, float | None]]
) -> None:
    clock = Clock()
    playback, position, added = Playback(clock), 0, 0
    text, clauses = "".join(displays), []
    for display in displays:
        clauses.append(Clause(display, position, position + len(display)))
        position += len(display)
    pieces = [
        piece for clause in clauses for piece in (chunk(clause, 0.4), chunk(clause, 0.2), chunk(clause, 0, last=True))
    ]
    for milliseconds, wait, word in steps:
        if pieces:
            piece = pieces.pop(0)
            playback.add(piece)
            added = piece.clause.end
        clock.now += wait + milliseconds / 1000
        if word is not None:
            playback.acknowledge(word)
        found = playback.heard()
        assert 0 <= found <= added
        boundary = found in {0, len(text)} | {clause.end for clause in clauses}
        assert boundary or not (
            text[found - 1].isascii() and text[found - 1].isalnum() and text[found].isalnum() and text[found].isascii()
        )
