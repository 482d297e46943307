"""Documents sent to a server over real HTTP: answered from, replaced, refused, and gone without a trace."""

import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import FileIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from api.guard.keys import FILE, KeyRing
from api.guard.multipart import FIELDS
from memory import uploads
from models.audio import AudioChunk, wav_bytes
from tests.api.chat_server import ChatServer, chat_server
from tests.memory.formats.test_parser import inflated
from tests.memory.formats.test_pdf import written
from tests.ollama_stand_in import Fail, ollama_stand_in

LEAVE = b"# Leave\n\nEverybody gets 25 days of vacation.\n"
DOCUMENTS = "/v1/knowledge/documents"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    """A server that quotes what it is sent, and takes no text of more than 20 kB."""
    limits = {"document_bytes": 20_000, "audio_bytes": 30_000}
    with chat_server(tmp_path_factory.mktemp("uploads"), chat={"engine": "extractive"}, limits=limits) as opened:
        working = opened.portal.start_task_soon(opened.assistant.work)
        yield opened
        working.cancel()


@pytest.fixture
def server(running: ChatServer) -> Iterator[ChatServer]:
    """The same, without any knowledge."""
    yield running
    knowledge = running.assistant.store.knowledge
    for base in running.portal.call(knowledge.knowledge_bases):
        running.portal.call(partial(knowledge.remove, knowledge=base))
    assert kept(running) == []


@pytest.fixture
def client(server: ChatServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30, trust_env=False) as opened:
        yield opened


def kept(server: ChatServer) -> list[Path]:
    """The files that lie in the folder of uploads."""
    folder = server.assistant.store.folder / "uploads"
    return sorted(folder.iterdir()) if folder.exists() else []


def upload(client: httpx.Client, file: str, content: bytes, **wishes: str) -> httpx.Response:
    return client.post(DOCUMENTS, params={"wait": "true"}, data=wishes, files={"file": (file, content)})


