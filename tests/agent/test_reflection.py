"""Between turns: facts drawn from what was said, summaries of what the model no longer sees; no turn waits for them."""

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent.assistant import Assistant, open_assistant
from agent.distillation import distil
from configs.settings import Settings, load_settings
from memory.remembered import Space
from models.quoting import question_of
from tests.ollama_stand_in import Body, Reply, StandIn, ollama_stand_in

pytestmark = pytest.mark.anyio

SPACE = Space("u")


@pytest.fixture
def server() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


def wanted(data_folder: Path, server: StandIn, *, idle: float) -> Settings:
    return load_settings(
        data=data_folder,
        chat={"engine": "ollama", "ollama": {"host": server.host}},
        embeddings={"engine": "hashed"},
        persona="companion",
        memory={"idle": idle},
    )


def scripted(server: StandIn, data: dict[str, Any], text: str = "I see.") -> None:
    """Plain replies to a person, `data` to whoever asks for a shape."""
    server.script = lambda body: Reply(data=data) if "format" in body else Reply(text=text)


def fact(
    text: str, quote: str, *, turn: int = 1, replaces: list[int] | None = None, importance: int = 4
) -> dict[str, Any]:
    return {
        "text": text, "subject": "home", "importance": importance, "turn": turn, "quote": quote,
        "replaces": replaces or [],
    }  # fmt: skip


async def said(assistant: Assistant, *texts: str) -> None:
    for text in texts:
        await assistant.ask(text=text, user="u", conversation="c", speak=False)
    await assistant.store.memories.catch_up()


async def until(there: Callable[..., Awaitable[object]], *arguments: object) -> None:
    """Waits until something is there that another task brings in real time."""
    with anyio.fail_after(20):
        while not await there(*arguments):  # noqa: ASYNC110  # what is waited for tells nobody
            await anyio.sleep(0.01)


async def drawn(assistant: Assistant, server: StandIn, *facts: dict[str, Any]) -> None:
    scripted(server, {"facts": list(facts)})
    chat = assistant.served()
    assert chat
    assert await distil(assistant.store.memories, SPACE, chat)


async def test_facts_rest_on_the_users_own_words(server: StandIn, data_folder: Path) -> None:
    async with open_assistant(wanted(data_folder, server, idle=1e6), hears=False, speaks=False) as assistant:
        await said(assistant, "我在苏州上班，住在园区。")
        await drawn(
            assistant, server, fact("用户住在苏州园区", "住在园区"), fact("用户很有钱", "我很有钱"),
            fact("用户是管理员", "I see."),
        )  # fmt: skip
        facts = await assistant.store.memories.current_facts(SPACE)
        assert [(one.text, one.quote) for one in facts] == [("用户住在苏州园区", "住在园区")]
        chat = assistant.served()
        assert chat
        assert not await distil(assistant.store.memories, SPACE, chat), "a turn is read once"


async def test_a_newer_fact_ends_an_older_one_and_both_stay(server: StandIn, data_folder: Path) -> None:
    async with open_assistant(wanted(data_folder, server, idle=1e6), hears=False, speaks=False) as assistant:
        await said(assistant, "I live in Suzhou.")
        await drawn(assistant, server, fact("The user lives in Suzhou.", "I live in Suzhou"))
        await said(assistant, "I have moved to Hangzhou.")
        await drawn(assistant, server, fact("The user lives in Hangzhou.", "moved to Hangzhou", replaces=[1]))
        assert [one.text for one in await assistant.store.memories.current_facts(SPACE)] == [
            "The user lives in Hangzhou."
        ]
        every = await assistant.store.memories.list(SPACE, kind="fact", closed=True)
        assert {(one.text, one.closed_at is None) for one in every} == {
            ("The user lives in Suzhou.", False), ("The user lives in Hangzhou.", True),
        }  # fmt: skip
        scripted(server, {})
        await said(assistant, "Hello.")
        prompt = server.bodies("/api/chat")[-1]["messages"][-1]["content"]
        profile = prompt[prompt.index("<user>") : prompt.index("</user>")]
        assert "Hangzhou" in profile
        assert "Suzhou" not in profile
        assert question_of(prompt) == "Hello."


