"""The assistant over Ollama: warm from the start, on the hosts that the settings name, and closed in the end."""

from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from langchain_core.messages import HumanMessage
from pydantic import BaseModel

from agent.assistant import Assistant, open_assistant
from agent.events import TokensUsed, TurnEnded
from configs import settings
from configs.errors import EngineFailed, EngineUnavailable
from models.engines.ollama import OllamaChat, open_chat
from models.engines.ollama_probe import CONNECT_SECONDS, client_options
from models.engines.ollama_structured import structured
from models.selection import Choice
from tests.ollama_prompts import prompt_tokens
from tests.ollama_stand_in import Fail, Reply, StandIn, ollama_stand_in

pytestmark = pytest.mark.anyio


@pytest.fixture
def server() -> Any:
    with ollama_stand_in() as stand_in:
        yield stand_in


def wanted(data_folder: Path, **ollama: Any) -> settings.Settings:
    return settings.load_settings(
        data=data_folder,
        chat={"engine": "ollama", "ollama": ollama},
        embeddings={"engine": "hashed"},
        text_to_speech={"engine": "fake"},
        persona="companion",
    )


def chat_of(assistant: Assistant) -> Choice:
    (choice,) = [choice for choice in assistant.choices if choice.slot == "chat"]
    return choice


async def test_a_warm_assistant_has_sent_what_its_first_turn_begins_with(server: StandIn, data_folder: Path) -> None:
    async with open_assistant(wanted(data_folder, host=server.host), hears=False) as assistant:
        await assistant.warm()
        assert chat_of(assistant).better == ""
        ended = await assistant.ask(text="今天怎么样？")
    warm, first = server.bodies("/api/chat")
    assert first["messages"][: len(warm["messages"]) - 1] == warm["messages"][:-1]
    assert warm["tools"] == first["tools"]
    assert (ended.outcome, ended.reply) == ("completed", "Hello there.")
    assert ended.usage == TokensUsed(prompt_tokens(first), len(["Hello", " there."]))


async def test_each_turn_is_told_with_the_model_that_answers_it(server: StandIn, data_folder: Path) -> None:
    """Also of the persona that was made first, after another one was asked."""
    personas = data_folder / "personas"
    personas.mkdir(parents=True)
    (personas / "small.Modelfile").write_text("FROM qwen3:0.6b\n", encoding="utf-8")
    (personas / "small.yaml").write_text("grounded: never\n", encoding="utf-8")
    server.models.append("qwen3:0.6b")
    told: list[TurnEnded] = []
    async with open_assistant(wanted(data_folder, host=server.host), hears=False) as assistant:
        assistant.watchers.append(told.append)
        for persona in ("companion", "small", "companion"):
            await assistant.ask(text="Hi", persona=persona)
        assert chat_of(assistant).model == "qwen3:8b"
    served = [{choice.slot: (choice.engine, choice.model) for choice in turn.engines} for turn in told]
    assert [turn["chat"] for turn in served] == [("ollama", f"qwen3:{size}") for size in ("8b", "0.6b", "8b")]
    assert served[0].keys() == {"chat", "embeddings", "text_to_speech"}


async def test_one_that_stays_cold_says_so_and_answers_all_the_same(server: StandIn, data_folder: Path) -> None:
    server.script = Reply(fail=Fail(status=500, words="llama runner process has terminated"))
    async with open_assistant(wanted(data_folder, host=server.host), hears=False) as assistant:
        await assistant.warm()
        cold = chat_of(assistant)
        assert cold.engine == "ollama"
        assert "ollama with its model loaded" in cold.better
        assert "llama runner process has terminated" in cold.better
        assert cold.remedy
        server.script = Reply(text="Here I am.")
        assert (await assistant.ask(text="Hello?")).reply == "Here I am."
        await assistant.warm()
        assert (chat_of(assistant).better, chat_of(assistant).remedy) == ("", "")


async def test_an_embedded_assistant_has_nothing_to_warm(data_folder: Path) -> None:
    embedded = settings.load_settings(
        data=data_folder,
        chat={"engine": "extractive"},
        embeddings={"engine": "hashed"},
        text_to_speech={"engine": "fake"},
    )
    async with open_assistant(embedded, hears=False) as assistant:
        await assistant.warm()
        assert chat_of(assistant).better == ""
        assert (await assistant.ask(text="Who is the king?")).usage is None


