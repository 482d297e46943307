"""Ornaments: faces go, check marks and stars become words, odd forms of characters become plain ones."""

import re
import unicodedata

_YES = re.compile(r"[✅✔✓☑]\ufe0f?")
_NO = re.compile(r"[❌✗✘✖❎]\ufe0f?")
_LINE_YES = re.compile(r"^([\s\-*+]*)[✅✔✓☑]\ufe0f?\s*(?=\S)", re.MULTILINE)
_STARS = re.compile(r"([★⭐]\ufe0f?){1,10}(☆\ufe0f?){0,10}")
_KEYCAP = re.compile(r"([0-9#*])\ufe0f?\u20e3")
_CIRCLED = re.compile(r"[\u2460-\u2473\u2776-\u277f\u2780-\u2793\u24eb-\u24f4]")
_ITEM = re.compile(
    r"^[ \t>*#-]*\(?(\d{1,3})(?!\)\s?\d{3}-)(?:[.)、．]\**(?=\s|\**[\u4e00-\u9fff])|\)(?=\s?[^\s\d]))", re.MULTILINE
)
_FACE = re.compile(
    r"[╮ヽ＼\\]?[(（]\s?(?=[^()（）]{0,12}[\^▽ω°□･・´`≧≦ಠ╯╰ツ∀◕‿｡＞＜>;；~Ｔ])[^()（）0-9\u4e00-\u9fff]{1,14}[)）][╭ノ/／]?"
)
_LATIN_FACE = re.compile(
    r"(?<![A-Za-z0-9`])[:;]['’]?-?(?:\)(?![A-Za-z0-9`(])|[DPp](?![A-Za-z0-9])|\((?![\w`(]))|"
    r"(?<![A-Za-z0-9`])(?:=\)|<3|[:;]-[|/\\]|\^[_.-]*\^|[>Q][_.]{1,3}[<Q]|[TOo-][_.]{1,3}[TOo-]|¯\\_\(ツ\)_/¯|orz)(?![\w`(])"
)
_TABLES = {
    "〜": "~", "‐": "-", "‑": "-", "‒": "-", "―": "—", "㎡": "m²", "㎥": "m³", "㎢": "km²", "〇": "零", "℃": "°C",
    "℉": "°F", "゜": "°", "’": "'", "‘": "'", "ʼ": "'", "®": "", "™": "", "℠": "", "№": "No. ", "\u00ad": "", "−": "-",
    "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3", "⅛": " 1/8", "⅕": " 1/5",
    **{chr(0x2160 + value): str(value + 1) for value in range(12)},
    **{chr(0x2170 + value): str(value + 1) for value in range(12)},
}  # fmt: skip
_PLAIN = str.maketrans(_TABLES)
_FOLDED = re.compile(r"[^\x00-\x7f，。！？；：、\u4e00-\u9fff⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻“”¨¯´¸]+")
_OPERATORS = {
    "->": "→", "-->": "→", "=>": "→", "<->": "↔", "<=": "≤", ">=": "≥", "!=": "≠", "==": "=", "===": "=", "+-": "±",
    "+/-": "±",
}  # fmt: skip
_OPERATOR = re.compile(r"<->|-->|->|===?|=>|<=|>=|!=|\+/?-")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_MENU = re.compile(r"(?<=[^\W\d_]{2})\s[>›]\s(?=[^\W\d_]{2})")
_PROTOCOL = re.compile(r"(?<=[A-Z])/(?=\d)")
_TAG_COLON = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z][A-Za-z0-9_.-]{0,40}):(?=[A-Za-z0-9])")
_FEET = re.compile(r"(?<!\d)(\d{1,2})['′]\s?(\d{1,2})(?:[\"″”]|'')")


def without_ornaments(text: str, language: str) -> str:
    """The text without faces; check marks, crosses, stars and numbers of items as words and plain figures."""
    yes, no = ("yes", "no") if language == "en" else ("是", "否")
    if not text.isascii():
        text = _KEYCAP.sub(r"\1. ", text)
        text = _CIRCLED.sub(_circled, text)
        text = _LINE_YES.sub(r"\1", text)
        text = _NO.sub(f", {no}, ", _YES.sub(f", {yes}, ", text)).removesuffix(", ")
        text = _STARS.sub(lambda found: _rating(found[0], language), text)
    text = _FACE.sub(" ", _LATIN_FACE.sub(" ", text))
    feet, inches = (" feet ", " inches") if language == "en" else ("英尺", "英寸")
    text = _FEET.sub(lambda found: f"{found[1]}{feet}{found[2]}{inches}", text)
    return _ITEM.sub(r"\1, ", text)


def plain_characters(text: str) -> str:
    """The text with full-width, compatibility and foreign-digit forms as plain characters; superscripts stay."""
    text = _TAG_COLON.sub(r"\1, ", text)
    text = _MENU.sub(", ", _PROTOCOL.sub(" ", text))
    text = _OPERATOR.sub(lambda found: _OPERATORS[found[0]], text)
    if text.isascii():
        return text
    text = _FOLDED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text.translate(_PLAIN))
    text = text.replace("\u2044", "/")
    return _FOREIGN_DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), text)


def _circled(found: re.Match[str]) -> str:
    number = str(int(unicodedata.numeric(found[0])))
    at_start = not found.string[: found.start()].strip(" -*\t")
    return f"{number}. " if at_start else f", {number}, "


def _rating(stars: str, language: str) -> str:
    """Three signs or more are a mark out of five; fewer only decorate."""
    full = sum(sign in "★⭐" for sign in stars)
    if full + stars.count("☆") < 3:
        return " "
    return f" {full}星 " if language == "zh" else f" {full} star{'s' if full > 1 else ''} "