def asked(client: httpx.Client, text: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/ask", json={"text": text, "speak": False, **more}).json()
    return answer


def test_a_question_is_answered_from_what_was_sent_in_the_background(client: httpx.Client, server: ChatServer) -> None:
    begun = client.post(DOCUMENTS, files={"file": ("handbook.md", LEAVE, "text/markdown")})
    assert begun.status_code == 202
    job = begun.json()
    assert (job["name"], job["knowledge"], job["state"], job["paths"]) == ("handbook.md", "default", "waiting", [])
    until = monotonic() + 30
    while job["state"] in ("waiting", "running"):
        assert monotonic() < until
        job = client.get(begun.headers["location"]).json()
    assert (job["state"], job["outcomes"], job["errors"]) == ("done", {"added": 1}, [])
    reply = asked(client, "How many days of vacation does everybody get?")["reply"]
    assert "25 days" in reply["text"]
    assert reply["citations"][0]["document"] == "Leave"
    assert str(server.assistant.store.folder) not in begun.text + json.dumps([job, reply])


def test_a_chinese_document_in_an_old_encoding_is_answered_from(client: httpx.Client) -> None:
    added = upload(client, "年假制度.txt", "员工每年有二十五天年假。".encode("gb18030"), knowledge="人事")
    assert added.status_code == 200
    document = added.json()
    assert {name: document[name] for name in ("object", "title", "source", "knowledge", "uploaded", "state")} == {
        "object": "knowledge.document", "title": "年假制度", "source": "年假制度.txt", "knowledge": "人事",
        "uploaded": True, "state": "ready",
    }  # fmt: skip
    assert document["job"]["outcomes"] == {"added": 1}
    reply = asked(client, "员工每年有多少天年假？", knowledge=["人事"])["reply"]
    assert "二十五天" in reply["text"]
    assert reply["citations"][0]["document"] == "年假制度"
    passages = client.get("/v1/knowledge/search", params={"q": "年假", "knowledge": "人事"}).json()["passages"]
    assert [passage["source"] for passage in passages] == ["年假制度.txt"]


def test_a_client_of_openai_sends_one_too(server: ChatServer) -> None:
    files = [("file", ("handbook.txt", "utf-16: 25 days".encode("utf-16")))]
    options: Any = {"headers": {"content-type": "multipart/form-data"}, "params": {"wait": True}}
    sent: Any = server.client.post("/knowledge/documents", cast_to=object, body={}, files=files, options=options)
    assert (sent["title"], sent["characters"]) == ("handbook", 15)


def test_a_recording_is_heard_and_answered_from(client: httpx.Client, running: ChatServer) -> None:
    sound = wav_bytes(AudioChunk(b"\x00\x40\x00\xc0" * 5000 + bytes(8000), 16_000))
    heard = upload(client, "meeting.wav", sound).json()
    (scripted,) = running.assistant.settings.speech_to_text.fake.transcripts
    assert (heard["title"], heard["characters"]) == ("meeting", len(scripted))


def test_bytes_alone_are_named_in_the_query(client: httpx.Client) -> None:
    wishes = {"name": "leave.md", "knowledge": "work", "wait": "true"}
    headers = {"content-type": "application/octet-stream"}
    pieces = (LEAVE[at : at + 7] for at in range(0, len(LEAVE), 7))
    added = client.post(DOCUMENTS, params=wishes, content=pieces, headers=headers)
    assert (added.status_code, added.json()["source"], added.json()["knowledge"]) == (200, "leave.md", "work")


def test_a_name_is_replaced_or_unchanged_and_bases_and_documents_are_listed(
    client: httpx.Client, server: ChatServer
) -> None:
    first = upload(client, "a.md", LEAVE).json()
    assert upload(client, "a.md", LEAVE).json()["job"]["outcomes"] == {"unchanged": 1}
    second = upload(client, "b.md", LEAVE.replace(b"25", b"26"), name="a.md").json()
    assert second["job"]["outcomes"] == {"replaced": 1}
    assert client.get(f"{DOCUMENTS}/{first['id']}").status_code == 404
    upload(client, "c.md", LEAVE, knowledge="other")
    bases = client.get("/v1/knowledge").json()["data"]
    assert [(base["id"], base["documents"], base["passages"]) for base in bases] == [("default", 1, 1), ("other", 1, 1)]
    listed = client.get(DOCUMENTS).json()["data"]
    assert [(one["source"], one["uploaded"]) for one in listed] == [("a.md", True), ("c.md", True)]
    assert len(kept(server)) == 2


def test_an_upload_that_fails_is_told_beside_the_document_that_stays(client: httpx.Client, server: ChatServer) -> None:
    there = upload(client, "a.md", LEAVE).json()
    refused = upload(client, "a.md", b"%PDF-1.7 in disguise")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "document_unreadable")
    found = client.get(f"{DOCUMENTS}/{there['id']}").json()
    assert (found["state"], found["job"]["state"]) == ("ready", "failed")
    (error,) = found["job"]["errors"]
    assert (error["path"], error["code"]) == ("a.md", "document_unreadable")
    assert error["message"] == "'a.md' is named .md, but it is a PDF"
    assert refused.json()["error"]["message"] == f"{error['message']}. {error['hint']}"
    assert len(kept(server)) == 1


def test_what_is_removed_leaves_no_byte(client: httpx.Client, server: ChatServer) -> None:
    upload(client, "kumquat.md", b"# Zucchini\n\nThe aubergine lives in Mirabelle.\n")
    words = (b"kumquat", b"Zucchini", b"aubergine", b"Mirabelle")
    assert traces(server, *words)
    gone = client.delete(DOCUMENTS, params={"document": "kumquat.md"}).json()["data"]
    assert [document["title"] for document in gone] == ["Zucchini"]
    assert traces(server, *words) == []


@pytest.mark.parametrize("name", ["never.md", "a\0b", "~nobody-here/x", "..", "/", "a" * 4000])
def test_what_is_not_there_cannot_be_removed(client: httpx.Client, name: str) -> None:
    upload(client, "a.md", LEAVE)
    refused = client.delete(DOCUMENTS, params={"document": name})
    assert (refused.status_code, refused.json()["error"]["hint"]) == (404, "There are: Leave.")
    assert client.get(f"{DOCUMENTS}/999").status_code == 404


