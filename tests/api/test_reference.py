"""The page of the API: it tells of every route, runs no script, and loads nothing from anywhere."""

import base64
import hashlib
from html.parser import HTMLParser

import httpx
import pytest

from api.native.reference_page import page
from tests.api.chat_server import ChatServer


class Seen(HTMLParser):
    """What stands in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.links, self.text, self.style = set[str](), list[str](), "", ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._inside = tag
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "style", "onclick")]

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.style += data
            self._inside = ""
        else:
            self.text += data


@pytest.fixture
def answered(server: ChatServer) -> httpx.Response:
    return httpx.get(f"{server.url}/docs", trust_env=False)


def test_the_page_loads_nothing_and_runs_nothing(answered: httpx.Response) -> None:
    seen = Seen(answered.text)
    assert answered.headers["content-type"] == "text/html; charset=utf-8"
    assert not seen.tags & {"script", "link", "img", "iframe", "object", "embed", "form"}
    assert seen.links == ["openapi.json"]
    assert "url(" not in seen.style
    assert "@import" not in seen.style


def test_a_browser_is_told_to_hold_the_page_to_that(answered: httpx.Response) -> None:
    digest = base64.b64encode(hashlib.sha256(Seen(answered.text).style.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in answered.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == f"'sha256-{digest}'"
    assert policy["frame-ancestors"] == "'none'"


def test_the_page_tells_of_every_route(answered: httpx.Response, server: ChatServer) -> None:
    document = httpx.get(f"{server.url}/openapi.json", trust_env=False).json()
    text = Seen(answered.text).text
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} {path} {operation['summary'].replace('`', '')}" in text


def test_what_a_document_says_is_text_and_no_html() -> None:
    told = "<script>alert(1)</script> & `<b>`"
    operation = {
        "tags": ["x"], "summary": told, "description": told, "security": [{}],
        "responses": {"200": {"description": told}},
        "parameters": [{"name": told, "in": "query", "required": True, "schema": {"enum": [told]}}],
    }  # fmt: skip
    shown = page(
        {
            "info": {"title": told, "version": told, "description": told},
            "tags": [{"name": "x", "description": told}],
            "paths": {f"/{told}": {"get": operation}},
        }
    )
    assert Seen(shown).tags.isdisjoint({"script", "b-injected"})
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") >= 8
