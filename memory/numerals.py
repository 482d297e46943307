"""Numerals: numbers in words as digits, in Chinese and English, so that "twenty-five" finds "25"."""

import re
from typing import Final

_DIGITS: Final = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_COUNTED: Final = "个天日号年月周星期岁次元块角分秒点小时钟刻人名位晚夜件份页章条项种倍米公里"
_NUMERAL: Final = "[零〇一二两三四五六七八九十百千万亿]"
_CHINESE = re.compile(
    # Two characters at least, or one in front of what it counts: 一般 and 统一 are words.
    rf"(?<!{_NUMERAL}|[第每期周])(?:{_NUMERAL}{{2,}}|[一二两三四五六七八九十](?=[{_COUNTED}]))"
)

_SMALL_WORDS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TEN_WORDS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL: Final = {word: value for value, word in enumerate(_SMALL_WORDS.split())}
_TENS: Final = {word: 10 * value for value, word in enumerate(_TEN_WORDS.split(), 2)}
_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_NUMBER_WORD: Final = "|".join([*_SMALL, *_TENS, *_SCALES])
_ENGLISH = re.compile(rf"\b(?:{_NUMBER_WORD})\b(?:(?:[ -]|[ ]and[ ])(?:{_NUMBER_WORD})\b)*")
_GROUPED = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?![\d,])")


def digits(text: str) -> str:
    """The same text in lower case with its numbers in digits: "二十五天" -> "25天", "1,500" -> "1500"."""
    text = _GROUPED.sub(lambda found: found[0].replace(",", ""), text.casefold())
    text = _ENGLISH.sub(lambda found: _english(found[0]), text)
    return _CHINESE.sub(lambda found: _chinese(found[0]), text.replace("百分之", " "))


def _english(words: str) -> str:
    """ "one hundred and five" -> "105"; what is no number but a list of them ("one two") stays one each."""
    numbers, total, current, last = [], 0, 0, 0
    for word in re.findall(r"[a-z]+", words):
        if scale := _SCALES.get(word):
            current = max(current, 1) * scale
            if scale > 100:
                total, current = total + current, 0
            last = scale
        elif word != "and":
            value = _SMALL.get(word, _TENS.get(word, 0))
            if last and not (last >= 100 or (last in _TENS.values() and 0 < value < 10)):
                numbers.append(total + current)
                total = current = 0
            current, last = current + value, value or 1
    return " ".join(map(str, [*numbers, total + current]))


def _chinese(numeral: str) -> str:
    """ "二十五" -> "25", "二〇二六" -> "2026"; what is no numeral ("万一") or a guess ("四五天") stays."""
    if all(character in _DIGITS for character in numeral):
        guess = len(numeral) == 2 and numeral[1] not in "零〇"
        return numeral if guess else "".join(str(_DIGITS[character]) for character in numeral)
    if numeral[0] in "百千万亿":
        return numeral
    total, section, digit = 0, 0, 0
    for character in numeral:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _UNITS:
            section += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            total = (total + section + digit) * (10_000 if character == "万" else 100_000_000)
            section = digit = 0
    return str(total + section + digit)
