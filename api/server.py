"""`tingshuo serve`: runs the HTTP door until a signal, and lets go of everything in the end."""

import signal
import socket
from collections.abc import Callable

import uvicorn
from anyio import create_task_group, move_on_after, open_signal_receiver, sleep
from anyio.abc import TaskGroup
from fastapi import FastAPI

from agent.assistant import open_assistant
from api.app import create_app
from api.errors import INTERRUPTED
from api.guard.header_limits import BYTES
from api.http_protocol import http_protocol
from api.listening import is_loopback
from api.service import Service
from api.tracing.opening import open_tracing, trace_requests, trace_turns
from configs.settings import Settings

FRAME = 1_048_576
"""Bytes of one message of a WebSocket."""

GRACE = 3.0
"""Seconds that running turns may still take when the server is told to end; probes are answered meanwhile."""


async def serve(settings: Settings, taken: socket.socket, announce: Callable[[], None]) -> int:
    """Serves until SIGTERM or Ctrl-C; returns the exit code. A second signal ends running turns at once."""
    door = settings.server
    service, ending = Service(door.turns_at_once, door.queue), Ending()
    async with create_task_group() as tasks:
        tasks.start_soon(ending.watch, service, tasks)
        async with (
            open_tracing(settings.tracing) as tracer,
            open_assistant(settings) as assistant,
            create_task_group() as warming,
        ):
            trace_turns(assistant, tracer)
            # Finds out now whether the persona and its engines can serve at all.
            await assistant.company(None, (), speak=True)
            beyond = not door.published_on_loopback and not is_loopback(taken.getsockname()[0])
            app = create_app(assistant, service, beyond=beyond)
            trace_requests(app, tracer)
            ending.server = _Server(configured(app, settings))
            warming.start_soon(service.readiness.warm, assistant)
            warming.start_soon(assistant.work)
            announce()
            await ending.server.serve(sockets=[taken])
            warming.cancel_scope.cancel()
        tasks.cancel_scope.cancel()
    return ending.code


def configured(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves an application: with limits, and without a word of what it is sent."""
    return uvicorn.Config(
        app,
        http=http_protocol(settings.server.header_seconds),
        h11_max_incomplete_event_size=BYTES,
        ws_max_size=FRAME,
        # What is small on its way could be large when it is unpacked.
        ws_per_message_deflate=False,
        # A header of a proxy counts for nothing here: it could be anyone's.
        proxy_headers=False,
        log_config=None,
        # Below that, uvicorn logs addresses of WebSockets and their headers, and so keys.
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
    )


class Ending:
    """What the signals ask for."""

    def __init__(self) -> None:
        self.code = 0
        self.server: uvicorn.Server | None = None

    async def watch(self, service: Service, tasks: TaskGroup) -> None:
        """Ends the opening, or the server: first readiness and new turns, then running turns, then the rest."""
        with open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                self.code = INTERRUPTED if number == signal.SIGINT else 0
                if self.server is None:
                    tasks.cancel_scope.cancel()
                elif not service.readiness.draining:
                    tasks.start_soon(self._drain, self.server, service)
                    tasks.start_soon(_after, GRACE, service.stop)
                else:
                    service.stop()

    async def _drain(self, server: uvicorn.Server, service: Service) -> None:
        with move_on_after(GRACE):
            await service.drain()
        server.should_exit = True


class _Server(uvicorn.Server):
    """Uvicorn, whose signals are ours."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves without touching the process's signal handlers."""
        await self._serve(sockets)


async def _after(seconds: float, step: Callable[[], None]) -> None:
    await sleep(seconds)
    step()