def traces(server: ChatServer, *words: bytes) -> list[str]:
    """The files of the data folder that hold one of the words, in any letters."""
    files = (path for path in server.assistant.store.folder.rglob("*") if path.is_file())
    return [path.name for path in files if any(word.lower() in path.read_bytes().lower() for word in words)]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('filename="../../x.md"', "x.md"),
        ('filename="/etc/x.md"', "x.md"),
        ('filename="..%2f..%2fx.md"', "..%2f..%2fx.md"),
        (r'filename="\\\\server\\share\\x.md"', "x.md"),
        ('filename="NUL.md"', "NUL.md"),
        ('filename="年假 🌴.md"', "年假 🌴.md"),
        ("filename=\"x.md\"; filename*=UTF-8''%e5%b9%b4%e5%81%87.md", "年假.md"),
        ("filename*=UTF-8''%e5%b9%b4%e5%81%87.md; filename=x.md", "年假.md"),
    ],
)
def test_names_in_all_ways_of_writing_lead_nowhere(client: httpx.Client, disposition: str, name: str) -> None:
    added = client.post(DOCUMENTS, params={"wait": "true"}, **form(part("file", LEAVE, f"; {disposition}")))
    assert (added.status_code, added.json()["source"]) == (200, name)


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def form(*parts: bytes) -> dict[str, Any]:
    return {
        "content": b"".join(parts) + b"--b--\r\n",
        "headers": {"content-type": "multipart/form-data; boundary=b"},
    }


FILE_PART = part("file", LEAVE, '; filename="a.md"')


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([], 400, "invalid_value"),
        ([part("file", b"", '; filename=""')], 400, "invalid_value"),
        ([part("file", LEAVE)], 400, "invalid_value"),
        ([part("file", LEAVE, '; filename="a\0.md"')], 400, "invalid_value"),
        ([part("file", LEAVE, '; filename=".."')], 400, "invalid_value"),
        ([part("file", LEAVE, f'; filename="{"a" * 300}.md"')], 400, "invalid_value"),
        ([part("file", LEAVE, "; filename*=UTF-8''a%0ab.md")], 400, "invalid_value"),
        ([FILE_PART, FILE_PART], 400, "invalid_value"),
        ([FILE_PART, part("other", LEAVE, '; filename="b.md"')], 400, "invalid_value"),
        ([FILE_PART, part("knowlege", b"x")], 400, "invalid_value"),
        ([FILE_PART, part("knowledge", b"x" * 201)], 400, "invalid_value"),
        ([FILE_PART, part("knowledge", b"a\x07b")], 400, "invalid_value"),
        ([FILE_PART, *[part("name", b"a.md")] * FIELDS], 413, "request_too_large"),
        ([part("file", LEAVE, '; filename="a.exe"')], 422, "document_unreadable"),
        ([part("file", bytes(20_001), '; filename="a.md"')], 413, "request_too_large"),
        ([part("file", bytes(30_001), '; filename="a.wav"')], 413, "request_too_large"),
        ([part("file", b"", '; filename="a.md"')], 422, "document_unreadable"),
        ([part("file", b" \n", '; filename="a.md"')], 422, "document_unreadable"),
        ([part("file", b"\x89PNG\r\n\x1a\n", '; filename="a.txt"')], 422, "document_unreadable"),
        ([part("file", b"\x8f\xff\x00\x81" * 9, '; filename="a.txt"')], 422, "document_unreadable"),
        ([part("file", written("Secret.", password="user"), '; filename="a.pdf"')], 422, "document_unreadable"),
        ([part("file", b"%PDF-1.7", '; filename="a.pdf"')], 422, "document_unreadable"),
        ([part("file", inflated("xlsx", 3_000_000), '; filename="a.xlsx"')], 413, "request_too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    client: httpx.Client, server: ChatServer, parts: list[bytes], status: int, code: str
) -> None:
    refused = client.post(DOCUMENTS, params={"wait": "true"}, **form(*parts))
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (status, code), error
    assert error["message"]
    assert str(server.assistant.store.folder) not in refused.text
    assert (kept(server), client.get(DOCUMENTS).json()["data"]) == ([], [])


@pytest.mark.parametrize(
    ("query", "kind", "status"),
    [
        ("", "application/octet-stream", 400),
        ("name=a.md", "application/json", 415),
        ("name=a.md", "text/plain", 415),
        ("name=a.md&knowlege=x", "application/octet-stream", 400),
        ("name=a.md&wait=perhaps", "application/octet-stream", 400),
        ("name=a%00.md", "application/octet-stream", 400),
        ("name=a.md", "multipart/form-data", 400),
    ],
)
def test_bodies_and_queries_that_are_not_taken(
    client: httpx.Client, server: ChatServer, query: str, kind: str, status: int
) -> None:
    refused = client.post(f"{DOCUMENTS}?{query}", content=b"[1]", headers={"content-type": kind})
    assert (refused.status_code, kept(server)) == (status, [])
    assert refused.json()["error"]["message"]


