import sqlite3
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.lexical import MOST_TERMS, index_terms, match_expression, parse_question, stem
from memory.schema import MIGRATIONS
from memory.script import language_of


@pytest.fixture(scope="module")
def lexicon() -> Generator[sqlite3.Connection, None, None]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(MIGRATIONS[0])
    yield connection
    connection.close()


def found(lexicon: sqlite3.Connection, document: str, question: str) -> bool:
    lexicon.execute("DELETE FROM lexicon")
    lexicon.execute("INSERT INTO lexicon VALUES ('kb1', '', ?)", (" ".join(index_terms(document)),))
    terms = parse_question(question).terms
    query = "SELECT count(*) FROM lexicon WHERE lexicon MATCH ?"
    return bool(terms) and bool(lexicon.execute(query, (match_expression(terms, ["kb1"]),)).fetchone()[0])


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("员工每年享有25天年假", "年假"),
        ("忘记密码时请重置", "怎么重置我的密码"),
        ("今天吃火锅", "火锅"),
        ("25 days of vacation", "vacations"),
        ("Employees may carry over leave", "carrying"),
        ("The policy was changed", "policies"),
        ("Ｆｕｌｌｗｉｄｔｈ", "fullwidth"),
        ("a café in Zürich", "cafe zurich"),
        ("the e-mail address", "email"),
        ("the office centre", "center"),
        ("twenty-five days", "25"),
        ("1,500 euros", "one thousand five hundred"),
        ("提前三个月通知", "3个月"),
        ("二十五天", "25天"),
        ("VPN和邮箱", "vpn"),
    ],
)
def test_a_question_finds_other_forms_of_its_words(lexicon: sqlite3.Connection, document: str, question: str) -> None:
    assert found(lexicon, document, question)


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("员工每年享有25天年假", "病"),
        ("大学生活动中心", "大家的吗"),
        ("the vacation", "what is the"),
        ("250 days", "25"),
        ("kb1", "scope"),
    ],
)
def test_a_question_does_not_find_what_only_looks_alike(
    lexicon: sqlite3.Connection, document: str, question: str
) -> None:
    assert not found(lexicon, document, question)


@given(st.text())
def test_no_text_breaks_the_query(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(MIGRATIONS[0])
    terms = parse_question(text).terms
    if terms:
        connection.execute(
            "SELECT * FROM lexicon WHERE lexicon MATCH ?", (match_expression(terms, ["kb1"]),)
        ).fetchall()
    connection.close()


@pytest.mark.parametrize(
    "text", ['" OR 1', "AND NOT NEAR(a b)", "scope:kb2", "a* ^b {x}", "'; DROP TABLE lexicon; --", "\ud800"]
)
def test_the_querys_own_syntax_is_only_text(lexicon: sqlite3.Connection, text: str) -> None:
    assert not found(lexicon, "nothing of this", text)


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1))
def test_every_text_finds_itself_unless_it_only_asks(text: str) -> None:
    assert set(parse_question(text).terms) <= set(index_terms(text))


def test_a_very_long_question_is_cut() -> None:
    question = parse_question(" ".join(f"word{number}" for number in range(5000)) + "年假" * 5000)
    assert len(question.terms) == MOST_TERMS


@pytest.mark.parametrize(
    "forms",
    [
        "employee employees",
        "policy policies",
        "work works worked working",
        "expense expenses",
        "box boxes",
        "leave leaves leaving",
        "stop stops stopped stopping",
        "reimburse reimbursed reimbursement reimbursements",
        "travel travelled traveling travelling",
        "organise organize organising organized",
        "resign resigned resignation",
        "child children",
        "pay paid paying",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize("words", ["bus busy", "sing string", "station state", "red reed", "vacation vacuum", "25 250"])
def test_other_words_keep_theirs(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == 2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many days?", "en"),
        ("有多少天年假？", "zh"),
        ("VPN怎么连接", "zh"),
        ("My name is 李", "en"),
        ("42", "en"),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "question", ["1 2 3", "What is 2+2?", "25", "２５", "twenty-five", "二十五", "25天？", "3.5 %"]
)
def test_bare_numbers_ask_about_nothing(question: str) -> None:
    assert not parse_question(question).has_content


@pytest.mark.parametrize("question", ["25 euros", "二十五欧元", "Article 7", "第25条", "3 apples"])
def test_numbers_with_what_they_count_ask_about_something(question: str) -> None:
    assert parse_question(question).has_content


@pytest.mark.parametrize(
    ("traditional", "simple"),
    [
        # Written by hand, both ways.
        ("員工每年有多少天年假？", "员工每年有多少天年假？"),
        ("試用期多久？", "试用期多久？"),
        ("關於辦公室的開門時間", "关于办公室的开门时间"),
        ("請問什麼時候發薪水", "请问什么时候发薪水"),
        ("兩萬五千元", "两万五千元"),
        ("頭髮與發展", "头发与发展"),
        ("離職後的電腦歸還", "离职后的电脑归还"),
    ],
)
def test_traditional_and_simplified_characters_have_the_same_terms(traditional: str, simple: str) -> None:
    assert index_terms(traditional) == index_terms(simple)
    assert parse_question(traditional) == parse_question(simple)
