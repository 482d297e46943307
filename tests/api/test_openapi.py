"""The OpenAPI document is true: schemathesis holds the server to it, and every route is in it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi.routing import iter_route_contexts

from api.app import create_app
from api.guard.keys import KeyRing
from api.service import Service
from memory.remembered import Space
from tests.api.chat_server import ChatServer, chat_server
from tests.api.conformance import SPEECH, Outcome, held
from tests.ollama_stand_in import StandIn

CALLED_FOR = 2_500
"""Cases that the document itself calls for: each limit of each field, and what is beyond it."""
CASES = int(os.environ.get("TINGSHUO_TEST_CASES", CALLED_FOR))
"""How many are sent at the least."""
OPERATIONS = 30
"""The document has a few more, but not for each can there be as many cases as for others."""
UNTOLD = {"/openapi.json", "/docs"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, ollama: StandIn) -> Iterator[ChatServer]:
    """A server in which there is one of everything."""
    data, service = tmp_path_factory.mktemp("documented"), Service()
    document = data / "open" / "handbook.md"
    document.parent.mkdir()
    document.write_text("# Leave\n\nEveryone gets 25 days of paid leave in a year.\n", encoding="utf-8")
    door = {"requests_per_minute": 1_000_000, "documents": [str(document.parent)]}
    brain = {"engine": "ollama", "ollama": {"host": ollama.host}}
    with chat_server(data, service=service, chat=brain, server=door) as opened:
        opened.portal.call(opened.assistant.store.knowledge.ingest, [document])
        opened.portal.call(service.readiness.warm, opened.assistant)
        yield opened


@pytest.fixture
def asked(server: ChatServer) -> ChatServer:
    """The same, after questions, an order to remember, and a job."""
    for path, body in (
        ("/v1/ask", {"text": "Remember that my cat is called Tom.", "persona": "companion", "conversation": "told"}),
        ("/v1/ask?persona=documents&speak=false", {"text": "How many days of leave do I get?"}),
        ("/v1/knowledge/jobs", {"paths": [str(server.assistant.settings.server.documents[0])]}),
    ):
        httpx.post(server.url + path, json=body, timeout=30, trust_env=False).raise_for_status()
    assert server.memories()
    return server


UNNAMED = {
    "DELETE /v1/knowledge/documents", "DELETE /v1/knowledge/jobs/{job}", "DELETE /v1/memory/{number}",
    "GET /v1/knowledge/jobs/{job}", "GET /v1/turns/{turn}", "PATCH /v1/memory/{number}",
    "POST /v1/knowledge/documents", "POST /v1/knowledge/jobs",
}  # fmt: skip
"""What schemathesis cannot be answered with: it would have to name a thing that there is."""


OCTETS = {"content-type": "application/octet-stream"}
PLAN: dict[str, Any] = {"content": b"# Plan\n\nIt is a plan.\n", "headers": OCTETS}
NOTED: dict[str, Any] = {"quote": "", "turn": None, "language": "en", "said_at": datetime(2026, 1, 1, tzinfo=UTC)}


def check(found: Outcome) -> None:
    """Fails where anything was not as it should be, or too little was asked to tell."""
    assert not found.failures, "\n\n".join(f"{what}\n{how}" for what, how in found.failures.items())
    assert found.cases >= CASES
    assert {operation for operation, answered in found.answered.items() if not answered} <= UNNAMED


@pytest.mark.timeout(300 + CASES // 5)
def test_the_server_is_as_its_document_says(asked: ChatServer) -> None:
    check(held(asked.url, max(2, (CASES - CALLED_FOR) // OPERATIONS)))


def test_what_is_made_is_as_the_document_says(asked: ChatServer) -> None:
    """What schemathesis cannot name: things with an id of the server's own."""
    document, memories = schemathesis.openapi.from_url(f"{asked.url}/openapi.json"), asked.assistant.store.memories
    with httpx.Client(base_url=asked.url, timeout=30, trust_env=False) as client:
        job = client.get("/v1/knowledge/jobs").json()["data"][0]["id"]
        turn = client.get("/v1/turns?conversation=told").json()["data"][0]["id"]
        note = asked.portal.call(partial(memories.note, Space("owner"), "My cat is called Tom.", **NOTED)).id
        for method, path, values, sent in (
            ("GET", "/v1/knowledge/jobs/{job}", {"job": job}, {}),
            ("DELETE", "/v1/knowledge/jobs/{job}", {"job": job}, {}),
            ("GET", "/v1/turns/{turn}", {"turn": turn}, {}),
            ("PATCH", "/v1/memory/{number}", {"number": note}, {"json": {"text": "My cat is called Tim."}}),
            ("DELETE", "/v1/memory/{number}", {"number": note}, {}),
            ("POST", "/v1/knowledge/documents", {}, {"params": {"name": "plan.md"}, **PLAN}),
            ("POST", "/v1/ask", {}, {"content": SPEECH, "headers": {"content-type": "audio/wav"}}),
        ):
            answered = client.request(method, path.format(**values), **sent)
            assert answered.status_code in (200, 202), answered.text
            document[path][method].validate_response(answered)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a server with keys, and a key by its scope."""
    data = tmp_path_factory.mktemp("keyed")
    ring = KeyRing(data)
    keys = {scope: ring.create(scope, scopes=frozenset({scope}), user=scope) for scope in ("admin", "chat", "audio")}
    service, door = Service(), {"requests_per_minute": 1_000_000}
    with chat_server(data, service=service, chat={"engine": "fake"}, server=door) as opened:
        opened.portal.call(service.readiness.warm, opened.assistant)
        yield opened.url, keys


@pytest.mark.timeout(300)
def test_no_route_opens_without_a_key_or_with_a_wrong_one(keyed: tuple[str, dict[str, str]]) -> None:
    url, keys = keyed
    only = {name: {"enabled": False} for name in ("coverage", "stateful")}
    found = held(url, 5, headers={"Authorization": f"Bearer {keys['admin']}"}, phases=only)
    assert not found.failures, found.failures
    assert sum(answered > 0 for answered in found.answered.values()) > 25


REFUSALS = {
    "a name that is not its own": (403, {"host": "evil.com"}, ""),
    "a page elsewhere": (403, {"origin": "https://evil.com"}, ""),
    "too many headers": (431, {f"x-{number}": "1" for number in range(120)}, ""),
    "a query that is too long": (414, {}, "?" + "&" * 300),
    "no key": (401, {}, ""),
    "a key that is not known": (401, {"authorization": "Bearer ts-unknown"}, ""),
    "a key that does not open it": (403, {"authorization": "Bearer {audio}"}, ""),
}


@pytest.mark.parametrize("path", ["/v1/turns", "/api/tags"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_the_guard_refuses_is_told_of_in_the_door_s_own_form(
    keyed: tuple[str, dict[str, str]], path: str, refusal: str
) -> None:
    url, keys = keyed
    status, headers, query = REFUSALS[refusal]
    headers = {name: value.format(**keys) for name, value in headers.items()}
    refused = httpx.get(url + path + query, headers=headers, trust_env=False)
    assert refused.status_code == status
    admin = {"authorization": f"Bearer {keys['admin']}"}
    schemathesis.openapi.from_url(f"{url}/openapi.json", headers=admin)[path]["GET"].validate_response(refused)
    assert isinstance(refused.json()["error"], str if path.startswith("/api/") else dict)


def test_every_route_is_told_of(server: ChatServer) -> None:
    told = httpx.get(f"{server.url}/openapi.json", trust_env=False).json()["paths"]
    routes = list(iter_route_contexts(create_app(server.assistant, Service()).routes))
    for route in routes:
        methods = {method.lower() for method in route.methods or ()} - {"head"}
        refused = route.name == "others"
        assert refused or route.path in UNTOLD or methods <= told[str(route.path_format)].keys()
    assert len(routes) > 50


def test_what_a_path_takes_is_all_told_where_another_method_is_tried(server: ChatServer) -> None:
    refused = httpx.put(f"{server.url}/v1/memory", trust_env=False)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, DELETE")
    assert httpx.delete(f"{server.url}/v1/memory/export", trust_env=False).status_code == 405
