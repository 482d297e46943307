"""Whether a reply is borne out: sentences judged by hand."""

import pytest

from agent.support import sentences, unsupported

HANDBOOK = [
    "How many days?",
    "Every employee gets 25 days of paid vacation each year. Public holidays come on top.",
    "Ask Maria Weber, extension 4200.",
    "Employee Handbook Annual leave",
]
MANUAL_ZH = ["员工每年有二十五天带薪年假，可以结转五天。报销上限为1,500元。", "员工手册 年假"]


@pytest.mark.parametrize(
    ("reply", "given", "missing"),
    [
        ("You get 25 days a year [1].", HANDBOOK, ()),
        ("You get twenty-five days a year.", HANDBOOK, ()),
        ("You get 25 days. After ten years it is 30 days.", HANDBOOK, ("After ten years it is 30 days.",)),
        ("Ask Maria Weber at 4200.", HANDBOOK, ()),
        ("Ask Peter Weber at 4200.", HANDBOOK, ("Ask Peter Weber at 4200.",)),
        ("Peter helps at 4200.", HANDBOOK, ()),  # the first word of a sentence is no name for certain
        ("You should ask Peter Schmidt.", HANDBOOK, ("You should ask Peter Schmidt.",)),
        ("There are two ways to ask.", HANDBOOK, ()),
        ("每年有25天年假[1]。可以结转5天。", MANUAL_ZH, ()),
        ("每年有30天年假。", MANUAL_ZH, ("每年有30天年假。",)),
        ("上限是一千五百元。", MANUAL_ZH, ()),
        ("上限是1500元，依据《员工手册》。", MANUAL_ZH, ()),
        ("依据《差旅规定》，上限是1500元。", MANUAL_ZH, ("依据《差旅规定》，上限是1500元。",)),
        ("", HANDBOOK, ()),
    ],
)
def test_a_number_or_name_from_nowhere_is_found(reply: str, given: list[str], missing: tuple[str, ...]) -> None:
    assert unsupported(reply, given) == missing


def test_sentences_of_both_languages() -> None:
    assert sentences("One. Two 3.5 km! 三。四？") == ["One.", "Two 3.5 km!", "三。", "四？"]
