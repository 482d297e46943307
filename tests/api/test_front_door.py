"""The whole application over raw sockets: names, ranges, slow and broken callers, and files that name other files."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.audio import silence, wav_bytes
from tests.api.chat_server import ChatServer, chat_server
from tests.api.guarded_app import created

SLOW = 0.5
"""Seconds in which headers, or a body, have to come."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    limits = {"header_seconds": SLOW, "body_seconds": SLOW, "requests_per_minute": 100_000}
    with chat_server(tmp_path_factory.mktemp("door"), chat={"engine": "extractive"}, server=limits) as opened:
        yield opened


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ChatServer, str]]:
    """A server that asks for keys, and one that opens everything."""
    data = tmp_path_factory.mktemp("keyed")
    token = created(data, "owner", "admin")
    with chat_server(data, chat={"engine": "extractive"}) as opened:
        yield opened, token


def told(server: ChatServer, *sent: bytes) -> tuple[int, str]:
    """The status and the rest of all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0), timeout=20) as connection:
        for piece in sent:
            connection.sendall(piece)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    status, _, rest = answer.decode("latin-1").partition("\r\n")
    return int(status.split()[1]) if status else 0, rest


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1/health?", b"evil.com/health?", b"a?x=", b"127.0.0.1#/health", b"127.0.0.1:80/health/live",
        b"user@127.0.0.1", b"127.0.0.1\\@evil.com", b"[::1]/health?", b"localhost/v1/audio/voices?",
    ],
)  # fmt: skip
def test_no_host_header_opens_what_needs_a_key(keyed: tuple[ChatServer, str], host: bytes) -> None:
    """CVE-2026-49468."""
    server, _ = keyed
    for path in (b"/v1/models", b"/v1/memory/export", b"/api/tags", b"/metrics"):
        request = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
        assert told(server, request)[0] in (400, 401, 403)


def test_an_address_in_the_first_line_opens_nothing_either(keyed: tuple[ChatServer, str]) -> None:
    server, _ = keyed
    for line in (b"http://127.0.0.1/health/../v1/models", b"http://evil.com/health", b"/health/..%2fv1/models"):
        status, rest = told(server, b"GET " + line + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert status in (400, 401, 404, 403)
        assert "companion" not in rest


@pytest.mark.parametrize("path", ["/v1/models", "/health", "/v1/audio/voices", "/v1/memory/export", "/openapi.json"])
def test_ranges_are_no_work(running: ChatServer, path: str) -> None:
    """CVE-2025-62727: many ranges cost the square of their number."""
    many = "bytes=" + ",".join(f"{number}-{number + 1}" for number in range(3_000))
    for asked in ("bytes=0-1", "bytes=-1", "bytes=5-2", "bytes=0-99999999999999999999", many[:30_000], "lines=1-", "="):
        answer = httpx.get(f"{running.url}{path}", headers={"range": asked}, timeout=5, trust_env=False)
        assert answer.status_code in (200, 206, 400, 416)


def test_speech_is_sent_whole_whatever_range_is_asked_for(running: ChatServer) -> None:
    body = {"model": "tts-1", "input": "Hello there.", "response_format": "wav"}
    url = f"{running.url}/v1/audio/speech"
    whole = httpx.post(url, json=body, trust_env=False)
    part = httpx.post(url, json=body, headers={"range": "bytes=0-3,1-2,2-9"}, trust_env=False)
    assert (part.status_code, part.content) == (200, whole.content)


HEAD = b" HTTP/1.1\r\nHost: 127.0.0.1\r\n"
TAKING = [
    "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/audio/speech", "/v1/audio/transcriptions",
    "/v1/audio/translations", "/v1/ask", "/v1/knowledge/documents", "/v1/knowledge/jobs", "/api/chat", "/api/generate",
    "/api/embed", "/api/embeddings", "/api/show",
]  # fmt: skip
"""Routes with a body."""
KINDS = {
    "/v1/audio/transcriptions": "multipart/form-data; boundary=b",
    "/v1/audio/translations": "multipart/form-data; boundary=b",
    "/v1/ask": "audio/wav",
    "/v1/knowledge/documents": "multipart/form-data; boundary=b",
}


def head(path: str, length: int) -> bytes:
    kind = KINDS.get(path, "application/json")
    return f"POST {path}".encode() + HEAD + f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_a_body_that_never_ends_is_given_up_by_every_route_and_others_are_served(running: ChatServer) -> None:
    with ThreadPoolExecutor(len(TAKING)) as threads:
        slow = [threads.submit(told, running, head(path, 1_000), b"{") for path in TAKING]
        assert httpx.get(f"{running.url}/v1/models", timeout=5, trust_env=False).status_code == 200
        answers = [one.result() for one in slow]
    for path, (status, rest) in zip(TAKING, answers, strict=True):
        assert status == 408, path
        error = json.loads(rest.partition("\r\n\r\n")[2])["error"]
        assert isinstance(error, str if path.startswith("/api/") else dict)


@pytest.mark.parametrize("path", TAKING)
def test_a_caller_that_leaves_in_the_middle_leaves_nothing_behind(running: ChatServer, path: str) -> None:
    with socket.create_connection(("127.0.0.1", httpx.URL(running.url).port or 0), timeout=5) as connection:
        connection.sendall(head(path, 1_000) + b"{")
        connection.shutdown(socket.SHUT_WR)
        # Whatever it is told, the connection ends.
        while connection.recv(65536):
            pass
    assert httpx.get(f"{running.url}/v1/models", timeout=5, trust_env=False).status_code == 200


@pytest.mark.parametrize("path", TAKING)
def test_ten_megabytes_of_headers_reach_no_route(running: ChatServer, path: str) -> None:
    """CVE-2025-48956."""
    with socket.create_connection(("127.0.0.1", httpx.URL(running.url).port or 0), timeout=20) as connection:
        answer = b""
        try:
            connection.sendall(f"POST {path}".encode() + HEAD)
            for _ in range(160):
                connection.sendall(b"X-Large: " + b"a" * 65_536 + b"\r\n")
        except OSError:
            pass
        with suppress(OSError):
            answer = connection.recv(65536)
    assert answer == b"" or b" 431 " in answer
    assert httpx.get(f"{running.url}/health", timeout=5, trust_env=False).status_code == 200


@contextmanager
def listener() -> Iterator[tuple[int, list[str]]]:
    """A server that must not be called: its port, and who called all the same."""
    calls: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(0.1)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                try:
                    called, _ = taken.accept()
                except TimeoutError:
                    continue
                calls.append("called")
                called.close()

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield taken.getsockname()[1], calls
        finally:
            ended.set()
            thread.join()


def playlists(url: str) -> dict[str, str]:
    """Files that name another one, for each of FFmpeg's readers that would open it."""
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{url}'\n",
        "subfile": f"ffconcat version 1.0\nfile 'subfile,,start,0,end,99,,:{url}'\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        "dash": f'<?xml version="1.0"?><MPD type="static"><Period><BaseURL>{url}</BaseURL></Period></MPD>',
        "svg": f'<svg xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="{url}"/></svg>',
        "pls": f"[playlist]\nFile1={url}\nNumberOfEntries=1\n",
        "url": url,
    }


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/a.wav", "file:///etc/passwd", "tcp://127.0.0.1:{port}"])
def test_a_recording_that_names_another_file_fetches_nothing(running: ChatServer, target: str) -> None:
    with listener() as (port, calls):
        for name, text in playlists(target.format(port=port)).items():
            file = text.encode()
            for path in ("/v1/audio/transcriptions", "/v1/audio/translations"):
                form = {"model": "whisper-1"}
                files = {"file": (f"a.{name}", file)}
                answer = httpx.post(f"{running.url}{path}", data=form, files=files, timeout=10, trust_env=False)
                assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file"), name
                assert "root:" not in answer.text
            kind = {"content-type": "audio/mpegurl"}
            asked = httpx.post(f"{running.url}/v1/ask", content=file, headers=kind, timeout=10, trust_env=False)
            assert asked.status_code == 415, name
        assert not calls


