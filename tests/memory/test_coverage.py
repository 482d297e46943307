import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.coverage import Coverage
from memory.lexical import index_terms, parse_question

PASSAGES = (
    "Every employee gets 25 days of paid vacation each year.",
    "Employees may work from home two days a week.",
    "The company pays employees on the 25th.",
    "每位员工每年享有25天带薪年假。",
    "员工每周可以在家办公两天。",
    "公司总部的系统由员工维护。",
)


def coverage(question: str, passage: str, passages: tuple[str, ...] = PASSAGES) -> float:
    parsed = parse_question(question)
    terms = [set(index_terms(text)) for text in passages]
    frequency = {term: sum(term in held for held in terms) for term in parsed.terms}
    return Coverage(parsed, frequency, len(passages)).of(set(index_terms(passage)))


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("how many days of vacation do employees get each year", 0),
        ("Is vacation paid?", 0),
        ("Can I work from home?", 1),
        ("员工每年有多少天年假？", 3),
        ("年假", 3),
        ("能在家办公吗", 4),
    ],
)
def test_a_passage_that_has_all_that_is_asked_covers_it_wholly(question: str, passage: int) -> None:
    assert coverage(question, PASSAGES[passage]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "question",
    [
        "Who is the president of France?",
        "Do employees get a company car?",
        "What pension do employees get?",
        "法国总统是谁？",
        "办公室可以养猫吗？",
        "员工有股票期权吗？",
        "公司总统是谁？",
    ],
)
def test_what_no_passage_knows_weighs_most(question: str) -> None:
    assert max(coverage(question, passage) for passage in PASSAGES) < 0.55


def test_weights_follow_the_formula_of_bm25() -> None:
    # "vacation" stands in 1 of 6 passages, "unicorn" in none: weights ln(1 + 5.5 / 1.5) and ln(1 + 6.5 / 0.5).
    known, unknown = math.log(1 + 5.5 / 1.5), math.log(1 + 6.5 / 0.5)
    assert coverage("vacation unicorn", PASSAGES[0]) == pytest.approx(known / (known + unknown))


def test_a_pair_across_two_words_does_no_harm() -> None:
    # 天年 stands nowhere; 年假 is what is asked.
    assert coverage("多少天年假", PASSAGES[3]) == 1.0


def test_a_question_without_content_is_covered_by_nothing() -> None:
    assert coverage("What is it about?", PASSAGES[0]) == coverage("那是什么", PASSAGES[3]) == coverage("", "") == 0.0


@given(st.text(), st.lists(st.text(), max_size=5))
def test_it_is_a_share(question: str, passages: list[str]) -> None:
    for passage in passages:
        assert 0.0 <= coverage(question, passage, tuple(passages)) <= 1.0
