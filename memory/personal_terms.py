"""Personal terms: what people say of themselves, as concepts in both languages, so that a question finds other words.

A statement has the concepts of its words and those above them (a cat is a pet); a question wants the very concept it
names, so that a dog does not answer for a cat.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from memory.lexical import Question, index_terms, normalised, parse_question, stem
from memory.personal_concepts import ASKED_ONLY, IRREGULAR, MISLEADING, PATTERNS, PEOPLE, PROPER, TABLE
from memory.script import IDEOGRAPH

VERSION: Final = 2
"""Goes up whenever a statement has other terms than before; the terms of all spaces are then made anew."""
MARK: Final = "\ue000"
"""Stands before the name of a concept: of a private area, so that no text holds it and SQLite takes it for a letter."""
LESS, MORE = 0.25, 0.6
"""What a word weighs that says of which kind the answer is ("which town"): a statement names the thing itself. More
where nothing else is asked but what one likes."""
WORK: Final = "work"
"""Above the trades."""
TASTE: Final = ("like", "dislike")

_ASKING: Final = re.compile(
    r"\b(?:do|did|can|could|would|will|have) (?:you|i|we) (?:still |ever |happen to |already |just )*"
    r"(?:remember|know|recall|tell|say|said|mention|mentioned|told)\b(?: you)?(?: about)?"
    r"|\b(?:remind|tell|ask) me\b(?: again)?(?: about| of)?|\bremember(?:ed)?\b|\bagain\b|\bi asked you to\b"
    r"|\b(?:that )?i(?:'ve| have)? (?:already |once |just |ever )?(?:told|said|mentioned|tell"
    r"|mention)\b(?: to)?(?: you)?(?: about)?"
    r"|\bwhen (?:we|i|you) (?:last )?(?:talked|spoke|chatted|told you|said that)\b|\bis there (?:anything|something)\b"
    r"|\b(?:um+|uh+|er+|erm|hm+|well|so|oh|okay)\b"
    "|(?:你|您)?(?:还|是否)?(?:记得|知道|记不记得|知不知道)|(?:我)?(?:之前|以前|曾经)?(?:跟你|和你|对你"
    "|给你|告诉你|有)?"
    "(?:说过|提过|提到过|讲过|告诉过你?|聊过)|告诉我|来着|请问|(?<![\u4e00-\u9fff])(?:嗯|呃|那个)(?=[，, ])"
)
_NOW: Final = re.compile(
    r"\b(?:now|nowadays|currently|presently|recently|lately|these days|at the moment|at present"
    r"|right now|actually|exactly"
    r"|usually|normally|generally|today|still|already|ever)\b"
    "|现在|目前|如今|最近|近来|这几天|这阵子|平时|平常|一般|通常|眼下|到底|具体|究竟|已经"
)
_EMPTY: Final = re.compile(
    r"'(?:d|m|ll|re|ve)\b|\b(?:thing|things|stuff|best|most|least|ones?|last (?:\w+ )?digits)\b"
    "|(?:多长|多少|什么|哪些)时间|(?:哪些|什么|哪件|的)(?:事情|事|东西)(?!业)|(?:干|做)(?:些)?什么(?!的|工作)|干嘛"
    "|我们?家(?:里)?|家里|什么地方|哪个地方"
    "|(?<=[\u4e00-\u9fff])(?:号码|号)(?=是|多少|$|[^\u4e00-\u9fff])"
)
_LESS: Final = re.compile(
    r"\b(?:in the|at|this|every|each) (?:morning|afternoon|evening|night|noon|day)\b|\bmornings\b|\bevenings\b"
    r"|\bfor a living\b|\b(?:old|new)\b|早上|上午|中午|下午|晚上|夜里|每天|[每1一]个?月(?![\u4e00-\u9fff]?\d)"
    "|[吃喝玩看听读唱](?= *(?:什么|哪[种个些])[\u4e00-\u9fff](?<![好了呢吗的]))"
)
_VERB: Final = re.compile("(?<=[\u4e00-\u9fff])([吃喝唱学玩看养读写买坐穿用教弹打])(?=什么|哪|多少|几)")
"""A word by itself, before what it asks for."""
_WHICH: Final = (
    r"(?:\b(?:what|which)(?: (?:kind|sort|type|brand|breed)s?(?: of)?)? "
    "|(?:什么|哪(?![儿里])一?[个种些座家位款部首本条只所门类支]?))"
)
_KIND: Final = re.compile(
    rf"{_WHICH}(?:"
    r"(?!(?:is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|should|must|may|i|we|my"
    r"|our|the|to|on|in|at"
    r"|of|for|if|about|else|you|he|she|they|it)\b)(?P<en>[a-z]+)"
    f"|(?P<zh>(?![个种些座家位款部首本条只所门类支儿里]){IDEOGRAPH}{{1,3}}?)(?=$|[^\u4e00-\u9fff]|[的是在了吗呢]))"
)
_WHICH_BEFORE: Final = re.compile(f"{_WHICH}$")
_SELF: Final = re.compile(r"\b(?:i|i'm|i've|me|my|mine|we|our|us)\b|我|咱")
_WHO: Final = re.compile(r"(?:\b(?:my|our) (?:\w+ )?|\bwho\b.*|谁.*|我们?的[^，。是当做]{0,4})$")
"""Before a trade: whoever asks for a teacher or a doctor asks for somebody else."""
_NAMED: Final = re.compile(r"\b(?:about|for|of|to|with) [A-Z][a-z]+|\b[A-Z]\w+'s\b")
"""Somebody by name: the question is about them."""

_NAME: Final = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
"""A capital in the middle of a sentence."""
_HAN_OR_NAME: Final = re.compile(rf"{IDEOGRAPH}|(?<=[\w,] )[A-Z][a-z]+")
_CALENDAR: Final = (
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday christmas easter english chinese"
)

_CLAUSE: Final = re.compile(
    r"[,，。.;；!！?？:：\n]+\s*|\s+(?:and|but|so|while)\s+(?=(?:i|i'm|i've|we|we're|my|our|he|she|they|his|her)\b)",
    re.I,
)
_OWN_SUBJECT: Final = re.compile(
    r"\s*(?:i|i'm|i've|i'd|we|we're|we've|our|mine|my)\b|.*\band i\b|.*(?:我|咱)|\s*(?:call|remind) me\b", re.I
)
_USER: Final = re.compile(r"\b(?:the )?user('s)?\b", re.I)
"""What a model calls the speaker in a fact."""
_THEY: Final = re.compile(r"\s*(?:he|she|his|her|he's|she's)\b|\s*(?:他|她|它)", re.I)
"""Somebody else. "They" and "it" go on with what was spoken of: they have moved my exam."""
_NAMED_SUBJECT: Final = re.compile(
    r"\s*(?!(?:I|We|My|Our|The|This|That|These|There|It|In|On|At|From|Since|Yes|No|Today|Yesterday|Tomorrow)\b)"
    r"[A-Z]\w+(?: [A-Z]\w+)?(?:'s| is| has| was| does| likes| loves| hates| works| lives| drives| got| can| will"
    r"| teaches| says| said| told| gave| helps| runs| owns| plays| studies| comes| came| goes| went| wants| needs)\b"
    "|(?![我咱今昨明这那每周星上下最其])[\u4e00-\u9fff]{2,3}(?:对.{1,8}过敏|最?喜欢|爱吃|爱喝|住在|今年"
    "|属|叫|姓|在.{1,8}(?:上班|工作))"
)


@dataclass(frozen=True, slots=True)
class Want:
    """One part of a question."""

    terms: frozenset[str]
    """Any of them meets it."""
    share: float = 1.0
    """Of the weight that their rarity gives."""


@dataclass(frozen=True, slots=True)
class PersonalQuestion:
    """What a question to the memory asks about."""

    wants: tuple[Want, ...]
    """Its everyday words, as concepts."""
    rest: Question
    """All other content."""
    names: frozenset[str] = frozenset()
    """The stems of names in it: what holds none of them is about somebody or something else."""
    of_self: bool = False
    """It is the speaker's own name, home or work that is asked for, and nobody else's."""

    asks_name: bool = False
    """What somebody or something is called."""

    @property
    def has_content(self) -> bool:
        """Whether it asks about anything."""
        return bool(self.wants) or self.rest.has_content

    @property
    def terms(self) -> tuple[str, ...]:
        """All that is worth looking up, each once."""
        return tuple(dict.fromkeys([*(term for want in self.wants for term in sorted(want.terms)), *self.rest.terms]))


def stated(text: str) -> list[str]:
    """What a statement is found by: its own terms, its concepts and those above them."""
    return list(dict.fromkeys([*index_terms(text), *_plain_forms(text), *_concepts(text)]))


def stated_of_self(text: str) -> frozenset[str]:
    """The same, of what a statement says of the speaker alone: my sister's home is not mine."""
    return frozenset(stated(" . ".join(_own_clauses(text))))


