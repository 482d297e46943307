"""Kinds of answers, by questions and texts written down by hand."""

import pytest

from memory.answer_kinds import asked_kinds
from memory.concepts import concepts, stems
from memory.lexical import normalised


def kinds(question: str) -> set[str]:
    return {kind.name for kind in asked_kinds(normalised(question))}


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much is a ticket?", "money"),
        ("What do we pay for the second child?", "money"),
        ("门票多少钱", "money"),
        ("At what time does it close?", "clock"),
        ("几点关门", "clock"),
        ("On which day is it closed?", "weekday"),
        ("星期几休息", "weekday"),
        ("When is it?", "time"),
        ("什么时候开始", "time"),
        ("How long does it take?", "duration"),
        ("保修几年", "duration"),
        ("How often does it run?", "frequency"),
        ("How many people fit?", "number"),
        ("Which languages are there?", "language"),
        ("Who decides?", "person"),
        ("谁决定", "person"),
        ("会长叫什么名字", "name"),
        ("What is the phone number?", "telephone"),
        ("电话是多少", "telephone"),
        ("能收多少公斤", "count"),
    ],
)
def test_a_question_wants_a_kind(question: str, kind: str) -> None:
    assert kind in kinds(question)


@pytest.mark.parametrize("question", ["Can I bring a dog?", "可以带狗吗？", "Who is in charge when we are late?"])
def test_a_question_wants_no_price_or_time(question: str) -> None:
    assert not kinds(question) & {"money", "time", "clock", "duration"}


@pytest.mark.parametrize(
    ("question", "text", "named"),
    [
        ("How much is it?", "It costs 3 euros.", True),
        ("How much is it?", "It is free.", True),
        ("How much is it?", "It takes 3 hours.", False),
        ("多少钱", "每次2元", True),
        ("多少钱", "每次2小时", False),
        ("几点", "晚上8点", True),
        ("几点", "星期二", False),
        ("How long?", "for three weeks", True),
        ("How long?", "room 12", False),
        ("谁", "由王芳负责", False),
        ("谁", "负责人：王芳", True),
        ("Who?", "Jonas Quill takes them.", True),
        ("Who?", "it is late", False),
        ("能收多少公斤", "收了4.5公斤", True),
        ("能收多少公斤", "收了3次", False),
    ],
)
def test_a_text_names_a_kind(question: str, text: str, named: bool) -> None:
    found = asked_kinds(normalised(question))
    assert found
    assert all(kind.is_named(text, normalised(text)) for kind in found) is named


def test_each_meaning_leads_from_each_of_its_words_to_all_others() -> None:
    table = concepts()
    for word, others in table.items():
        assert others[0] == word
        assert all(word in table[other] for other in others)
    assert stems("washing machines") in table
