"""A chat server over a real socket, for clients that know nothing of tests; its assistant can be looked into."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import openai
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal

from agent.assistant import Assistant, open_assistant
from api.app import create_app
from api.listening import address, bind
from api.server import configured
from api.service import Service
from configs.settings import load_settings
from memory.remembered import Memory, Space
from memory.turns import StoredTurn


@dataclass(frozen=True, slots=True)
class ChatServer:
    """A server that runs."""

    url: str
    """Without `/v1`."""
    client: openai.OpenAI
    assistant: Assistant
    portal: BlockingPortal

    def turns(self, user: str = "owner") -> list[StoredTurn]:
        """All turns of a user, the oldest first."""
        store = self.assistant.store
        kept = [
            turn
            for conversation in self.portal.call(store.turns.conversations, user)
            for turn in self.portal.call(partial(store.turns.of, conversation.id, user=user))
        ]
        return sorted(kept, key=lambda turn: turn.created_at)

    def memories(self, user: str = "owner") -> list[Memory]:
        """What is remembered of a user."""
        memories = self.assistant.store.memories
        self.portal.call(memories.catch_up)
        return list(self.portal.call(memories.list, Space(user, "")))

    def forget(self) -> None:
        """Makes the server as it was at first."""
        for user in ("owner", "ann", "ben"):
            self.portal.call(self.assistant.store.memories.forget_all, user)


@contextmanager
def chat_server(data: Path, *, service: Service | None = None, **sections: Any) -> Iterator[ChatServer]:
    """A server with hashed embeddings and scripted speech, and what else `sections` say."""
    scripted = {name: {"engine": "fake"} for name in ("speech_to_text", "text_to_speech", "voice_activity")}
    settings = load_settings(data=data, **{"embeddings": {"engine": "hashed"}, **scripted, **sections})
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_assistant(settings)) as assistant,
        bind("127.0.0.1", 0) as taken,
    ):
        server = uvicorn.Server(configured(create_app(assistant, service or Service()), settings))
        running = portal.start_task_soon(server.serve, [taken])
        url = address(taken)
        try:
            with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=30) as client:
                yield ChatServer(url, client, assistant, portal)
        finally:
            server.should_exit = True
            running.result(30)
