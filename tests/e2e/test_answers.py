"""Questions about the example documents, from the command to the WAV file, by the embedded engines."""

import json
import re
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import QUESTIONS, Process, Tingshuo

HAN = re.compile(r"[\u4e00-\u9fff]")


def asked(tingshuo: Tingshuo, *arguments: object) -> dict[str, Any]:
    done = tingshuo("ask", *arguments, "--json")
    assert done.code == 0, done
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def test_the_demo_answers_a_spoken_question_with_its_source_and_speaks() -> None:
    done = Process("demo").ended()
    assert done.code == 0, done
    assert done.err == ""
    assert "vacation" in done.out
    assert "25 days" in done.out
    assert "Employee Handbook › Annual leave" in done.out
    assert "(embedded)" in done.out
    assert "better: ollama" in done.out
    with wave.open("demo-answer.wav") as sound:
        assert sound.getnframes() / sound.getframerate() > 2


def test_the_demo_keeps_apart_from_what_the_user_keeps(tingshuo: Tingshuo, handbook: Path) -> None:
    done = tingshuo("demo", "--json", "--question", "How long is the probation period?", "--out", "other.wav")
    assert done.code == 0, done
    assert "three months" in json.loads(done.out)["reply"]["text"]
    assert Path("other.wav").stat().st_size > 10_000
    assert tingshuo("ask", "anything", "--no-speech").code == 0
    titles = [document["title"] for document in json.loads(tingshuo("knowledge", "list", "--json").out)]
    assert sorted(titles) == ["Employee Handbook", "员工手册"]


def test_one_json_document_and_nothing_else(handbook: Path) -> None:
    done = Process("ask", QUESTIONS / "vacation.wav", "--json", "--out", "a.wav").ended()
    answer = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert answer.keys() == {
        "turn", "conversation", "outcome", "language", "transcript", "reply", "audio", "engines", "timings_ms", "usage",
        "memories",
    }  # fmt: skip
    assert "vacation" in answer["transcript"]
    assert answer["reply"].keys() == {"text", "spoken", "refused", "citations", "unsupported", "at_limit"}
    assert "25 days" in answer["reply"]["text"]
    (citation,) = answer["reply"]["citations"]
    assert citation.keys() == {"document", "heading", "page", "span", "score", "text"}
    assert citation["heading"] == "Annual leave"
    with open(Path(__file__).parents[2] / "examples/knowledge/employee-handbook.en.md", encoding="utf-8") as file:
        assert file.read()[slice(*citation["span"])] == citation["text"]
    with wave.open(answer["audio"]["path"]) as sound:
        assert answer["audio"]["sample_rate"] == sound.getframerate()
        assert answer["audio"]["seconds"] == pytest.approx(sound.getnframes() / sound.getframerate(), abs=0.001)
        assert np.abs(np.frombuffer(sound.readframes(sound.getnframes()), "<i2")).max() > 1000
    assert answer["engines"].keys() == {"chat", "embeddings", "speech_to_text", "text_to_speech", "voice_activity"}
    for engine in answer["engines"].values():
        assert engine["embedded"] is True
        assert engine["why"]
    stages = list(answer["timings_ms"])
    assert [stage for stage in stages if stage in ("speech_end", "transcript", "first_audio")] == [
        "speech_end", "transcript", "first_audio"
    ]  # fmt: skip


def test_a_chinese_question_is_answered_from_the_chinese_handbook_in_chinese(
    tingshuo: Tingshuo, handbook: Path
) -> None:
    answer = asked(tingshuo, "年假有多少天？")
    reply = answer["reply"]
    assert answer["language"] == "zh"
    assert "25天" in reply["text"]
    assert {citation["document"] for citation in reply["citations"]} == {"员工手册"}
    # Spoken Chinese has no digits: 25 is 二十五.
    assert "二十五天" in reply["spoken"]
    assert not re.search(r"[0-9]", reply["spoken"])
    # eSpeak says three to six syllables of Mandarin a second, and each character is one.
    assert 1 / 6 < answer["audio"]["seconds"] / len(HAN.findall(reply["spoken"])) < 1 / 3


@pytest.mark.parametrize(
    ("question", "language"),
    [("What is the capital of France?", "en"), ("公司的股票代码是什么？", "zh")],
)
def test_what_the_documents_do_not_say_is_refused_in_the_questions_language(
    tingshuo: Tingshuo, handbook: Path, question: str, language: str
) -> None:
    answer = asked(tingshuo, question)
    assert answer["reply"]["refused"] is True
    assert answer["reply"]["citations"] == []
    assert answer["language"] == language
    assert bool(HAN.search(answer["reply"]["text"])) == (language == "zh")
    assert bool(HAN.search(answer["reply"]["spoken"])) == (language == "zh")
    assert answer["audio"]["seconds"] > 1


def test_without_out_the_sound_stays_in_the_data_folder(tingshuo: Tingshuo, handbook: Path) -> None:
    done = tingshuo("ask", "How long is the probation period?")
    (sound,) = (handbook / "answers").iterdir()
    assert str(sound) in done.out
    assert "three months" in done.out


def test_no_speech_opens_no_voice_and_writes_nothing(tingshuo: Tingshuo, handbook: Path) -> None:
    done = tingshuo("ask", "-", "--no-speech", "--json", typed="How long is the probation period?\n")
    answer = json.loads(done.out)
    assert answer["audio"] is None
    assert answer["reply"]["spoken"] == ""
    assert "text_to_speech" not in answer["engines"]
    assert not (handbook / "answers").exists()


def test_who_has_no_documents_is_told_how_to_take_some_in(tingshuo: Tingshuo) -> None:
    done = tingshuo("ask", "How long is the probation period?", "--no-speech")
    assert done.code == 0
    assert "tingshuo ingest" in done.err


def test_a_reader_that_leaves_is_no_error(handbook: Path) -> None:
    process = Process("knowledge", "list").process
    assert process.stdout
    process.stdout.close()
    process.stdout = None
    assert process.communicate(timeout=40)[1] == ""
    assert process.returncode == 141


def test_chat_goes_on_from_line_to_line(tingshuo: Tingshuo, handbook: Path) -> None:
    done = tingshuo(
        "chat", "--conversation", "c", typed="How long is the probation period?\n\n年假有多少天？\n/exit\nno"
    )
    assert done.code == 0
    first, source, *_ = done.out.splitlines()
    assert "three months" in first
    assert "Probation period" in source
    assert "25天" in done.out
    assert "extractive" in done.err


def test_knowledge_is_searched_and_taken_out(tingshuo: Tingshuo, handbook: Path) -> None:
    found = json.loads(tingshuo("knowledge", "search", "vacation days each year", "--json", "--limit", "2").out)
    assert found["answerable"] is True
    assert found["passages"][0]["heading"] == "Annual leave"
    unknown = json.loads(tingshuo("knowledge", "search", "the price of tea in Lisbon", "--json").out)
    assert (unknown["answerable"], unknown["passages"]) == (False, [])
    assert tingshuo("knowledge", "remove", "员工手册").code == 0
    assert [d["title"] for d in json.loads(tingshuo("knowledge", "list", "--json").out)] == ["Employee Handbook"]
    assert tingshuo("knowledge", "remove", "--all", typed="n\n").code == 1
    assert len(json.loads(tingshuo("knowledge", "list", "--json").out)) == 1
    assert tingshuo("knowledge", "remove", "--all", "--yes").code == 0
    assert json.loads(tingshuo("knowledge", "list", "--json").out) == []
