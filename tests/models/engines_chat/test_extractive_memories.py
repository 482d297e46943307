"""Memories told without a language model: how many, in whose words, with which day."""

import pytest

from models.engines.extractive_memories import is_personal, quoted_memory
from models.quoting import QuotedMemory

TOLD = (
    QuotedMemory("2026-03-02", "said", "My dog is called Rex."),
    QuotedMemory("2026-01-05", "said", "I have a cat called Tofu"),
    QuotedMemory("2025-12-24", "said", "Our parrot is called Zanzibar."),
    QuotedMemory("2025-12-01", "said", "I had fish once."),
)
EN = 'On 2 March 2026 you said: "My dog is called Rex."'


@pytest.mark.parametrize(
    ("question", "how_many"),
    [
        ("What is my dog called?", 1),
        ("Which pets do I have?", 3),
        ("what are my animals called", 3),
        ("Where is my dog and what is it called?", 3),
        ("我的狗叫什么？", 1),
        ("我有哪些宠物？", 3),
        ("我的狗叫什么，几岁了？", 3),
        ("Is my dog's name Rex?", 1),
    ],
)
def test_a_question_for_several_things_gets_several(question: str, how_many: int) -> None:
    assert quoted_memory(question, TOLD, "en").count("you said") == how_many


def test_the_users_words_stand_with_their_day() -> None:
    assert quoted_memory("What is my dog called?", TOLD, "en") == EN
    assert quoted_memory("我的狗叫什么？", TOLD[1:], "zh") == "2026年1月5日你说过：“I have a cat called Tofu”。"
    assert quoted_memory("我的狗叫什么？", TOLD, "zh") == "2026年3月2日你说过：“My dog is called Rex.”"


@pytest.mark.parametrize(
    ("question", "personal"),
    [
        ("What is my dog called?", True), ("Where do I live?", True), ("我的猫叫什么？", True),
        ("How many vacation days are there?", False), ("我们公司几点上班？", False), ("Mine is red, isn't it?", True),
    ],
)  # fmt: skip
def test_who_a_question_is_about(question: str, personal: bool) -> None:
    assert is_personal(question) is personal
