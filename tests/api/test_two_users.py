"""Two users of one server, told apart by their keys or by their frontend: neither meets what is the other's."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import create_task_group

from agent.assistant import open_assistant
from api.app import create_app
from api.service import Service
from configs.settings import load_settings
from tests.api.chat_server import ChatServer
from tests.api.guarded_app import bearer, created
from tests.api.test_forwarded_users import claims, signed
from tests.ollama_stand_in import Reply, StandIn

SECRET = "open sesame, and not a word more"
Headers = dict[str, str]
Pair = tuple[Headers, Headers]


def two_keys(data: Path) -> Pair:
    ann, ben = (bearer(created(data, name, "chat", "memory")) for name in ("ann", "ben"))
    return ann, ben


def named(data: Path) -> Pair:
    key = bearer(created(data, "librechat", "chat", "memory", trusted_headers=True))
    return key | {"X-User-Id": "ann"}, key | {"X-User-Id": "ben"}


def vouched_for(data: Path) -> Pair:
    key = bearer(created(data, "webui", "chat", "memory", user_secret=SECRET))
    ann, ben = ({"X-OpenWebUI-User-Jwt": signed(claims(sub=user), secret=SECRET)} for user in ("ann", "ben"))
    return key | ann, key | ben


@pytest.fixture
def data(server: ChatServer) -> Iterator[Path]:
    """The data folder, whose keys are taken away in the end."""
    folder = server.assistant.settings.data
    yield folder
    (folder / "keys.json").unlink(missing_ok=True)


@pytest.fixture(params=[two_keys, named, vouched_for])
def callers(request: pytest.FixtureRequest, data: Path) -> Pair:
    """The headers of Ann's calls, and of Ben's."""
    told_apart: Callable[[Path], Pair] = request.param
    return told_apart(data)


def post(server: ChatServer, path: str, headers: Headers, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, headers=headers, timeout=30, trust_env=False)


def chat(server: ChatServer, headers: Headers, text: str, **body: Any) -> httpx.Response:
    messages = [{"role": "user", "content": text}]
    return post(server, "/v1/chat/completions", headers, **{"model": "companion", "messages": messages, **body})


def respond(server: ChatServer, headers: Headers, text: str, **body: Any) -> httpx.Response:
    return post(server, "/v1/responses", headers, **{"model": "companion", "input": text, **body})


def ollama_chat(server: ChatServer, headers: Headers, text: str) -> httpx.Response:
    messages = [{"role": "user", "content": text}]
    return post(server, "/api/chat", headers, model="companion:latest", messages=messages, stream=False)


def told(ollama: StandIn) -> str:
    """All that the model was told last."""
    return json.dumps(ollama.bodies("/api/chat")[-1], ensure_ascii=False)


@pytest.mark.parametrize("door", [chat, respond, ollama_chat])
def test_the_same_conversation_of_two_users_is_two(
    server: ChatServer, ollama: StandIn, callers: Pair, door: Callable[..., httpx.Response]
) -> None:
    ann, ben = callers
    one, two = {"X-Conversation-Id": "one"}, {"X-Conversation-Id": "two"}
    assert door(server, ann | one, "My cat is called Tom.").is_success
    assert [memory.text for memory in server.memories("ann")] == ["My cat is called Tom."]
    assert door(server, ben | one, "What is my cat called?").is_success
    assert "Tom" not in told(ollama)
    assert door(server, ann | two, "What is my cat called?").is_success
    assert "Tom" in told(ollama)
    # As when a reply is made anew.
    assert door(server, ben | one, "My cat is called Tom.").is_success
    conversations = {
        user: {(turn.conversation, turn.question) for turn in server.turns(user)} for user in ("ann", "ben")
    }
    assert {question for _, question in conversations["ann"]} == {"My cat is called Tom.", "What is my cat called?"}
    assert not {name for name, _ in conversations["ann"]} & {name for name, _ in conversations["ben"]}
    assert server.turns("webui") == server.turns("librechat") == []


def test_a_guessed_id_opens_nothing(server: ChatServer, ollama: StandIn, callers: Pair) -> None:
    ann, ben = callers
    assert chat(server, ann, "My cat is called Tom.").is_success
    (note,), (turn,) = server.memories("ann"), server.turns("ann")
    with httpx.Client(base_url=server.url, headers=ben, trust_env=False, timeout=30) as client:
        assert client.get("/v1/memory").json()["data"] == []
        assert client.patch(f"/v1/memory/{note.id}", json={"text": "x"}).status_code == 404
        assert client.delete(f"/v1/memory/{note.id}").status_code == 404
        assert client.get("/v1/memory?user=ann").status_code == 403
        assert client.get(f"/v1/turns?conversation={turn.conversation}").json()["data"] == []
        assert client.get(f"/v1/turns?conversation={turn.conversation}&user=ann").status_code == 403
        assert client.get(f"/v1/turns/{turn.id}").status_code == 404
        assert client.get("/v1/knowledge/documents").status_code == 403
        asked = client.post("/v1/ask", json={"text": "Well?", "speak": False, "conversation": turn.conversation})
        assert asked.status_code == 403
        assert client.delete("/v1/memory?about=Tom").json()["memories"] == 0
        assert client.delete("/v1/memory?all=true").json()["memories"] == 0
    follows = respond(server, ben, "And?", previous_response_id=f"resp_{turn.id}")
    assert follows.json()["error"]["code"] == "previous_response_not_found"
    reference = [{"type": "item_reference", "id": f"msg_{turn.id}"}, {"role": "user", "content": "And?"}]
    assert respond(server, ben, "", input=reference).json()["error"]["param"] == "input.0"
    assert len(ollama.bodies("/api/chat")) == 1
    own = [{"id": f"msg_{turn.id}", "role": "assistant", "content": "Hm."}, {"role": "user", "content": "And?"}]
    assert respond(server, ben, "", input=own).is_success
    assert chat(server, ben, "And?", metadata={"conversation_id": turn.conversation}).is_success
    assert turn.conversation not in {each.conversation for each in server.turns("ben")}
    assert (server.memories("ann"), server.turns("ann")) == ([note], [turn])


def test_a_conversation_that_was_begun_by_another_beforehand_holds_nothing_for_them(
    server: ChatServer, ollama: StandIn, callers: Pair
) -> None:
    """Its id can be computed by who knows Ann's name, and how she begins."""
    ann, ben = callers
    chat(server, ann, "Hello!")
    (conversation,) = {turn.conversation for turn in server.turns("ann")}
    server.forget()
    lies_in_wait = {"text": "Hello!", "speak": False, "persona": "companion", "conversation": conversation}
    assert post(server, "/v1/ask", ben, **lies_in_wait).is_success
    messages = [("user", "Hello!"), ("assistant", "Hello there."), ("user", "My cat is called Tom.")]
    history = [{"role": role, "content": text} for role, text in messages]
    assert chat(server, ann, "Hello!").is_success
    assert chat(server, ann, "", messages=history).is_success
    (his,) = server.turns("ben")
    follow = respond(server, ben, "What did I say?", previous_response_id=f"resp_{his.id}")
    assert follow.is_success
    assert "Tom" not in told(ollama)
    again = respond(server, ben, "What did I say?", previous_response_id=follow.json()["id"])
    assert again.is_success
    assert "Tom" not in told(ollama)
    assert post(server, "/v1/ask", ben, **lies_in_wait).status_code == 403
    # Nor has it cost Ann anything.
    assert [turn.question for turn in server.turns("ann")] == ["Hello!", "My cat is called Tom."]


