"""The requests that are being answered: each ends when its caller leaves or the server stops; knows no answer."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from functools import partial

from anyio import CancelScope, Event, create_task_group, move_on_after
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from api.guard.rates import Gate
from api.guard.refusal import error_response
from api.metrics import Metrics
from api.readiness import Readiness
from configs.errors import AssistantError

log = logging.getLogger(__name__)

STOPPING = "the server is shutting down"
HEARD_OUT = 100_000_000
"""Bytes of a body that are still read after it was refused."""
HEARING_OUT = 2.0
"""Seconds for that."""
PATIENCE = 60.0
"""Seconds that a caller may take nothing of what is sent: an engine works for it alone meanwhile."""


class Service:
    """The requests that are being answered."""

    def __init__(self, turns: int = 4, queue: int = 16) -> None:
        self._scopes: set[CancelScope] = set()
        self.turns = Gate(turns, queue, called="turns")
        """What all requests pass that have an engine work."""
        self.metrics = Metrics()
        self.readiness = Readiness()
        self._empty = Event()

    def stop(self) -> None:
        """Ends them all; each caller is told."""
        for scope in self._scopes:
            scope.cancel()

    async def drain(self) -> None:
        """Takes no more of them, and returns when the last one has ended; the probe is told first."""
        self.readiness.drain()
        if self._scopes:
            await self._empty.wait()

    @contextmanager
    def attending(self, scope: CancelScope) -> Iterator[None]:
        """Inside, `stop` cancels the scope too."""
        self._scopes.add(scope)
        try:
            yield
        finally:
            self._scopes.discard(scope)
            if self.readiness.draining and not self._scopes:
                self._empty.set()

    async def attend(self, request: Request, answer: Callable[[Callable[[], object]], Awaitable[Response]]) -> Response:
        """What `answer` returns, unless the service stops first, or the caller goes away: either cancels the work.

        `answer` calls its argument as soon as the whole request is read.
        """
        response: Response = error_response(HTTPException(503, STOPPING))
        if self.readiness.draining:
            return response
        async with create_task_group() as tasks:
            with self.attending(tasks.cancel_scope):
                try:
                    response = await answer(partial(tasks.start_soon, _leave_with, request.receive, tasks.cancel_scope))
                except (AssistantError, HTTPException, RequestValidationError) as error:
                    response = error_response(error)
                    await _hear_out(request)
                except ClientDisconnect:
                    response = error_response(HTTPException(499, "the caller has gone"))
            tasks.cancel_scope.cancel()
        return response


class Streamed(Response):
    """A body that is sent while it is made; its making ends when the caller leaves or the service stops.

    What fails before the first piece is answered with its status. Later, `failed` tells of it as the last piece, or
    where there is no such way the body breaks off, which the caller notices.
    """

    def __init__(
        self,
        service: Service,
        pieces: Callable[[], AsyncGenerator[bytes, None]],
        media_type: str,
        *,
        headers: Mapping[str, str] | None = None,
        failed: Callable[[AssistantError], bytes] | None = None,
    ) -> None:
        """`pieces` is called once, when the response is sent."""
        super().__init__(media_type=media_type, headers={"cache-control": "no-store", **(headers or {})})
        del self.headers["content-length"]
        self._service = service
        self._pieces = pieces
        self._failed = failed
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        async with create_task_group() as tasks:
            with self._service.attending(tasks.cancel_scope):
                tasks.start_soon(_leave_with, receive, tasks.cancel_scope)
                await self._send(scope, receive, send)
                tasks.cancel_scope.cancel()
        if not self._begun:
            await error_response(HTTPException(503, STOPPING))(scope, receive, send)

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._service.turns.entered(), aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    with move_on_after(PATIENCE) as waiting:
                        await self._begin(send)
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                    if waiting.cancelled_caught:
                        log.warning("a caller took nothing for %g seconds and is left", PATIENCE)
                        return
        except AssistantError as error:
            if not self._begun:
                self._begun = True
                await error_response(error)(scope, receive, send)
                return
            log.warning("%s (%s)", error.message, error.hint)
            if self._failed is None:
                return
            await send({"type": "http.response.body", "body": self._failed(error), "more_body": True})
        await self._begin(send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _begin(self, send: Send) -> None:
        if not self._begun:
            self._begun = True
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


async def _hear_out(request: Request) -> None:
    """Lets a caller end what it said that it would send: cut off in the middle, it would never read the answer."""
    said = request.headers.get("content-length", "")
    if not said.isdecimal() or int(said) > HEARD_OUT:
        return
    with move_on_after(HEARING_OUT):
        try:
            async for _ in request.stream():
                pass
        except RuntimeError:
            return  # all of it was read
        except (AssistantError, HTTPException, ClientDisconnect):
            return


async def _leave_with(receive: Receive, scope: CancelScope) -> None:
    """Cancels the scope when the caller has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
