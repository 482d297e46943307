"""What comes closest where the documents do not clearly answer: the sentence and its place, and plainly as a doubt."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.closest import closest
from agent.prompt import REFUSALS, UNKNOWN
from memory.passages import Passage
from memory.remembered import Memory

AQUARIUM = Passage(
    id=1, knowledge="default", document="海洋馆须知", source="a.md", heading="海洋馆须知 › 喂食", start=0, end=9,
    score=0.3, text="海豚表演：每天10:00。\n\n鲨鱼喂食：星期三14:00，在A馆。",
)  # fmt: skip
MOWER = Passage(
    id=2, knowledge="default", document="Mower", source="b.md", heading="", start=0, end=9, score=0.3,
    text="The blade is 40 cm wide. " * 20, sentence="The lawn mower has a warranty of two years.",
)  # fmt: skip

RENT = Memory(
    id=1, kind="turn", text="铺面房租一个月六千五。", reply="", quote="", turn="t", subject="", importance=3,
    language="zh", said_at=datetime(2026, 3, 15, tzinfo=UTC), closed_at=None,
)  # fmt: skip


def test_what_the_user_said_comes_first_where_the_question_is_about_the_user() -> None:
    said = closest([AQUARIUM], RENT, "zh", personal=True)
    assert said == "我不确定你有没有告诉过我，最接近的是：2026年3月15日你说过：“铺面房租一个月六千五。”"
    assert "海洋馆须知" in closest([AQUARIUM], RENT, "zh", personal=False)
    said = closest([], RENT, "en", personal=False)
    assert said.startswith("I am not sure that you have told me this; ")
    assert said.endswith('On 15 March 2026 you said: "铺面房租一个月六千五。"')


def test_the_sentence_that_comes_closest_stands_with_its_place() -> None:
    said = closest([AQUARIUM], None, "zh", personal=False)
    assert said.startswith("我不确定文档是否回答了这个问题。")
    assert "《海洋馆须知》“喂食”一节" in said
    assert "鲨鱼喂食：星期三14:00" in said
    said = closest([MOWER], None, "en", personal=False)
    assert said.startswith("I am not sure that the documents answer this.")
    assert said.endswith('The closest is in Mower: "The lawn mower has a warranty of two years."')


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_anything_near_it_is_a_refusal(language: str) -> None:
    assert closest([], None, language, personal=False) == REFUSALS[language]
    assert closest([], None, language, personal=True) == UNKNOWN[language]


def test_a_passage_that_hardly_says_what_is_asked_is_not_shown() -> None:
    assert closest([replace(MOWER, score=0.05)], None, "en", personal=False) == REFUSALS["en"]


def test_a_passage_without_a_sentence_that_stands_out_is_quoted_from_its_beginning() -> None:
    long = replace(MOWER, text="word " * 200, sentence="")
    said = closest([long], None, "en", personal=False)
    assert len(said) < 320
    assert said.endswith('…"')
