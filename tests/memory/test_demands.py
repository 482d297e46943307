"""What questions demand, written down by hand."""

import pytest

from memory.demands import flat, lookup, says, take_apart


def demanded(question: str) -> set[str]:
    return {demand.text for demand in take_apart(question).demands}


@pytest.mark.parametrize(
    ("question", "demands"),
    [
        ("How often do I have to clean the filter?", {"clean", "filter"}),
        ("Um, what's the wifi password?", {"wifi", "password"}),
        ("When does the washing machine repair begin?", {"wash machin", "repair", "begin"}),
        ("What day is the meeting?", {"meet"}),
        ("电梯什么时候维修？", {"电梯", "维修"}),
        ("请问猫可以带吗", {"猫", "带"}),
    ],
)
def test_words_that_only_ask_are_no_demands(question: str, demands: set[str]) -> None:
    assert demanded(question) == demands
    assert not demanded(question) & {"when", "day", "um", "what", "可以", "什么时候"}


def test_words_of_one_meaning_will_do_in_both_languages() -> None:
    (demand,) = take_apart("kids?").demands
    assert {"kid", "child", "孩子"} <= set(demand.words)
    (demand,) = take_apart("小朋友").demands
    assert {"孩子", "child"} <= set(demand.words)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What does error E9 mean?", "e9"),
        ("when does class six b leave", "6b"),
        ("What is new in version 4?", "4"),
        ("3号楼的电梯", "3号楼"),
        ("what is two oh four", "204"),
    ],
)
def test_codes_and_numbers_of_things_are_names(question: str, name: str) -> None:
    assert name in {demand.text for demand in take_apart(question).demands if demand.kind == "name"}


@pytest.mark.parametrize("question", ["I walked 12 kilometres", "8月3号开始", "25 euros for lunch"])
def test_what_is_counted_or_dated_is_no_name(question: str) -> None:
    assert not [demand for demand in take_apart(question).demands if demand.kind == "name"]


def test_what_is_chosen_from_or_counted_is_the_focus() -> None:
    focus = take_apart("Which gate does the flight leave from?").focus
    assert focus is not None
    assert focus.text == "gat"
    assert take_apart("What time does it leave?").focus is None
    assert take_apart("Where is it?").focus is None


def test_ideographs_that_no_known_word_explains_stay_together() -> None:
    assert take_apart("股票期权").runs == ("股票期权",)


@pytest.mark.parametrize(
    ("text", "word", "said"),
    [
        ("The kids' rooms", "kid", True),
        ("a washing machine", "wash machin", True),
        ("machine washing", "wash machin", False),
        ("kidney", "kid", False),
        ("带小朋友来", "小朋友", True),
        ("at 8:40", "8p40", True),
        ("kernel 5.10", "5", False),
        ("3号楼和4号楼", "4 号楼", True),
        ("错误3", "错误 3", True),
    ],
)
def test_a_text_says_words_as_a_whole(text: str, word: str, said: bool) -> None:
    assert says(flat(text), word) is said


def test_a_word_is_looked_up_as_the_lexicon_has_it() -> None:
    assert lookup("wash machin") == "wash machin"
    assert lookup("违约金") == "违约 约金"
    assert lookup("狗") == "狗"
    assert lookup("8p40") == "8 40"
