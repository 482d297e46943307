"""The address that the server listens on: taken before anything is loaded, and this machine's alone without a key."""

import ipaddress
import socket

from configs.errors import AddressInUse, ConfigError, RequestError


def bind(host: str, port: int, *, published_on_loopback: bool = False, keyed: bool = False) -> socket.socket:
    """A socket that already keeps others off the address. Raises ConfigError, AddressInUse, RequestError.

    Any address will do where there is a key (`keyed`), and in a container whose port is published on its host's
    loopback alone.
    """
    if not published_on_loopback and not keyed:
        _require_loopback(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of a socket that is told to be TCP does asyncio see that small pieces are not held back (TCP_NODELAY).
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
        # Only a socket that listens keeps another from the same address.
        taken.listen(128)
    except PermissionError as error:
        taken.close()
        raise RequestError(f"port {port} needs more rights than this user has", "Choose one above 1023.") from error
    except OSError as error:
        taken.close()
        raise AddressInUse(
            f"{host} port {port} cannot be listened on: {error.strerror}",
            "End the program that uses it, or choose another with --port.",
        ) from error
    return taken


def address(taken: socket.socket) -> str:
    """The URL of a socket that listens."""
    host, port = taken.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_loopback(host: str) -> None:
    if not is_loopback(host):
        raise ConfigError(
            f"{host!r} is not an address of this machine alone, and there is no key to keep strangers out",
            "Create one (tingshuo key create NAME), or serve on 127.0.0.1 and reach it through a tunnel: "
            "ssh -L 8484:127.0.0.1:8484 HOST",
        )