async def test_all_hosts_are_warmed_and_all_connections_closed(server: StandIn, data_folder: Path) -> None:
    with ollama_stand_in() as second:
        hosts = (server.host, second.host)
        async with open_assistant(wanted(data_folder, hosts=hosts), hears=False) as assistant:
            await assistant.warm()
            for number in range(6):
                assert (await assistant.ask(text="Hi", conversation=f"c{number}")).outcome == "completed"
            _, talk, _ = next(iter(assistant._conversations.values()))
            members = cast("Any", talk).chat.members
            assert not any(_client(member).is_closed for member in members)
        assert all(_client(member).is_closed for member in members)
        asked = [len(found.bodies("/api/chat")) for found in (server, second)]
        assert sum(asked) == 2 + 6
        assert min(asked) >= 1


def _client(chat: OllamaChat) -> httpx.AsyncClient:
    return cast("Any", chat._async_client)._client  # type: ignore[no-any-return]


class Fact(BaseModel):
    """Something that the user said of himself."""

    subject: str
    sure: bool


class TestStructured:
    MESSAGES = (HumanMessage("I live in 上海."),)

    async def of(self, server: StandIn, reply: Reply, **options: Any) -> Fact:
        server.script = reply
        chat = open_chat(
            settings.OllamaChat(host=server.host), "qwen3:8b", {"temperature": 0.7, **options}, reasoning=True
        )
        try:
            return await structured(chat, Fact, self.MESSAGES)
        finally:
            await chat.aclose()

    async def test_the_server_is_given_the_schema_and_no_room_for_chance_or_thought(self, server: StandIn) -> None:
        reply = Reply(text="never sent", thinking="hidden", data={"subject": "住在上海", "sure": True})
        assert await self.of(server, reply, top_k=20) == Fact(subject="住在上海", sure=True)
        (body,) = server.bodies("/api/chat")
        assert body["format"]["required"] == ["subject", "sure"]
        assert body["format"]["properties"]["sure"] == {"title": "Sure", "type": "boolean"}
        assert body["think"] is False
        assert body["options"] == {"temperature": 0, "top_k": 20, "num_predict": 4096, "num_ctx": 8192}

    @pytest.mark.parametrize(
        ("reply", "told"),
        [
            (Reply(data={"subject": "x"}), "sure: Field required"),
            (Reply(text="I cannot do that."), "the whole reply: Invalid JSON"),
        ],
    )
    async def test_what_does_not_fit_is_an_error(self, server: StandIn, reply: Reply, told: str) -> None:
        with pytest.raises(EngineFailed, match="'qwen3:8b' gave no Fact") as failed:
            await self.of(server, reply)
        assert told in failed.value.message

    async def test_a_reply_that_was_cut_short_is_an_error(self, server: StandIn) -> None:
        with pytest.raises(EngineFailed, match="limit of 2 tokens came first") as failed:
            await self.of(server, Reply(data={"subject": "a b c d", "sure": True}), num_predict=2)
        assert "num_predict" in failed.value.hint

    async def test_it_fails_as_a_reply_does(self, server: StandIn) -> None:
        with pytest.raises(EngineUnavailable, match="busy"):
            await self.of(server, Reply(fail=Fail(status=503, words="server busy")))


class TestTimeouts:
    def test_a_connection_is_waited_for_less_than_a_token(self) -> None:
        timeout = client_options("http://127.0.0.1:11434", settings.OllamaChat().timeout)["timeout"]
        assert (timeout.connect, timeout.read) == (CONNECT_SECONDS, 120) == (3.0, 120)
        assert client_options("http://127.0.0.1:11434", 1)["timeout"].connect == 1

    async def test_a_model_that_loads_for_longer_than_a_connection_may_take_is_waited_for(
        self, server: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("models.engines.ollama_probe.CONNECT_SECONDS", 0.1)
        server.script = Reply(load=0.4)
        chat = open_chat(settings.OllamaChat(host=server.host, timeout=10), "qwen3:8b")
        assert (await chat.ainvoke("Hi")).text == "Hello there."
        await chat.aclose()
