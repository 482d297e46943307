"""Markup: Markdown, HTML and LaTeX as the plain text that a reader sees; figures and bare addresses stay."""

import re
from html import unescape

from tools.signs import CODE_SIGNS, SUPERSCRIPTS

_INLINE_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)([^`\n]{1,500}?)\1(?!`)")
_IMAGE = re.compile(r"!\[([^\[\]]{0,500})\](?:\((?:[^()\n]|\([^()\n]{0,200}\)){0,2000}\)|\[[^\[\]]{0,100}\])")
_LINK = re.compile(r"\[([^\[\]]{1,500})\](?:\((?:[^()\n]|\([^()\n]{0,200}\)){0,2000}\)|\[[^\[\]]{0,100}\](?!\())")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000}|[^<>\s@]{1,64}@[^<>\s@]{1,200})>")
_OPTION = re.compile(r"(?<![A-Za-z0-9_-])(--?)(?=[A-Za-z])")
_CITATION = re.compile(
    r"[ \t]*(?:\[\^[\w-]{1,30}\]|"
    r"\[\d{1,3}(?:\s?[,，、–-]\s?\d{1,3}){0,9}\](?:\([^()\n]{0,2000}\))?|【\d{1,3}(?:[†:][^【】]{0,60})?】)"
)
_TASK = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+\[([ xX])\]\s+", re.MULTILINE)
_COMMENT = re.compile(r"<!--.{0,2000}?-->", re.DOTALL)
_SUPERSCRIPT_TAG = re.compile(r"<sup>([-+\d]{1,9})</sup>", re.IGNORECASE)
_BREAK_TAG = re.compile(r"</?(?:br|p|div|li|tr|h[1-6]|hr)\b[^<>]{0,300}>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|abbr|audio|b|big|blockquote|body|button|center|cite|code|dd|del|details|dl|dt|em|figcaption|figure|font|"
    r"footer|head|header|html|i|iframe|img|input|ins|kbd|label|main|mark|nav|ol|pre|q|rp|rt|ruby|s|samp|script|section|"
    r"small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|th|thead|tt|u|ul|var|video)"
    r"(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"(?<![A-Za-z0-9_)])<([^\W\d_][\w -]{0,60})>")
_FENCE = re.compile(r"^\s*(?:```|~~~).*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:(?:[-][ \t]*){3,}|(?:[*][ \t]*){3,}|(?:_[ \t]*){3,}|={3,}[ \t]*)$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+[ \t:|-]*$", re.MULTILINE)
_LINE_MARK = re.compile(
    r"^[ \t]*(?:>[ \t]?)*[ \t]*(?:#{1,6}(?=[ \t]|$)[ \t]*|[-*+•‣◦▪▫●○■□◆◇►▶➤➢][ \t]+)?", re.MULTILINE
)
_HEADING_END = re.compile(r"[ \t]#+[ \t]*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>~$&%])")
_PRODUCT = re.compile(r"(?<=[\d)])\s?\*\s?(?=[\d(])|(?<=\w)\s\*\s(?=\w)")
_EMPHASIS = re.compile(r"~~|\*+")
_UNDERSCORE_EMPHASIS = re.compile(r"(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w)")

