"""`tingshuo eval`, as a person runs it, on documents so small that every figure can be counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.terminal.commands import app

FRUIT = """
# Fruit

## Apples

Apples are harvested in September.

## Pears

Pears keep for three weeks in a cellar.
"""
FRUIT_ZH = "# 水果\n\n## 苹果\n\n苹果在九月采摘。\n"
QUESTIONS = """
documents: documents
questions:
  - {question: "When are apples harvested?", language: en, facts: ["September"], source: fruit.md, heading: Apples}
  - {question: "How long do pears keep in a cellar?", language: en, facts: ["three weeks"], source: fruit.md}
  - {question: "Who is the president of France?", language: en, answerable: false}
  - {question: "苹果什么时候采摘？", language: zh, facts: ["九月"], source: 水果.md}
  - {question: "法国总统是谁？", language: zh, answerable: false}
  - {question: "When are plums bottled?", language: en, facts: ["nowhere"], source: fruit.md, held_out: true}
  - {question: "梨可以放多久？", language: zh, facts: ["three weeks"], source: fruit.md, cross_language: true}
"""


@pytest.fixture(autouse=True)
def embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINGSHUO_EMBEDDINGS__ENGINE", "hashed")
    monkeypatch.setenv("TINGSHUO_CHAT__ENGINE", "extractive")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "fruit.md").write_text(FRUIT, encoding="utf-8")
    (documents / "水果.md").write_text(FRUIT_ZH, encoding="utf-8")
    file = tmp_path / "questions.yaml"
    file.write_text(QUESTIONS, encoding="utf-8")
    return file


def evaluated(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


def figures_of(*arguments: str | Path) -> dict[str, Any]:
    done = evaluated(*arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_figures_are_those_that_can_be_counted(questions: Path) -> None:
    told = figures_of(questions)
    assert (told["documents"], told["embeddings"]["engine"], told["chat"]) == (2, "hashed", None)
    groups = told["figures"]["both"]
    assert list(groups) == ["en", "zh", "all", "held-out en", "held-out all", "cross-language zh", "cross-language all"]
    everything = groups["all"]
    assert (everything["questions"], everything["answerable"]) == (5, 3)
    for figure in ("recall@1", "recall@5", "mrr", "given", "refusal_precision", "refusal_recall", "refusal_f1"):
        assert everything[figure] == 1.0
    held_out = groups["held-out en"]
    assert (held_out["recall@5"], held_out["given"], held_out["refusal_precision"]) == (0.0, 0.0, 0.0)
    assert groups["cross-language zh"]["given"] == 0.0
    assert 0 < everything["p50_ms"] <= everything["p95_ms"]


def test_the_table_tells_the_same(questions: Path) -> None:
    done = evaluated(questions)
    assert done.exit_code == 0
    rows = {line[:20].strip(): line.split() for line in done.stdout.splitlines()}
    assert "recall@5" in done.stdout
    # The number of questions; recall at three depths, MRR, what was given, and refusals.
    assert rows["all"][1:10] == ["5", *["1.000"] * 8]
    assert rows["cross-language zh"][2] == "1"
    assert "held-out en" in done.stdout


def test_ablation_asks_each_search_alone(questions: Path) -> None:
    told = figures_of(questions, "--ablation")["figures"]
    assert list(told) == ["both", "lexical", "dense"]
    assert told["lexical"]["all"]["recall@5"] == told["both"]["all"]["recall@5"] == 1.0


def test_whole_turns_are_measured_as_well(questions: Path) -> None:
    told = figures_of(questions, "--answers")
    assert told["chat"]["engine"] == "extractive"
    everything = told["figures"]["both"]["all"]
    for figure in ("facts", "citation_precision", "citation_recall", "answer_refusal_f1"):
        assert everything[figure] == 1.0


def test_calibration_names_the_setting_and_its_value(questions: Path) -> None:
    line = figures_of(questions, "--calibrate")["calibration"]["grounding.coverage"]
    assert line["f1"] == line["before"] == 1.0
    done = evaluated(questions, "--calibrate", "--ablation", "--answers")
    assert f"grounding:\n  coverage: {line['cut']:.2f}" in done.stdout
    assert "Dense search alone" in done.stdout
    assert "Answers by extractive" in done.stdout


def test_least_values_that_are_met_and_missed(questions: Path) -> None:
    questions.write_text(
        QUESTIONS.replace('question: "When are plums bottled?"', 'question: "When are apples harvested?"').replace(
            "nowhere", "September"
        ),
        encoding="utf-8",
    )
    assert evaluated(questions, "--least", "recall@5=1, mrr=0.9").exit_code == 0
    questions.write_text(QUESTIONS, encoding="utf-8")
    done = evaluated(questions, "--least", "given=0.95")
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "held-out en: given is 0.000, less than 0.95",
        "held-out all: given is 0.000, less than 0.95",
    ]
    assert evaluated(questions, "--least", "facts=0.5").exit_code == 1


@pytest.mark.parametrize("least", ["recall=0.9", "recall@5", "recall@5=high"])
def test_what_cannot_be_asked_for_is_said(questions: Path, least: str) -> None:
    done = evaluated(questions, "--least", least)
    assert done.exit_code == 65
    assert "recall@5" in done.stderr


def test_a_knowledge_base_of_ones_own_is_asked(questions: Path) -> None:
    assert CliRunner().invoke(app, ["ingest", str(questions.parent / "documents" / "fruit.md")]).exit_code == 0
    questions.write_text(QUESTIONS.replace("documents: documents", ""), encoding="utf-8")
    told = figures_of(questions, "--knowledge", "default")
    assert told["documents"] == 1
    assert told["figures"]["both"]["en"]["recall@1"] == 1.0
    missing = evaluated(questions, "--knowledge", "recipes")
    assert missing.exit_code == 65
    assert "no knowledge base 'recipes'" in missing.stderr
    assert "names no documents" in evaluated(questions).stderr


def test_documents_of_an_evaluation_leave_nothing_behind(questions: Path, data_folder: Path) -> None:
    figures_of(questions, "--answers")
    assert not (data_folder / "ledger.sqlite3").exists()
