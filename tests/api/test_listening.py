"""The address that the server takes."""

import asyncio
import socket

import pytest

from api.listening import address, bind
from configs.errors import AddressInUse, ConfigError


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:{}"), ("localhost", "http://127.0.0.1:{}"), ("::1", "http://[::1]:{}")],
)
def test_a_free_port_of_this_machine_is_taken(host: str, url: str) -> None:
    with bind(host, 0) as taken:
        assert address(taken) == url.format(taken.getsockname()[1])


def test_a_port_that_is_taken_is_told_even_before_the_other_answers() -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(AddressInUse) as told:
        bind("127.0.0.1", taken.getsockname()[1])
    assert told.value.exit_code == 69  # EX_UNAVAILABLE
    assert "--port" in told.value.hint


def test_a_port_can_be_taken_again_at_once() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), taken.accept()[0]:
            pass
    bind("127.0.0.1", port).close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.com", ""])
def test_only_this_machine_is_served(host: str) -> None:
    with pytest.raises(ConfigError):
        bind(host, 0)


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://0.0.0.0:{}"), ("127.0.0.1", "http://127.0.0.1:{}")])
def test_a_container_published_on_the_loopback_may_listen_on_all_its_addresses(host: str, url: str) -> None:
    with bind(host, 0, published_on_loopback=True) as taken:
        port = taken.getsockname()[1]
        assert address(taken) == url.format(port)
        with socket.create_connection(("127.0.0.1", port)), taken.accept()[0]:
            pass


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_small_pieces_of_an_answer_are_not_held_back(host: str) -> None:
    """Nagle's algorithm would hold each back until the one before was acknowledged: 40 ms with a client on Linux."""
    delays: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        delays.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with bind(host, 0) as taken:
        async with await asyncio.start_server(connected, sock=taken):
            with socket.create_connection(taken.getsockname()[:2]):
                assert await asyncio.wait_for(delays, 10)
