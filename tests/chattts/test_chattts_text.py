"""What ChatTTS is given to say: against the package's own rule for what it deletes."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engines.chattts_text import LIMIT, RATE, STEP, is_too_long, lost, plausible_steps, sayable, speed_token

pytestmark = pytest.mark.chattts

DELETED = re.compile(r"[^\u4e00-\u9fffA-Za-z，。、,\. ]")
"""`reject_pattern` of ChatTTS 0.2.5."""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("你好，世界！", "你好，世界。"),
        ("真的吗？好的。", "真的吗。好的。"),
        ("Really? Yes!", "Really. Yes."),
        ("I don't know; it's fine", "I dont know, its fine"),
        ("well-known", "well known"),
        ("（注意）开始：好", "注意，开始，好"),
        ("café naïve", "cafe naive"),
        ("ＡＢＣ", "ABC"),
        ("你好[uv_break]世界", "你好 uv break 世界"),
        ("a [b c", "a b c"),
        ("好……的", "好。的"),
        ("wait... what", "wait. what"),
        ("“引号”", "引号"),
        ("say 'yes'", "say yes"),
        ("one\ntwo", "one two"),
        ("A.B", "A. B"),
    ],
)
def test_what_it_cannot_write_is_replaced_by_what_it_can_say(text: str, said: str) -> None:
    assert re.sub(" +", " ", sayable(text)) == said


@pytest.mark.parametrize(
    "text", ["", " ", "。", "...", "😀", "👩‍👩‍👧", "123", "12:30", "[]", "?!", "\n", "---", "\u0301", "かな"]
)
def test_a_text_with_nothing_to_say_is_nothing(text: str) -> None:
    assert sayable(text) == ""


@given(st.text() | st.text(alphabet="你好 a.,，。!?[]'’-3é…（）\n"))
def test_nothing_is_left_that_chattts_would_delete(text: str) -> None:
    said = sayable(text)
    assert not DELETED.search(said)
    assert sayable(said) == said


@given(st.text(alphabet="你好世界abcXYZ"))
def test_letters_are_kept_as_they_are(text: str) -> None:
    assert sayable(text) == text


def test_the_rule_is_the_packages(chat: Any) -> None:
    assert chat.normalizer.reject_pattern.pattern == DELETED.pattern


def test_what_is_lost_is_named() -> None:
    assert lost("我有3个かな，😀 café!") == "3かな"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        # Usual durations: news is read at 4 to 5 Chinese characters or 13 to 16 English letters a second.
        ("今天天气很好，我们去公园散步吧。", 4.0),
        ("The quick brown fox jumps over the lazy dog.", 2.8),
        ("A B C", 1.2),
        ("好", 0.3),
    ],
)
@pytest.mark.parametrize("hurry", [0.7, 1.0, 1.5])
def test_a_usual_pace_is_plausible_and_babble_is_not(text: str, seconds: float, hurry: float) -> None:
    shortest, longest = plausible_steps(text, 1.0)
    steps = seconds / hurry * RATE / STEP
    assert shortest < steps < longest
    assert longest < 43 * RATE / STEP
    assert 8 * seconds + 4 > longest * STEP / RATE


def test_a_slow_voice_may_take_longer() -> None:
    assert (
        plausible_steps("你好你好", 0.5)[1] > plausible_steps("你好你好", 1.0)[1] > plausible_steps("你好你好", 2.0)[1]
    )


@pytest.mark.parametrize(("text", "too_long"), [("好" * 100, False), ("好" * 300, True), ("word " * 100, False)])
def test_what_takes_longer_than_a_call_is_too_long(text: str, too_long: bool) -> None:
    """100 characters are 20 to 25 seconds, 300 over a minute; a call has 43."""
    assert is_too_long(text, 1.0) is too_long
    assert plausible_steps(text, 1.0)[1] <= LIMIT == 2048


@pytest.mark.parametrize(("speed", "token"), [(1, "[speed_5]"), (0.5, "[speed_1]"), (2, "[speed_9]"), (9, "[speed_9]")])
def test_speed_becomes_one_of_ten_paces(speed: float, token: str) -> None:
    assert speed_token(speed) == token
