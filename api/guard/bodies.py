"""Bodies on their way in: of a kind that the path takes, within its bytes and its time; knows no route."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyio import current_time, fail_after
from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.guard.json_shape import check_shape
from api.guard.permissions import Permission, permission_for
from api.guard.refusal import refuse
from configs.errors import AssistantError, RateLimitExceeded
from configs.settings import Settings

FRAMING = 1_000_000
"""Bytes of a form that are not its file; its fields share them."""

SIMPLE = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
"""What a web page may send anywhere without asking first."""

INLINE = 50_000
"""Bytes of JSON that are looked at without a thread."""


HELD = 150_000_000
"""Bytes of JSON that are held at once, of all callers together: each is parsed into more than as much again."""


class BodyLimits:
    """Refuses a body that its path does not take, that is too large, or that comes too slowly."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limits = settings.limits
        self._server = settings.server
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, with its body watched; JSON only when all of it is there."""
        if scope["type"] != "http" or not has_body(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        permission = permission_for(scope["path"])
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        most = self._most(permission)
        with self._holding() as hold:
            try:
                _check_kind(kind, headers.get("content-encoding", ""), permission)
                if _said(headers) > most:
                    raise too_large(most)
                watched = _watched(receive, most, self._server.body_seconds)
                if kind in ("", "application/json") or kind.endswith("+json"):
                    watched = await self._read(watched, receive, hold)
            except (AssistantError, HTTPException) as error:
                await refuse(scope, receive, send, error)
                return
            await self._app(scope, watched, send)

    @contextmanager
    def _holding(self) -> Iterator[Callable[[int], None]]:
        """What counts the bytes that one request holds, until it is answered. It raises RateLimitExceeded."""
        own = 0

        def hold(size: int) -> None:
            nonlocal own
            if self._held + size > HELD:
                raise RateLimitExceeded("other large requests are being read", "Try again in a moment.")
            own += size
            self._held += size

        try:
            yield hold
        finally:
            self._held -= own

    async def _read(self, watched: Receive, receive: Receive, hold: Callable[[int], None]) -> Receive:
        """All of a JSON body, to be received at once."""
        data, message = bytearray(), await watched()
        while message["type"] == "http.request":
            piece = message.get("body", b"")
            hold(len(piece))
            data += piece
            if not message.get("more_body"):
                break
            message = await watched()
        else:
            return receive
        whole = bytes(data)
        if len(whole) > INLINE:
            await run_sync(check_shape, whole, self._server.json_bytes)
        else:
            check_shape(whole, self._server.json_bytes)
        waiting: list[Message] = [{"type": "http.request", "body": whole, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        return again

    def _most(self, permission: Permission) -> int:
        """The bytes that a body may have on its way; JSON without sounds in it has a limit of its own."""
        match permission.body:
            case "json":
                return self._server.json_bytes
            case "document":
                # A recording is a document as well.
                return max(self._limits.document_bytes, self._limits.audio_bytes) + FRAMING
            case "sound":
                # Base64 takes four bytes for three.
                return self._limits.audio_bytes * 4 // 3 + FRAMING


def has_body(headers: Headers) -> bool:
    """Whether a body follows these headers."""
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip() != "0"


def _said(headers: Headers) -> int:
    """The length that the sender says, where it says one."""
    said = headers.get("content-length", "")
    return int(said) if said.isdecimal() and len(said) < 20 else 0


def too_large(most: int) -> HTTPException:
    """The refusal of a body of more than `most` bytes."""
    return HTTPException(413, f"the body is larger than {most} bytes")


def _check_kind(kind: str, encoding: str, permission: Permission) -> None:
    """Raises HTTPException for a body that would have to be unpacked, or that the path does not take as it is."""
    if encoding.strip().lower() not in ("", "identity"):
        raise HTTPException(415, f"content encoding {encoding!r} is not taken: send the body as it is")
    if kind in SIMPLE and not (permission.form and kind == "multipart/form-data"):
        wanted = "multipart/form-data" if permission.form else "application/json"
        raise HTTPException(415, f"content type {kind!r} is not taken here: send {wanted}")


def _watched(receive: Receive, most: int, seconds: float) -> Receive:
    """Counts the bytes of a body and its time; what the sender says of its length is not believed."""
    taken, ended = 0, False
    now: Callable[[], float] = current_time
    end = now() + seconds

    async def next_message() -> Message:
        nonlocal taken, ended
        if ended:
            return await receive()
        try:
            with fail_after(end - now()):
                message = await receive()
        except TimeoutError as error:
            raise HTTPException(408, f"the body did not come within {seconds:g} seconds") from error
        taken += len(message.get("body", b""))
        if taken > most:
            raise too_large(most)
        ended = not message.get("more_body", False)
        return message

    return next_message