def asked(question: str) -> PersonalQuestion:
    """What a question asks about."""
    text = _VERB.sub(r" \1 ", normalised(question))
    for empty in (_ASKING, _NOW, _EMPTY):
        text = empty.sub(lambda found: " " * len(found[0]), text)
    wants: dict[str, Want] = {}
    people, whole = False, text
    light = [match.span() for match in _LESS.finditer(text)]
    for concept, (begin, end) in _named(whole, asked=True):
        people = people or bool(_ABOVE[concept] & PEOPLE) or _is_tradesman(concept, whole[:begin])
        of_kind = concept not in _NAMED_BY_OTHERS and _WHICH_BEFORE.search(whole[:begin])
        less = of_kind or any(first <= begin and end <= last for first, last in light)
        _want(wants, concept, {MARK + concept, *_forms(whole[begin:end])}, LESS if less else 1.0)
        text = _blanked(text, begin, end)
    for begin, end in [*light, *map(_span_of_kind, _KIND.finditer(text))]:
        if terms := parse_question(text[begin:end]).terms:
            _want(wants, text[begin:end], set(terms), LESS)
        text = _blanked(text, begin, end)
    rest, wants = _without_forms(parse_question(text), wants)
    if not rest.has_content and not any(want.share == 1 for concept, want in wants.items() if concept not in TASTE):
        wants = {name: replace(want, share=max(want.share, MORE)) for name, want in wants.items()}
    return PersonalQuestion(
        tuple(wants.values()),
        rest,
        _names(question),
        bool(_SELF.search(normalised(question))) and not people and not _NAMED.search(question),
        "name" in wants,
    )


