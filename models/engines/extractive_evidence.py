"""Which sentences answer a question: weighted overlap of words, in Chinese and English; knows no chat."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.engines.extractive_hints import bonus, goes_on, qualifies, subject
from models.engines.extractive_sentences import HAN, Sentence, sentences
from models.quoting import QuotedPassage

STOP_WORDS: Final = frozenset(
    {"a", "about", "all", "am", "an", "and", "any", "anybody", "anyone", "anything", "are", "as", "at"}
    | {"be", "been", "being", "but", "by", "can", "could", "did", "do", "does", "doing", "for", "from"}
    | {"get", "gets", "give", "given", "go", "got", "had", "has", "have", "having", "hello", "her", "here"}
    | {"hi", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "know", "let", "like"}
    | {"long", "many", "may", "me", "mean", "much", "must", "my", "need", "no", "not", "of", "off", "on"}
    | {"one", "or", "our", "out", "per", "please", "shall", "she", "should", "so", "some", "tell", "than"}
    | {"that", "the", "their", "them", "there", "these", "they", "this", "those", "to", "too", "up", "us"}
    | {"use", "very", "want", "was", "we", "were", "what", "when", "where", "which", "who", "whom", "whose"}
    | {"why", "will", "with", "would", "you", "your", "s", "t", "re", "ve", "ll", "d", "m", "don", "doesn"}
    | {"didn", "isn", "aren", "won"}
)

LIGHT_VERBS: Final = frozenset(
    {"apply", "bring", "call", "change", "find", "happen", "keep", "make"}
    | {"put", "send", "set", "show", "start", "take", "work"}
)
"""Words that say little of a subject, since they go with every one."""

ZH_PHRASES: Final = re.compile(
    "什么时候|什么时间|为什么|是什么|有什么|什么样|怎么样|怎么办|多长时间|是不是|有没有|能不能|可不可以|要不要|会不会|"
    "请问一下|请问|告诉我|我想知道|想知道|想问|知道|帮我|什么|怎么|怎样|如何|哪些|哪里|哪儿|哪个|哪天|哪年|哪|多少|"
    "多久|多长|多大|多高|多远|多重|几个|几点|几天|谁|可以|能够|应该|需要|必须|一下|我们|你们|他们|咱们|自己|这个|那个"
)
"""Words of a question that say nothing of its subject."""

ZH_FUNCTION: Final = frozenset("的了是在和与或及吗呢吧啊呀我你您他她它这那每几个就都也还要会能有为被把从到对于其之等很")

CONTEXT_WEIGHT: Final = 0.45
"""What a word counts that stands only over the sentence: in its heading, or in the name of its document."""
PASSAGE_WEIGHT: Final = 0.2
"""What a word counts that stands only elsewhere in the passage."""
LIGHT_WEIGHT: Final = 0.5
"""What a light verb counts beside another word."""
CHARACTER_WEIGHT: Final = 0.2
"""What a single Chinese character counts beside a pair of them."""
RANK_PENALTY: Final = 0.02
"""For each passage that ranks before."""
LEAST: Final = 0.15
"""The share of a question's weight below which a sentence answers nothing."""
NEAR: Final = 0.85
"""A further sentence is quoted from this share of the best score on."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that answers, and where it stands."""

    text: str
    passage: QuotedPassage
    score: float
    """About the share of the question that it covers; the bonus may lift it over 1."""
    covered: frozenset[str]
    """The terms of the question that it covers."""
    paragraph: tuple[int, int]
    """The passage's place among those given, and the paragraph's in it."""


def evidence(question: str, passages: Sequence[QuotedPassage], limit: int) -> list[Evidence]:
    """At most `limit` sentences that answer, in the order in which they stand; none where nothing does."""
    wanted = question_terms(subject(question)) or question_terms(question)
    candidates = [
        (place, passage, sentence) for place, passage in enumerate(passages) for sentence in sentences(passage.text)
    ]
    weights = _weighted(wanted, [sentence for _, _, sentence in candidates])
    scored = [_scored(question, weights, passage, sentence, place) for place, passage, sentence in candidates]
    chosen = _best(question, [found for found in scored if found.score >= LEAST], limit)
    return _with_follower(chosen, scored, weights, limit)


def language(text: str) -> str:
    """ "zh" where there are at least as many Chinese characters as words of other scripts, else "en"."""
    chinese = len(re.findall(f"[{HAN}]", text))
    return "zh" if chinese and chinese >= len(re.findall(r"[A-Za-z]+", text)) else "en"


def question_terms(question: str) -> dict[str, float]:
    """What a question asks about: its words and pairs of Chinese characters, each with a weight."""
    text = ZH_PHRASES.sub(" ", _normal(question))
    terms = {word: LIGHT_WEIGHT if word in _LIGHT else 1.0 for word in _words(text)}
    for run in re.findall(f"[{HAN}]+", text):
        content = [pair for pair in _pairs(run) if not ZH_FUNCTION & set(pair)] or _pairs(run)
        terms.update(dict.fromkeys(content, 1.0))
        single = [character for character in run if character not in ZH_FUNCTION]
        weight = 1.0 if len(single) == 1 and not content else CHARACTER_WEIGHT
        terms.update((character, max(weight, terms.get(character, 0.0))) for character in single)
    return terms


