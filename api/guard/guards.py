"""The guard of the HTTP door: who calls, whether that is allowed, and how much; what is asked, it does not know."""

import logging
from dataclasses import dataclass

from anyio import CancelScope, create_task_group, sleep
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.guard.bodies import BodyLimits
from api.guard.credentials import credential
from api.guard.forwarded import forwarded_user
from api.guard.header_limits import HeaderLimits
from api.guard.keys import Key, KeyRing
from api.guard.origins import Origins
from api.guard.permissions import permission_for
from api.guard.principal import Principal
from api.guard.rates import Allowance, Bucket, Gate
from api.guard.refusal import refuse
from api.guard.request_ids import RequestIds
from api.guard.scopes import SCOPES
from configs.errors import AssistantError, ConfigError, InsufficientPermissions, InvalidApiKey
from configs.settings import Settings

log = logging.getLogger(__name__)

ANONYMOUS = Principal("anonymous", "", frozenset(), trusted=False)
"""Who calls without a key where one is needed: may see what is public."""

LOOK = 2.0
"""Seconds between looks whether the key of an open WebSocket still holds."""


def guard(app: FastAPI, settings: Settings, *, beyond: bool) -> None:
    """Puts everything in front of an application that a request has to pass; `beyond` as in Guard."""
    door = settings.server
    # The last that is added is the first to be passed.
    app.add_middleware(BodyLimits, settings=settings)
    app.add_middleware(Guard, settings=settings, ring=KeyRing(settings.data), beyond=beyond)
    app.add_middleware(Origins, names=door.names, origins=door.origins, beyond=beyond)
    app.add_middleware(HeaderLimits)
    app.add_middleware(RequestIds)


@dataclass(frozen=True, slots=True)
class _Use:
    """How much one caller uses the server."""

    bucket: Bucket
    requests: Gate
    sockets: Gate


class Guard:
    """Finds out who calls, and holds each caller to its scopes and its share.

    Without a key file, all callers on this machine are its owner. Where other machines can reach the server (`beyond`),
    and wherever there is a key file, each call needs a key.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings, ring: KeyRing, beyond: bool) -> None:
        self._app = app
        self._server = settings.server
        self._owner = Principal("local", settings.user, frozenset(SCOPES), trusted=True)
        self._ring = ring
        self._beyond = beyond
        self._uses: dict[str, _Use] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on with its principal, or refuses it with 401, 403 or 429."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        passed = False
        try:
            principal, key = self._identified(scope)
            scope.setdefault("state", {})["principal"] = principal
            if principal is ANONYMOUS:
                passed = True
                await self._app(scope, receive, send)
                return
            _check_scopes(principal, scope)
            use = self._use(principal)
            allowance = use.bucket.take()
            async with (use.sockets if scope["type"] == "websocket" else use.requests).entered():
                passed = True
                await self._pass(scope, receive, _counted(send, allowance), key)
        except (AssistantError, HTTPException) as error:
            if passed:
                raise
            await refuse(scope, receive, send, error)

    def _identified(self, scope: Scope) -> tuple[Principal, Key | None]:
        # Looking whether a small file has changed takes microseconds: less than handing it to a thread.
        try:
            if not self._beyond and self._ring.keys() is None:
                return self._owner, None
            token = credential(scope)
            key = self._ring.find(token) if token else None
        except ConfigError as error:
            # Who is not known yet is not told where things lie.
            log.error("%s; %s", error.message, error.hint)
            raise HTTPException(503, "the keys of this server cannot be read; its log says more") from error
        if key is not None:
            return self._principal(key, Headers(scope=scope)), key
        if token is None and permission_for(scope["path"]).public and scope.get("method") in ("GET", "HEAD"):
            return ANONYMOUS, None
        raise InvalidApiKey(
            "the key is not known" if token else "a key is needed",
            "Send one as `Authorization: Bearer KEY`; `tingshuo key create NAME` makes one.",
        )

    def _principal(self, key: Key, headers: Headers) -> Principal:
        """Who calls with a key. A frontend that is trusted to say who is speaking is held to what it says."""
        if user := forwarded_user(key, headers, self._server.forwarded):
            return Principal(key.name, user, key.scopes, trusted=False)
        return Principal(key.name, key.user, key.scopes, trusted=key.trusted_headers or "admin" in key.scopes)

    async def _pass(self, scope: Scope, receive: Receive, send: Send, key: Key | None) -> None:
        if scope["type"] == "http":
            await self._app(scope, receive, send)
            return
        async with create_task_group() as tasks:
            tasks.start_soon(self._watch, key, send, tasks.cancel_scope)
            await self._app(scope, receive, send)
            tasks.cancel_scope.cancel()

    async def _watch(self, key: Key | None, send: Send, socket: CancelScope) -> None:
        """Closes a WebSocket as soon as its key holds no longer."""
        while True:
            await sleep(LOOK)
            if not self._holds(key):
                break
        await send({"type": "websocket.close", "code": 1008, "reason": "the key has been revoked"})
        socket.cancel()

    def _holds(self, key: Key | None) -> bool:
        try:
            keys = self._ring.keys()
        except ConfigError:
            return False
        return keys is None if key is None else key in (keys or ())

    def _use(self, principal: Principal) -> _Use:
        if principal.name not in self._uses:
            door = self._server
            self._uses[principal.name] = _Use(
                Bucket(door.requests_per_minute),
                Gate(door.requests_at_once, called="requests of this key"),
                Gate(door.sockets_at_once, called="WebSockets of this key"),
            )
        return self._uses[principal.name]


def _check_scopes(principal: Principal, scope: Scope) -> None:
    permission = permission_for(scope["path"])
    needed = permission.scopes
    if not principal.may(needed):
        if not permission.listed:
            raise HTTPException(404)
        raise InsufficientPermissions(
            f"the key {principal.name!r} does not open this",
            f"It needs the scope {' and '.join(sorted(needed))}: tingshuo key create NAME --scope ...",
        )


def _counted(send: Send, allowance: Allowance) -> Send:
    """Tells the caller how much is left."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in allowance.headers().items():
                headers[name] = value
        await send(message)

    return sent