@pytest.mark.anyio
async def test_a_conversation_that_two_begin_at_once_is_one_s_alone(data_folder: Path) -> None:
    pair = two_keys(data_folder)
    settings = load_settings(chat={"engine": "extractive"}, embeddings={"engine": "hashed"})
    statuses: list[int] = []
    async with open_assistant(settings, hears=False, speaks=False) as assistant:
        transport = httpx.ASGITransport(create_app(assistant, Service()))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:

            async def ask(headers: Headers) -> None:
                asked = {"text": "Hello!", "speak": False, "conversation": "c"}
                statuses.append((await client.post("/v1/ask", json=asked, headers=headers)).status_code)

            async with create_task_group() as tasks:
                for headers in pair:
                    tasks.start_soon(ask, headers)
        assert sorted(statuses) == [200, 403]
        assert len(await assistant.store.turns.users("c")) == 1


def test_users_that_a_trusted_body_names_are_kept_apart(server: ChatServer, ollama: StandIn, data: Path) -> None:
    key = bearer(created(data, "lobechat", "chat", "memory", trusted_headers=True))
    spoken = {"modalities": ["text", "audio"], "audio": {"voice": "default", "format": "wav"}}
    said = chat(server, key, "My cat is called Tom.", user="ann", **spoken).json()["choices"][0]["message"]
    (turn,) = server.turns("ann")
    history = [
        {"role": "user", "content": "My cat is called Tom."},
        {"role": "assistant", "audio": {"id": said["audio"]["id"]}},
        {"role": "user", "content": "Go on."},
    ]
    assert chat(server, key, "", messages=history, user="ben").json()["error"]["param"] == "messages.1.audio"
    assert chat(server, key, "", messages=history, user={"id": "ann", "name": "Ann"}).is_success
    follows = {"previous_response_id": f"resp_{turn.id}"}
    assert respond(server, key, "And?", user="ben", **follows).status_code == 400
    assert respond(server, key, "And?", user="ann", **follows).is_success
    assert chat(server, key, "What is my cat called?", user="ben").is_success
    assert "Tom" not in told(ollama)


