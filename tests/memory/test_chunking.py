import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.chunking import LONGEST, OVERLAP, Chunk, chunk, estimate_tokens

HANDBOOK = """\
Welcome.

# Handbook

Hello there.

## Leave ##

Some text.

### *Annual* `leave`

25 days.

Pay
---

On the 25th.
"""


def markdown(text: str) -> tuple[Chunk, ...]:
    return chunk(text, markdown=True, fallback_title="file")[1]


def plain(text: str) -> tuple[Chunk, ...]:
    return chunk(text, markdown=False, fallback_title="file")[1]


def test_each_section_is_a_passage_under_the_path_of_its_headings() -> None:
    assert [(found.heading, found.text) for found in markdown(HANDBOOK)] == [
        ("", "Welcome."),
        ("", "Hello there."),
        ("Leave", "Some text."),
        ("Leave › Annual leave", "25 days."),
        ("Pay", "On the 25th."),
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Employee Handbook\n\nHello", "Employee Handbook"),
        ("Intro\n\n# **Bold** [link](http://x)\n", "Bold link"),
        ("员工手册\n====\n\n你好", "员工手册"),
        ("## Only a second level\n\nHello", "file"),
        ("```\n# a comment in code\n```\n", "file"),
        ("No heading at all", "file"),
        ("#hashtag, no heading", "file"),
    ],
)
def test_the_title_is_the_first_heading_of_level_1_or_the_files_name(text: str, title: str) -> None:
    assert chunk(text, markdown=True, fallback_title="file")[0] == title


def test_a_text_file_has_no_headings() -> None:
    title, chunks = chunk("# 1 is a number\n\nHello", markdown=False, fallback_title="file")
    assert title == "file"
    assert [(found.heading, found.text) for found in chunks] == [("", "# 1 is a number\n\nHello")]


def test_a_heading_with_nothing_below_it_is_a_passage_itself() -> None:
    assert [(found.heading, found.text) for found in markdown("# A\n\n## B\n\n## C\n\ntext\n")] == [
        ("B", "## B"),
        ("C", "text"),
    ]


def test_front_matter_makes_no_heading() -> None:
    title, chunks = chunk("---\ntitle: x\n---\n\n# Real\n\ntext", markdown=True, fallback_title="file")
    assert title == "Real"
    assert [found.text for found in chunks] == ["---\ntitle: x\n---", "text"]


