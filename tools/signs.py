"""Signs: the words for symbols and Greek letters in both languages, and the alphabet that reaches an engine."""

import re
import unicodedata

SUPERSCRIPTS = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
PUNCTUATION = frozenset(",.!?;:'，。！？；：、")
"""All that reaches an engine, beside letters, their marks and the space."""

_SIGNS = {
    # sign: (Chinese, English)
    "&": ("和", "and"),
    "@": ("艾特", "at"),
    "#": ("井号", "hash"),
    "%": ("百分号", "percent"),
    "‰": ("千分号", "per mille"),
    "+": ("加", "plus"),
    "×": ("乘", "times"),
    "÷": ("除以", "divided by"),
    "=": ("等于", "equals"),
    "≠": ("不等于", "does not equal"),
    "≈": ("约等于", "is about"),
    "≡": ("恒等于", "is identical to"),
    "<": ("小于", "is less than"),
    ">": ("大于", "is greater than"),
    "≤": ("小于等于", "is at most"),
    "≥": ("大于等于", "is at least"),
    "±": ("正负", "plus or minus"),
    "−": ("减", "minus"),
    "∞": ("无穷大", "infinity"),
    "√": ("根号", "the square root of"),
    "∑": ("求和", "the sum of"),
    "∏": ("求积", "the product of"),
    "∫": ("积分", "the integral of"),
    "∂": ("偏", "partial"),
    "∆": ("德尔塔", "delta"),
    "∈": ("属于", "in"),
    "∉": ("不属于", "not in"),
    "∩": ("交", "intersection"),
    "∪": ("并", "union"),
    "⊂": ("包含于", "is a subset of"),
    "∅": ("空集", "the empty set"),
    "∀": ("任意", "for all"),
    "∃": ("存在", "there exists"),
    "∴": ("所以", "therefore"),
    "∵": ("因为", "because"),
    "∠": ("角", "angle"),
    "⊥": ("垂直于", "is perpendicular to"),
    "∥": ("平行于", "is parallel to"),
    "→": ("到", "to"),
    "⇒": ("推出", "implies"),
    "➜": ("到", "to"),
    "➡": ("到", "to"),
    "⟶": ("到", "to"),
    "←": ("左箭头", "left arrow"),
    "↑": ("上升", "up"),
    "↓": ("下降", "down"),
    "↔": ("互相", "to and from"),
    "⇔": ("等价于", "if and only if"),
    "°": ("度", "degrees"),
    "§": ("节", "section"),
    "¶": ("段", "paragraph"),
    "©": ("版权所有", "copyright"),
    "⬆": ("上升", "up"),
    "⬇": ("下降", "down"),
    "¥": ("元", "yuan"),
    "$": ("美元", "dollars"),
    "€": ("欧元", "euros"),
    "£": ("英镑", "pounds"),
    "₩": ("韩元", "won"),
    "₹": ("卢比", "rupees"),
    "₽": ("卢布", "rubles"),
    "฿": ("泰铢", "baht"),
    "₫": ("越南盾", "dong"),
    "₿": ("比特币", "bitcoins"),
    "¢": ("美分", "cents"),
    "\\": ("反斜杠", "backslash"),
}
_GREEK = {
    "α": "阿尔法", "β": "贝塔", "γ": "伽马", "δ": "德尔塔", "ε": "艾普西龙", "ζ": "泽塔", "η": "伊塔", "θ": "西塔",
    "ι": "约塔", "κ": "卡帕", "λ": "兰姆达", "μ": "缪", "ν": "纽", "ξ": "克西", "ο": "奥米克戎", "π": "派", "ρ": "柔",
    "σ": "西格马", "τ": "陶", "υ": "宇普西龙", "φ": "斐", "χ": "希", "ψ": "普西", "ω": "欧米伽",
}  # fmt: skip
_GREEK_ALONE = re.compile(r"(?<![α-ωΑ-Ωά-ώ])[α-ωΑ-Ω](?![α-ωΑ-Ωά-ώ])")

_CODE = (
    # sign, Chinese, English; longer signs first
    ("!==", "不等于", "not equal to"),
    ("===", "等于", "equals"),
    ("==", "等于", "equals"),
    ("!=", "不等于", "not equal to"),
    ("<=", "小于等于", "at most"),
    (">=", "大于等于", "at least"),
    ("->", "到", "to"),
    ("=>", "到", "to"),
    ("&&", "和", "and"),
    ("||", "或", "or"),
    ("**", "星星", "star star"),
    ("*", "星", "star"),
    ("|", "竖线", "pipe"),
    ("~/", "主目录斜杠", "home slash"),
    ("^", "的乘方", "to the power"),
    ("(", " ", " "),
    (")", " ", " "),
    ("[", " ", " "),
    ("]", " ", " "),
    ("`", " ", " "),
)
CODE_SIGNS = {
    "zh": tuple((sign, words if words == " " else f" {words} ") for sign, words, _ in _CODE),
    "en": tuple((sign, words if words == " " else f" {words} ") for sign, _, words in _CODE),
}
WORDS = {
    "zh": {sign: chinese for sign, (chinese, _) in _SIGNS.items()},
    "en": {sign: english for sign, (_, english) in _SIGNS.items()},
}
"""What a sign is called in each language."""

_SPEAKABLE = re.compile(r"[a-zA-Z ,.!?;:'，。！？；：、\u4e00-\u9fff]*")
_LETTERS = {"L", "M"}


def speak_signs(text: str, language: str) -> str:
    """The text in the alphabet of an engine: signs become words; what only decorates becomes a space."""
    if _SPEAKABLE.fullmatch(text):
        return text
    words = WORDS[language]
    text = _GREEK_ALONE.sub(lambda found: _greek(found[0], language), text)
    return "".join(character if is_speakable(character) else _word(character, words) for character in text)


def is_speakable(character: str) -> bool:
    """Whether an engine may be given it: a letter of any script, its mark, a space, or plain punctuation."""
    if character == " " or character in PUNCTUATION:
        return True
    if (
        character in "\u20e3\ufe0e\ufe0f"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    ):
        return False
    return unicodedata.category(character)[0] in _LETTERS


def _greek(letter: str, language: str) -> str:
    if language == "zh":
        return _GREEK.get(letter.lower(), letter)
    return f" {unicodedata.name(letter).split(' LETTER ')[-1].lower()} "


def _word(character: str, words: dict[str, str]) -> str:
    """A sign's word; that of a mathematical or currency sign without one is its name in Unicode."""
    if character in words:
        return f" {words[character]} "
    if unicodedata.category(character) in ("Sm", "Sc", "Nl", "No", "Nd"):
        return f" {re.sub('[^a-z]+', ' ', unicodedata.name(character, '').lower())} "
    return " "
