"""Addresses: links, mail, hosts, paths and handles as one would say them; of a link only the host."""

import re

from tools.numerals import chinese_digits, english_digits

_WORDS = {
    "zh": {
        "dot": "点", "at": "艾特", "slash": "斜杠", "dash": "杠", "underscore": "下划线", "plus": "加", "port": "端口",
    },
    "en": {
        "dot": "dot", "at": "at", "slash": "slash", "dash": "dash", "underscore": "underscore", "plus": "plus",
        "port": "port",
    },
}  # fmt: skip
_NAMES = {".": "dot", "@": "at", "/": "slash", "\\": "slash", "-": "dash", "_": "underscore", "+": "plus", "~": "home"}

_URL = re.compile(r"(?:https?|ftp|wss?)://(?:[^\s/@?#]{1,200}@)?([\w.-]{1,253})(?::(\d{1,5}))?(?:[/?#][!-~]{0,2000})?")
_BARE_HOST = re.compile(r"(?<![A-Za-z0-9_./@-])www\.([A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?(?:[/?#][!-~]{0,2000})?")
_MAIL = re.compile(
    r"(?:mailto:)?(?<![A-Za-z0-9._%+-])([A-Za-z0-9._%+-]{1,64})@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})"
)
_HOST_PORT = re.compile(r"(?<![A-Za-z0-9_.])(localhost|\d{1,3}(?:\.\d{1,3}){3}):(\d{2,5})(?![\d:])(?:/[!-~]{0,500})?")
_ADDRESS = re.compile(r"(?<![A-Za-z0-9_.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:/(\d{1,2}))?(?![\d.]*\d)")
_DOMAIN = re.compile(
    r"(?<![A-Za-z0-9@._-])((?:[A-Za-z0-9-]{1,63}\.){1,4}(?:com|org|net|edu|gov|io|cn|ai|dev|app|me|tv|cc|info|co|uk|jp|de|fr))"
    r"(?:/[!-~]{0,500})?(?![A-Za-z0-9_])"
)
_PATH = re.compile(
    r"(?<![\w./])((?:~|\.{1,2}|[A-Za-z]:)?(?:[/\\][\w.@+-]{1,100}){2,30}[/\\]?|(?:~|\.{1,2})[/\\][\w.@+-]{1,100}[/\\]?"
    r"|[\w.@+-]{1,100}(?:[/\\][\w.@+-]{1,100}){1,30}\.[A-Za-z]{1,5}[A-Za-z0-9]{0,2}(?![\w])|/[a-z][\w.-]{1,100}/?(?![\w]))",
    re.ASCII,
)
_HANDLE = re.compile(r"(?<![A-Za-z0-9_@])@(?=[\w\u4e00-\u9fff])")
_HASHTAG = re.compile(r"(?<![A-Za-z0-9_#&])#([^\W\d][\w-]{0,60})#?")
_TRAILING = ".,;:!?)]}>'\"*_~"


def speak_addresses(text: str, language: str) -> str:
    """The text with every address as words; of a link only the host is said, the rest is on the screen."""

    def host(found: re.Match[str]) -> str:
        rest = found[0][len(found[0].rstrip(_TRAILING)) :]
        return _host(found[1].rstrip("."), found[2] if found.re.groups > 1 else None, language) + rest

    if "." in text or "://" in text or "localhost" in text:
        text = _URL.sub(host, text)
        text = _MAIL.sub(lambda found: _mail(found[1], found[2], language), text)
        text = _BARE_HOST.sub(host, text)
        text = _HOST_PORT.sub(lambda found: _host(found[1], found[2], language), text)
        text = _ADDRESS.sub(lambda found: _network_address(found, language), text)
        text = _DOMAIN.sub(host, text)
    if "/" in text or "\\" in text:
        text = _PATH.sub(lambda found: _path(found[0], language), text)
    if "@" in text:
        text = _HANDLE.sub(f" {_WORDS[language]['at']} ", text)
    if "#" in text:
        text = _HASHTAG.sub(r" hashtag \1 " if language == "en" else r"话题\1 ", text)
    return text


def _host(name: str, port: str | None, language: str) -> str:
    words = _WORDS[language]
    labels = name.removeprefix("www.").split(".")
    numeric = all(label.isdigit() for label in labels)
    spoken = [_digits(label, language) if numeric else _label(label, language) for label in labels]
    if len(labels) > 1 and not numeric and len(labels[-1]) == 2 and labels[-1] not in ("co", "me"):
        spoken[-1] = " ".join(labels[-1].upper())
    said = f" {words['dot']} ".join(spoken)
    return f" {said} {words['port']} {_digits(port, language)} " if port else f" {said} "


def _label(label: str, language: str) -> str:
    """One part of a host: its letters stay, its hyphens are said."""
    return label.replace("_", " ").replace("-", f" {_WORDS[language]['dash']} ")


def _mail(user: str, domain: str, language: str) -> str:
    words = _WORDS[language]
    said = re.sub(r"\d+", lambda found: f" {_digits(found[0], language)} ", user)
    said = re.sub(r"[._+%-]", lambda found: f" {words.get(_NAMES.get(found[0], ''), '')} ", said)
    return f" {said} {words['at']}{_host(domain, None, language)}"


def _network_address(found: re.Match[str], language: str) -> str:
    numbers = [group for group in found.groups() if group is not None]
    if any(int(number) > 255 for number in numbers):
        return found[0]
    said = f" {_WORDS[language]['dot']} ".join(_digits(number, language) for number in numbers[:4])
    return f" {said} " + (f"{_WORDS[language]['slash']} {numbers[4]} " if len(numbers) > 4 else "")


def _path(path: str, language: str) -> str:
    """A path name by name; the full stop before an extension is said."""
    words = _WORDS[language]
    end = path[len(path.rstrip(".")) :]
    names = {**words, "home": "home" if language == "en" else "主目录"}

    def said(found: re.Match[str]) -> str:
        return " " if found[0] == "_" else f" {names[_NAMES[found[0]]]} "

    return " " + re.sub(r"[./\\~@+_-]", said, path.rstrip(".").replace(":", " ")) + f" {end}"


def _digits(digits: str, language: str) -> str:
    return english_digits(digits) if language == "en" else chinese_digits(digits, one="幺")
