"""Credentials: every channel goes through one function, and none of them opens more than another."""

import hashlib
import hmac
from pathlib import Path

import pytest

from api.guard.credentials import credential
from api.guard.keys import KeyRing
from configs.errors import InvalidApiKey

TOKEN = "ts-abc"
PROTOCOL = f"openai-insecure-api-key.{TOKEN}"

Headers = list[tuple[bytes, bytes]]


def scope(
    kind: str = "http", headers: Headers | None = None, query: bytes = b"", protocols: tuple[str, ...] = ()
) -> dict:  # type: ignore[type-arg]
    return {"type": kind, "headers": headers or [], "query_string": query, "subprotocols": protocols}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], None),
        ([(b"authorization", b"Bearer ts-abc")], TOKEN),
        ([(b"authorization", b"bearer  ts-abc ")], TOKEN),
        ([(b"x-api-key", b"ts-abc")], TOKEN),
        ([(b"api-key", b"ts-abc")], TOKEN),
        ([(b"x-api-key", b"ts-abc"), (b"authorization", b"Bearer ts-abc")], TOKEN),
        ([(b"authorization", b"Basic dXNlcjpzZWNyZXQ=")], None),
        ([(b"authorization", b"Basic dXNlcjpzZWNyZXQ="), (b"x-api-key", b"ts-abc")], TOKEN),
        ([(b"authorization", b"Bearer")], None),
        ([(b"authorization", b"Bearer ")], None),
        ([(b"authorization", b"ts-abc")], None),
        ([(b"cookie", b"api_key=ts-abc")], None),
    ],
)
def test_headers(kind: str, headers: Headers, found: str | None) -> None:
    assert credential(scope(kind, headers)) == found


@pytest.mark.parametrize(
    ("kind", "query", "protocols", "found"),
    [
        ("websocket", b"", ("realtime", PROTOCOL), TOKEN),
        ("websocket", b"model=x&api_key=ts-abc", (), TOKEN),
        ("websocket", b"api_key=ts%2Dabc", ("realtime",), TOKEN),
        ("websocket", b"key=ts-abc", (TOKEN,), None),
        # An address of HTTP is kept by browsers and proxies.
        ("http", b"api_key=ts-abc", (PROTOCOL,), None),
    ],
)
def test_what_a_browser_can_set_of_a_websocket(
    kind: str, query: bytes, protocols: tuple[str, ...], found: str | None
) -> None:
    assert credential(scope(kind, query=query, protocols=protocols)) == found


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ([(b"authorization", b"Bearer ts-abc"), (b"authorization", b"Bearer ts-xyz")], b""),
        ([(b"authorization", b"Bearer ts-abc"), (b"x-api-key", b"ts-xyz")], b""),
        ([(b"x-api-key", b"ts-abc")], b"api_key=ts-xyz"),
    ],
)
def test_keys_that_contradict_each_other_open_nothing(headers: Headers, query: bytes) -> None:
    with pytest.raises(InvalidApiKey):
        credential(scope("websocket", headers, query))


def test_hashes_are_compared_in_constant_time_and_all_of_them(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2025-59425: `==` tells by its time how much of a key is right."""
    ring = KeyRing(data_folder)
    tokens = [ring.create(name, scopes=frozenset({"chat"}), user="ann") for name in ("a", "b", "c")]
    compared, compare = [], hmac.compare_digest

    def watched(one: str, other: str) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr("hmac.compare_digest", watched)
    assert ring.find(tokens[0]) is not None
    digests = [hashlib.sha256(token.encode()).hexdigest() for token in tokens]
    assert compared == [(digest, digests[0]) for digest in digests]


@pytest.mark.parametrize("token", ["", "ts-", "ts-é", "\udce9", "x" * 100_000])
def test_whatever_is_sent_as_a_key_is_only_wrong(data_folder: Path, token: str) -> None:
    ring = KeyRing(data_folder)
    ring.create("a", scopes=frozenset({"chat"}), user="ann")
    assert ring.find(token) is None
