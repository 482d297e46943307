"""Pauses: brackets, dashes and slashes as what one hears between words, and punctuation put in order."""

import re

_HAN = "\u3400-\u9fff"
_QUOTES = re.compile(r"[\"“”«»„‟「」『』《》〈〉‹›]")
_ATTACHED = re.compile(r"(?<=[A-Za-z])\((s|es)\)")
_ARGUMENTS = re.compile(r"(?<=[A-Za-z0-9_'])\(([\x20-\x27\x2a-\x7e]{0,40})\)")
_BRACKET = re.compile(r"[()（）【】〔〕]")
_EMPTY = re.compile(r"[(（]\s{0,9}[)）]")
_CLOSED = re.compile(r"[)）】〕|]\s{0,9}\Z")
_CHINESE_PER = re.compile(
    r"(元|块|次|个|人|公里|米|克|公斤|吨|升|度|件|兆|币|镑)\s?/\s?(天|日|月|年|周|小时|人|次|分钟|分(?!之)|秒|平方米|米|公斤|斤|千克|克|个|件|晚|位|公里|吨|升|间|股|张)"
)
_ENGLISH_PER = re.compile(
    r"(?<=[a-z])/(month|year|day|week|hour|minute|person|night|user|mo|yr|hr|kg|lb|GB)(?![A-Za-z])"
)
_PER_NAMES = {"mo": "month", "yr": "year", "hr": "hour", "kg": "kilogram", "lb": "pound", "GB": "gigabyte"}
_LETTERS_AND = re.compile(r"(?<![A-Za-z])([A-Z]{1,4})&([A-Z]{1,4})(?![A-Za-z])")

_LETTERS_SLASH = re.compile(r"(?<=[A-Z])/(?=[A-Z](?![a-z]))")
_AND_OR = re.compile(r"(?<![A-Za-z])and/or(?![A-Za-z])")
_WORD_SLASH = re.compile(r"(?<=[^\W_])\s?/\s?(?=[^\W_])")
_LONG_DASH = re.compile(r"\s?(?:-{2,}|[—⸺]+)\s?|\s+[-–]\s+|[\u2500\u2501]+")
_SPAN = re.compile(rf"(?<=[{_HAN}])\s?[-–~]\s?(?=[{_HAN}])")
_ENGLISH_SPAN = re.compile(r"(?<=[A-Za-z])(?:–|\s?~\s?)(?=[A-Za-z])")
_OPTION = re.compile(r"(?<![A-Za-z0-9_-])(--?)(?=[A-Za-z])")
_INNER_DOT = re.compile(r"(?<=[A-Za-z0-9])\.(?=[a-z0-9])|(?<=[A-Z])\.(?=[A-Z][a-z])|(?<![A-Za-z0-9_.])\.(?=[a-z])")
_DOTS = re.compile(r"\.{2,}|…+|⋯+|。{2,}")
_PLUSES = re.compile(r"(?<=[A-Za-z])\+\+")
_SHARP = re.compile(r"(?<![A-Za-z])([CFJ])#")
_NAME_DOT = re.compile(rf"(?<=[{_HAN}])[·•・‧](?=[{_HAN}])")
_MIDDLE_DOT = re.compile(r"(?<=[A-Za-z0-9])\s?[·⋅]\s?(?=[A-Za-z0-9])")
_TILDE = re.compile(r"[~∼]")
_DROPPED = re.compile(r"[`*_^{}\[\]]|(?<![A-Za-z\u00c0-\u024f])'|'(?![A-Za-z\u00c0-\u024f])")

_WORDS = {
    "zh": {"or": "或", "slash": "斜杠", "dash": "杠", "dot": "点", "to": "到", "plus": " 加加", "pause": "，"},
    "en": {"or": "or", "slash": "slash", "dash": "dash", "dot": "dot", "to": "to", "plus": " plus plus", "pause": ", "},
}

_FULL_WIDTH = str.maketrans(",.!?;:", "，。！？；：")
_HALF_WIDTH = str.maketrans("，。！？；：、", ",.!?;:,")
_RUN = re.compile(r"[,.!?;:，。！？；：、\s]*[,.!?;:，。！？；：、][,.!?;:，。！？；：、\s]*")
_STRENGTH = "，,、：:；;。.！!？?"
_HAN_GAP = re.compile(rf"(?<=[{_HAN}]) +(?=[{_HAN}])")
_WESTERN = "A-Za-z\u00c0-\u024f\u0370-\u052f"
_SCRIPT_BORDER = re.compile(rf"(?<=[{_HAN}])(?=[{_WESTERN}])|(?<=[{_WESTERN}])(?=[{_HAN}])")


def speak_joints(text: str, language: str) -> str:
    """The text with what joins words in words: dashes, slashes, brackets, dots within names, the ends of lines."""
    words = _WORDS[language]
    pause = words["pause"]
    text = _LETTERS_AND.sub(lambda found: f"{' '.join(found[1])} and {' '.join(found[2])}", text)
    text = _ARGUMENTS.sub(r" \1 ", _ATTACHED.sub(r"\1", _QUOTES.sub("", text)))
    text = _BRACKET.sub(pause, _CLOSED.sub("", _EMPTY.sub(" ", text)))
    text = _DOTS.sub(pause, re.sub(r"(?:\.{2,}|…+|⋯+|。{2,})\s*$", ".", text))
    if "/" in text:
        text = _speak_slashes(text, language)
    text = _OPTION.sub(lambda found: f" {words['dash']} " * len(found[1]), text)
    text = _LONG_DASH.sub(pause, text)
    text = _SPAN.sub(words["to"], text)
    text = _ENGLISH_SPAN.sub(f" {words['to']} ", text)
    text = _INNER_DOT.sub(f" {words['dot']} ", text)
    text = _SHARP.sub(r"\1 sharp", _PLUSES.sub(words["plus"], text))
    text = _MIDDLE_DOT.sub("×", _NAME_DOT.sub("", text))
    text = text.replace("|", pause).strip().replace("\n", pause)
    return _DROPPED.sub(" ", _TILDE.sub(" ", text))


def _speak_slashes(text: str, language: str) -> str:
    words = _WORDS[language]
    text = _CHINESE_PER.sub(r"\1每\2", text)
    text = _ENGLISH_PER.sub(lambda found: f" per {_PER_NAMES.get(found[1], found[1])}", text)
    text = _LETTERS_SLASH.sub(" ", _AND_OR.sub("and or", text))
    text = _WORD_SLASH.sub(f" {words['or']} ", text)
    return text.replace("/", f" {words['slash']} ")


def tidied(text: str, language: str) -> str:
    """The text with one mark for each pause, in the forms of the language; "" where no letter is left."""
    text = _RUN.sub(lambda found: _strongest(found[0]), text)
    text = " ".join(text.split()).strip(" ,，、:：;；.。!！?？") + _ending(text)
    if not any(map(str.isalpha, text)):
        return ""
    if language == "en":
        return re.sub(r"([,.!?;:])(?! |$)", r"\1 ", text.translate(_HALF_WIDTH)).strip()
    text = text.translate(_FULL_WIDTH)
    text = re.sub(r" ?([，。！？；：、]) ?", r"\1", text)
    return _SCRIPT_BORDER.sub(" ", _HAN_GAP.sub("", text))


def _strongest(run: str) -> str:
    return max(run.replace(" ", "").strip() or ",", key=_STRENGTH.find) + " "


def _ending(text: str) -> str:
    """The mark that ends the text, if any."""
    text = text.rstrip()
    return text[-1] if text and text[-1] in _STRENGTH else ""
