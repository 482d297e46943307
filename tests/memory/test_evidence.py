"""How far passages say what is asked: orders that a reader would put them in, and shares that can be counted."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.demands import lookup, pieces_of, take_apart
from memory.evidence import BESIDE, CONTEXT, ELSEWHERE, OPENING, UNMET, Evidence
from memory.lexical import index_terms

PASSAGES = (
    "The laundry room is open from 7:00 to 21:00.",
    "A wash costs 2 euros. The caretaker sells tokens on Tuesdays.",
    "Ms Iyer leads the trip.",
    "洗衣房每天7点到21点开放。",
    "3号楼的电梯8月3日开始维修。",
    "公司总部的系统由员工维护。",
)


def judge(question: str, passages: tuple[str, ...] = PASSAGES) -> Evidence:
    inquiry = take_apart(question)
    held = [set(index_terms(text)) for text in passages]
    texts = [f" {' '.join(index_terms(text))} " for text in passages]
    frequency = {
        demand.text: sum(any(f" {lookup(word)} " in text for word in demand.words) for text in texts)
        for demand in inquiry.demands
    }
    pieces = {piece: sum(piece in terms for terms in held) for run in inquiry.runs for piece in pieces_of(run)}
    return Evidence(inquiry, frequency, pieces, len(passages))


def said(question: str, passage: str, *, title: str = "", heading: str = "", opening: str = "") -> float:
    return judge(question).of(passage, title, heading, opening)


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("When does the laundry room open?", 0),
        ("Who is in charge of the trip?", 2),
        ("洗衣房几点开放？", 3),
        ("3号楼的电梯什么时候维修？", 4),
    ],
)
def test_a_sentence_that_says_all_says_it_wholly(question: str, passage: int) -> None:
    assert said(question, PASSAGES[passage]) == pytest.approx(1.0)


def test_where_a_word_stands_tells_what_it_counts() -> None:
    # One word only, so that each share is the constant itself.
    question = "tokens"
    assert said(question, "Tokens here.") == 1.0
    assert said(question, "One. Two.", title="Tokens") == pytest.approx(CONTEXT)
    assert said(question, "One. Two.", heading="Tokens") == pytest.approx(CONTEXT)
    assert said("tokens caretaker", "Tokens. Caretaker.") == pytest.approx((1 + BESIDE) / 2)
    far = said("tokens caretaker", "Tokens. One. Two. Caretaker.")
    assert (1 + ELSEWHERE) / 2 * 0.6 <= far < (1 + BESIDE) / 2
    assert 0 < said(question, "One.", opening="All about tokens.") <= OPENING


def test_a_word_that_is_not_there_counts_twice() -> None:
    # "caretaker" stands in 1 of 6 passages, "unicorn" in none: ln(1 + 5.5 / 1.5) and ln(1 + 6.5 / 0.5).
    known, unknown = math.log(1 + 5.5 / 1.5), math.log(1 + 6.5 / 0.5)
    share = known / (known + unknown)
    assert judge("caretaker unicorn").glance(set(index_terms("caretaker"))) == pytest.approx(share)
    assert said("caretaker unicorn", "The caretaker.") <= share * UNMET


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("How much is a wash?", "A wash is 2 euros.", "A wash is at nine."),
        ("What time does the wash begin?", "The wash begins at 9:30.", "The wash begins on Monday."),
        ("谁负责电梯？", "电梯的负责人：王芳。", "电梯的负责时间很长。"),
        ("Where is platform 3?", "Platform 3 is outside.", "Platform 2 is outside."),
        ("6号楼的电梯什么时候维修？", "6号楼的电梯8月维修。", "3号楼的电梯8月维修。"),
        ("Which gate does the train leave from?", "The train leaves from gate 4.", "The train leaves at four."),
    ],
)
def test_the_kind_the_name_and_the_thing_that_are_asked_for_must_be_there(
    question: str, right: str, wrong: str
) -> None:
    assert said(question, right) > 1.2 * said(question, wrong)


@pytest.mark.parametrize("question", ["公司总统是谁？", "员工有股票期权吗？", "Do employees get a company car?"])
def test_what_no_passage_knows_weighs_most(question: str) -> None:
    assert max(judge(question).of(passage, "", "", "") for passage in PASSAGES) < 0.45


def test_a_question_without_content_is_answered_by_nothing() -> None:
    assert said("What is it about?", PASSAGES[0]) == said("那是什么", PASSAGES[3]) == 0.0
    assert judge("").glance({"laundri"}) == 0.0


@given(st.text(), st.text(), st.text())
def test_it_is_a_share(question: str, passage: str, title: str) -> None:
    assert 0.0 <= judge(question, (passage,)).of(passage, title, title, passage) <= 1.0 + 1e-9
