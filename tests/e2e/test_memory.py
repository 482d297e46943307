"""What is remembered, as a person meets it at the terminal: told, asked for, corrected, taken along, and forgotten."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Tingshuo


def traces(folder: Path, *words: str) -> list[str]:
    """The files of a folder that hold a word, in the two encodings that anything here writes."""
    needles = [word.encode(encoding) for word in words for encoding in ("utf-8", "utf-16-le")]
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]


Tell = Callable[..., dict[str, Any]]


@pytest.fixture
def tell(tingshuo: Tingshuo) -> Tell:
    """Says something in one conversation and returns the reply."""

    def say(text: str, *options: object) -> dict[str, Any]:
        ended = tingshuo("ask", text, "--no-speech", "--json", *options)
        assert ended.code == 0, ended
        answer: dict[str, Any] = json.loads(ended.out)
        return answer

    return say


def remembered(tingshuo: Tingshuo, *options: object) -> list[dict[str, Any]]:
    ended = tingshuo("memory", "list", "--json", *options)
    assert ended.code == 0, ended
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


def reply(answer: dict[str, Any]) -> str:
    return str(answer["reply"]["text"])


@pytest.mark.parametrize(
    ("told", "question", "fact"),
    [
        ("My dog is called Rufus.", "what is my dog called", "Rufus"),
        ("我的猫叫豆包。", "我的猫叫什么名字？", "豆包"),
        ("Please remember that my locker code is 4711.", "What is my locker code?", "4711"),
        ("请记住，我对花生过敏。", "我对什么过敏？", "花生"),
    ],
)
def test_what_was_told_is_known_in_another_conversation(
    tingshuo: Tingshuo, tell: Tell, told: str, question: str, fact: str
) -> None:
    tell(told)
    answer = tell(question)
    assert fact in reply(answer)
    assert answer["memories"]
    assert [memory["text"] for memory in remembered(tingshuo)][-1] in (told, told.partition("that ")[2], told[4:])


def test_two_users_know_nothing_of_each_other(tingshuo: Tingshuo, tell: Tell) -> None:
    tell("My dog is called Rufus.", "--user", "ann")
    tell("My dog is called Bella.", "--user", "ben")
    assert "Rufus" in reply(tell("What is my dog called?", "--user", "ann"))
    assert "Bella" in reply(tell("What is my dog called?", "--user", "ben"))
    assert "dog" not in reply(tell("What is my dog called?", "--user", "eve"))
    assert [memory["text"] for memory in remembered(tingshuo, "--user", "ben")] == ["My dog is called Bella."]


def test_what_is_forgotten_is_nowhere_on_the_disk(tingshuo: Tingshuo, tell: Tell, data_folder: Path) -> None:
    tell("My parrot is called Zanzibar.")
    tell("I collect stamps.")
    assert "Zanzibar" in reply(tell("What is my parrot called?"))
    assert traces(data_folder, "Zanzibar")
    number = next(memory["id"] for memory in remembered(tingshuo) if "parrot" in str(memory["text"]))
    ended = tingshuo("memory", "forget", number)
    assert ended.code == 0, ended
    assert traces(data_folder, "Zanzibar", "parrot") == []
    assert [memory["text"] for memory in remembered(tingshuo)] == ["I collect stamps."]
    assert "Zanzibar" not in reply(tell("What is my parrot called?"))


def test_words_are_forgotten_wherever_they_stand(tingshuo: Tingshuo, tell: Tell, data_folder: Path) -> None:
    tell("我的鹦鹉叫桑给巴尔。")
    tell("你觉得桑给巴尔这个名字好听吗？")
    tell("我喜欢集邮。")
    assert tingshuo("memory", "forget", "--about", "桑给巴尔").code == 0
    assert traces(data_folder, "桑给巴尔", "鹦鹉") == []
    assert [memory["text"] for memory in remembered(tingshuo)] == ["我喜欢集邮。"]


def test_all_is_forgotten_of_one_user_and_nothing_of_another(tingshuo: Tingshuo, tell: Tell, data_folder: Path) -> None:
    tell("My parrot is called Zanzibar.", "--user", "ann")
    tell("How far is the moon?", "--user", "ann")
    tell("My dog is called Bella.", "--user", "ben")
    refused = tingshuo("memory", "forget", "--all", "--user", "ann", typed="n\n")
    assert refused.code == 1
    assert remembered(tingshuo, "--user", "ann")
    assert tingshuo("memory", "forget", "--all", "--user", "ann", "--yes").code == 0
    assert traces(data_folder, "Zanzibar", "moon") == []
    assert remembered(tingshuo, "--user", "ann") == []
    assert len(remembered(tingshuo, "--user", "ben")) == 1


def test_forgetting_by_word_of_mouth_leaves_no_trace_either(tingshuo: Tingshuo, tell: Tell, data_folder: Path) -> None:
    tell("My parrot is called Zanzibar.")
    assert "forgotten" in reply(tell("Forget that my parrot is called Zanzibar."))
    assert traces(data_folder, "Zanzibar") == []
    tell("My locker code is 90210.", "--conversation", "c")
    assert "forgotten" in reply(tell("Forget that.", "--conversation", "c"))
    assert traces(data_folder, "90210") == []
    tell("My locker code is 90210, and my parrot is called Zanzibar.")
    assert "forgotten" in reply(tell("I have a new locker, number 145. Forget that my parrot is called Zanzibar."))
    assert traces(data_folder, "Zanzibar") == []
    assert "145" in reply(tell("Which number is my locker?"))


def test_notes_are_corrected_and_turns_are_not(tingshuo: Tingshuo, tell: Tell) -> None:
    tell("Remember that my locker code is 4711.")
    tell("My dog is called Rufus.")
    turn, note = remembered(tingshuo)
    assert tingshuo("memory", "edit", note["id"], "my locker code is 4712").code == 0
    assert "4712" in reply(tell("What is my locker code?"))
    refused = tingshuo("memory", "edit", turn["id"], "My dog is called Max.")
    assert refused.code == 65
    assert "try:" in refused.err


def test_everything_can_be_taken_along(tingshuo: Tingshuo, tell: Tell, tmp_path: Path) -> None:
    tell("My dog is called Rufus.")
    tell("请记住我的猫叫豆包")
    file = tmp_path / "mine.jsonl"
    assert tingshuo("memory", "export", "--out", file).code == 0
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["question"] for line in lines if line["type"] == "turn"] == [
        "My dog is called Rufus.",
        "请记住我的猫叫豆包",
    ]
    assert {line["text"] for line in lines if line["type"] == "memory"} == {"My dog is called Rufus.", "我的猫叫豆包"}
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["memory", "forget", "999"], 65, "no memory 999"),
        (["memory", "edit", "999", "x"], 65, "no memory 999"),
        (["memory", "forget"], 2, "--about"),
        (["memory", "forget", "1", "--all"], 2, "--about"),
        (["memory", "forget", "--about", "  "], 65, "nothing was named"),
        (["memory", "list", "--user", "a\nb"], 65, "user"),
    ],
)
def test_what_cannot_be_is_told(tingshuo: Tingshuo, arguments: list[str], code: int, said: str) -> None:
    ended = tingshuo(*arguments)
    assert ended.code == code
    assert said in ended.err


def test_a_persona_without_memory_remembers_nothing(tingshuo: Tingshuo, tell: Tell) -> None:
    tell("My dog is called Rufus.", "--persona", "documents")
    assert remembered(tingshuo) == []
