"""Languages by the names that OpenAI's transcripts give them; knows nothing of what an engine hears."""

import re

from configs.errors import RequestError

LANGUAGE_NAMES: dict[str, str] = dict(
    re.findall(
        r"(\w+):(\w+)",
        "en:english zh:chinese de:german es:spanish ru:russian ko:korean fr:french ja:japanese pt:portuguese "
        "tr:turkish pl:polish ca:catalan nl:dutch ar:arabic sv:swedish it:italian id:indonesian hi:hindi fi:finnish "
        "vi:vietnamese he:hebrew uk:ukrainian el:greek ms:malay cs:czech ro:romanian da:danish hu:hungarian ta:tamil "
        "no:norwegian th:thai ur:urdu hr:croatian bg:bulgarian lt:lithuanian la:latin mi:maori ml:malayalam cy:welsh "
        "sk:slovak te:telugu fa:persian lv:latvian bn:bengali sr:serbian az:azerbaijani sl:slovenian kn:kannada "
        "et:estonian mk:macedonian br:breton eu:basque is:icelandic hy:armenian ne:nepali mn:mongolian bs:bosnian "
        "kk:kazakh sq:albanian sw:swahili gl:galician mr:marathi pa:punjabi si:sinhala km:khmer sn:shona yo:yoruba "
        "so:somali af:afrikaans oc:occitan ka:georgian be:belarusian tg:tajik sd:sindhi gu:gujarati am:amharic "
        "yi:yiddish lo:lao uz:uzbek fo:faroese ps:pashto tk:turkmen nn:nynorsk mt:maltese sa:sanskrit "
        "lb:luxembourgish my:myanmar bo:tibetan tl:tagalog mg:malagasy as:assamese tt:tatar haw:hawaiian ln:lingala "
        "ha:hausa ba:bashkir jw:javanese su:sundanese yue:cantonese",
    ),
    ht="haitian creole",
)
"""Whisper's languages, by code."""

_CODES = {name: code for code, name in LANGUAGE_NAMES.items()} | {"mandarin": "zh", "jv": "jw", "iw": "he"}


def language_code(given: str | None, known: tuple[str, ...]) -> str | None:
    """The code among those known that is meant by "en", "zh-CN", "Chinese" …; None for nothing and for "auto".

    Raises RequestError for any other.
    """
    name = (given or "").strip().lower()
    if name in ("", "auto"):
        return None
    short = name.replace("_", "-").partition("-")[0]
    code = _CODES.get(name, _CODES.get(short, short))
    if code in known:
        return code
    some = ", ".join(known[:6]) + (" and others" if len(known) > 6 else "")
    raise RequestError(f"the language {name[:40]!r} is not heard here", f"It hears {some}.", "language")


def language_name(code: str) -> str:
    """As OpenAI names it, else the code."""
    return LANGUAGE_NAMES.get(code, code)
