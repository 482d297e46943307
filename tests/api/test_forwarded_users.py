"""Whom a frontend may speak for: users that it signs, users that it only names, and those that are none."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from starlette.datastructures import Headers

from api.guard.forwarded import forwarded_conversation, forwarded_task
from configs.errors import ConfigError
from configs.settings import load_settings
from tests.api.guarded_app import bearer, calling, created, error

pytestmark = pytest.mark.anyio

SECRET = "open sesame, and not a word more"
HEADER = "X-OpenWebUI-User-Jwt"
HS256 = {"alg": "HS256", "typ": "JWT"}


def claims(**other: object) -> dict[str, Any]:
    """What Open WebUI 0.12 signs, but for what is named, and for a day; None takes a claim away."""
    now = int(time.time())
    whole = {
        "sub": "ann", "email": "ann@example.org", "name": "Ann", "role": "user", "iss": "open-webui", "iat": now,
        "exp": now + 86_400, **other,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def signed(payload: object, header: dict[str, Any] = HS256, secret: str = SECRET) -> str:
    """A token, made as RFC 7515 says and by no library."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.fixture
async def client(data_folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Called with a key that has a secret."""
    async with calling() as opened:
        opened.headers.update(bearer(created(data_folder, "webui", "memory", user_secret=SECRET)))
        yield opened


async def told(client: httpx.AsyncClient, *headers: tuple[str, str]) -> tuple[str, bool]:
    """Who is speaking, and whether it may name others."""
    answer = await client.get("/v1/memory", headers=[*headers])
    assert answer.status_code == 200, answer.text
    return answer.json()["user"], answer.json()["trusted"]


async def refused(client: httpx.AsyncClient, *headers: tuple[str, str]) -> str:
    """Why it is not known who is speaking."""
    answer = await client.get("/v1/memory", headers=[(name.encode(), value.encode()) for name, value in headers])
    assert (answer.status_code, error(answer)) == (401, "invalid_user_token"), answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["hint"]
    assert SECRET not in answer.text
    assert not any(len(value) > 30 and value in answer.text for _, value in headers)
    return str(answer.json()["error"]["message"])


async def test_a_signed_user_is_believed_and_opens_no_more_than_the_key(client: httpx.AsyncClient) -> None:
    for token in (
        signed(claims()),
        jwt.encode(claims(), SECRET, algorithm="HS256"),
        signed(claims(role="admin", scopes=["admin"])),
        # Clocks differ.
        signed(claims(iat=int(time.time()) + 10)),
        signed(claims(exp=int(time.time()) - 10)),
    ):
        assert await told(client, (HEADER, token)) == ("ann", False)
        assert (await client.get("/v1/ask", headers={HEADER: token})).status_code == 403
    assert await told(client, (HEADER, signed(claims(sub="安娜")))) == ("安娜", False)


def forged() -> Iterator[tuple[str, str]]:
    """Tokens that must not be believed, and why not."""
    now = int(time.time())
    yield signed(claims(), {"alg": "none"}), "not signed with HS256"
    yield jwt.encode(claims(), "", algorithm="none"), "not signed with HS256"
    yield jwt.encode(claims(), SECRET * 2, algorithm="HS512"), "not signed with HS256"
    yield signed(claims(), {"alg": "HS512"}), "not signed with HS256"
    yield signed(claims(), {"alg": "RS256"}), "not signed with HS256"
    yield signed(claims(), {}), "not signed with HS256"
    yield signed(claims(), {**HS256, "crit": ["exp"]}), "cannot be read"
    yield signed(claims(), secret=SECRET[::-1]), "another secret"
    yield signed(claims(), secret=""), "another secret"
    yield signed(claims()).rpartition(".")[0] + ".", "another secret"
    head, _, signature = signed(claims()).split(".")
    yield f"{head}.{signed(claims(sub='ben')).split('.')[1]}.{signature}", "another secret"
    yield signed(claims(exp=now - 60)), "expired"
    yield signed(claims(exp=1)), "expired"
    yield signed(claims(iat=now + 60)), "not valid yet"
    yield signed(claims(nbf=now + 60)), "not valid yet"
    yield signed(claims(iss="https://accounts.example.org")), "issuer is not open-webui"
    yield signed(claims(iss=["open-webui"])), "issuer is not open-webui"
    yield signed(claims(aud="somebody else")), "meant for others"
    for name in ("sub", "exp", "iat", "iss"):
        yield signed(claims(**{name: None})), f"has no `{name}`"
    for odd in ({"sub": 5}, {"exp": "soon"}, {"exp": float("inf")}, {"exp": [1]}, {"iat": "now"}):
        yield signed(claims(**odd)), "cannot be read"
    yield signed([]), "cannot be read"
    yield signed(b"[" * 2_800), "cannot be read"
    yield f"{base64.urlsafe_b64encode(b'[' * 2_800).decode()}.e30.AA", "cannot be read"
    yield signed(claims(name="x" * 5_000)), "more than 4096 characters"
    for user in ("", " ", "None", "undefined", "{{USER_ID}}"):
        yield signed(claims(sub=user)), "names nobody"
    for user in ("a\tb", "x" * 201, "\ud800"):
        yield signed(claims(sub=user)), "cannot be a user"
    for text in ("ann", "\u00e9.\u00e9.\u00e9", "...."):
        yield text, "cannot be read"


async def test_what_is_signed_badly_is_refused(client: httpx.AsyncClient) -> None:
    for token, why in forged():
        assert why in await refused(client, (HEADER, token)), token


async def test_a_key_with_a_secret_believes_nothing_else(client: httpx.AsyncClient) -> None:
    token = signed(claims())
    plain = "X-OpenWebUI-User-Id"
    assert "without a signature" in await refused(client, (plain, "ann"))
    assert "without a signature" in await refused(client, ("X-User-Id", "ann"))
    assert "another user" in await refused(client, (HEADER, token), (plain, "ben"))
    assert "another user" in await refused(client, (HEADER, token), (plain, "ann"), ("X-User-Id", "ben"))
    assert "several" in await refused(client, (HEADER, token), (HEADER, signed(claims(sub="ben"))))
    assert "cannot be read" in await refused(client, (HEADER, f"{token}, {token}"))
    # Both are sent where the frontend's own headers are set as well.
    assert await told(client, (HEADER, token), (plain, "ann"), (HEADER, token)) == ("ann", False)


async def test_who_names_nobody_is_the_key_s_own_user_and_no_other(client: httpx.AsyncClient) -> None:
    assert await told(client) == ("webui", False)
    assert await told(client, ("X-OpenWebUI-User-Id", "{{USER_ID}}"), (HEADER, "")) == ("webui", False)


async def test_other_keys_believe_no_signature(data_folder: Path) -> None:
    named, plain = (
        created(data_folder, "librechat", "memory", trusted_headers=True),
        created(data_folder, "a", "memory"),
    )
    forged = signed(claims(), secret="")
    async with calling() as client:
        client.headers.update(bearer(named))
        # As if nobody had been named, all users would share one memory.
        assert "has no secret" in await refused(client, (HEADER, signed(claims())))
        assert "has no secret" in await refused(client, (HEADER, forged), ("X-User-Id", "ann"))
        client.headers.update(bearer(plain))
        assert await told(client, (HEADER, signed(claims())), ("X-User-Id", "ann")) == ("a", False)


@pytest.mark.parametrize("unsaid", ["", " ", "None", "null", "undefined", "{{LIBRECHAT_USER_ID}}", "{{USER_ID}}"])
async def test_a_placeholder_is_no_user(data_folder: Path, unsaid: str) -> None:
    async with calling() as client:
        client.headers.update(bearer(created(data_folder, "librechat", "memory", trusted_headers=True)))
        assert await told(client, ("X-User-Id", unsaid)) == ("librechat", True)
        assert await told(client, ("X-User-Id", unsaid), ("X-OpenWebUI-User-Id", "ann")) == ("ann", False)


async def test_the_headers_can_be_named_otherwise(data_folder: Path) -> None:
    async with calling(forwarded={"user": ["X-Who"], "user_jwt": "X-Signed"}) as client:
        client.headers.update(bearer(created(data_folder, "one", "memory", trusted_headers=True)))
        assert await told(client, ("x-who", "ann")) == ("ann", False)
        assert await told(client, ("X-User-Id", "ann"), ("X-OpenWebUI-User-Id", "ann")) == ("one", True)
        client.headers.update(bearer(created(data_folder, "two", "memory", user_secret=SECRET)))
        assert await told(client, ("X-Signed", signed(claims()))) == ("ann", False)
        assert await told(client, (HEADER, signed(claims()))) == ("two", False)
    async with calling(forwarded={"user": []}) as client:
        client.headers.update(bearer(created(data_folder, "three", "memory", trusted_headers=True)))
        assert await told(client, ("X-User-Id", "ann")) == ("three", True)


def test_conversations_and_tasks_are_told_by_the_headers_that_are_set() -> None:
    names = load_settings(server={"forwarded": {"conversation": ["X-Chat", "X-Thread"], "task": ["X-What"]}}).server
    usual = {"X-Conversation-Id": "one", "X-OpenWebUI-Chat-Id": "two", "X-Task": "title", "X-OpenWebUI-Task": "tags"}
    for sent, conversation, task in (
        (usual, "", ""),
        ({"x-thread": "c7", "x-what": "title"}, "c7", "title"),
        ({"x-chat": "new", "x-thread": "c7", "x-what": ""}, "c7", ""),
        ({"x-chat": "{{CHAT_ID}}", "x-what": "{{TASK}}"}, "", ""),
        ({"x-chat": "c1", "x-thread": "c7", "x-what": "None"}, "c1", ""),
    ):
        headers = Headers(sent)
        assert forwarded_conversation(headers, names.forwarded) == conversation
        assert forwarded_task(headers, names.forwarded) == task


@pytest.mark.parametrize("name", ["", "two words", "x:y", "用户", "x" * 65])
def test_what_cannot_be_a_header_is_no_setting(name: str) -> None:
    with pytest.raises(ConfigError, match="forwarded"):
        load_settings(server={"forwarded": {"user": [name]}})
