import io
import os
import resource
import zipfile
from collections.abc import AsyncGenerator, Callable
from functools import partial
from pathlib import Path

import anyio
import pytest

from configs.errors import AssistantError, DocumentUnreadable, RequestTooLarge
from configs.settings import Limits
from memory.documents import load, read
from memory.formats import parser as parser_module
from memory.formats.parser import Parser, open_parser
from tests.memory.formats import made_files
from tests.memory.formats.made_files import LAUGHS, MAIN_PARTS, THEFT, changed, office, packed, pdf, with_entities
from tests.processes import is_gone

pytestmark = pytest.mark.anyio

LIMITS = Limits(parse_seconds=30, parse_bytes=400_000_000)
MARK = "names: a, b"
GOOD = b'{"names": ["a", "b"]}'
BREAKS = {
    "os.kill(os.getpid(), 9)": "was ended by SIGKILL",
    "os.kill(os.getpid(), 11)": "was ended by SIGSEGV",
    "os._exit(3)": "broke",
    "print('not a message, but a long line of text', flush=True); time.sleep(60)": "gave no sense",
    "os.write(1, LENGTHS.pack(2, 4_000_000_000) + b'{}'); time.sleep(60)": "gave no sense",
    "os.write(1, message({'pages': ['x']}, b'')); time.sleep(60)": "gave no sense",
    "os.write(1, message({'pages': []}, b'\\xff')); time.sleep(60)": "gave no sense",
    "os.write(1, LENGTHS.pack(1, 0) + b'7'); time.sleep(60)": "gave no sense",
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def parser() -> AsyncGenerator[Parser, None]:
    async with open_parser(LIMITS) as parser:
        yield parser


def process_of(parser: Parser) -> int:
    assert parser._process.pid is not None
    return parser._process.pid


async def test_one_process_reads_many_files_and_ends_with_the_parser() -> None:
    async with open_parser(LIMITS) as parser:
        assert (await parser.parse(Path("/a.json"), "json", GOOD))[0] == MARK
        process = process_of(parser)
        assert (await parser.parse(Path("/a.csv"), "csv", b"a,b\n1,2"))[0] == "a: 1; b: 2"
        assert process_of(parser) == process
    assert is_gone(process)


async def test_the_process_is_replaced_after_some_files(parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser._process, "_files", 2)
    processes = []
    for _ in range(4):
        await parser.parse(Path("/a.json"), "json", GOOD)
        processes.append(parser._process.pid)
    assert processes[0] is not None
    assert processes[0] != processes[2] is not None
    assert processes[1] is processes[3] is None


@pytest.mark.parametrize("program", BREAKS)
async def test_a_process_that_breaks_costs_one_file(
    parser: Parser, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    whole = parser_module._PROGRAM
    imports = "import os, sys, time; sys.path[:] = sys.argv[1:]; from configs.sandbox.framing import LENGTHS, message; "
    monkeypatch.setattr(parser._process, "_program", imports + program)
    with pytest.raises(DocumentUnreadable, match=f"'/bad.json' cannot be read: .* {BREAKS[program]}") as caught:
        await parser.parse(Path("/bad.json"), "json", GOOD)
    assert "save it anew" in caught.value.hint
    monkeypatch.setattr(parser._process, "_program", whole)
    assert (await parser.parse(Path("/good.json"), "json", GOOD))[0] == MARK


@pytest.mark.parametrize("program", ["while True: pass", "import sys; sys.stdin.buffer.read()"])
async def test_a_process_that_does_not_answer_is_ended(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(parser_module, "_PROGRAM", program)
    async with open_parser(Limits(parse_seconds=0.3)) as parser:
        with pytest.raises(RequestTooLarge, match=r"longer than 0\.3 s \(`limits\.parse_seconds`\)"):
            await parser.parse(Path("/a.json"), "json", GOOD)
        assert parser._process.pid is None


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_computing_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; sys.path[:] = sys.argv[1:]\nfrom configs.sandbox.confinement import allow_time, confine\n"
        "confine(10**9)\n"
        "allow_time(0.1)\nwhile True: pass"
    )
    monkeypatch.setattr(parser_module, "_PROGRAM", program)
    async with open_parser(LIMITS) as parser:
        with pytest.raises(RequestTooLarge, match="took longer"):
            await parser.parse(Path("/a.json"), "json", GOOD)


async def test_cancelling_ends_the_process(parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = parser_module._PROGRAM
    monkeypatch.setattr(parser._process, "_program", "while True: pass")
    processes: list[int] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(parser.parse, Path("/a.json"), "json", GOOD)
        with anyio.fail_after(10):
            while parser._process.pid is None:
                await anyio.lowlevel.checkpoint()
        processes.append(process_of(parser))
        tasks.cancel_scope.cancel()
    assert is_gone(processes[0])
    monkeypatch.setattr(parser._process, "_program", whole)
    assert (await parser.parse(Path("/a.json"), "json", GOOD))[0] == MARK


async def test_files_at_once_wait_for_each_other(parser: Parser) -> None:
    texts: dict[int, str] = {}

    async def one(number: int) -> None:
        texts[number], _ = await parser.parse(Path("/a.json"), "json", b'{"n": %d}' % number)

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(one, number)
    assert texts == {number: f"n: {number}" for number in range(8)}


def lying(content: bytes) -> bytes:
    """A packed document whose parts are said to be small."""
    changed = bytearray(content)
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = changed.find(mark)
        while place >= 0:
            if int.from_bytes(changed[place + at : place + at + 4], "little") > 1_000_000:
                changed[place + at : place + at + 4] = (1000).to_bytes(4, "little")
            place = changed.find(mark, place + 4)
    return bytes(changed)


def inflated(kind: str, size: int) -> bytes:
    return changed(office(kind), MAIN_PARTS[kind], lambda xml: xml.replace(b"HELLO", b"HELLO" + b" " * size))


def book(chapter: bytes, declaration: bytes = b"") -> bytes:
    package = b'<package><manifest><item id="c" href="c.html" media-type="application/xhtml+xml"/></manifest>'
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>',
            "p.opf": declaration + package + b'<spine><itemref idref="c"/></spine></package>',
            "c.html": chapter,
        }
    )


PACKED = b"/Filter/FlateDecode"


Hostile = dict[str, tuple[bytes, str]]
"""Files that were made to break a reader by their names, and what is said of them."""


def with_entities_in(kind: str) -> Hostile:
    declarations = {
        "laughs": LAUGHS,
        "theft": THEFT,
        "far": b"<!--" + b"x" * 1_100_000 + b"-->" + THEFT,
        "wide": THEFT.decode().encode("utf-16"),
    }
    files = {f"{name}.{kind}": with_entities(kind, declared) for name, declared in declarations.items()}
    return {name: (content, r"declares XML entities \('") for name, content in files.items()} | {
        f"bomb.{kind}": (inflated(kind, 20_000_000), "times larger when it is unpacked")
    }


def packed_wrongly() -> Hostile:
    return {
        "lying.docx": (lying(inflated("docx", 20_000_000)), "damaged"),
        "large.epub": (book(os.urandom(400_000) + b" " * 60_000_000), r"limits\.parse_bytes"),
        "laughs.epub": (book(b"<p>&j;</p>", LAUGHS), "Entities"),
        "outside.docx": (packed({"word/document.xml": "x", "../../etc/cron.d/x": "x"}), "leads out of it"),
        "absolute.docx": (packed({"word/document.xml": "x", "/etc/cron.d/x": "x"}), "leads out of it"),
        "parts.docx": (packed({f"word/document{n}": "" for n in range(10_001)}), "more than 10000 parts"),
        "broken.docx": (b"PK\x03\x04word/document" + b"\xff" * 999, "damaged"),
        "zip.docx": (packed({"a.docx": office("docx")}), "named .docx, but it is a ZIP archive"),
    }


def too_much() -> Hostile:
    return {
        "stream.pdf": (pdf([made_files.deflated(40_000_000)], packing=PACKED), "too large when it is unpacked"),
        "pages.pdf": (pdf([b""] * 10_000), r"more than 5000 pages \(`limits\.document_pages`\)"),
        "cut.pdf": (pdf([b""] * 100)[:3000], "damaged"),
        "deep.json": (b"[" * 3_000_000, "nested too deeply"),
        "deep.html": (b"<b>" * 3_000 + b"hello", "nested too deeply"),
    }


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("make", [*(partial(with_entities_in, kind) for kind in MAIN_PARTS), packed_wrongly, too_much])
async def test_files_that_were_made_to_break_a_reader_fail_alone(tmp_path: Path, make: Callable[[], Hostile]) -> None:
    files = make()
    for name, (content, _) in files.items():
        (tmp_path / name).write_bytes(content)
    limits = Limits(parse_seconds=20, parse_bytes=200_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with open_parser(limits) as parser:
        for name, (_, reason) in files.items():
            with pytest.raises(AssistantError, match=reason) as caught:
                await read(await load(tmp_path / name, limits), limits, parser=parser)
            assert repr(str(tmp_path / name)) in caught.value.message
            assert "longer than" not in caught.value.message
            assert caught.value.message.isprintable()
            assert "root:" not in caught.value.message
            assert caught.value.hint
            assert (await parser.parse(Path("/good.json"), "json", GOOD))[0] == MARK
    # Kilobytes.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_memory_has_a_limit() -> None:
    async with open_parser(Limits(parse_bytes=100_000_000)) as parser:
        with pytest.raises(RequestTooLarge, match=r"'/a\.csv' .*`limits\.parse_bytes`"):
            await parser.parse(Path("/a.csv"), "csv", b"," * 10_000_000)
        assert (await parser.parse(Path("/a.json"), "json", GOOD))[0] == MARK


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_names_of_parts_are_shown_safely(parser: Parser) -> None:
    content = packed({"word/document.xml": "x", "../\x1b[31m\n\u202e": "x"})
    with pytest.raises(DocumentUnreadable) as caught:
        await parser.parse(Path("/a.docx"), "docx", content)
    assert caught.value.message.isprintable()


def test_lying_files_lie() -> None:
    # A check of the test: the archive opens, and says that it is small.
    with zipfile.ZipFile(io.BytesIO(lying(inflated("docx", 2_000_000)))) as archive:
        assert max(entry.file_size for entry in archive.infolist()) < 1_000_000
