"""The ground under the tests, tested: what is blocked, what is allowed, and whose environment it is."""

import asyncio
import os
import socket
import time
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.settings import load_settings

Backend = tuple[str, dict[str, object]]

# Addresses that RFC 5737 and RFC 3849 keep for documentation: they lead nowhere even where the block fails.
FAR_V4, FAR_V6, FAR_NAME = "192.0.2.1", "2001:db8::1", "example.invalid"


def test_a_connection_beyond_this_machine_is_refused(reached: list[str]) -> None:
    with socket.socket() as plain, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        plain.connect((FAR_V4, 443))
    with socket.socket() as plain, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        plain.connect_ex((FAR_V4, 443))
    with socket.socket(socket.AF_INET6) as six, pytest.raises(AssertionError, match="2001:db8::1"):
        six.connect((FAR_V6, 443))
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        datagrams.sendto(b"", (FAR_V4, 53))
    assert len(reached) == 4
    reached.clear()


def test_a_name_beyond_this_machine_is_not_looked_up(reached: list[str]) -> None:
    for look_up in (lambda: socket.getaddrinfo(FAR_NAME, 443), lambda: socket.gethostbyname(FAR_NAME)):
        with pytest.raises(AssertionError, match=r"example\.invalid"):
            look_up()
    with pytest.raises(AssertionError, match=r"example\.invalid"):
        socket.create_connection((FAR_NAME, 443))
    reached.clear()


@pytest.mark.anyio
async def test_an_event_loop_is_no_way_around(reached: list[str]) -> None:
    loop, plain = asyncio.get_running_loop(), socket.socket()
    plain.setblocking(False)
    with plain, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        await loop.sock_connect(plain, (FAR_V4, 443))
    reached.clear()


def test_an_attempt_is_remembered_when_its_error_is_swallowed(reached: list[str]) -> None:
    try:
        socket.getaddrinfo(FAR_NAME, 443)
    except AssertionError:
        assert reached == ["socket.getaddrinfo to 'example.invalid'"]
    reached.clear()


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_loopback_is_open(family: socket.AddressFamily) -> None:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.socket(family) as listener:
        try:
            listener.bind((host, 0))
        except OSError as error:
            pytest.skip(f"this machine has no {host}: {error}")
        listener.listen()
        with socket.create_connection((host, listener.getsockname()[1]), timeout=5) as caller:
            assert caller.getpeername()[1] == listener.getsockname()[1]
    assert socket.getaddrinfo("localhost", 80)


def test_unix_sockets_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a short path: a socket's may not be longer than about 100 bytes
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        listener.bind("door")
        listener.listen()
        caller.connect("door")


def test_each_test_has_a_data_folder_of_its_own(data_folder: Path, tmp_path: Path) -> None:
    assert load_settings().data == data_folder
    assert data_folder.is_relative_to(tmp_path)
    assert {name for name in os.environ if name.startswith("TINGSHUO_")} <= {"TINGSHUO_DATA", "TINGSHUO_TEST_MODEL"}
    assert not [name for name in os.environ if name.lower().endswith("_proxy")]


@given(st.integers())
@settings(max_examples=5)
def test_examples_may_be_drawn_beside_the_fixtures(number: int) -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1", number


@pytest.mark.anyio
async def test_asyncio_is_the_default() -> None:
    assert asyncio.get_running_loop().is_running()


class TestVirtualTime:
    @pytest.fixture
    def anyio_backend(self, trio_virtual: Backend) -> Backend:
        return trio_virtual

    @pytest.mark.anyio
    @pytest.mark.parametrize("again", [1, 2])
    async def test_an_hour_passes_at_once_and_each_test_starts_anew(self, again: int) -> None:
        real, began = time.monotonic(), anyio.current_time()
        await anyio.sleep(3600)
        assert anyio.current_time() - began == pytest.approx(3600), again
        assert time.monotonic() - real < 30
