"""ChatTTS's control tokens: what is asked for, where pauses go, and that no rewriting puts words into a mouth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engines.chattts_controls import is_faithful, placed, refine_prompt, tidied, without_tokens
from models.text_to_speech import Voice


@pytest.mark.parametrize(
    ("voice", "prompt"),
    [
        (Voice("nova", 1.5), ""),
        (Voice(break_=7), ""),
        (Voice(oral=2, laugh=0, break_=6), "[oral_2][laugh_0][break_6]"),
        (Voice(oral=9), "[oral_9][laugh_0][break_0]"),
        (Voice(oral=0), "[oral_0][laugh_0][break_0]"),
        (Voice(laugh=2), "[oral_0][laugh_2][break_0]"),
        (Voice(laugh=1, break_=4), "[oral_0][laugh_1][break_4]"),
    ],
)
def test_what_is_set_is_asked_for_as_chattts_writes_it(voice: Voice, prompt: str) -> None:
    """The form is that of ChatTTS's README; pauses alone are put without asking."""
    assert refine_prompt(voice) == prompt


@pytest.mark.parametrize(
    ("level", "spoken"),
    [
        (None, "好，走。来，吧。"),
        (0, "好，走。来，吧。"),
        (1, "好，走。来，吧。[lbreak]"),
        (2, "好，走。[uv_break]来，吧。[lbreak]"),
        (3, "好，[uv_break]走。[uv_break]来，[uv_break]吧。[lbreak]"),
        (4, "好，[uv_break]走。[uv_break][uv_break]来，[uv_break]吧。[lbreak]"),
        (7, "好，" + "[uv_break]" * 3 + "走。" + "[uv_break]" * 3 + "来，" + "[uv_break]" * 3 + "吧。[lbreak]"),
    ],
)
def test_each_level_pauses_more(level: int | None, spoken: str) -> None:
    assert placed("好，走。来，吧。", Voice(break_=level)) == spoken


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Well, yes. No.", "Well,[uv_break] yes.[uv_break] No.[lbreak]"),
        ("一、二", "一、[uv_break]二[lbreak]"),
        ("你好，", "你好，[lbreak]"),
        ("hello", "hello[lbreak]"),
    ],
)
def test_pauses_are_those_of_the_text(text: str, spoken: str) -> None:
    assert placed(text, Voice(break_=3)) == spoken


@pytest.mark.parametrize(
    ("text", "laugh", "spoken"),
    [("好。", 1, "好。[laugh]"), ("Good.", 2, "Good.[laugh][laugh]"), ("好，", 2, "好，"), ("好。", 0, "好。")],
)
def test_a_laugh_waits_for_the_end_of_the_sentence(text: str, laugh: int, spoken: str) -> None:
    assert placed(text, Voice(laugh=laugh)) == spoken


def test_a_laugh_comes_before_the_last_pause() -> None:
    """As in ChatTTS's README: "…[laugh][lbreak]"."""
    assert placed("好。", Voice(laugh=1, break_=1)) == "好。[laugh][lbreak]"


@given(
    st.text(alphabet="你好ab，。、,. "), st.none() | st.integers(0, 9), st.none() | st.integers(0, 2), st.integers(0, 7)
)
def test_tokens_change_no_character(text: str, oral: int | None, laugh: int | None, level: int) -> None:
    spoken, tokens = without_tokens(placed(text, Voice(oral=oral, laugh=laugh, break_=level)))
    assert spoken == text
    assert (tokens > 0) == (level > 0 or (bool(laugh) and text.endswith(("。", "."))))


@pytest.mark.parametrize(
    ("refined", "spoken"),
    [
        ("你 好 [uv_break] 世 界 [uv_break]", "你 好 [uv_break] 世 界"),
        ("你 好 [uv_break][uv_break] ", "你 好"),
        ("hello [laugh] [lbreak]", "hello [laugh] [lbreak]"),
        ("[Stts]你[UNK]好[pure][oral_2]", "你 好"),
        ("[uv_break]", ""),
        ("", ""),
    ],
)
def test_only_what_can_be_heard_is_left_and_no_last_pause(refined: str, spoken: str) -> None:
    """A pause as the very last is noise: 2noise/ChatTTS#214."""
    assert tidied(refined) == spoken


@pytest.mark.parametrize(
    ("refined", "text", "oral"),
    [
        ("你 好 [uv_break] 世 界", "你好，世界。", 0),
        ("hello [laugh] world", "Hello, world.", 0),
        ("我 用 python [uv_break] 写", "我用Python写。", 0),
        ("嗯 [uv_break] 你 好", "你好", 1),
        ("um [uv_break] so we uh go home [laugh]", "So we go home", 2),
        ("啊 啊 好", "啊好", 1),
        ("你 好 啊", "你好啊", 0),
    ],
)
def test_pauses_laughs_and_few_interjections_are_faithful(refined: str, text: str, oral: int) -> None:
    assert is_faithful(refined, text, oral)


@pytest.mark.parametrize(
    ("refined", "text", "oral"),
    [
        # What users report of it: words are added (2noise/ChatTTS#58, #246, #956) and dropped (#166).
        ("那 个 你 好", "你好", 9),
        ("就 是 你 好", "你好", 9),
        ("你 好 世 界 好", "你好世界", 9),
        ("你 世 界", "你好世界", 9),
        ("你 好 世", "你好世界", 9),
        ("", "你好", 9),
        ("世 界 你 好", "你好世界", 9),
        ("do stop", "Do not stop", 9),
        ("do not not stop", "Do not stop", 9),
        ("你 好 3", "你好", 9),
        ("你 好 か", "你好", 9),
        # More interjections than the level allows, or than so short a text bears.
        ("嗯 你 好", "你好", 0),
        ("嗯 你 啊 好", "你好", 1),
        ("嗯 你 啊 好", "你好", 9),
        ("嗯 你 好 世 啊 界 呃", "你好世界", 9),
        # More tokens than words.
        ("[uv_break]" * 4 + "你 好", "你好", 0),
    ],
)
def test_other_words_are_not_faithful(refined: str, text: str, oral: int) -> None:
    assert not is_faithful(refined, text, oral)


@given(st.lists(st.sampled_from(["a", "bc", "你", "好", "嗯", "um"]), min_size=1), st.data())
def test_a_dropped_word_is_always_noticed(words: list[str], data: st.DataObject) -> None:
    dropped = data.draw(st.integers(0, len(words) - 1))
    assert is_faithful(" ".join(words), " ".join(words), 0)
    assert not is_faithful(" ".join(words[:dropped] + words[dropped + 1 :]), " ".join(words), 9)
