"""The audio routes over a real socket, for clients that know nothing of tests."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import openai
import uvicorn

from agent.assistant import open_assistant
from api.app import create_app
from api.listening import address, bind
from api.server import configured
from api.service import Service
from configs.settings import Settings, load_settings

WHISPER = Path(__file__).parents[1] / "fixtures" / "tiny-whisper"
EARS: dict[str, Any] = {"engine": "faster-whisper", "faster_whisper": {"model": str(WHISPER / "ct2")}}


@contextmanager
def served(data: Path, **sections: Any) -> Iterator[openai.OpenAI]:
    """OpenAI's own client of a server with eSpeak NG, and the ears in `sections`."""
    settings = load_settings(
        data=data,
        chat={"engine": "extractive"},
        embeddings={"engine": "hashed"},
        text_to_speech={"engine": "espeak-ng"},
        **sections,
    )
    with bind("127.0.0.1", 0) as taken:
        running = _Running()
        thread = threading.Thread(target=anyio.run, args=(running.serve, settings, taken))
        thread.start()
        try:
            assert running.ready.wait(60)
            with openai.OpenAI(base_url=f"{address(taken)}/v1", api_key="none", max_retries=0, timeout=60) as client:
                yield client
        finally:
            if running.server:
                running.server.should_exit = True
            thread.join(30)


class _Running:
    """A server in a thread of its own."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.server: uvicorn.Server | None = None

    async def serve(self, settings: Settings, taken: socket.socket) -> None:
        try:
            async with open_assistant(settings) as assistant:
                self.server = uvicorn.Server(configured(create_app(assistant, Service()), settings))
                self.ready.set()
                await self.server.serve([taken])
        finally:
            self.ready.set()
