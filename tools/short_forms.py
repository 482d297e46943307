"""Short forms: abbreviations said in full, acronyms letter by letter; figures in them are not its business."""

import re

_TITLES = {
    "Dr": "Doctor", "Mr": "Mister", "Mrs": "Missus", "Ms": "Ms", "Prof": "Professor", "Gen": "General",
    "Col": "Colonel", "Capt": "Captain", "Lt": "Lieutenant", "Sgt": "Sergeant", "Sen": "Senator",
    "Rep": "Representative", "Gov": "Governor", "Rev": "Reverend", "Mt": "Mount", "St": "Saint", "Ft": "Fort",
}  # fmt: skip
_FULL = {
    "etc": "et cetera", "vs": "versus", "approx": "approximately", "dept": "department", "est": "estimated",
    "Jr": "Junior", "Sr": "Senior", "Inc": "Incorporated", "Ltd": "Limited", "Corp": "Corporation", "Co": "Company",
    "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "St": "Street", "e.g": "for example", "i.e": "that is",
    "a.k.a": "also known as", "Ph.D": "P H D", "et al": "et al", "cf": "compare", "govt": "government",
}  # fmt: skip
_NUMBERED = {
    "Fig": "figure", "Figs": "figures", "Vol": "volume", "Ch": "chapter", "Sec": "section", "pp": "pages", "p": "page",
    "Eq": "equation", "Art": "article", "App": "appendix",
}  # fmt: skip
_CHINESE = {"etc": "等等", "vs": "对", "e.g": "例如", "i.e": "即", "cf": "参见"}


def _dotted(names: dict[str, str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_TITLE = re.compile(rf"(?<![A-Za-z.])({_dotted(_TITLES)})\.(?=\s?[A-Z]|\sand\s)")
_PREFIX = re.compile(rf"(?<![A-Za-z.])(?i:({_dotted(_NUMBERED)}))\.(?=\s?\d)")
_ABBREVIATION = re.compile(rf"(?<![A-Za-z.])(?i:({_dotted(_FULL)}))\.(,?)(\s*$)?")
_VERSUS = re.compile(r"(?<![A-Za-z.])vs(?![A-Za-z.])")
_WITH = re.compile(r"(?<![A-Za-z/])w/(o(?![A-Za-z]))?\s?(?=[A-Za-z\s])")
_DOTTED_LETTERS = re.compile(r"(?<![A-Za-z.])((?:[A-Za-z]\.){1,6}[A-Za-z])(?:\.(\s*$)?|(?![A-Za-z.]))")
_INITIAL = re.compile(r"(?<![A-Za-z.'])([A-Z])\.(?=\s[A-Z][a-z]|\s[A-Z]\.)")


def expand_abbreviations(text: str, language: str) -> str:
    """The text with abbreviations in full; a full stop that also ends the text stays."""
    if "." not in text and "vs" not in text and "w/" not in text:
        return text
    full = {name.lower(): said for name, said in (_FULL | (_CHINESE if language == "zh" else {})).items()}
    numbered = {name.lower(): said for name, said in _NUMBERED.items()}
    text = _WITH.sub(lambda found: "without " if found[1] else "with ", text)
    text = _TITLE.sub(lambda found: _TITLES[found[1]], text)
    text = _PREFIX.sub(lambda found: numbered[found[1].lower()], text)
    text = _ABBREVIATION.sub(
        lambda found: full[found[1].lower()] + found[2] + ("." if found[3] is not None else ""), text
    )
    text = _VERSUS.sub(f" {full['vs']} ", text)
    text = _DOTTED_LETTERS.sub(_letters, text)
    return _INITIAL.sub(r"\1", text)


def _letters(found: re.Match[str]) -> str:
    return " ".join(found[1].replace(".", "").upper()) + ("." if found[2] is not None else "")


_SAID_AS_WORDS = re.compile(
    "NASA|NATO|OPEC|ASEAN|UNICEF|UNESCO|FIFA|UEFA|NAFTA|AIDS|COVID|SARS|MERS|ZIP|SIM|RAM|ROM|LAN|WAN|PIN|GIF|JPEG|JSON|YAML|"
    "TOML|BIOS|CUDA|RAID|LIDAR|RADAR|LASER|SONAR|SCUBA|ASCII|MIDI|WIFI|NVIDIA|IKEA|LEGO|SAT|TOEFL|IELTS|BASIC|COBOL|FORTRAN|"
    "CRUD|REST|SOAP|DOS|SWAT|ACID|LORA|GAN|BERT|LLAMA|QWEN|CLIP|PUMA|TED"
)
_WORDS = re.compile(
    "NOT|AND|THE|ALL|YES|BUT|FOR|YOU|ARE|NEW|NOW|ONE|TWO|BIG|OUT|CAN|WHO|WHY|HOW|USE|TRY|GO|DO|IF|IS|IN|ON|TO|OF|BY|NO|SO|UP|"
    "WE|MY|BE|AT|AN|HI|STOP|NOTE|MUST|ONLY|WHAT|THIS|THAT|WITH|FROM|VERY|BEST|LOVE|HELP|OPEN|HIGH|LONG|REAL|TRUE|EACH|MORE|"
    "JUST|NEED|WILL|HAVE|WHEN|THEN|THEY|YOUR|DONE|READ|GOOD|FREE|EVER|SAFE|LESS|MOST|SOME|BOTH|NEXT|LAST|STEP|ALSO|HERE|WAIT|"
    "MAKE|TAKE|COME|SALE|HIS|HER|ITS|OUR|ANY|HAS|HAD|WAS|GET|SEE|SAY|OFF|END|TOP|HOT|SUN|MON|WED|FRI"
)
_TOKEN = re.compile(r"(?<![A-Za-z])[A-Za-z]*[A-Z]{2}[A-Za-z]*")
_PARTS = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]+(?=[A-Z][a-z])|[A-Z]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_VOWEL = re.compile(r"[AEIOUY]")


def spell_acronyms(text: str) -> str:
    """The text with acronyms letter by letter; those said as words, and shouted words, stay words."""
    words = _LATIN_WORD.findall(text)
    if not any(not word[1:].islower() for word in words):
        return text
    shouting = len(words) > 2 and not any(map(str.islower, "".join(words)))
    return _TOKEN.sub(lambda found: _spelled(found[0], shouting=shouting), text)


def _spelled(token: str, *, shouting: bool) -> str:
    if token.isupper():
        return _capitals(token, shouting=shouting)
    if token[-1] == "s" and token[:-1].isupper() and len(token) <= 6:
        return _capitals(token[:-1], shouting=False) + "'s"
    return " ".join(_capitals(part, shouting=False) if part.isupper() else part for part in _PARTS.findall(token))


def _capitals(token: str, *, shouting: bool) -> str:
    if len(token) == 1 or _SAID_AS_WORDS.fullmatch(token):
        return token
    word = _VOWEL.search(token) and (shouting or len(token) > 4 or _WORDS.fullmatch(token))
    return token.lower() if word else " ".join(token)
