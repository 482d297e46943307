"""Files of questions: what they hold, and what is said of those that hold something else."""

from pathlib import Path

import pytest

from configs.errors import RequestError
from memory.question_sets import Case, QuestionSet, read_questions


def write(folder: Path, text: str) -> Path:
    file = folder / "questions.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_all_that_a_question_may_have(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    file = write(
        tmp_path,
        """
documents: docs
questions:
  - {question: "How many days?", language: en, facts: ["25 days"], source: handbook.md}
  - question: 几天？
    language: zh
    facts: [25天, 两周]
    source: docs/handbook.md
    heading: Leave › Annual leave
    held_out: true
    cross_language: true
  - {question: "Who is the king?", language: en, answerable: false}
""",
    )
    assert read_questions(file) == QuestionSet(
        (
            Case("How many days?", "en", ("25 days",), "handbook.md"),
            Case("几天？", "zh", ("25天", "两周"), "docs/handbook.md", "Leave › Annual leave", True, True),
            Case("Who is the king?", "en"),
        ),
        tmp_path / "docs",
    )
    assert [case.answerable for case in read_questions(file).cases] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("questions: [", "not valid YAML"),
        ("- a", "the file"),
        ("questions: []", "questions"),
        ("questions: [{question: a, language: en}]", "`facts` and a `source`"),
        ("questions: [{question: a, language: en, facts: [b]}]", "`facts` and a `source`"),
        ("questions: [{question: a, language: en, answerable: false, facts: [b]}]", "has no `facts`"),
        ("questions: [{question: a, language: fr, answerable: false}]", "questions.0.language"),
        ("questions: [{question: ' ', language: en, answerable: false}]", "questions.0.question"),
        ("questions: [{question: a, language: en, answerable: false, heldout: true}]", "questions.0.heldout"),
        ("documents: gone\nquestions: [{question: a, language: en, answerable: false}]", "there are no documents"),
    ],
)
def test_a_file_that_cannot_be_used_names_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(RequestError) as raised:
        read_questions(file)
    assert str(file) in raised.value.message
    assert said in raised.value.message
    assert raised.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read"):
        read_questions(tmp_path / "none.yaml")
