"""`tingshuo serve`: runs the HTTP door until a signal, and lets go of everything in the end."""

import signal
import socket
from collections.abc import Callable

import uvicorn
from anyio import create_task_group, open_signal_receiver, sleep
from anyio.abc import TaskGroup

from agent.assistant import open_assistant
from api.app import create_app
from api.errors import INTERRUPTED
from api.service import Service
from configs.settings import Settings

GRACE = 3.0
"""Seconds that running turns may still take when the server is told to end."""


async def serve(settings: Settings, taken: socket.socket, announce: Callable[[], None]) -> int:
    """Serves until SIGTERM or Ctrl-C; returns the exit code. A second signal ends running turns at once."""
    service, ending = Service(), Ending()
    async with create_task_group() as tasks:
        tasks.start_soon(ending.watch, service, tasks)
        async with open_assistant(settings) as assistant, create_task_group() as warming:
            # Finds out now whether the persona and its engines can serve at all.
            await assistant.company(None, (), speak=True)
            config = uvicorn.Config(
                create_app(assistant, service), log_config=None, access_log=False, server_header=False, lifespan="off"
            )
            ending.server = _Server(config)
            warming.start_soon(assistant.warm)
            warming.start_soon(assistant.work)
            announce()
            await ending.server.serve(sockets=[taken])
            warming.cancel_scope.cancel()
        tasks.cancel_scope.cancel()
    return ending.code


class Ending:
    """What the signals ask for."""

    def __init__(self) -> None:
        self.code = 0
        self.server: uvicorn.Server | None = None

    async def watch(self, service: Service, tasks: TaskGroup) -> None:
        """Ends the opening, or the server: first new requests, then running turns."""
        with open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                self.code = INTERRUPTED if number == signal.SIGINT else 0
                if self.server is None:
                    tasks.cancel_scope.cancel()
                elif not self.server.should_exit:
                    self.server.should_exit = True
                    tasks.start_soon(_after, GRACE, service.stop)
                else:
                    service.stop()


class _Server(uvicorn.Server):
    """Uvicorn, whose signals are ours."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves without touching the process's signal handlers."""
        await self._serve(sockets)


async def _after(seconds: float, step: Callable[[], None]) -> None:
    await sleep(seconds)
    step()
