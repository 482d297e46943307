"""The shipped questions, asked of the embedded engines: what the product promises of its search."""

from functools import partial
from pathlib import Path

import anyio
import pytest

from agent.evaluation import Evaluation, Wanted, evaluate
from configs.settings import load_settings
from memory.evaluation import Figures, figures, grouped
from memory.question_sets import read_questions
from memory.search import Rankers

QUESTIONS = Path(__file__).parents[2] / "examples" / "evaluation" / "knowledge.yaml"
RANKERS: tuple[Rankers, ...] = ("both", "lexical", "dense")


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    settings = load_settings(data=tmp_path_factory.mktemp("evaluation"), embeddings={"engine": "hashed"})
    ask = partial(evaluate, settings, read_questions(QUESTIONS), Wanted(rankers=RANKERS), lambda done, of: None)
    return anyio.run(ask)


def measured(evaluation: Evaluation, rankers: Rankers, group: str) -> Figures:
    return figures(grouped(evaluation.outcomes[rankers])[group])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_there_is_found_and_what_is_not_is_refused(evaluation: Evaluation, language: str) -> None:
    found = measured(evaluation, "both", language)
    assert found.answerable >= 40
    assert found.recall[5] is not None
    assert found.recall[5] >= 0.95
    assert found.refusals.f1 is not None
    assert found.refusals.f1 >= 0.9


@pytest.mark.parametrize("language", ["en", "zh"])
def test_questions_that_nothing_was_tuned_on_show_how_far_words_alone_go(evaluation: Evaluation, language: str) -> None:
    """What is there is found even so. Whether it answers, words alone cannot tell: this holds what they reach."""
    found = measured(evaluation, "both", f"held-out {language}")
    assert found.recall[5] is not None
    assert found.recall[5] >= 0.95
    assert found.given is not None
    assert found.given >= 0.6


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("alone", ["lexical", "dense"])
def test_both_searches_are_no_worse_than_either_alone(evaluation: Evaluation, alone: Rankers, language: str) -> None:
    both, one = measured(evaluation, "both", language), measured(evaluation, alone, language)
    for depth in both.recall:
        assert (both.recall[depth] or 0) >= (one.recall[depth] or 0)
    assert (both.refusals.f1 or 0) >= (one.refusals.f1 or 0)