@pytest.mark.parametrize("user", ["ann", {"id": "ann", "email": "ann@example.org", "name": "Ann", "role": "admin"}])
def test_a_body_names_no_other_user_where_the_key_may_not(server: ChatServer, data: Path, user: object) -> None:
    for headers in (bearer(created(data, "ben", "chat")), vouched_for(data)[1]):
        assert chat(server, headers, "I am Ann.", user=user).is_success
    assert respond(server, bearer(created(data, "other", "chat", user="ben")), "I am Ann.", user="ann").is_success
    assert server.turns("ann") == []
    assert [turn.question for turn in server.turns("ben")].count("I am Ann.") >= 2


@pytest.mark.parametrize(
    ("user", "whose"),
    [
        ({"id": 7, "email": "ann@example.org", "name": "Ann"}, "7"),
        ({"id": None, "email": "ann", "name": "Ann"}, "ann"),
        # Others may be called so too.
        ({"name": "ann"}, "lobechat"),
        ({"id": {"id": "ann"}}, "lobechat"),
        ({}, "lobechat"),
        ("", "lobechat"),
        ("None", "lobechat"),
        ("undefined", "lobechat"),
        ("{{LIBRECHAT_USER_ID}}", "lobechat"),
    ],
)
def test_what_a_trusted_body_may_call_a_user(server: ChatServer, data: Path, user: object, whose: str) -> None:
    key = bearer(created(data, "lobechat", "chat", "memory", trusted_headers=True))
    try:
        assert chat(server, key, "Hello!", user=user).is_success
        assert [turn.question for turn in server.turns(whose)] == ["Hello!"]
    finally:
        server.portal.call(server.assistant.store.memories.forget_all, whose)


def test_a_user_that_cannot_be_one_is_refused(server: ChatServer, data: Path) -> None:
    key = bearer(created(data, "lobechat", "chat", trusted_headers=True))
    for door in (chat, respond):
        assert door(server, key, "Hello!", user="x" * 201).status_code == 400
        assert door(server, key, "Hello!", user="a\nb").status_code == 400


def test_a_forged_user_is_refused_in_the_form_of_each_door(server: ChatServer, ollama: StandIn, data: Path) -> None:
    key = bearer(created(data, "webui", "chat", user_secret=SECRET))
    forged = key | {"X-OpenWebUI-User-Jwt": signed(claims(), {"alg": "none"})}
    for door in (chat, respond):
        refused = door(server, forged, "Hello!")
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_user_token")
    refused = ollama_chat(server, forged, "Hello!")
    assert refused.status_code == 401
    assert refused.json().keys() == {"error"}
    assert "not signed with HS256" in refused.json()["error"]
    assert ollama.bodies("/api/chat") == []


def test_a_task_is_one_whoever_asks_and_through_whichever_door(
    server: ChatServer, ollama: StandIn, callers: Pair
) -> None:
    ollama.script = Reply("Cats")
    for door in (chat, respond, ollama_chat):
        assert door(server, callers[0] | {"X-Task": "title_generation"}, "A title for: my cat is Tom.").is_success
    assert server.turns("ann") == []
    assert server.memories("ann") == []
