"""LocalAgreement-2: hypotheses worked through by hand, and laws that hold for any."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.partial_transcripts import LocalAgreement, Partial, units


def stable(*hypotheses: str) -> list[str]:
    agreement = LocalAgreement()
    return [agreement.push(hypothesis).stable for hypothesis in hypotheses]


@pytest.mark.parametrize(
    ("hypotheses", "wanted"),
    [
        (["Hello."], [""]),
        (["Hello.", "Hello how are", "Hello, how are you", "Hello, how are you today?"],
         ["", "Hello", "Hello", "Hello, how are you"]),
        (["What time", "What time is", "What time is it now?"], ["", "What time", "What time is"]),
        (["What thyme", "What time is", "What time is it"], ["", "What", "What time is"]),  # half a word is none
        (["你好", "你好你是", "你好，你是谁？"], ["", "你好", "你好"]),
        (["今天天", "今天天气", "今天天气怎么样？", "今天天气怎么样？"], ["", "今天天", "今天天气", "今天天气怎么样"]),
        (["打开 WiFi 的", "打开 WiFi 的开关"], ["", "打开 WiFi 的"]),
        (["Don't stop", "Don't stop now"], ["", "Don't stop"]),
        (["a b c", "a b c", "x y z", "x y z w"], ["", "a b c", "a b c", "a b c"]),  # what is stable stays
        (["", "  ", "..."], ["", "", ""]),
    ],
)  # fmt: skip
def test_what_two_in_a_row_begin_with_is_stable(hypotheses: list[str], wanted: list[str]) -> None:
    assert stable(*hypotheses) == wanted


def test_what_is_not_stable_yet_follows_it() -> None:
    agreement = LocalAgreement()
    agreement.push("I would like tee")
    assert agreement.push("I would like tea, please.") == Partial("I would like tea, please.", "I would like")
    assert agreement.push("Eye would like tea, please.").text == "I would like tea, please."


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Hello, how are you?", ["Hello", ",", " how", " are", " you", "?"]),
        ("我叫小明。", ["我", "叫", "小", "明", "。"]),
        ("用 iPhone15拍", ["用", " iPhone15", "拍"]),
        ("It's twenty-five", ["It's", " twenty-five"]),
        ("カメラ", ["カ", "メ", "ラ"]),
    ],
)
def test_words_of_english_and_characters_of_chinese(text: str, wanted: list[str]) -> None:
    assert units(text) == wanted


TEXTS = st.text(st.sampled_from("ab 你好，. 'é\n5"), max_size=12) | st.text(max_size=8)


@given(TEXTS)
def test_units_join_to_the_text(text: str) -> None:
    assert "".join(units(text)) == text.strip()


@given(st.lists(TEXTS, max_size=8))
def test_what_is_stable_only_grows_and_begins_the_text(hypotheses: list[str]) -> None:
    agreement, before = LocalAgreement(), ""
    for hypothesis in hypotheses:
        found = agreement.push(hypothesis)
        assert found.stable.startswith(before)
        assert found.text.startswith(found.stable)
        before = found.stable


@given(st.lists(TEXTS, min_size=2, max_size=8))
def test_what_becomes_stable_was_said_twice_in_a_row(hypotheses: list[str]) -> None:
    agreement, before = LocalAgreement(), ""
    for last, hypothesis in zip(["", *hypotheses], hypotheses, strict=False):
        found = agreement.push(hypothesis)
        if found.stable != before:
            assert last.strip().startswith(found.stable)
            assert hypothesis.strip().startswith(found.stable)
        before = found.stable


@given(TEXTS)
def test_the_same_twice_is_stable_up_to_its_last_marks(text: str) -> None:
    assert stable(text, text)[1] == re.sub(r"(?:[^\w]|_)+$", "", text.strip())
