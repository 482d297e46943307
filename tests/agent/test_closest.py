"""What comes closest where the documents do not clearly answer: the sentence and its place, and plainly as a doubt."""

from dataclasses import replace

import pytest

from agent.closest import closest
from agent.prompt import REFUSALS
from memory.passages import Passage

AQUARIUM = Passage(
    id=1, knowledge="default", document="海洋馆须知", source="a.md", heading="海洋馆须知 › 喂食", start=0, end=9,
    score=0.3, text="海豚表演：每天10:00。\n\n鲨鱼喂食：星期三14:00，在A馆。",
)  # fmt: skip
MOWER = Passage(
    id=2, knowledge="default", document="Mower", source="b.md", heading="", start=0, end=9, score=0.3,
    text="The blade is 40 cm wide. " * 20, sentence="The lawn mower has a warranty of two years.",
)  # fmt: skip


def test_the_sentence_that_comes_closest_stands_with_its_place() -> None:
    said = closest([AQUARIUM], "zh")
    assert said.startswith("我不确定文档是否回答了这个问题。")
    assert "《海洋馆须知》“喂食”一节" in said
    assert "鲨鱼喂食：星期三14:00" in said
    said = closest([MOWER], "en")
    assert said.startswith("I am not sure that the documents answer this.")
    assert said.endswith('The closest is in Mower: "The lawn mower has a warranty of two years."')


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_anything_near_it_is_a_refusal(language: str) -> None:
    assert closest([], language) == REFUSALS[language]


def test_a_passage_that_hardly_says_what_is_asked_is_not_shown() -> None:
    assert closest([replace(MOWER, score=0.05)], "en") == REFUSALS["en"]


def test_a_passage_without_a_sentence_that_stands_out_is_quoted_from_its_beginning() -> None:
    long = replace(MOWER, text="word " * 200, sentence="")
    said = closest([long], "en")
    assert len(said) < 320
    assert said.endswith('…"')
