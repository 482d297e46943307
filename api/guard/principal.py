"""Who is calling: a name, whose memories are meant, and what is allowed; knows no key and no route."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from api.guard.scopes import Scope
from configs.errors import InsufficientPermissions


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling."""

    name: str
    """The key's; it may be shown and logged."""
    user: str
    """Whose conversations and memories these are."""
    scopes: frozenset[Scope]
    trusted: bool
    """Whether it may speak for other users."""

    def may(self, needed: frozenset[Scope]) -> bool:
        """Whether all of these scopes are open to it."""
        return "admin" in self.scopes or needed <= self.scopes

    def acting_as(self, user: str | None) -> str:
        """The user that a request is for. Raises InsufficientPermissions for one that is not the caller's to name."""
        if user is None or user == self.user or self.trusted:
            return user or self.user
        raise InsufficientPermissions(
            f"this key belongs to another user than {user!r}",
            "Leave the user out, or use a key with the scope admin, or one made with --trusted-headers.",
        )

    def speaking_as(self, said: str) -> str:
        """The user of a turn whose client says who is speaking, as many do unasked: believed where it may name one."""
        return said if said and self.trusted else self.user


def principal_of(connection: HTTPConnection) -> Principal:
    """Who sent a request or opened a WebSocket; the guard has put it there."""
    principal: Principal = connection.state.principal
    return principal


async def _caller(connection: HTTPConnection) -> Principal:
    return principal_of(connection)


Caller = Annotated[Principal, Depends(_caller)]
"""A parameter of a route: who is calling."""
