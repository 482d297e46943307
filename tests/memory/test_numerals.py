import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.numerals import digits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Twenty-five days", "25 days"),
        ("one hundred and five", "105"),
        ("two thousand five hundred yuan", "2500 yuan"),
        ("two million three hundred thousand and one", "2300001"),
        ("one two three", "1 2 3"),
        ("nineteen ninety five", "19 95"),
        ("someone often tends to phone", "someone often tends to phone"),
        ("1,500 and 12,000.50", "1500 and 12000.50"),
        ("1,50 or 10,20", "1,50 or 10,20"),
        ("二十五天", "25天"),
        ("三个月", "3个月"),
        ("两周", "2周"),
        ("十点", "10点"),
        ("三千五百元", "3500元"),
        ("一万二千", "12000"),
        ("一百零五", "105"),
        ("二〇二六年", "2026年"),
        ("一般来说，统一管理", "一般来说，统一管理"),
        ("万一周一四五天", "万一周一四五天"),
        ("第三章", "第三章"),
    ],
)
def test_numbers_in_words_become_digits(text: str, expected: str) -> None:
    assert digits(text) == expected


SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_english(number: int) -> str:
    if number < 20:
        return SMALL[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{SMALL[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{SMALL[number // 100]} hundred" + (f" and {in_english(number % 100)}" if number % 100 else "")
    return f"{in_english(number // 1000)} thousand" + (f" {in_english(number % 1000)}" if number % 1000 else "")


def in_chinese(number: int) -> str:
    words, pending = "", False
    for unit, name in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            words += ("零" if pending and words else "") + "零一二三四五六七八九"[digit] + name
            pending = False
        else:
            pending = True
    return words


@given(st.integers(0, 999_999))
def test_english_numbers_agree_with_a_writer_of_them(number: int) -> None:
    assert digits(in_english(number)) == str(number)


@given(st.integers(11, 99_999))
def test_chinese_numbers_agree_with_a_writer_of_them(number: int) -> None:
    assert digits(in_chinese(number) + "元") == f"{number}元"


@given(st.text())
def test_any_text_is_taken_and_done_once(text: str) -> None:
    assert isinstance(digits(text), str)