def _want(wants: dict[str, Want], name: str, terms: set[str], share: float) -> None:
    """Adds a want, to one of the same name where there is one."""
    earlier = wants.get(name, Want(frozenset(), 0.0))
    wants[name] = Want(earlier.terms | terms, max(share, earlier.share))


def tells_name(text: str) -> bool:
    """Whether a statement may say what somebody is called: in Chinese nothing tells a name from other words."""
    return bool(_HAN_OR_NAME.search(text)) or "name" in {concept for concept, _ in _named(normalised(text))}


def _names(question: str) -> frozenset[str]:
    found = {word for match in _NAME.finditer(question) for word in index_terms(match[0])}
    known = {stem(word) for word in _CALENDAR.split()} | _ASKED_ENGLISH.keys()
    return frozenset(found - known)


def _is_tradesman(concept: str, before: str) -> bool:
    return _PARENTS.get(concept) == WORK and bool(_WHO.search(before))


def _span_of_kind(match: re.Match[str]) -> tuple[int, int]:
    return match.span("en" if match["en"] else "zh")


def _blanked(text: str, begin: int, end: int) -> str:
    return text[:begin] + " " * (end - begin) + text[end:]


def _without_forms(question: Question, wants: dict[str, Want]) -> tuple[Question, dict[str, Want]]:
    """Verbs with forms of their own become wants that any form meets."""
    regular = tuple(word for word in question.words if word not in _PLAIN)
    forms = {word: Want(frozenset({word, _PLAIN[word]})) for word in question.words if word in _PLAIN}
    return Question(regular, question.runs), {**wants, **forms}


def _forms(word: str) -> set[str]:
    return {stem(word)} if word.isascii() and word.isalpha() else set()


def _plain_forms(text: str) -> list[str]:
    return [_PLAIN[term] for term in index_terms(text) if term in _PLAIN]


def _concepts(text: str) -> list[str]:
    found = {concept for concept, _ in _named(normalised(text))}
    found |= {concept for pattern, concept in _CAPITALS if pattern.search(text)}
    return [MARK + concept for concept in sorted({above for concept in found for above in _ABOVE[concept]})]


def _own_clauses(text: str) -> list[str]:
    """The clauses whose subject is the speaker; one without a subject has that of the clause before it."""
    own, kept = True, []
    for clause in _CLAUSE.split(_USER.sub(lambda found: "my" if found[1] else "I", text).replace("用户", "我")):
        if _is_of_others(clause):
            own = False
        elif _OWN_SUBJECT.match(clause):
            own = True
        if own:
            kept.append(clause)
    return kept