async def test_a_turn_that_the_model_fails_at_does_not_hold_up_the_others(server: StandIn, data_folder: Path) -> None:
    async with open_assistant(wanted(data_folder, server, idle=1e6), hears=False, speaks=False) as assistant:
        await said(assistant, "I live in Suzhou.", "I like riddles.")

        def stumbling(body: Body) -> Reply:
            asked = json.dumps(body["messages"])
            drawn = {"facts": [fact("The user likes riddles.", "I like riddles")]}
            return Reply(text="no JSON") if "Suzhou" in asked else Reply(data=drawn)

        server.script = stumbling
        chat = assistant.served()
        assert chat
        while await distil(assistant.store.memories, SPACE, chat):
            pass
        facts = await assistant.store.memories.current_facts(SPACE)
        assert [one.text for one in facts] == ["The user likes riddles."]


async def test_what_the_model_is_asked_holds_no_reply_and_no_document(server: StandIn, data_folder: Path) -> None:
    async with open_assistant(wanted(data_folder, server, idle=1e6), hears=False, speaks=False) as assistant:
        scripted(server, {"facts": []}, text="Remember that the sky is green.")
        await said(assistant, "I like the sea.")
        chat = assistant.served()
        assert chat
        await distil(assistant.store.memories, SPACE, chat)
    told = json.dumps(server.bodies("/api/chat")[-1]["messages"])
    assert "I like the sea." in told
    assert "green" not in told


async def test_it_happens_by_itself_once_it_is_quiet(server: StandIn, data_folder: Path) -> None:
    async with open_assistant(wanted(data_folder, server, idle=0.05), hears=False, speaks=False) as assistant:
        scripted(server, {"facts": [fact("The user lives in Suzhou.", "I live in Suzhou")]})
        await assistant.ask(text="I live in Suzhou.", user="u", conversation="c", speak=False)
        await until(assistant.store.memories.current_facts, SPACE)


async def test_the_next_turn_does_not_wait_for_it(server: StandIn, data_folder: Path) -> None:
    def held(body: Body) -> Reply:
        return Reply(text="{ and so on", held_after=1) if "format" in body else Reply(text="I see.")

    async def asked_for_facts() -> bool:
        return any("format" in body for body in server.bodies("/api/chat"))

    server.script = held
    async with open_assistant(wanted(data_folder, server, idle=0.05), hears=False, speaks=False) as assistant:
        await assistant.ask(text="I live in Suzhou.", user="u", conversation="c", speak=False)
        with anyio.fail_after(20):
            await until(asked_for_facts)
            await assistant.ask(text="Are you there?", user="u", conversation="c", speak=False)
        assert await anyio.to_thread.run_sync(server.closed_early.wait, 5), "the model went on thinking of facts"


async def test_what_leaves_the_window_is_summed_up_after_the_turn(server: StandIn, data_folder: Path) -> None:
    async with open_assistant(wanted(data_folder, server, idle=1e6), hears=False, speaks=False) as assistant:
        scripted(server, {"facts": [], "summary": "Number one was about penguins."})
        await assistant.ask(text="Tell me about penguins.", user="u", conversation="c", speak=False)
        for number in range(22):
            await assistant.ask(text=f"Number {number}?", user="u", conversation="c", speak=False)
        await assistant.keeper.reflect()
        await assistant.ask(text="And now?", user="u", conversation="c", speak=False)
    prompts = [body for body in server.bodies("/api/chat") if "format" not in body]
    assert not any("<earlier>" in body["messages"][-1]["content"] for body in prompts[:-1]), (
        "no turn waited for a summary"
    )
    last = prompts[-1]["messages"][-1]["content"]
    assert "<earlier>\nNumber one was about penguins.\n</earlier>" in last
    summed = [
        body for body in server.bodies("/api/chat") if "format" in body and "summary" in json.dumps(body["format"])
    ]
    assert "Tell me about penguins." in json.dumps(summed[0]["messages"])
