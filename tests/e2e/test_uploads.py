"""A document sent to a server that is killed meanwhile, and what the terminal shows and removes of others."""

import signal
import socket
import time
from pathlib import Path

import httpx

from tests.e2e.conftest import Tingshuo, running
from tests.e2e.test_memory import traces
from tests.e2e.test_serving import address

DOCUMENTS = "/v1/knowledge/documents"


def files(data: Path) -> list[Path]:
    folder = data / "uploads"
    return sorted(folder.iterdir()) if folder.exists() else []


def half_sent(url: str) -> socket.socket:
    """A caller that has sent the first part of a document, and not the rest."""
    host, port = url.removeprefix("http://").split(":")
    caller = socket.create_connection((host, int(port)))
    head = f"POST {DOCUMENTS}?name=half.md HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-length: 10000\r\n"
    caller.sendall(f"{head}content-type: application/octet-stream\r\n\r\nThe mirabelle is half sent.".encode())
    return caller


def test_a_kill_while_a_document_comes_keeps_no_part_of_it_and_all_of_the_others(
    data_folder: Path, tingshuo: Tingshuo
) -> None:
    with running("serve", "--port", "0") as server:
        url = address(server)
        sent = {"file": ("frist.md", "# 年假\n\n员工每年有二十五天年假。\n".encode())}
        assert httpx.post(f"{url}{DOCUMENTS}", params={"wait": True}, files=sent, timeout=30).status_code == 200
        with half_sent(url):
            until = time.monotonic() + 20
            while not any(b"mirabelle" in file.read_bytes() for file in files(data_folder)):
                assert time.monotonic() < until
                time.sleep(0.01)
            server.interrupt(signal.SIGKILL)
            server.ended()
    assert traces(data_folder, "mirabelle")
    listed = tingshuo("knowledge", "list")
    assert "年假" in listed.out
    assert "uploaded as frist.md" in listed.out
    assert traces(data_folder, "mirabelle") == []
    assert "二十五天" in tingshuo("knowledge", "search", "员工每年有多少天年假？").out
    assert "uploaded as frist.md" in tingshuo("knowledge", "remove", "frist.md").out
    assert (files(data_folder), traces(data_folder, "frist", "二十五天")) == ([], [])