def text_terms(text: str) -> set[str]:
    """All terms that a question could find in a text."""
    normal = _normal(text)
    terms = set(_words(normal))
    for run in re.findall(f"[{HAN}]+", normal):
        terms.update(_pairs(run), run)
    return terms


def _weighted(wanted: dict[str, float], known: Sequence[Sentence]) -> dict[str, float]:
    """The terms by how rare they are among the sentences; together they weigh 1."""
    counts = Counter(term for sentence in known for term in text_terms(sentence.text) & wanted.keys())
    rare = {term: weight * math.log(2 + len(known) / (1 + counts[term])) for term, weight in wanted.items()}
    total = sum(rare.values())
    return {term: weight / total for term, weight in rare.items()}


def _scored(
    question: str, weights: dict[str, float], passage: QuotedPassage, sentence: Sentence, place: int
) -> Evidence:
    said = text_terms(sentence.text)
    over = text_terms(f"{passage.document} {passage.heading} {sentence.context}") - said
    around = text_terms(passage.text) - said - over
    covered = frozenset(weights.keys() & (said | over))
    score = sum(weights[term] * (1.0 if term in said else CONTEXT_WEIGHT) for term in covered)
    score += PASSAGE_WEIGHT * sum(weights[term] for term in weights.keys() & around)
    if score >= LEAST:
        score += bonus(question, sentence.text)
    score = score - RANK_PENALTY * place if covered else 0.0
    return Evidence(sentence.text, passage, score, covered, (place, sentence.paragraph))


def _best(question: str, found: list[Evidence], limit: int) -> list[Evidence]:
    """The best and what is nearly as good, each once, unless the best covers the same and more."""
    if not found:
        return []
    top = max(found, key=_by_score)
    own = [one for one in found if language(one.text) == language(question)]
    best = max(own, key=_by_score, default=top)
    if best.score >= top.score / 2:
        found = own or found
    else:
        best = top
    near = [one for one in found if one.score >= NEAR * best.score and not one.covered < best.covered]
    distinct = {_normal(one.text): one for one in sorted(near, key=_by_score)}
    kept = sorted(distinct.values(), key=_by_score, reverse=True)[:limit]
    return [one for one in found if one in kept]


def _with_follower(
    chosen: list[Evidence], scored: list[Evidence], weights: dict[str, float], limit: int
) -> list[Evidence]:
    """With the sentence after the best where it takes part of it back, or goes on to what the best leaves open."""
    if not chosen or limit < 2:
        return chosen
    best = max(chosen, key=_by_score)
    after = next(iter(scored[scored.index(best) + 1 :]), None)
    if after is None or after.paragraph != best.paragraph:
        return chosen
    opened = after.covered - best.covered or best.covered < weights.keys()
    if not qualifies(after.text) and not (goes_on(after.text) and opened):
        return chosen
    others = sorted((one for one in chosen if one not in (best, after)), key=_by_score, reverse=True)
    kept = [best, after, *others][:limit]
    return [one for one in scored if one in kept]


def _by_score(one: Evidence) -> float:
    return one.score


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _words(text: str) -> list[str]:
    """Stems of the words that carry meaning; "wi-fi" is also one word."""
    text = re.sub(r"['’]s\b", "", text)
    whole = re.findall(r"[a-z\d]+(?:-[a-z\d]+)+", text)
    words = [*re.findall(r"[^\W_" + HAN + r"]+", text), *(word.replace("-", "") for word in whole)]
    return [_stem(word) for word in words if word not in STOP_WORDS]


def _stem(word: str) -> str:
    """A word without the endings of English inflection; the same word always gives the same stem."""
    word = _IRREGULAR.get(word, word)
    if not word.isascii() or len(word) < 4 or word.isdigit():
        return word
    for ending, rest in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending):
            return _bare(word.removesuffix(ending) + rest)
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return _bare(word)


def _bare(word: str) -> str:
    for ending, shortest in (("ation", 9), ("ment", 8), ("ing", 6), ("ed", 5), ("ly", 6)):
        if word.endswith(ending) and len(word) >= shortest:
            word = word.removesuffix(ending)
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeios":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


_IRREGULAR: Final = {
    "paid": "pay", "kept": "keep", "sent": "send", "spent": "spend", "lent": "lend", "lost": "lose", "met": "meet",
    "bought": "buy", "brought": "bring", "taught": "teach", "sold": "sell", "held": "hold", "built": "build",
    "took": "take", "taken": "take", "began": "begin", "begun": "begin", "broke": "break", "broken": "break",
    "chose": "choose", "chosen": "choose", "drove": "drive", "driven": "drive", "flew": "fly", "flown": "fly",
    "wrote": "write", "written": "write", "wore": "wear", "worn": "wear", "ate": "eat", "eaten": "eat",
    "stole": "steal", "stolen": "steal", "made": "make", "children": "child",
}  # fmt: skip
"""Forms that no ending tells."""
_LIGHT: Final = frozenset(map(_stem, LIGHT_VERBS))
