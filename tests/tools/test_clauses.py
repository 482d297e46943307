"""Where clauses end: hand-cut tables in both languages, and laws that hold for any text however it is chopped."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools.clauses import Clause, ClauseSplitter


def split(text: str, *, size: int = 1, relaxed: bool = False) -> list[Clause]:
    """The clauses of a text that arrives in pieces of one size."""
    splitter = ClauseSplitter()
    found = splitter.relax() if relaxed else []
    for start in range(0, len(text), size):
        found += splitter.push(text[start : start + size])
    return found + splitter.flush()


def shown(clauses: list[Clause]) -> list[str]:
    return [clause.display for clause in clauses]


# A first clause, long enough that what follows is judged as a second or later one.
OPENED = "Let me tell you now."
BEGUN = "我来告诉您吧。"

FIRST = [
    # Chinese: from four characters on, at any mark
    ("", []),
    ("好", ["好"]),
    ("好的，我来查一下，请稍等。", ["好的，我来查一下，", "请稍等。"]),
    ("没有问题，我来查。", ["没有问题，", "我来查。"]),
    ("苹果梨子、桃子", ["苹果梨子、", "桃子"]),
    ("请您注意：门要关好。", ["请您注意：", "门要关好。"]),
    ("今天下雨；明天晴。", ["今天下雨；", "明天晴。"]),
    ("我想想看……好的。", ["我想想看……", "好的。"]),
    ("我想想看——好的。", ["我想想看——", "好的。"]),
    ("你好！", ["你好！"]),
    ("是。对。没错的。好", ["是。对。没错的。", "好"]),
    ("今天下雨,明天晴。", ["今天下雨,", "明天晴。"]),
    # English: from three words on
    ("Sure, I can do it.", ["Sure, I can do it."]),
    ("Of course I can, it is easy.", ["Of course I can,", " it is easy."]),
    ("Well, you see, it is so.", ["Well, you see,", " it is so."]),
    ("Here it is: the answer.", ["Here it is:", " the answer."]),
    ("It was late; he left.", ["It was late;", " he left."]),
    ("It was late\u2014he left.", ["It was late\u2014", "he left."]),
    ("Let me see... It works.", ["Let me see...", " It works."]),
    ("Let me see… It works.", ["Let me see…", " It works."]),
    ("Yes! Sure! Why not?", ["Yes! Sure! Why not?"]),
    ("I don't, so go.", ["I don't, so go."]),
    ("Take two, e.g., red ones, please.", ["Take two, e.g., red ones,", " please."]),
    # Mixed: a word weighs one and a half characters
    ("用GPT吧，可以", ["用GPT吧，可以"]),
    ("用Python写吧，可以", ["用Python写吧，", "可以"]),
    ("Hello你好呀，朋友。", ["Hello你好呀，", "朋友。"]),
    # A line is a clause of its own
    ("# 标题\n正文在这里。", ["# 标题\n", "正文在这里。"]),
    ("Title\n\nThe text is here.", ["Title\n", "\nThe text is here."]),
]

RELAXED = [
    ("好的，我来查。", ["好的，", "我来查。"]),
    ("嗯……好的。", ["嗯……", "好的。"]),
    ("嗯，", ["嗯，"]),
    ("Sure, I can do it.", ["Sure,", " I can do it."]),
    ("Yes! It is.", ["Yes!", " It is."]),
    ("1,000 people came, I think.", ["1,000 people came,", " I think."]),
    ("3.14, roughly.", ["3.14,", " roughly."]),
    ("……，。！", ["……，。！"]),
    ("**好的！** 我来查。", ["**好的！**", " 我来查。"]),
    ("“好的。”他说。", ["“好的。”", "他说。"]),
    ('"Sure," she said.', ['"Sure,"', " she said."]),
    ("'Sure,' she said.", ["'Sure,'", " she said."]),
    ("😀，好的，走。", ["😀，好的，", "走。"]),
    ("1. One thing\n2. Two\n", ["1. One thing\n", "2. Two\n"]),
]

LATER = [
    # Numbers, times, versions
    ("Pi is 3.14 or so. Next one comes.", ["Pi is 3.14 or so.", " Next one comes."]),
    ("圆周率是3.14左右。下一句来了。", ["圆周率是3.14左右。", "下一句来了。"]),
    ("It costs 1,000,000 dollars. Next one comes.", ["It costs 1,000,000 dollars.", " Next one comes."]),
    ("We meet at 3:30 then. Next one comes.", ["We meet at 3:30 then.", " Next one comes."]),
    ("Use v2.0.1 of it. Next one comes.", ["Use v2.0.1 of it.", " Next one comes."]),
    ("There are only 5. Next one comes.", ["There are only 5.", " Next one comes."]),
    # Abbreviations
    ("I saw Dr. Smith there. Next one comes.", ["I saw Dr. Smith there.", " Next one comes."]),
    ("He met J. K. Rowling there. Next one comes.", ["He met J. K. Rowling there.", " Next one comes."]),
    ("The U.S. Army came. Next one comes.", ["The U.S. Army came.", " Next one comes."]),
    ("Take fruit, e.g. two apples. Next one comes.", ["Take fruit, e.g. two apples.", " Next one comes."]),
    ("It is No. 5 here. Next one comes.", ["It is No. 5 here.", " Next one comes."]),
    ("My answer is no. Next one comes.", ["My answer is no.", " Next one comes."]),
    ("He left at 5 p.m. Really and truly?", ["He left at 5 p.m.", " Really and truly?"]),
    ("He left at 5 p.m. on that day. So?", ["He left at 5 p.m. on that day.", " So?"]),
    ("See Fig. 3 for it. Next one comes.", ["See Fig. 3 for it.", " Next one comes."]),
    ("Pens, paper, etc. are there. Next one comes.", ["Pens, paper, etc. are there.", " Next one comes."]),
    ("Neither could I. Next one comes.", ["Neither could I.", " Next one comes."]),
    # Addresses and files
    ("See https://a.example/b,c?d=e.f now. Next comes this.",
     ["See https://a.example/b,c?d=e.f now.", " Next comes this."]),
    ("It is at https://a.example/b. Next one comes.", ["It is at https://a.example/b.", " Next one comes."]),
    ("请看https://a.example/b，很好。下一句来了。", ["请看https://a.example/b，很好。", "下一句来了。"]),
    ("Ask me@mail.example.org about it. Next one comes.", ["Ask me@mail.example.org about it.", " Next one comes."]),
    ("Open the file notes.txt first. Next one comes.", ["Open the file notes.txt first.", " Next one comes."]),
    # Runs of marks, and what closes a quote
    ("Is that really so?! Next one comes.", ["Is that really so?!", " Next one comes."]),
    ("I do not know... Next one comes.", ["I do not know...", " Next one comes."]),
    ("我不知道呢……下一句来了。", ["我不知道呢……", "下一句来了。"]),
    ("他说：“我们走吧。”下一句来了。", ["他说：“我们走吧。”", "下一句来了。"]),
    ("他说：「我们走吧！」下一句来了。", ["他说：「我们走吧！」", "下一句来了。"]),
    ("他问：“你说‘走吧？’”下一句来了。", ["他问：“你说‘走吧？’”", "下一句来了。"]),
    ('He said, "We should go." Next one comes.', ['He said, "We should go."', " Next one comes."]),
    ("He said, 'I don't know it!' Next one comes.", ["He said, 'I don't know it!'", " Next one comes."]),
    ("He said, “We should go?” Next one comes.", ["He said, “We should go?”", " Next one comes."]),
    # Brackets, titles, links, inline code
    ("我读了《你好。再见》这本书。下一句来了。", ["我读了《你好。再见》这本书。", "下一句来了。"]),
    ("我走了（真的。不骗你）就这样。下一句来了。", ["我走了（真的。不骗你）就这样。", "下一句来了。"]),
    ("I left (so. No joke.) by car. Next one comes.", ["I left (so. No joke.) by car.", " Next one comes."]),
    ("See [the docs. Now](https://a.example/b,c) there. Next one comes.",
     ["See [the docs. Now](https://a.example/b,c) there.", " Next one comes."]),
    ("Call `a. b, c` to do it. Next one comes.", ["Call `a. b, c` to do it.", " Next one comes."]),
    ("The fox is red here.[1] Next one comes.", ["The fox is red here.", "[1] Next one comes."]),
    ("Is it really so?[2] Next one comes.", ["Is it really so?", "[2] Next one comes."]),
    ("I (" + "a. " * 13 + ") and (" + "b. " * 13 + ") go. It is so.",
     ["I (" + "a. " * 13 + ") and (" + "b. " * 13 + ") go.", " It is so."]),
    # A bracket that never closes holds the text together only for a while
    ("(" + "word " * 20 + "it is. Next one comes.", ["(" + "word " * 20 + "it is.", " Next one comes."]),
    ("Look, it is ![a. picture](b.png) here. Next one comes.",
     ["Look, it is ![a. picture](b.png) here.", " Next one comes."]),
    # Short sentences go with the next
    ("是的。好。我们现在就走吧。下一句来了。", ["是的。好。我们现在就走吧。", "下一句来了。"]),
    # Commas do not cut a sentence that is not long
    ("我们走吧，天要黑了，快一点。下一句来了。", ["我们走吧，天要黑了，快一点。", "下一句来了。"]),
    # Emoji are no words
    ("That is really great!😀 Next one comes.", ["That is really great!", "😀 Next one comes."]),
    # Lists
    ("- 第一项，很重要\n- 第二项\n", ["- 第一项，很重要\n", "- 第二项\n"]),
    ("1. One thing here\n2. Two things here\n", ["1. One thing here\n", "2. Two things here\n"]),
    ("1. **One thing.** It is so.\n", ["1. **One thing.**", " It is so.\n"]),
    ("* Red\n* Green. Or is it?\n", ["* Red\n", "* Green. Or is it?\n"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FIRST)
def test_the_first_clause_ends_early(text: str, expected: list[str]) -> None:
    assert shown(split(text)) == expected


@pytest.mark.parametrize(("text", "expected"), RELAXED)
def test_a_relaxed_first_clause_ends_at_any_mark(text: str, expected: list[str]) -> None:
    assert shown(split(text, relaxed=True)) == expected


@pytest.mark.parametrize(("text", "expected"), LATER)
def test_later_clauses_are_sentences(text: str, expected: list[str]) -> None:
    chinese = any("\u4e00" <= character <= "\u9fff" for character in text)
    opening = f"{BEGUN}{BEGUN}" if chinese else f"{OPENED} And then this.\n"
    assert shown(split(opening + text))[2:] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("好的，我们现在就一起走吧，快一点。好。", ["好的，", "我们现在就一起走吧，", "快一点。好。"]),
        ("好的，我们走吧，快一点。好。", ["好的，", "我们走吧，快一点。", "好。"]),
        ("好的，是。我们走吧。", ["好的，", "是。", "我们走吧。"]),
        ("Sure, I can do that for you, of course.", ["Sure,", " I can do that for you,", " of course."]),
        ("Sure, I can do that, of course.", ["Sure,", " I can do that, of course."]),
    ],
)
def test_the_second_clause_may_end_at_a_comma(text: str, expected: list[str]) -> None:
    assert shown(split(text, relaxed=True)) == expected


CODE = "```python\nprint('a. b, c')\n\n| not | a table |\n```\n"
TABLE = "| 名字 | 价格 |\n|---|---|\n| 苹果。 | 3.5 |\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"看代码：\n{CODE}好了。", [("prose", "看代码：\n"), ("code", CODE), ("prose", "好了。")]),
        (f"看表格：\n{TABLE}好了。", [("prose", "看表格：\n"), ("table", TABLE), ("prose", "好了。")]),
        (f"{TABLE}\n好了。", [("table", TABLE), ("prose", "\n好了。")]),
        (f"{TABLE}{CODE}", [("table", TABLE), ("code", CODE)]),
        (f"\n\n{CODE}", [("code", f"\n\n{CODE}")]),
        ("```\nnever closed. So\nit goes", [("code", "```\nnever closed. So\nit goes")]),
        ("````\n```\na\n```\n````\nEnd.", [("code", "````\n```\na\n```\n````\n"), ("prose", "End.")]),
        ("~~~\na. b\n~~~\nEnd.", [("code", "~~~\na. b\n~~~\n"), ("prose", "End.")]),
        ("Say ```a. b``` there.", [("prose", "Say ```a. b``` there.")]),
        ("```a```\nEnd.", [("code", "```a```\n"), ("prose", "End.")]),
        ("|x| is its size\nEnd.", [("prose", "|x| is its size\n"), ("prose", "End.")]),
        ("a | b\nEnd.", [("prose", "a | b\n"), ("prose", "End.")]),
    ],
)
def test_code_and_tables_are_whole(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(clause.kind, clause.display) for clause in split(text)] == expected


def test_code_is_given_as_soon_as_it_closes() -> None:
    splitter = ClauseSplitter()
    assert splitter.push(CODE[:-1]) == []
    assert [clause.kind for clause in splitter.push("\n")] == ["code"]


def test_a_huge_block_comes_in_pieces_cut_at_lines() -> None:
    code = "```\n" + "x = 1. Then, y\n" * 1000 + "```\n"
    table = "| a | b |\n" * 1000
    pieces = split(code + table)
    assert {clause.kind for clause in pieces} == {"code", "table"}
    assert all(len(clause.display) <= 2_100 and clause.display.endswith("\n") for clause in pieces)


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        ("话" * 1000, 80),
        ("word " * 500, 200),
        ("x" * 5000, 200),
        (" " * 5000, 200),
        ("!" * 5000, 200),
        ("\n" * 5000, 200),
    ],
)
def test_text_without_marks_is_cut_at_the_hard_limit(text: str, longest: int) -> None:
    sizes = [len(clause.display) for clause in split(text)]
    assert max(sizes) == longest


def test_a_long_text_is_cut_between_words() -> None:
    text = " ".join(f"word{number}" for number in range(300))
    words = [word for clause in split(text) for word in clause.display.split()]
    assert words == text.split()


def test_a_long_sentence_ends_at_a_comma() -> None:
    long = "这是一个很长的句子" * 5
    assert shown(split(f"好的，是的。好的，{long}，还没有完。", relaxed=True)) == [
        "好的，", "是的。", f"好的，{long}，", "还没有完。",
    ]  # fmt: skip


def test_where_nothing_else_helps_the_last_comma_does() -> None:
    start = "这里有十个字的半句话，"
    pieces = shown(split(f"好的，是的。{start}{'话' * 75}。", relaxed=True))
    assert pieces[2] == start


def test_a_cut_forgets_what_was_before_it() -> None:
    start = "好的，是的。这里有十个字的半句话，后面还有。"
    assert [len(piece) for piece in shown(split(start + "话" * 100, relaxed=True))] == [3, 3, 16, 80, 20]
    assert [len(piece) for piece in shown(split("aaa bbb " + "x" * 500))] == [8, 200, 200, 100]
    waiting = "word " * 39 + "no.  "
    assert shown(split(waiting + "Then it was so.")) == [waiting, "Then it was so."]


@pytest.mark.parametrize(
    "title", ["《十个字的书名在这里呀》", "（see the word here now and then）", "`a b c d e f g h i j k l m n`"]
)
def test_the_hard_limit_spares_what_belongs_together(title: str) -> None:
    assert shown(split("话" * 75 + title)) == ["话" * 75, title]


@pytest.mark.parametrize("address", ["https://a.example/" + "b,c/" * 150, "[it](b" + "/c,d" * 150 + ")"])
def test_a_long_address_is_whole(address: str) -> None:
    pieces = shown(split(f"You will find it there, at {address} and so on."))
    assert sum(address in piece for piece in pieces) == 1


def test_an_endless_address_is_cut() -> None:
    assert max(len(clause.display) for clause in split("https://" + "a" * 10_000)) < 1_300


# Latency: what a token brings, it brings at once


def arrivals(tokens: list[str], *, relaxed: bool) -> list[tuple[int, str]]:
    """Each clause with the number of the token that completed it."""
    splitter = ClauseSplitter()
    if relaxed:
        splitter.relax()
    return [(number, clause.display) for number, token in enumerate(tokens) for clause in splitter.push(token)]


@pytest.mark.parametrize(
    ("tokens", "relaxed", "expected"),
    [
        (["好的", "，我", "来为", "您查", "一下", "……"], True, (1, "好的，")),
        (["Sure", ",", " I"], True, (1, "Sure,")),
        (["Sure, ", "I "], True, (0, "Sure,")),
        (["没有", "问题", "。"], False, (2, "没有问题。")),
        (["It ", "costs ", "1", ",", "000", ",", " ok"], True, (6, "It costs 1,000,")),
        (["I ", "do ", "know ", "it", ".", " So"], False, (5, "I do know it.")),
        (["I ", "do ", "know ", "it. "], False, (3, "I do know it.")),
        (["2 * x", ","], True, (1, "2 * x,")),
    ],
)
def test_a_clause_comes_with_the_token_that_ends_it(
    tokens: list[str], relaxed: bool, expected: tuple[int, str]
) -> None:
    assert arrivals(tokens, relaxed=relaxed)[0] == expected


def test_a_quote_that_never_closed_delays_only_its_own_line() -> None:
    assert arrivals(["他说“走\n", "我们走吧。", "“我们走吧。", "”"], relaxed=False) == [
        (0, "他说“走\n"), (1, "我们走吧。"), (3, "“我们走吧。”"),
    ]  # fmt: skip


def test_relaxing_takes_what_was_seen() -> None:
    splitter = ClauseSplitter()
    assert splitter.push("好的，我来") == []
    assert splitter.relax() == [Clause("好的，", 0, 3)]
    assert splitter.push("查。一") == [Clause("我来查。", 3, 7)]
    assert splitter.relax() == []


def test_relaxing_before_any_mark_gives_nothing() -> None:
    splitter = ClauseSplitter()
    assert splitter.push("好的") == []
    assert splitter.relax() == []
    assert splitter.push("，") == [Clause("好的，", 0, 3)]


def test_the_first_minimum_is_set() -> None:
    assert ClauseSplitter(first_minimum=2).push("好的，") == [Clause("好的，", 0, 3)]
    assert ClauseSplitter(first_minimum=7).push("没有问题，") == []


def test_text_may_go_on_after_a_flush() -> None:
    splitter = ClauseSplitter()
    splitter.push("让我查一下")
    assert splitter.flush() == [Clause("让我查一下", 0, 5)]
    assert splitter.flush() == []
    assert splitter.push("查到了。") == [Clause("查到了。", 5, 9)]


MARKS = "， 。 ！ ？ …… “ ” 《 》 （ ） 、 ； ： —— , . ... ! ? ; : \" ' ’ ‘ ( ) [ ]( ` ``` | - # * ** \u200d 😀"
WORDS = "好的 查询结果很快就好 Sure word I 3.14 1,000 3:30 e.g. https://a.b/c,d.e a@b.cd v2.0.1"
BLANKS = [" ", "  ", "\t", "\n", "\n\n"]
STARTS = [", ", ". ", "! ", ": ", "1. ", "Dr. ", "U.S. ", "p.m. ", "No. ", "| a | b |\n", "~~~\n"]
PIECES = st.sampled_from([*MARKS.split(" "), *WORDS.split(" "), *BLANKS, *STARTS])
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=80)


@given(text=TEXTS, sizes=st.lists(st.integers(0, 9), min_size=1), relax_at=st.none() | st.integers(0, 60))
@example(text="好的，" * 99, sizes=[2], relax_at=5)
def test_any_chopping_gives_the_same_clauses_and_every_character(
    text: str, sizes: list[int], relax_at: int | None
) -> None:
    def run(next_size: Callable[[int], int]) -> list[Clause]:
        splitter, found, position, turn = ClauseSplitter(), [], 0, 0
        while position < len(text) or turn == 0:
            if position == relax_at:
                found += splitter.relax()
            step = max(next_size(turn), turn > 2 * len(text))
            end = min(position + step, len(text))
            if relax_at is not None and position < relax_at < end:
                end = relax_at
            found += splitter.push(text[position:end])
            position, turn = end, turn + 1
        return found + splitter.flush()

    clauses = run(lambda _: 1)
    assert run(lambda turn: sizes[turn % len(sizes)]) == clauses
    assert run(lambda _: 10_000) == clauses
    assert "".join(shown(clauses)) == text
    assert [clause.start for clause in clauses] == [0, *(clause.end for clause in clauses)][: len(clauses)]
    assert all(clause.display == text[clause.start : clause.end] != "" for clause in clauses)
    assert all(len(clause.display) <= 4_200 for clause in clauses)


NUMBERS = ["3.14", "1,000", "12:30", "v2.0.1", "U.S.A", "p.m", "e.g", "notes.txt", "me@mail.example.org"]
MARKUP = ["https://a.example/b,c.d?e=f!g", "[a. b, c](https://d.e/f,g)", "`a. b, c`", "(so. It, goes)"]
QUOTED = ["《你好。再见，》", "（真的。是的，）", "“走。”", "“走，”", '"Go!"', "'Go,'"]
ATOMS = st.sampled_from([*NUMBERS, *MARKUP, *QUOTED])
PLAIN = st.sampled_from(["好的 ", "我们走吧。", "Sure, ", "This is so. ", "，", "and ", "！", "\n"])


@given(parts=st.lists(st.tuples(PLAIN, ATOMS), max_size=12), relaxed=st.booleans())
def test_nothing_is_cut_inside_what_belongs_together(parts: list[tuple[str, str]], relaxed: bool) -> None:
    text, spans = "", []
    for plain, atom in parts:
        text += plain
        spans.append((len(text), len(text) + len(atom)))
        text += atom + " "
    ends = {clause.end for clause in split(text, relaxed=relaxed)}
    assert not [text[start:end] for start, end in spans for cut in ends if start < cut < end]


@given(st.lists(st.sampled_from(["word", "好的查询", " ", "，", ", ", "。", ". "]), max_size=400).map("".join))
def test_prose_is_never_longer_than_the_limit(text: str) -> None:
    for clause in split(text):
        wide = sum(character >= "\u2e80" for character in clause.display)
        assert wide / 80 + (len(clause.display) - wide) / 200 <= 1.02
