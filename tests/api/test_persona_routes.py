"""Personas over HTTP: all that a frontend shows of them, and nothing of what their model is told."""

import httpx

from tests.api.chat_server import ChatServer


def test_all_are_listed_and_one_is_the_default(server: ChatServer) -> None:
    told = httpx.get(f"{server.url}/v1/personas", trust_env=False).json()
    assert told["object"] == "list"
    personas = {persona["id"]: persona for persona in told["data"]}
    assert personas.keys() >= {"default", "documents", "companion"}
    assert [name for name, persona in personas.items() if persona["default"]] == ["default"]
    assert personas["companion"]["language"] == "zh"
    assert personas["documents"]["grounded"] == "always"
    assert personas["documents"]["title"].keys() == {"en", "zh"}


def test_what_a_model_is_told_is_not_shown(server: ChatServer) -> None:
    brain = server.assistant.personas.get("companion").brain
    assert brain.system
    told = httpx.get(f"{server.url}/v1/personas/companion", trust_env=False)
    assert told.json()["id"] == "companion"
    assert brain.system[:40] not in told.text
    assert not {"brain", "style", "modelfile", "model", "system"} & told.json().keys()


def test_one_that_is_not_there_is_told_with_those_that_are(server: ChatServer) -> None:
    told = httpx.get(f"{server.url}/v1/personas/nobody", trust_env=False)
    assert told.status_code == 404
    error = told.json()["error"]
    assert "nobody" in error["message"]
    assert "companion" in error["hint"]


def test_a_path_is_no_name(server: ChatServer) -> None:
    told = httpx.get(f"{server.url}/v1/personas/..%2fdefault", trust_env=False)
    assert told.status_code == 404
