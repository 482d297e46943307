"""The models that clients list: personas, as OpenAI's own client and strict frontends read them."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.api.chat_server import ChatServer, chat_server

HIDDEN_BY_LOBECHAT = ("embedding", "davinci", "curie", "moderation", "ada", "babbage", "tts", "whisper", "dall-e")
"""Its list of words in names of what is no chat model."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatServer]:
    data = tmp_path_factory.mktemp("models")
    (data / "personas").mkdir()
    (data / "personas" / "doctor.yaml").write_text("title: {en: Doctor}\ngrounded: never\n", encoding="utf-8")
    (data / "personas" / "doctor.Modelfile").write_text("FROM qwen3:8b\nSYSTEM You are a doctor.\n", encoding="utf-8")
    with chat_server(data, chat={"engine": "fake", "fake": {"replies": ["Say aah."]}}) as opened:
        yield opened


def test_every_persona_is_a_model(server: ChatServer) -> None:
    models = list(server.client.models.list())
    assert [model.id for model in models] == ["companion", "default", "doctor", "documents"]
    assert {model.object for model in models} == {"model"}
    assert {model.owned_by for model in models} == {"tingshuo"}


def test_the_list_has_the_form_that_strict_frontends_read(server: ChatServer) -> None:
    listed = httpx.get(f"{server.url}/v1/models", trust_env=False).json()
    assert listed["object"] == "list"
    for model in listed["data"]:
        assert model.keys() == {"id", "object", "created", "owned_by"}
        assert type(model["created"]) is int
        assert model["created"] > 1_700_000_000


def test_no_shipped_persona_has_a_name_that_lobechat_hides(server: ChatServer) -> None:
    shipped = [model.id for model in server.client.models.list()]
    assert not [name for name in shipped if any(word in name for word in HIDDEN_BY_LOBECHAT)]


def test_one_model_is_found_by_its_name(server: ChatServer) -> None:
    assert server.client.models.retrieve("doctor").id == "doctor"


@pytest.mark.parametrize("name", ["gpt-4o", "qwen/qwen3-8b"])
def test_a_model_that_is_not_there_is_told_so(server: ChatServer, name: str) -> None:
    with pytest.raises(openai.NotFoundError) as found:
        server.client.models.retrieve(name)
    assert (found.value.code, found.value.param) == ("model_not_found", "model")


def test_a_persona_that_is_added_can_be_talked_to(server: ChatServer) -> None:
    asked = server.client.chat.completions.create(model="doctor", messages=[{"role": "user", "content": "Hello"}])
    assert asked.choices[0].message.content == "Say aah."
    (kept,) = server.turns()
    assert kept.persona == "doctor"