def _is_of_others(clause: str) -> bool:
    if _THEY.match(clause):
        return True
    if match := _RELATION.match(normalised(clause)):
        return not re.search(r"\band (?:i|me)\b|^\s*我(?:和|跟|与)", normalised(clause)[match.start() :])
    return bool(_NAMED_SUBJECT.match(clause)) and not re.search(r"\band I\b", clause)


def _named(text: str, *, asked: bool = False) -> Iterator[tuple[str, tuple[int, int]]]:
    """The concepts that a normalised text names, and where; a word in a phrase that has one is not looked at."""
    taken: list[tuple[int, int]] = []
    english, chinese = (_ASKED_ENGLISH, _ASKED_CHINESE) if asked else (_ENGLISH, _CHINESE)
    for pattern, concept in _PHRASES:
        for match in pattern.finditer(text):
            taken.append(match.span())
            yield concept, match.span()
    for match in _TOKEN.finditer(text):
        if stem(match[0]) in english and not any(first <= match.start() < last for first, last in taken):
            yield english[stem(match[0])], match.span()
    clear = _MISLEADING.sub(lambda found: " " * len(found[0]), text)
    for match in (_ASKED_HAN if asked else _HAN).finditer(clear):
        yield chinese[match[0]], match.span()


def _lines(table: str) -> Iterator[tuple[str, str, list[str], list[str]]]:
    for line in re.sub(r"\n +", " ", table.strip()).splitlines():
        head, words = line.split(":")
        concept, _, above = (part.strip() for part in head.partition("<"))
        english, chinese = words.split("|")
        yield concept, above, english.split(), chinese.split()


def _above(concept: str, parents: Mapping[str, str]) -> frozenset[str]:
    found = {concept}
    while concept := parents.get(concept, ""):
        found.add(concept)
    return frozenset(found)


def _words(*tables: str) -> tuple[dict[str, str], dict[str, str]]:
    """Concepts by stems of English words, and by Chinese words."""
    lines = [line for table in tables for line in _lines(table)]
    english = {stem(word): concept for concept, _, words, _ in lines for word in words}
    return english, {word: concept for concept, _, _, words in lines for word in words}


def _any(words: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(sorted(words, key=len, reverse=True)))


_PARENTS = {concept: above for concept, above, _, _ in _lines(TABLE)}
_NAMED_BY_OTHERS = {*_PARENTS.values()} - {""} | {"avoid"}
"""Whoever tells of them names one below, by which they are told too: a statement on red is one on a colour."""
_ABOVE = {concept: _above(concept, _PARENTS) for concept in _PARENTS}
_ENGLISH, _CHINESE = _words(TABLE)
_ASKED_ENGLISH, _ASKED_CHINESE = _words(TABLE, ASKED_ONLY)
_HAN, _ASKED_HAN = _any(_CHINESE), _any(_ASKED_CHINESE)
_TOKEN = re.compile(rf"(?:(?!{IDEOGRAPH})[^\W_])+")
_PHRASES = tuple((re.compile(pattern), concept) for pattern, concept in PATTERNS)
_CAPITALS = tuple((re.compile(pattern), concept) for pattern, concept in PROPER)
_PLAIN = {stem(form): stem(verb.split()[0]) for verb in IRREGULAR.split(";") for form in verb.split()[1:]}
_MISLEADING = re.compile(MISLEADING)
_OTHERS = [(english, chinese) for concept, _, english, chinese in _lines(TABLE) if _ABOVE[concept] & PEOPLE]
_BY_TRADE = [(english, chinese) for _, above, english, chinese in _lines(TABLE) if above == WORK]


def _alternatives(words: Iterable[list[str]]) -> str:
    return "|".join(word for listed in words for word in listed)


_RELATION = re.compile(
    rf"\s*(?:my|our|his|her) (?:\w+ )?(?:{_alternatives(english for english, _ in _OTHERS + _BY_TRADE)})\b"
    f"|\\s*(?:我们?的?|咱们?的?)?(?:{_alternatives(chinese for _, chinese in _OTHERS)})"
    f"|\\s*(?:我们?的|我们|咱们)[^，。是当做在 ]{{0,4}}(?:{_alternatives(chinese for _, chinese in _BY_TRADE)})"
)
