"""What counts as spoken: tables of scores, and phrases that Whisper has from subtitles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engines.whisper_gates import PHANTOM_BEGINNINGS, PHANTOMS, gate, is_phantom


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "stopped"),
    [
        (0.0, -0.1, ""),
        (0.0, -2.0, ""),  # mumbled, but surely speech
        (0.6, -2.0, ""),
        (0.99, -0.1, ""),  # pure tones and hum score like this with real words over them
        (0.99, -0.7, ""),
        (0.61, -0.71, "no speech: probability 0.61, tokens at -0.71"),
        (0.99, -1.0, "no speech: probability 0.99, tokens at -1.00"),
    ],
)
def test_both_scores_together_decide_whether_a_segment_was_spoken(
    no_speech: float, log_probability: float, stopped: str
) -> None:
    assert gate("What time is it now?", no_speech, log_probability, 1.0) == stopped


@pytest.mark.parametrize(("compression", "stopped"), [(2.4, ""), (2.41, "repetition: compression 2.41")])
def test_a_text_in_circles_was_not_spoken(compression: float, stopped: str) -> None:
    assert gate("la la la", 0.0, -0.1, compression) == stopped


# As users of Whisper report them, in the spelling and with the marks that it gives them.
REPORTED = [
    "Thank you for watching!", "Thanks for watching.", " Thank you.", "Bye-bye!", "Please subscribe to my channel.",
    "Subtitles by the Amara.org community", "Transcription by CastingWords", "you", "Subtitles by SteamTeamExtra",
    "谢谢观看", "谢谢观看！", "謝謝觀看", "感谢观看。", "字幕由 Amara.org 社区提供", "字幕by索兰娅",
    "字幕志愿者 李宗盛", "中文字幕志愿者 杨茜茜", "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
    "優優獨播劇場——YoYo Television Series Exclusive",
]  # fmt: skip
SAID = [
    "Thank you for watching my dog while I was away.", "Who made the subtitles?", "Do you subscribe to a newspaper?",
    "谢谢你。", "谢谢观看和你的建议，我们明天再谈。", "这部电影的字幕由谁翻译？", "你",
    "What do you think of you and me?",
]  # fmt: skip


@pytest.mark.parametrize("text", REPORTED)
def test_a_phrase_of_subtitles_needs_one_bad_score_and_no_good_one_saves_it(text: str) -> None:
    assert is_phantom(text)
    assert gate(text, 0.2, -0.6, 1.0) == ""
    assert gate(text, 0.31, -0.1, 1.0) == "a phrase of subtitles: no speech 0.31, tokens at -0.10"
    assert gate(text, 0.0, -0.71, 1.0) == "a phrase of subtitles: no speech 0.00, tokens at -0.71"


@pytest.mark.parametrize("text", SAID)
def test_what_only_resembles_one_is_none(text: str) -> None:
    assert not is_phantom(text)
    assert gate(text, 0.59, -0.69, 1.0) == ""


def test_the_table_is_written_as_texts_are_compared() -> None:
    assert [each for each in (*PHANTOMS, *PHANTOM_BEGINNINGS) if not is_phantom(each.upper() + " ！")] == []
    assert len(set(PHANTOMS)) == len(PHANTOMS)


@given(st.text(max_size=20), st.floats(0, 0.3), st.floats(-0.7, 0), st.floats(0, 2.4))
def test_no_phrase_is_dropped_for_its_words_alone(
    text: str, no_speech: float, log_probability: float, compression: float
) -> None:
    for said in (text, "谢谢观看"):
        assert gate(said, no_speech, log_probability, compression) == ""
