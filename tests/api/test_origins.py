"""Names and pages: by which name the server is called, and which web pages may call it."""

from pathlib import Path

import httpx
import pytest

from tests.api.guarded_app import bearer, calling, created, error

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend(trio_virtual: tuple[str, dict[str, object]]) -> tuple[str, dict[str, object]]:
    return trio_virtual


@pytest.mark.parametrize(
    ("host", "here", "beyond"),
    [
        ("127.0.0.1", 200, 200),
        ("localhost:8484", 200, 200),
        ("[::1]:8484", 200, 200),
        ("box.example.org:8484", 200, 200),
        ("BOX.example.org", 200, 200),
        ("192.168.1.7:8484", 403, 200),
        ("[fd00::7]:8484", 403, 200),
        ("box.local", 403, 200),
        ("box.internal:8484", 403, 200),
        ("evil.com", 403, 403),
        ("127.0.0.1.evil.com", 403, 403),
        ("box.example.org.evil.com", 403, 403),
        ("8.8.8.8", 403, 403),
        ("localhost.evil.com:8484", 403, 403),
        ("", 403, 403),
    ],
)
async def test_the_server_answers_to_its_own_names(data_folder: Path, host: str, here: int, beyond: int) -> None:
    """CVE-2024-28224: a page points its own name at this machine."""
    headers = bearer(created(data_folder, "phone", "chat")) | {"host": host}
    for far, status in ((False, here), (True, beyond)):
        async with calling(beyond=far, names=["box.example.org"]) as client:
            answer = await client.get("/v1/ask", headers=headers)
            assert answer.status_code == status
            assert status == 200 or error(answer) == "forbidden"


CHAT = "https://chat.example.org"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        (CHAT, 200),
        ("http://127.0.0.1:8484", 200),
        ("https://127.0.0.1:8484", 200),
        ("http://127.0.0.1:3000", 403),
        ("http://localhost:8484", 403),
        ("https://evil.com", 403),
        ("https://chat.example.org.evil.com", 403),
        ("http://chat.example.org", 403),
        ("https://chat.example.org:8443", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_only_pages_that_are_named_may_call(origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"origin": origin}
    async with calling(origins=[CHAT]) as client:
        for method in ("GET", "POST", "DELETE"):
            answer = await client.request(method, "/v1/ask", headers=headers)
            assert answer.status_code == status
            shared = answer.headers.get("access-control-allow-origin")
            assert shared == (CHAT if origin == CHAT else None)
            assert "access-control-allow-credentials" not in answer.headers


async def preflight(client: httpx.AsyncClient, origin: str, **more: str) -> httpx.Response:
    asked = {"access-control-request-method": "POST"} | {name.replace("_", "-"): value for name, value in more.items()}
    return await client.options("/v1/chat/completions", headers={"origin": origin} | asked)


async def test_what_a_browser_asks_first(data_folder: Path) -> None:
    created(data_folder, "phone", "chat")
    asked = "authorization,content-type,openai-beta,x-stainless-os,x-stainless-retry-count,x-evil"
    async with calling(origins=[CHAT]) as client:
        told = await preflight(client, CHAT, access_control_request_headers=asked)
        assert (told.status_code, told.content) == (204, b"")
        assert told.headers["access-control-allow-origin"] == CHAT
        allowed = {name.strip() for name in told.headers["access-control-allow-headers"].split(",")}
        assert allowed >= set(asked.split(",")) - {"x-evil"}
        assert not allowed & {"x-evil", "*", "x-openwebui-user-id"}
        assert "POST" in told.headers["access-control-allow-methods"]
        assert told.headers["vary"] == "Origin"
        assert (await preflight(client, "https://evil.com")).status_code == 403
        assert (await preflight(client, CHAT, access_control_request_private_network="true")).status_code == 403
        # A page can read a refusal too, and see when to try again.
        refused = await client.get("/v1/ask", headers={"origin": CHAT})
        assert refused.status_code == 401
        assert "retry-after" in refused.headers["access-control-expose-headers"]
