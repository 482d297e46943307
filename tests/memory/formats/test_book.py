import pytest

from configs.errors import DocumentUnreadable
from memory.formats.book import book
from memory.formats.parse_limits import ParseLimits
from tests.memory.formats.made_files import packed

LIMITS = ParseLimits(60, 2_000_000_000, 5_000_000, 5_000, 500_000_000, 200)
CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>西游记</dc:title></metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="two" href="text/ch%202.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="text/ch1.xhtml" media-type="application/xhtml+xml"/>
<item id="css" href="style.css" media-type="text/css"/>
</manifest>
<spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="two"/><itemref idref="gone"/></spine></package>"""
CHAPTER = """<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title><style>p {}</style></head>
<body><h1>%s</h1><p>%s</p></body></html>"""
PARTS: dict[str, str | bytes] = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "OEBPS/content.opf": PACKAGE,
    "OEBPS/nav.xhtml": "<html><body><h1>Contents</h1></body></html>",
    "OEBPS/text/ch1.xhtml": CHAPTER % ("第一回", "东胜神洲有一座花果山。"),
    "OEBPS/text/ch 2.xhtml": CHAPTER % ("Chapter 2", "The <b>monkey</b> king."),
}


def test_chapters_stand_in_the_order_of_reading_below_the_title() -> None:
    assert book(packed(PARTS), LIMITS).split("\n\n") == [
        "# 西游记",
        "## 第一回",
        "东胜神洲有一座花果山。",
        "## Chapter 2",
        "The **monkey** king.",
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"META-INF/container.xml": None}, "no EPUB book"),
        ({"OEBPS/content.opf": None}, "content.opf' is missing"),
        ({"OEBPS/text/ch1.xhtml": None}, "ch1.xhtml' is missing"),
        ({"OEBPS/text/ch1.xhtml": bytes(range(1, 60)) * 3}, "is locked"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, bytes | None], reason: str) -> None:
    parts = {name: part for name, part in (PARTS | changes).items() if part is not None}
    with pytest.raises(DocumentUnreadable, match=reason):
        book(packed(parts), LIMITS)
