"""What chat frontends do with a server that remembers: they resend everything, edit, and ask for titles."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.quoting import question_of
from tests.api.chat_server import ChatServer, chat_server
from tests.ollama_stand_in import Reply, StandIn

RAG = """### Task:
Respond to the user query using the provided context, incorporating inline citations in the format [id] **only when \
the <source> tag includes an explicit id attribute** (e.g., <source id="1">).

### Guidelines:
- If you don't know the answer, clearly state that.

<context>
<source id="1" name="plan.md">The launch is on 3 May.</source>
</context>

"""
"""How Open WebUI 0.12 hands its own documents on, before the question."""

TASKS = {
    "Open WebUI, title": '### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n'
    "<chat_history>\nUSER: My cat is called Tom.\n</chat_history>",
    "Open WebUI, tags": "### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history",
    "Open WebUI, emoji": "Your task is to reflect the speaker's likely facial expression through a fitting emoji. "
    "Message: ```My cat is called Tom.```",
    "LibreChat, title": "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. "
    "Only return the title itself.\n\nConversation:\nUser: My cat is called Tom.\nAI: Nice.",
    "LibreChat, language and title": "Analyze this conversation and provide:\n1. The detected language of the "
    "conversation\n2. A concise title in the detected language (5 words or less, no punctuation or quotation)\n\n"
    "User: My cat is called Tom.",
}  # fmt: skip
TOLD = [
    'Available Tools: [{"name": "weather"}]\n\nYour task is to choose and return the correct tool(s) from the list of '
    "available tools based on the query.",
    "Available Tools: []\nReturn an empty string if no tools match the query.",
    "You are a professional conversation summarizer. Generate a concise title that captures the essence of the "
    "conversation.",
    "你是一名擅长会话的助理，你需要将用户的会话总结为 10 个字以内的标题",
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, ollama: StandIn) -> Iterator[ChatServer]:
    data = tmp_path_factory.mktemp("frontends")
    with chat_server(data, chat={"engine": "ollama", "ollama": {"host": ollama.host}}) as opened:
        yield opened


def said(server: ChatServer, *texts: str, headers: dict[str, str] | None = None, **body: Any) -> str:
    """Sends a history, the user's and the assistant's messages in turn; the reply."""
    messages = [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]
    url, asked = f"{server.url}/v1/chat/completions", {"model": "companion", "messages": messages, **body}
    answered = httpx.post(url, json=asked, headers=headers or {}, timeout=30, trust_env=False)
    assert answered.status_code == 200, answered.text
    return str(answered.json()["choices"][0]["message"]["content"])


def kept(server: ChatServer, user: str = "owner") -> list[tuple[str, str]]:
    """What is kept: question and reply."""
    return [(turn.question, turn.reply) for turn in server.turns(user)]


def test_a_history_that_grows_is_one_conversation_and_kept_once(server: ChatServer, ollama: StandIn) -> None:
    history: list[str] = []
    for number, question in enumerate(("My cat is called Tom.", "And my dog Rex.", "Whose ears are longer?")):
        ollama.script = Reply(f"Reply {number}.")
        history += [question, said(server, *history, question)]
    assert kept(server) == list(zip(history[::2], history[1::2], strict=True))
    assert len({turn.conversation for turn in server.turns()}) == 1
    assert "My cat is called Tom." in [memory.text for memory in server.memories()]


def test_what_was_said_is_remembered_in_the_next_chat(server: ChatServer, ollama: StandIn) -> None:
    said(server, "My cat is called Tom.", headers={"X-OpenWebUI-Chat-Id": "one"})
    server.memories()
    said(server, "What is my cat called?", headers={"X-OpenWebUI-Chat-Id": "two"})
    assert "My cat is called Tom." in ollama.bodies("/api/chat")[-1]["messages"][-1]["content"]
    said(server, "My cat is called Tom.", "Nice.", "What is my cat called?", headers={"X-OpenWebUI-Chat-Id": "one"})
    # Here it stands in the client's own history.
    assert "<memories>" not in ollama.bodies("/api/chat")[-1]["messages"][-1]["content"]


def test_a_reply_that_is_made_anew_takes_the_place_of_the_last(server: ChatServer, ollama: StandIn) -> None:
    for text in ("First.", "Second."):
        ollama.script = Reply(text)
        said(server, "Tell me a story.")
    assert kept(server) == [("Tell me a story.", "Second.")]
    for text in ("A.", "B."):
        ollama.script = Reply(text)
        said(server, "Tell me a story.", "Second.", "Go on.")
    assert kept(server) == [("Tell me a story.", "Second."), ("Go on.", "B.")]


def test_what_is_replaced_is_not_forgotten_elsewhere(server: ChatServer, ollama: StandIn) -> None:
    said(server, "My cat is called Tom.", headers={"X-Conversation-Id": "one"})
    server.memories()
    ollama.script = Reply("You said: My cat is called Tom.")
    said(server, "What is my cat called?", headers={"X-Conversation-Id": "two"})
    said(server, "My cat is called Tom.", headers={"X-Conversation-Id": "one"})
    assert sorted(question for question, _ in kept(server)) == ["My cat is called Tom.", "What is my cat called?"]


def test_an_edited_question_takes_the_place_of_what_followed(server: ChatServer, ollama: StandIn) -> None:
    chat = {"X-OpenWebUI-Chat-Id": "c1"}
    ollama.script = Reply("Good.")
    said(server, "Let us talk.", headers=chat)
    said(server, "Let us talk.", "Good.", "My cat is called Tom.", headers=chat)
    said(server, "Let us talk.", "Good.", "My cat is called Tom.", "Good.", "She is three.", headers=chat)
    assert len(kept(server)) == 3
    assert "My cat is called Tom." in [memory.text for memory in server.memories()]
    said(server, "Let us talk.", "Good.", "My cat is called Tim.", headers=chat)
    assert kept(server) == [("Let us talk.", "Good."), ("My cat is called Tim.", "Good.")]
    told = [memory.text for memory in server.memories()]
    assert "My cat is called Tim." in told
    assert "My cat is called Tom." not in told
    assert "She is three." not in told


def test_a_failed_or_empty_reply_replaces_nothing(server: ChatServer, ollama: StandIn) -> None:
    said(server, "Tell me a story.")
    ollama.script = Reply("")
    ollama.models.clear()
    url = f"{server.url}/v1/chat/completions"
    asked = {"model": "companion", "messages": [{"role": "user", "content": "Tell me a story."}]}
    assert httpx.post(url, json=asked, trust_env=False).status_code == 503
    assert kept(server) == [("Tell me a story.", "Hello there.")]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"X-OpenWebUI-Chat-Id": "c7"}, {}),
        ({"X-Conversation-Id": "c7"}, {}),
        ({}, {"metadata": {"conversation_id": "c7"}}),
        ({}, {"metadata": {"chat_id": "c7"}}),
    ],
)
def test_a_conversation_is_what_the_client_calls_so(
    server: ChatServer, headers: dict[str, str], body: dict[str, Any]
) -> None:
    """Some send the last message alone, and cut the beginning of a long history."""
    for question in ("One.", "Two.", "Two."):
        said(server, question, headers=headers, **body)
    assert len({turn.conversation for turn in server.turns()}) == 1
    assert [question for question, _ in kept(server)] == ["One.", "Two.", "Two."]


@pytest.mark.parametrize("unsaid", ["", "new", "{{LIBRECHAT_BODY_CONVERSATIONID}}", "{{CHAT_ID}}", "null"])
def test_what_stands_for_no_id_is_none(server: ChatServer, unsaid: str) -> None:
    said(server, "One.", headers={"X-Conversation-Id": unsaid})
    said(server, "Another.", headers={"X-Conversation-Id": unsaid})
    assert len({turn.conversation for turn in server.turns()}) == 2


def test_users_and_personas_keep_apart_whatever_id_they_send(server: ChatServer) -> None:
    chat = {"X-Conversation-Id": "c1"}
    said(server, "I am Ann.", headers=chat, user="ann")
    said(server, "I am Ben.", headers=chat, user={"id": "ben", "name": "Ben", "email": "b@x", "role": "user"})
    said(server, "I am Ann.", headers=chat, user="ann", model="default")
    ann, ben = server.turns("ann"), server.turns("ben")
    assert [(turn.question, turn.persona) for turn in ann] == [("I am Ann.", "companion"), ("I am Ann.", "default")]
    assert [turn.question for turn in ben] == ["I am Ben."]
    assert len({turn.conversation for turn in [*ann, *ben]}) == 3


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_what_a_frontend_asks_for_itself_is_answered_plainly_and_not_kept(
    server: ChatServer, ollama: StandIn, task: str
) -> None:
    ollama.script = Reply('{"title": "Tom [1] <b>"}')
    assert said(server, task, stream=False) == '{"title": "Tom [1] <b>"}'
    sent = ollama.bodies("/api/chat")[-1]
    assert [(message["role"], message["content"]) for message in sent["messages"]] == [("user", task)]
    assert "tools" not in sent
    assert kept(server) == []
    assert server.memories() == []


@pytest.mark.parametrize("system", TOLD)
def test_some_tasks_are_told_by_system_messages(server: ChatServer, ollama: StandIn, system: str) -> None:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "user: My cat is called Tom."}]
    assert said(server, messages=messages) == "Hello there."
    assert [message["content"] for message in ollama.bodies("/api/chat")[-1]["messages"]] == [
        system, "user: My cat is called Tom."
    ]  # fmt: skip
    assert kept(server) == []


@pytest.mark.parametrize("header", ["X-OpenWebUI-Task", "X-Task"])
def test_a_header_may_say_that_it_is_a_task(server: ChatServer, header: str) -> None:
    said(server, "A title for this, please", headers={header: "title_generation"})
    assert kept(server) == []
    said(server, "A title for this, please", headers={header: "{{TASK}}"})
    assert len(kept(server)) == 1


def test_open_webui_s_own_documents_are_no_words_of_the_user_s(server: ChatServer, ollama: StandIn) -> None:
    said(server, RAG + "When is the launch?")
    asked = ollama.bodies("/api/chat")[-1]["messages"][-1]["content"]
    assert question_of(asked) == RAG + "When is the launch?"
    assert kept(server) == [("When is the launch?", "Hello there.")]


def test_a_question_fits_beside_the_tools_that_open_webui_offers(tmp_path: Path, ollama: StandIn) -> None:
    """Version 0.12.4 offers 28 tools with each question, unless it is told not to: 20,000 bytes, which are 4,300 tokens
    in cl100k_base. Half as many again do not fit beside it, and then the tools are named."""

    def tools(count: int) -> list[dict[str, Any]]:
        described = {"type": "string", "description": "The unique ID of the event, as found by searching. " * 2}
        schema = {"type": "object", "properties": {f"event_{at}": described for at in range(4)}, "required": []}
        told = "Update."
        return [
            {"type": "function", "function": {"name": f"tool_{at}", "description": told, "parameters": schema}}
            for at in range(count)
        ]

    assert len(json.dumps(tools(28), separators=(",", ":"))) == pytest.approx(20_000, rel=0.02)
    with chat_server(tmp_path / "data", chat={"engine": "ollama", "ollama": {"host": ollama.host}}) as fresh:
        assert said(fresh, "What is my cat called?", tools=tools(28)) == "Hello there."
        asked = {"model": "companion", "messages": [{"role": "user", "content": "Hello?"}], "tools": tools(42)}
        refused = httpx.post(f"{fresh.url}/v1/chat/completions", json=asked, trust_env=False)
    assert refused.status_code == 413
    assert re.search(r"[78]\d{3} of them for the tools; 7168 are free", refused.json()["error"]["message"])
    assert len(ollama.bodies("/api/chat")[-1]["tools"]) > 28


def test_a_question_about_tasks_is_none(server: ChatServer) -> None:
    said(server, "Please write a short title for my poem.")
    said(server, "What does ### Task: mean?")
    assert len(kept(server)) == 2


def test_a_greeting_of_the_frontend_s_stands_before_the_first_question(server: ChatServer, ollama: StandIn) -> None:
    messages = [
        {"role": "system", "content": "You are Lady Ada."},
        {"role": "assistant", "content": "Good evening, traveller."},
        {"role": "user", "content": "Who are you?"},
    ]
    said(server, messages=messages)
    sent = ollama.bodies("/api/chat")[-1]["messages"]
    assert (sent[-2]["role"], sent[-2]["content"]) == ("assistant", "Good evening, traveller.")
    assert kept(server) == [("Who are you?", "Hello there.")]


def test_a_reply_that_is_continued_is_kept_whole(server: ChatServer, ollama: StandIn) -> None:
    ollama.script = Reply(" there was a cat.")
    messages = [{"role": "user", "content": "Tell me a story."}, {"role": "assistant", "content": "Once upon a time"}]
    said(server, messages=messages)
    assert ollama.bodies("/api/chat")[-1]["messages"][-1]["content"] == "Once upon a time"
    assert kept(server) == [("Tell me a story.", "Once upon a time there was a cat.")]


def test_a_continued_reply_is_kept_once_where_the_first_question_was_edited(
    server: ChatServer, ollama: StandIn
) -> None:
    chat = {"X-OpenWebUI-Chat-Id": "c2"}
    for question in ("Tell me a story.", "Tell me a tale."):
        ollama.script = Reply("Once upon a time")
        said(server, question, headers=chat)
    ollama.script = Reply(" there was a cat.")
    said(server, "Tell me a tale.", "Once upon a time", headers=chat)
    # What the edited one replaced cannot be told from a history that the client left out.
    assert kept(server) == [
        ("Tell me a story.", "Once upon a time"),
        ("Tell me a tale.", "Once upon a time there was a cat."),
    ]


def test_a_long_history_loses_its_oldest_turns_and_no_more(server: ChatServer, ollama: StandIn) -> None:
    history = [f"{'question' if at % 2 == 0 else 'reply'} {at} " + "word " * 200 for at in range(80)]
    said(server, *history, "And now?", model="default")
    sent = [message["content"] for message in ollama.bodies("/api/chat")[-1]["messages"]]
    assert sent[0].startswith(server.assistant.personas.get("default").brain.system.strip())
    assert question_of(sent[-1]) == "And now?"
    assert sent[-2] == history[-1]
    assert history[0] not in sent
    said(server, *history, "And now?", "Nothing.", "And then?", model="default")
    # It begins the same, so that the model need not read all of it anew.
    again = [message["content"] for message in ollama.bodies("/api/chat")[-1]["messages"]]
    assert again[: len(sent) - 1] == sent[:-1]
