"""A chat server over a stand-in Ollama, for the doors that are tried over a socket; a file may put its own in place."""

from collections.abc import Iterator

import pytest

from tests.api.chat_server import ChatServer, chat_server
from tests.ollama_stand_in import StandIn, ollama_stand_in


@pytest.fixture(scope="module")
def ollama() -> Iterator[StandIn]:
    with ollama_stand_in() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, ollama: StandIn) -> Iterator[ChatServer]:
    """A server that knows one document."""
    data = tmp_path_factory.mktemp("chat")
    document = data / "handbook.md"
    document.write_text("# Leave\n\nEveryone gets 25 days of paid leave in a year.\n", encoding="utf-8")
    with chat_server(data, chat={"engine": "ollama", "ollama": {"host": ollama.host}}) as opened:
        opened.portal.call(opened.assistant.store.knowledge.ingest, [document])
        yield opened


@pytest.fixture
def server(running: ChatServer, ollama: StandIn) -> ChatServer:
    """The server with nothing remembered, over an Ollama as it was at first."""
    ollama.reset()
    running.forget()
    return running
