"""Numerals: digits as Chinese and English words; knows no context, so what a number means is its caller's business."""

_CHINESE_DIGITS = "零一二三四五六七八九"
_CHINESE_LONGEST = 16
_ENGLISH_LONGEST = 18

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def chinese_digits(digits: str, *, one: str = "一") -> str:
    """Digit by digit; telephone numbers say 幺 for one."""
    return "".join(one if digit == "1" else _CHINESE_DIGITS[int(digit)] for digit in digits)


def chinese_integer(digits: str) -> str:
    """A cardinal: "105" -> 一百零五, "2000" -> 两千; more than sixteen digits are read one by one."""
    digits = digits.lstrip("0") or "0"
    if len(digits) > _CHINESE_LONGEST:
        return chinese_digits(digits)
    words = _chinese_cardinal(int(digits))
    return words[1:] if words.startswith("一十") else words


def _chinese_cardinal(number: int) -> str:
    for power, name in ((8, "亿"), (4, "万"), (3, "千"), (2, "百"), (1, "十")):
        unit = 10**power
        if number < unit:
            continue
        count, rest = divmod(number, unit)
        head = "两" if count == 2 and power > 1 else _chinese_cardinal(count)
        if not rest:
            return head + name
        return head + name + ("零" if rest < unit // 10 else "") + _chinese_cardinal(rest)
    return _CHINESE_DIGITS[number]


def chinese_number(text: str) -> str:
    """A cardinal or a decimal, with or without thousands separators: "1,234.50" -> 一千两百三十四点五零."""
    whole, _, fraction = text.replace(",", "").partition(".")
    return chinese_integer(whole) + ("点" + chinese_digits(fraction) if fraction else "")


def english_digits(digits: str) -> str:
    """Digit by digit: "90210" -> nine zero two one zero."""
    return " ".join(_ONES[int(digit)] for digit in digits)


def english_integer(digits: str) -> str:
    """A cardinal without "and" or hyphens: "105" -> one hundred five; more than eighteen digits are read one by one."""
    digits = digits.lstrip("0") or "0"
    if len(digits) > _ENGLISH_LONGEST:
        return english_digits(digits)
    number = int(digits)
    if number < 1000:
        return _below_thousand(number)
    words = []
    for scale in _SCALES:
        number, group = divmod(number, 1000)
        if group:
            words.append(f"{_below_thousand(group)} {scale}".rstrip())
    return " ".join(reversed(words))


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [_ONES[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[rest // 10])
        rest %= 10
    if rest or not words:
        words.append(_ONES[rest])
    return " ".join(words)


def english_number(text: str) -> str:
    """A cardinal or a decimal, with or without thousands separators: "3.05" -> three point zero five."""
    whole, _, fraction = text.replace(",", "").partition(".")
    return english_integer(whole) + (" point " + english_digits(fraction) if fraction else "")


def english_ordinal(digits: str) -> str:
    """An ordinal: "21" -> twenty first."""
    *head, last = english_integer(digits).split()
    if last in _ORDINALS:
        last = _ORDINALS[last]
    elif last.endswith("y"):
        last = last[:-1] + "ieth"
    else:
        last += "th"
    return " ".join([*head, last])


def english_year(digits: str) -> str:
    """A year of four digits: 1905 -> nineteen oh five, 2005 -> two thousand five, 2026 -> twenty twenty six."""
    century, rest = digits[:2], digits[2:]
    if digits[1:3] == "00":
        return english_integer(digits)
    if rest == "00":
        return f"{english_integer(century)} hundred"
    return f"{english_integer(century)} {english_minutes(rest)}"


def english_minutes(digits: str) -> str:
    """Two digits after an hour or a century: "05" -> oh five."""
    return f"oh {_ONES[int(digits)]}" if digits[0] == "0" else english_integer(digits)


def english_model(digits: str) -> str:
    """The number of a product or a room, as people say it: 747 -> seven forty seven, 4090 -> forty ninety."""
    if digits.startswith("0") or len(digits) > 4:
        return english_digits(digits)
    if len(digits) < 3 or digits.endswith("00"):
        return english_year(digits) if len(digits) == 4 else english_integer(digits)
    return f"{english_integer(digits[:-2])} {english_minutes(digits[-2:])}"


_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def roman_value(numeral: str) -> int:
    """The value of a Roman numeral of the letters I V X L C: "IV" -> 4."""
    values = [_ROMAN[letter] for letter in numeral]
    return sum(
        -value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True)
    )