def sound_of(url: str) -> list[tuple[str, dict[str, Any]]]:
    """Requests that name an address where a picture or a sound could stand, and their routes."""
    encoded = base64.b64encode(url.encode()).decode()
    hello = {"type": "text", "text": "Hello?"}

    def chat(part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        message = {"role": "user", "content": [hello, part]}
        return "/v1/chat/completions", {"model": "companion", "messages": [message]}

    return [
        chat({"type": "image_url", "image_url": {"url": url}}),
        chat({"type": "input_audio", "input_audio": {"data": url, "format": "wav"}}),
        chat({"type": "input_audio", "input_audio": {"data": encoded, "format": "wav"}}),
        chat({"type": "file", "file": {"file_id": url}}),
        ("/v1/responses", {"model": "companion", "input": [{"role": "user", "content": [
            {"type": "input_image", "image_url": url}]}]}),
        ("/v1/audio/transcriptions", {"model": "whisper-1", "input_audio": {"data": url}}),
        ("/v1/audio/transcriptions", {"model": "whisper-1", "input_audio": {"data": encoded}}),
        ("/v1/knowledge/jobs", {"path": url}),
        ("/api/chat", {"model": "companion", "messages": [{"role": "user", "content": "Hello?", "images": [url]}]}),
    ]  # fmt: skip


def test_no_address_in_a_request_is_called(running: ChatServer) -> None:
    """CVE-2026-45401, CVE-2026-24779 and others: a server that fetches can be sent where its caller cannot go."""
    with listener() as (port, calls):
        for host in ("127.0.0.1", "[::ffff:7f00:1]", "2130706433", "0x7f.1", "a\\@127.0.0.1"):
            for path, body in sound_of(f"http://{host}:{port}/x"):
                answer = httpx.post(f"{running.url}{path}", json=body, timeout=10, trust_env=False)
                assert 400 <= answer.status_code < 500, (path, answer.text)
        assert not calls


def test_silence_is_an_empty_text_at_every_route_that_hears(running: ChatServer) -> None:
    sound = wav_bytes(silence(1, 16_000))
    spoken = {"model": "whisper-1", "input_audio": {"data": base64.b64encode(sound).decode()}}
    for path in ("/v1/audio/transcriptions", "/v1/audio/translations"):
        form = {"model": "whisper-1"}
        sent = httpx.post(f"{running.url}{path}", data=form, files={"file": sound}, trust_env=False)
        written = httpx.post(f"{running.url}{path}", json=spoken, trust_env=False)
        assert [(answer.status_code, answer.json()["text"]) for answer in (sent, written)] == [(200, "")] * 2


def test_of_two_fields_of_a_form_the_last_counts(running: ChatServer) -> None:
    sound = wav_bytes(silence(1, 16_000))
    url = f"{running.url}/v1/audio/transcriptions"
    for models, status in ((["gpt-5", "whisper-1"], 200), (["whisper-1", "gpt-5"], 404)):
        answer = httpx.post(url, data={"model": models}, files={"file": sound}, trust_env=False)
        assert answer.status_code == status
    twice = [("file", ("a", sound)), ("file", ("b", sound))]
    assert httpx.post(url, data={"model": "whisper-1"}, files=twice, trust_env=False).status_code == 400


TRACES = ("Traceback", "site-packages", str(Path(__file__).parents[2]), ".py", "line ")


def test_what_nobody_foresaw_is_told_without_where_it_was(running: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret of the inside")

    monkeypatch.setattr(type(running.assistant.personas), "names", broken)
    for path in ("/v1/models", "/api/tags"):
        answer = httpx.get(f"{running.url}{path}", timeout=10, trust_env=False)
        assert answer.status_code == 500
        assert not [trace for trace in (*TRACES, "secret") if trace in answer.text]
        assert answer.headers["x-request-id"]


def test_a_key_in_an_address_is_logged_nowhere(keyed: tuple[ChatServer, str], caplog: pytest.LogCaptureFixture) -> None:
    server, token = keyed
    caplog.set_level("DEBUG")
    for path in ("/v1/models", "/api/tags", "/v1/nowhere", "/health"):
        url = f"{server.url}{path}?api_key={token}&key={token}"
        assert httpx.get(url, trust_env=False).status_code in (200, 401)
        assert httpx.get(url, headers={"authorization": f"Bearer {token}"}, trust_env=False).status_code in (200, 404)
    said = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert [record for record in said if record.name.startswith("api")]
    assert not [record for record in said if token in record.getMessage()]
