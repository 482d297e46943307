import pytest
from fpdf import FPDF

from configs.errors import DocumentUnreadable, RequestTooLarge
from memory.formats.parse_limits import ParseLimits
from memory.formats.parsing import joined
from memory.formats.pdf import pages
from tests.memory.formats.made_files import chinese_pdf, lines, pdf

LIMITS = ParseLimits(60, 2_000_000_000, 5_000_000, 5_000, 500_000_000, 200)


def written(*texts: str, password: str | None = None) -> bytes:
    document = FPDF()
    document.set_font("helvetica", size=12)
    for text in texts:
        document.add_page()
        document.multi_cell(0, 6, text)
    if password is not None:
        document.set_encryption("owner", password)
    return bytes(document.output())


def text_of(content: bytes) -> list[str]:
    return list(pages(content, LIMITS))


def test_each_page_is_read() -> None:
    assert text_of(written("Leave: 25 days.\nPay: none.", "Sick?")) == ["Leave: 25 days.\nPay: none.", "Sick?"]


def test_the_places_of_pages() -> None:
    text, starts = joined(pages(written("One.", "", "Three.", "Four."), LIMITS), LIMITS)
    assert text == "One.\n\nThree.\n\nFour."
    assert [text[start:].split("\n")[0] for start in (starts[0], starts[2], starts[3])] == ["One.", "Three.", "Four."]
    assert starts == sorted(starts)


def test_a_hyphen_at_the_end_of_a_line_is_mended_but_not_one_before_a_name() -> None:
    content = pdf([lines(b"(The remu-)", b"(neration of Jean-)", b"(Paul is a well-known fact)")])
    assert text_of(content) == ["The remuneration of Jean-\nPaul is a well-known fact"]


def test_chinese_is_read_and_lines_broken_by_the_margin_are_joined() -> None:
    page = [
        "第一章　总则",
        "员工每年享有二十五天带薪年假，未休完的假期可以顺延到",
        "次年三月底。逾期作废。",
        "一、病假需要提供医院的证明，并在三个工作日之内提交人事",
        "二、事假不带薪。",
    ]
    assert text_of(chinese_pdf(page)) == [
        "第一章　总则\n"
        "员工每年享有二十五天带薪年假，未休完的假期可以顺延到次年三月底。逾期作废。\n"
        "一、病假需要提供医院的证明，并在三个工作日之内提交人事\n"
        "二、事假不带薪。"
    ]


def test_radicals_and_ligatures_are_the_characters_they_stand_for() -> None:
    # U+2F08 is the radical "man", U+2F2F "work"; U+FB01 the ligature of f and i.
    assert text_of(chinese_pdf(["\u2f08\u2f2f \ufb01le"])) == ["人工 file"]


def test_headers_are_read_once_and_page_numbers_not_at_all() -> None:
    content = pdf([lines(b"(Acme Handbook)", b"(Rule %d is here.)" % n, b"(Page %d of 8)" % n) for n in range(1, 9)])
    assert text_of(content) == ["Acme Handbook\nRule 1 is here.", *(f"Rule {n} is here." for n in range(2, 9))]


def test_what_differs_between_pages_stays() -> None:
    content = pdf([lines(b"(Invoice %d)" % n, b"(Sum)", b"(%d.50 EUR)" % n) for n in range(1, 9)])
    assert text_of(content) == [f"Invoice {n}\nSum\n{n}.50 EUR" for n in range(1, 9)]


def test_on_few_pages_nothing_is_a_header() -> None:
    content = pdf([lines(b"(Same)", b"(Text %d)" % n) for n in range(4)])
    assert text_of(content) == [f"Same\nText {n}" for n in range(4)]


def test_a_password_is_needed_only_where_it_is_not_empty() -> None:
    assert text_of(written("No printing.", password="")) == ["No printing."]
    with pytest.raises(DocumentUnreadable, match="is encrypted") as caught:
        text_of(written("Secret.", password="user"))
    assert "without a password" in caught.value.hint


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"%PDF-" + b"\0" * 5000, written("x" * 50)[:600]])
def test_a_damaged_file_is_told_so(content: bytes) -> None:
    with pytest.raises(DocumentUnreadable, match="is damaged"):
        text_of(content)


def test_the_limit_of_pages_is_exact_whatever_the_file_says() -> None:
    content = pdf([lines(b"(x)")] * 4)
    limits = ParseLimits(60, 2_000_000_000, 100, 3, 1, 1)
    for said in (b"/Count 4", b"/Count 1"):
        with pytest.raises(RequestTooLarge, match="more than 3 pages"):
            list(pages(content.replace(b"/Count 4", said), limits))
    assert len(list(pages(pdf([lines(b"(x)")] * 3), limits))) == 3


def test_the_limit_of_characters() -> None:
    limits = ParseLimits(60, 2_000_000_000, 10, 3, 1, 1)
    with pytest.raises(RequestTooLarge, match="more than 10 characters"):
        list(pages(pdf([lines(b"(" + b"x" * 30 + b")")]), limits))