def test_more_than_any_file_may_have_is_refused_before_it_has_come(client: httpx.Client, server: ChatServer) -> None:
    headers = {"content-type": "application/octet-stream"}
    pieces = (bytes(10_000) for _ in range(10))
    streamed = client.post(f"{DOCUMENTS}?name=a.md", content=pieces, headers=headers)
    assert (streamed.status_code, kept(server)) == (413, [])
    announced = client.post(DOCUMENTS, content=bytes(1_100_000), headers={"content-type": "multipart/form-data"})
    assert (announced.status_code, kept(server)) == (413, [])


def test_one_name_twice_at_once_is_one_document(client: httpx.Client, server: ChatServer) -> None:
    contents = [LEAVE.replace(b"25", str(days).encode()) for days in range(30, 36)]
    with ThreadPoolExecutor(len(contents)) as pool:
        answers = list(pool.map(lambda content: upload(client, "a.md", content), contents))
    assert [answer.status_code for answer in answers] == [200] * len(contents)
    (document,) = client.get(DOCUMENTS).json()["data"]
    (file,) = kept(server)
    passages = client.get("/v1/knowledge/search", params={"q": "days of vacation"}).json()["passages"]
    assert [passage["text"] for passage in passages] == [file.read_text().split("\n\n")[1].strip()]
    assert file.read_bytes() in contents
    assert document["source"] == "a.md"


def test_a_caller_who_goes_in_the_middle_leaves_nothing(client: httpx.Client, server: ChatServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as caller:
        head = f"POST {DOCUMENTS}?name=a.md HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-length: 10000\r\n"
        caller.sendall(f"{head}content-type: application/octet-stream\r\n\r\n".encode() + LEAVE)
        wait_for(server, 1)
        assert client.get(DOCUMENTS).json()["data"] == []
    wait_for(server, 0)


def wait_for(server: ChatServer, files: int) -> None:
    until = monotonic() + 20
    while len(kept(server)) != files:
        assert monotonic() < until
        sleep(0.01)


def test_a_key_needs_the_scope(client: httpx.Client, server: ChatServer) -> None:
    ring = KeyRing(server.assistant.store.folder)
    try:
        for scope, status in (("chat", 403), ("memory", 403), ("knowledge", 200), ("admin", 200)):
            token = ring.create(scope, scopes=frozenset([scope]), user="ann")  # type: ignore[list-item]
            client.headers["authorization"] = f"Bearer {token}"
            assert upload(client, "a.md", LEAVE).status_code == status
        del client.headers["authorization"]
        assert upload(client, "a.md", LEAVE).status_code == 401
    finally:
        os.remove(server.assistant.store.folder / FILE)


def test_a_full_disk_is_told_and_what_was_there_stays(
    client: httpx.Client, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int, mode: str) -> FileIO:
        os.close(handle)
        return FileIO("/dev/full", mode)

    upload(client, "a.md", LEAVE)
    monkeypatch.setattr(uploads, "FileIO", full)
    refused = upload(client, "a.md", LEAVE.replace(b"25", b"26"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "data_folder_unwritable")
    assert "the uploads cannot be kept: No space left on device. " in refused.json()["error"]["message"]
    assert "25 days" in asked(client, "How many days of vacation does everybody get?")["reply"]["text"]
    assert len(kept(server)) == 1


def test_embeddings_that_are_away_are_told_and_the_bytes_are_let_go(tmp_path: Path) -> None:
    with (
        ollama_stand_in() as ollama,
        chat_server(
            tmp_path, chat={"engine": "extractive"}, embeddings={"engine": "ollama", "ollama": {"host": ollama.host}}
        ) as server,
        httpx.Client(base_url=server.url, timeout=30, trust_env=False) as client,
    ):
        working = server.portal.start_task_soon(server.assistant.work)
        assert upload(client, "a.md", LEAVE).status_code == 200
        ollama.fail = Fail(status=500)
        refused = upload(client, "a.md", LEAVE.replace(b"25", b"26"))
        assert (refused.status_code, refused.json()["error"]["type"]) == (500, "server_error")
        assert "model runner" in refused.json()["error"]["message"]
        ollama.fail = None
        assert len(kept(server)) == 1
        passages = client.get("/v1/knowledge/search", params={"q": "days of vacation"}).json()["passages"]
        assert ["25 days" in passage["text"] for passage in passages] == [True]
        working.cancel()
