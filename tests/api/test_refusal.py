"""Where a value is wrong: told by fields and positions as the client sent them, whatever else it could have been."""

from typing import Any

import httpx
import pytest

from tests.api.chat_server import ChatServer

USER: dict[str, Any] = {"role": "user", "content": "你好？"}
WIZARD = {"role": "wizard", "content": "x"}
CHAT, RESPONSES, EMBEDDINGS, SPEECH = (
    "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/audio/speech"
)  # fmt: skip
SOUND: dict[str, Any] = {"model": "tts-1", "input": "a"}


def post(server: ChatServer, path: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", timeout=30, trust_env=False, **body)


@pytest.mark.parametrize(
    ("path", "sent", "param"),
    [
        (CHAT, {"messages": [USER]}, "model"),
        (CHAT, {"model": "companion", "messages": "你好？"}, "messages"),
        (CHAT, {"model": "companion", "messages": [USER, WIZARD]}, "messages.1.role"),
        (CHAT, {"model": "companion", "messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        (CHAT, {"model": "companion", "messages": [USER], "stop": 5}, "stop"),
        (CHAT, {"model": "companion", "messages": [USER], "stop": ["a", 5]}, "stop.1"),
        (CHAT, {"model": "companion", "messages": [USER], "tool_choice": 5}, "tool_choice"),
        (CHAT, {"model": "companion", "messages": [USER], "audio": {"voice": 5}}, "audio.voice"),
        (RESPONSES, {"model": "companion", "input": 5}, "input"),
        (RESPONSES, {"model": "companion", "input": [USER, WIZARD]}, "input.1.role"),
        (EMBEDDINGS, {"model": "hashed", "input": ""}, "input"),
        (EMBEDDINGS, {"model": "hashed", "input": ["a", ""]}, "input.1"),
        (SPEECH, {**SOUND, "voice": 5}, "voice"),
        (SPEECH, {**SOUND, "voice": {"id": 5}}, "voice.id"),
    ],
)
def test_a_wrong_value_is_told_by_its_place(server: ChatServer, path: str, sent: dict[str, Any], param: str) -> None:
    refused = post(server, path, json=sent)
    error = refused.json()["error"]
    assert (refused.status_code, error["param"], error["code"]) == (400, param, "invalid_value")
    assert error["message"].startswith(f"{param}: ")


@pytest.mark.parametrize("path", [CHAT, RESPONSES, EMBEDDINGS, SPEECH])
def test_what_is_no_json_is_wrong_nowhere(server: ChatServer, path: str) -> None:
    refused = post(server, path, content=b'{"model": ', headers={"content-type": "application/json"})
    error = refused.json()["error"]
    assert (refused.status_code, error["param"]) == (400, None)
    assert "JSON" in error["message"]


def test_a_wrong_part_of_an_address_is_told_by_its_name(server: ChatServer) -> None:
    refused = httpx.get(f"{server.url}/v1/turns?conversation=c&limit=0", trust_env=False)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "limit")


def test_ollama_s_clients_are_told_the_same(server: ChatServer) -> None:
    refused = post(server, "/api/chat", json={"model": "companion", "messages": [USER], "format": "xml"})
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("format: ")
