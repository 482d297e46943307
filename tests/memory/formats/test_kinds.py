"""Files of every kind, good ones among bad ones, into a knowledge base and out again."""

from pathlib import Path

import pytest

from memory.documents import SUFFIXES
from memory.formats.kinds import KINDS, sniff
from memory.knowledge import Knowledge
from tests.memory.formats.made_files import LAUGHS, chinese_pdf, lines, office, packed, pdf, with_entities

pytestmark = pytest.mark.anyio

CONTAINER = '<container><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>'
PACKAGE = (
    '<package><manifest><item id="c" href="c.html" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="c"/></spine></package>'
)
BOOK = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "p.opf": PACKAGE,
    "c.html": "<h1>Bees</h1><p>Bees dance to show where the flowers are.</p>",
}
GOOD: dict[str, bytes] = {
    "a.md": b"# Leave\n\nEverybody has 25 days.\n",
    "b.txt": "食堂中午十二点开门。".encode("gbk"),
    "c.html": b"<h1>Parking</h1><p>Bicycles stand behind the house.</p>",
    "d.pdf": pdf([lines(b"(The first page says nothing.)"), lines(b"(The boiler is serviced every spring.)")]),
    "e.pdf": chinese_pdf(["封面"], ["目录"], ["打印机的墨盒放在三楼的柜子里。"]),
    "f.docx": office("docx", "The fire drill is on Monday."),
    "g.pptx": office("pptx", "Quarterly figures of the bakery"),
    "h.xlsx": office("xlsx", "Saxophone"),
    "i.epub": packed(dict(BOOK)),
    "j.csv": "姓名,分机\n王小明,8021\n陈丽华,8022\n".encode(),
    "k.json": '[{"city": "Bonn", "mayor": "Dörner"}, {"city": "Kiel", "mayor": "Kämpfer"}]'.encode(),
    "l.jsonl": b'{"river": "Weser", "length": "452 km"}\n{"river": "Eider", "length": "188 km"}\n',
}
BAD: dict[str, bytes] = {
    "m.docx": with_entities("docx", LAUGHS),
    "n.pdf": b"%PDF-1.7\n" + b"\0" * 500,
    "o.xlsx": b"PK\x03\x04xl/workbook" + b"\xff" * 500,
    "p.docx": GOOD["d.pdf"],
    "q.json": b'{"a": ',
    "r.wav": b"RIFF\0\0\0\0WAVEfmt ",
}
QUESTIONS = {
    "食堂几点开门": ("b.txt", None),
    "Where do bicycles stand?": ("c.html", None),
    "When is the boiler serviced?": ("d.pdf", 2),
    "打印机的墨盒放在哪里": ("e.pdf", 3),
    "When is the fire drill?": ("f.docx", None),
    "quarterly figures of the bakery": ("g.pptx", 1),
    "saxophone": ("h.xlsx", None),
    "Why do bees dance?": ("i.epub", None),
    "陈丽华的分机号": ("j.csv", None),
    "mayor of Kiel": ("k.json", None),
    "length of the river Eider": ("l.jsonl", None),
}


async def test_what_can_be_read_is_found_and_what_cannot_is_told(tmp_path: Path, knowledge: Knowledge) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, content in (GOOD | BAD).items():
        (folder / name).write_bytes(content)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = await knowledge.ingest([folder])
    assert {file.path.name for file in done.files if file.outcome == "added"} == set(GOOD)
    assert {file.path.name for file in done.files if file.error is not None} == set(BAD)
    assert done.others == 1
    for question, (name, page) in QUESTIONS.items():
        best = (await knowledge.search(question, knowledge=["default"])).passages[0]
        assert (Path(best.source).name, best.page) == (name, page), question
    again = await knowledge.ingest([folder])
    assert again.count("unchanged") == len(GOOD)


def test_every_kind_of_document_is_among_the_good_ones() -> None:
    assert {KINDS[Path(name).suffix] for name in GOOD} == set(KINDS.values()) - {"audio"}
    assert len(SUFFIXES) == len(set(SUFFIXES))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.4", "pdf"),
        (b"\xef\xbb\xbf\n%PDF-1.4", "pdf"),
        (office("docx"), "docx"),
        (office("pptx"), "pptx"),
        (office("xlsx"), "xlsx"),
        (packed(dict(BOOK)), "epub"),
        (packed({"a.txt": "x"}), "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"GIF89a", "image"),
        (b"RIFF\x24\0\0\0WAVE", "audio"),
        (b"RIFF\x24\0\0\0WEBP", "image"),
        (b"ID3\x03\0", "audio"),
        (b"\xff\xfb\x90\x64\0", "audio"),
        (b"OggS\0", "audio"),
        (b"\0\0\0\x20ftypM4A ", "audio"),
        (b"\x1a\x45\xdf\xa3", "audio"),
        (b"\x1f\x8b\x08\0", "archive"),
        (b"\x7fELF\x02", "program"),
        (b"SQLite format 3\0", "database"),
        (b"", None),
        ("\ufeff公司".encode("utf-16"), None),
        ("\ufeffBMW and MZ".encode(), None),
        (b"BMW 320i is a car", None),
        (b"PK is a short name", None),
        ("ÿþ is how it begins".encode("latin-1"), None),
        ("第一章".encode("gbk"), None),
    ],
)
def test_files_are_known_by_their_beginnings(content: bytes, kind: str | None) -> None:
    assert sniff(content) == kind