@pytest.mark.parametrize(
    "sentence", ["这是一个关于年假的句子，共有二十个汉字左右。", "This is one sentence about leave, in English. "]
)
def test_a_long_section_is_split_between_sentences_into_passages_of_like_length(sentence: str) -> None:
    text = sentence * 80
    found = plain(text)
    total = estimate_tokens(text)
    assert len(found) == -(-total // (LONGEST * (1 - OVERLAP)))
    for passage in found:
        assert passage.text.startswith(sentence.strip())
        assert passage.text.endswith(sentence.strip())
        assert 0.5 * LONGEST <= estimate_tokens(passage.text) <= LONGEST


def test_a_split_section_overlaps_by_whole_sentences_and_no_more_than_15_percent() -> None:
    text = " ".join(f"Sentence number {n} says something." for n in range(200))
    found = plain(text)
    assert len(found) > 2
    for before, after in pairwise(found):
        shared = text[after.start : before.end]
        assert 0 < estimate_tokens(shared) <= OVERLAP * LONGEST
        assert re.fullmatch(r"(Sentence number \d+ says something\. ?)+", shared)


def test_sections_that_are_not_split_do_not_overlap() -> None:
    found = markdown(HANDBOOK)
    assert all(before.end < after.start for before, after in pairwise(found))


def test_paragraphs_are_kept_whole_where_they_fit() -> None:
    paragraph = "One sentence here. Another sentence there. " * 12
    text = "\n\n".join(paragraph.strip() for _ in range(9))
    for passage in plain(text):
        assert text[: passage.end].endswith("there.")
        assert text[passage.end :].startswith("\n\n") or passage.end == len(text)


@pytest.mark.parametrize(
    "block",
    [
        "```python\n" + "print('hello')\n\n" * 20 + "```",
        "| a | b |\n|---|---|\n" + "| some words | and more words |\n" * 20,
        "a | b\n--- | ---\n" + "some words | and more words\n" * 20,
    ],
)
def test_code_and_tables_are_not_cut(block: str) -> None:
    block = block.strip()
    text = "\n\n".join(["Some prose in front. " * 40, block, "Some prose after it. " * 40])
    assert estimate_tokens(block) < LONGEST
    found = markdown(text)
    assert len(found) > 1
    at = text.index(block)
    for passage in found:
        assert not at < passage.start < at + len(block)
        assert not at < passage.end < at + len(block)


def test_a_table_too_long_for_one_passage_is_cut_between_rows() -> None:
    rows = [f"| row {n} | some words of text |" for n in range(300)]
    for passage in markdown("\n".join(rows)):
        assert estimate_tokens(passage.text) <= LONGEST
        assert set(passage.text.split("\n")) <= set(rows)


MARKS = ("# T\n", "## S\n", "Title\n---\n", "```\n", "~~~~\n", "| a | b |\n", "\n", "---\n", "- item\n")
PARTS = (*MARKS, "word " * 60, "年" * 300, "一句话。" * 90)
TEXTS = st.one_of(
    st.text(),
    st.text(alphabet="a# \n-=|`~.。年假*1_>\t", max_size=300),
    st.lists(st.sampled_from(PARTS), max_size=30).map("".join),
)


@given(TEXTS, st.booleans())
def test_spans_are_exact_and_nothing_is_lost(text: str, markdown: bool) -> None:
    _, chunks = chunk(text, markdown=markdown, fallback_title="file")
    covered = [False] * len(text)
    for found in chunks:
        assert text[found.start : found.end] == found.text
        assert found.text == found.text.strip() != ""
        covered[found.start : found.end] = [True] * len(found.text)
    lines, at = text.split("\n"), 0
    for number, line in enumerate(lines):
        lost = any(not (covered[at + place] or character.isspace()) for place, character in enumerate(line))
        # What is in no passage belongs to a heading, which is in the path of what stands below it.
        assert not lost or (markdown and is_heading(lines, number)), line
        at += len(line) + 1


def is_heading(lines: list[str], at: int) -> bool:
    marked = re.match(r" {0,3}#{1,6}([ \t]|$)", lines[at])
    below = at + 1 < len(lines) and re.fullmatch(r" {0,3}(=+|-+)[ \t]*", lines[at + 1])
    return bool(marked or below or re.fullmatch(r" {0,3}(=+|-+)[ \t]*", lines[at]))


@given(TEXTS, st.booleans())
def test_no_passage_is_too_long(text: str, markdown: bool) -> None:
    for found in chunk(text, markdown=markdown, fallback_title="file")[1]:
        assert estimate_tokens(found.text) <= LONGEST


def test_even_a_text_without_a_single_break_is_cut() -> None:
    for text in ("x" * 20_000, "年" * 3_000, "_" * 3_000, "!" * 3_000):
        found = plain(text)
        assert len(found) > 1
        assert (found[0].start, found[-1].end) == (0, len(text))


def test_tokens_are_estimated_as_a_language_model_counts_them() -> None:
    assert estimate_tokens("年假二十五天") == 6
    assert estimate_tokens("twenty five days") == pytest.approx(3.9)
    assert estimate_tokens(" \n\t") == 0


def test_a_passage_is_on_the_page_that_it_begins_on() -> None:
    text = "# A\n\nfirst\n\n# B\n\nsecond\n\n# C\n\nthird"
    starts = [0, text.index("# B"), text.index("# B"), text.index("third")]
    _, chunks = chunk(text, markdown=True, fallback_title="x", pages=starts)
    # The second page is empty; the third heading is at the end of page 3, and what it is above on page 4.
    assert [(found.text, found.page) for found in chunks] == [("first", 1), ("second", 3), ("third", 4)]
    assert {found.page for found in plain("no pages\n\nat all")} == {None}


def test_no_passage_crosses_the_end_of_a_page() -> None:
    pages = ["one", "two " * 700, "three"]
    starts = [0, 5, 5 + len(pages[1]) + 2]
    _, chunks = chunk("\n\n".join(pages), markdown=False, fallback_title="x", pages=starts)
    assert chunks[0].text == "one"
    assert chunks[-1].text == "three"
    assert [found.page for found in chunks] == [1, *[2] * (len(chunks) - 2), 3]


def test_records_are_cut_only_where_they_do_not_fit() -> None:
    rows = [f"name: n{number}; text: {'Some words. ' * 12}end" for number in range(40)]
    _, chunks = chunk("\n\n".join(rows), markdown=False, fallback_title="x", records=True)
    assert {row for found in chunks for row in found.text.split("\n\n")} == set(rows)
    _, chunks = chunk("name: long; " + "word " * 2000, markdown=False, fallback_title="x", records=True)
    assert len(chunks) > 1
    assert all(estimate_tokens(found.text) <= LONGEST for found in chunks)
