"""Which engine serves a slot: the policy, by table."""

import pytest

from configs.errors import EngineNotInstalled, EngineUnavailable, EngineUnknown, ModelNotFound
from models.selection import Candidate, choose

BEST = Candidate("best", True, "it runs", model="large")
AWAY = Candidate("best", False, "nobody answers", "start it")
LACKING = Candidate("best", False, "no weights", "pull them", failure=ModelNotFound)
PLAIN = Candidate("plain", True, "it is in its wheel", embedded=True)
SCRIPT = Candidate("fake", True, "scripted", embedded=True, automatic=False)


@pytest.mark.parametrize(
    ("wanted", "candidates", "engine", "better", "embedded"),
    [
        ("auto", [BEST, PLAIN, SCRIPT], "best", "", False),
        ("auto", [AWAY, PLAIN, SCRIPT], "plain", "best (nobody answers)", True),
        ("auto", [SCRIPT, AWAY, PLAIN], "plain", "best (nobody answers)", True),
        ("plain", [BEST, PLAIN, SCRIPT], "plain", "", True),
        ("fake", [BEST, PLAIN, SCRIPT], "fake", "", True),
        ("best", [BEST, PLAIN], "best", "", False),
    ],
)
def test_choice(wanted: str, candidates: list[Candidate], engine: str, better: str, embedded: bool) -> None:
    choice = choose("chat", wanted, candidates)
    assert (choice.engine, choice.better, choice.embedded) == (engine, better, embedded)


def test_the_choice_says_why_and_what_would_be_better() -> None:
    choice = choose("chat", "auto", [AWAY, PLAIN])
    assert (choice.why, choice.remedy) == ("it is in its wheel", "start it")
    assert choose("chat", "auto", [BEST, PLAIN]).model == "large"


@pytest.mark.parametrize(
    ("wanted", "candidates", "error", "words"),
    [
        ("best", [AWAY, PLAIN], EngineUnavailable, ("nobody answers", "start it")),
        ("best", [LACKING, PLAIN], ModelNotFound, ("no weights", "pull them")),
        ("nonsense", [BEST, PLAIN], EngineUnknown, ("'nonsense'", "auto, best, plain")),
        ("auto", [AWAY, SCRIPT], EngineNotInstalled, ("nobody answers", "start it")),
    ],
)
def test_no_choice_is_an_error_with_its_remedy(
    wanted: str, candidates: list[Candidate], error: type[Exception], words: tuple[str, str]
) -> None:
    with pytest.raises(error) as caught:
        choose("chat", wanted, candidates)
    found = caught.value
    assert isinstance(found, EngineUnavailable | ModelNotFound | EngineUnknown | EngineNotInstalled)
    assert words[0] in found.message
    assert words[1] in found.hint
