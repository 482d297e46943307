"""Marks in a reply, back to the passages they name."""

import pytest

from agent.citations import cited, source_line
from memory.passages import Passage
from models.engines.extractive import NOTHING


def passage(number: int) -> Passage:
    return Passage(
        id=number, knowledge="default", document=f"D{number}", source="", heading="H", text=f"text {number}",
        start=10 * number, end=10 * number + 6, score=0.5, page=number + 100,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "documents"),
    [
        ("Twenty-five days [2].", ["D2"]),
        ("First [3], then [1], and again [3].", ["D3", "D1"]),
        ("二十五天。[1][2]", ["D1", "D2"]),
        ("A mark that names nothing [9] is nobody's [2].", ["D2"]),
        # A reply that says nothing of a passage has no source, however many passages were at hand.
        ("No mark at all.", []),
        ("Only a wrong mark [0].", []),
    ],
)
def test_marks(reply: str, documents: list[str]) -> None:
    found = cited(reply, [passage(1), passage(2), passage(3)])
    assert [citation.document for citation in found] == documents
    assert all(citation.span == (10 * int(citation.text[-1]), 10 * int(citation.text[-1]) + 6) for citation in found)
    assert all(citation.page == 100 + int(citation.text[-1]) for citation in found)


def test_nothing_given_is_nothing_cited() -> None:
    assert cited("See [1].", []) == ()


LEAVE = "Every full-time employee gets 25 days of paid vacation each year. Ask Dr. Li two weeks ahead."
LEAVE_ZH = "全职员工每年有 25 天带薪年假。请假申请应当提前两周提交给李博士。"
OFFICE = "The office opens at 8:30 and closes at 18:30. Visitors call extension 4410."


@pytest.mark.parametrize(
    ("reply", "documents"),
    [
        ("You get 25 days of paid vacation each year.", ["leave"]),
        ("Vacation is 25 days, paid.", ["leave"]),
        ("Vacation is 30 days, paid.", []),
        ("It opens at 8:30; visitors call 4410.", ["office"]),
        ("请假申请应当提前两周提交，别忘了。", ["假期"]),
        ("员工每年有 25 天年假。", ["假期"]),
        ("员工每年有 30 天年假。", []),
        ("请假要找人。", []),
        ("Good morning! How are you today?", []),
        ("Yes.", []),
        ("25", []),
        ("Two and two are 4.", []),
        ("我没有找到可以引用的内容。现在没有运行语言模型，我只能引用文档。", []),
        ("You get 25 days of paid vacation each year [9]. The office opens at 8:30 and closes at 18:30.",
         ["leave", "office"]),
    ],
)  # fmt: skip
def test_without_marks_the_words_tell(reply: str, documents: list[str]) -> None:
    texts = {"leave": LEAVE, "office": OFFICE, "假期": LEAVE_ZH}
    given = [
        Passage(id=number, knowledge="default", document=name, source="", heading="", text=text,
                start=0, end=len(text), score=0.5)
        for number, (name, text) in enumerate(texts.items())
    ]  # fmt: skip
    assert [citation.document for citation in cited(reply, given)] == documents


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_answer_that_quotes_nothing_has_no_source(language: str) -> None:
    assert cited(NOTHING[language], [passage(1), passage(2)]) == ()


def source(document: str, heading: str, page: int | None = None) -> Passage:
    return Passage(
        id=1, knowledge="default", document=document, source="x", heading=heading, text="…", start=0, end=1, score=1.0,
        page=page,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "found", "language", "said"),
    [
        (
            "You get 25 days [1].", [source("Handbook", "Handbook › Annual leave")], "en",
            " That is according to Handbook, Annual leave.",
        ),
        ("You get 25 days [1].", [source("Handbook", "", 12)], "en", " That is according to Handbook, page 12."),
        ("According to the handbook it is 25 days [1].", [source("Handbook", "Leave")], "en", ""),
        ("You get 25 days.", [source("Handbook", "Leave")], "en", ""),
        ("You get 25 days [7].", [source("Handbook", "Leave")], "en", ""),
        ("一年有25天[1]。", [source("员工手册", "年假")], "zh", "依据是《员工手册》“年假”一节。"),
        ("一年有25天[1]。", [source("员工手册", "员工手册", 3)], "zh", "依据是《员工手册》第3页。"),
        ("《员工手册》规定25天[1]。", [source("员工手册", "年假")], "zh", ""),
    ],
)  # fmt: skip
def test_a_number_alone_is_given_a_name(reply: str, found: list[Passage], language: str, said: str) -> None:
    assert source_line(reply, found, language) == said