_DISPLAY_MATH = re.compile(r"\$\$(.{1,1000}?)\$\$|\\\[(.{1,1000}?)\\\]|\\\((.{1,1000}?)\\\)", re.DOTALL)
_INLINE_MATH = re.compile(r"(?<![\\$A-Za-z0-9])\$(?![\s$\d])([^$\n]{1,300}?)(?<![\s\\])\$(?![\d$])")
_FIGURE_MATH = re.compile(r"(?<![\\$A-Za-z0-9])\$(\d[^$\n]{0,300}?[\\^_=][^$\n]{0,300}?)(?<![\s\\])\$(?![\d$])")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]{1,200})\}\s*\{([^{}]{1,200})\}")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]{1,200})\}")
_POWER = re.compile(r"\^\s*(?:\{([-+]?\d{1,9})\}|(\d))")
_GROUP = re.compile(r"\\(?:text|mathrm|mathbf|mathit|operatorname|textbf|boxed)\s*\{([^{}]{0,300})\}")
_COMMAND = re.compile(r"\\([A-Za-z]{1,20})")
_COMMANDS = {
    "times": "×", "div": "÷", "cdot": "×", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "to": "→", "rightarrow": "→", "Rightarrow": "→", "infty": "∞", "sum": "∑", "int": "∫",
    "prod": "∏", "partial": "∂", "in": "∈", "degree": "°", "circ": "°", "left": "", "right": "", "quad": " ",
    "qquad": " ", "ldots": "…", "cdots": "…", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ",
    "epsilon": "ε", "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π", "rho": "ρ", "sigma": "σ", "Sigma": "Σ",
    "tau": "τ", "phi": "φ", "omega": "ω", "Omega": "Ω", "sqrt": "√", "begin": "", "end": "",
}  # fmt: skip


def without_markup(text: str, language: str) -> str:
    """The text without marks, in lines; link and image texts stay, bare addresses and figures are left as written."""
    text = _INLINE_CODE.sub(lambda found: _code_words(found[2], language), text)
    text = _FENCE.sub("", text)
    text = _without_links(text, language)
    if "$" in text or "\\" in text:
        text = _without_latex(text, language)
    if "<" in text or "&" in text:
        text = _without_html(text)
    for pattern in (_TABLE_RULE, _RULE, _LINE_MARK, _HEADING_END):
        text = pattern.sub("", text)
    text = _ESCAPE.sub(r"\1", text)
    text = _PRODUCT.sub("×", text)
    return _UNDERSCORE_EMPHASIS.sub("", _EMPHASIS.sub("", text))


def _code_words(code: str, language: str) -> str:
    """Inline code with its operators as words, so that no mark in it is taken for Markdown."""
    for sign, words in CODE_SIGNS[language]:
        code = code.replace(sign, words)
    return _OPTION.sub(lambda found: (" dash " if language == "en" else "杠") * len(found[1]) + " ", code)


def _without_links(text: str, language: str) -> str:
    done, todo = ("done, ", "to do, ") if language == "en" else ("已完成，", "待办，")
    text = _TASK.sub(lambda found: todo if found[1] == " " else done, text)
    if "<" in text:
        text = _AUTOLINK.sub(r"\1", text)
    if "[" in text or "【" in text:
        text = _CITATION.sub("", _IMAGE.sub(r"\1", text))
        text = _LINK.sub(r"\1", text)
    return text


def _without_html(text: str) -> str:
    text = _COMMENT.sub(" ", text)
    text = _SUPERSCRIPT_TAG.sub(lambda found: found[1].translate(SUPERSCRIPTS), text)
    text = _TAG.sub("", _BREAK_TAG.sub("\n", text))
    return unescape(_PLACEHOLDER.sub(r"\1", text))


def _without_latex(text: str, language: str) -> str:
    def plain(found: re.Match[str]) -> str:
        return _plain_math(next(group for group in found.groups() if group is not None), language)

    for pattern in (_DISPLAY_MATH, _INLINE_MATH, _FIGURE_MATH):
        text = pattern.sub(plain, text)
    return text


def _plain_math(formula: str, language: str) -> str:
    formula = _GROUP.sub(r"\1", formula)
    for _ in range(3):  # fractions and roots may stand in one another
        formula = _ROOT.sub(r"√\1", formula)
        formula = _FRACTION.sub(r"\1 over \2" if language == "en" else r"\2 分之 \1", formula)
    formula = _POWER.sub(lambda found: (found[1] or found[2]).translate(SUPERSCRIPTS), formula)
    formula = _COMMAND.sub(lambda found: _COMMANDS.get(found[1], f" {found[1]} "), formula)
    return re.sub(r"\\[,;:!\s\\]?|[{}]", " ", formula.replace("\\%", "%").replace("_", " ")).replace("&", " ").strip()
