"""What a frontend says in headers of the request that it forwards: whose it is, in which conversation, and what for."""

from collections.abc import Iterable, Iterator
from typing import Final

from starlette.datastructures import Headers

from api.guard.keys import Key
from api.guard.signed_user import signed_user
from api.question import check_names
from configs.errors import InvalidUserToken, RequestError
from configs.server import ForwardedHeaders

UNSAID: Final = frozenset({"", "none", "null", "undefined"})
"""What frontends send where they have nothing to say."""
UNNAMED: Final = "new"
"""What LibreChat calls a conversation that has no id yet."""


def forwarded_user(key: Key, headers: Headers, names: ForwardedHeaders) -> str:
    """The user that a frontend names; empty where it names none, or where its key was not made for that.

    A key with a secret believes nothing that is not signed. Raises InvalidUserToken, and RequestError for a name that
    cannot be one.
    """
    if not (key.user_secret or key.trusted_headers):
        return ""
    plain, signed = {*_said(headers, names.user)}, {*_said(headers, (names.user_jwt,))}
    if key.user_secret:
        return _proven(plain, signed, key.user_secret)
    if signed:
        raise InvalidUserToken(
            f"the key {key.name!r} has no secret to check a signed user with",
            "Make one that has: tingshuo key create NAME --user-jwt-secret-file FILE",
        )
    if len(plain) > 1:
        raise RequestError(f"several different users are named in {' and '.join(names.user)}", "Name one.")
    user = next(iter(plain), "")
    if user:
        check_names(user=user)
    return user


def _proven(plain: set[str], signed: set[str], secret: str) -> str:
    """The user that a token names, and that no other header contradicts."""
    if len(signed) > 1:
        raise InvalidUserToken("several signed users were sent", "Send one.")
    if not signed:
        if plain:
            raise InvalidUserToken(
                "a user is named without a signature, which the key asks for",
                "Set FORWARD_USER_INFO_HEADER_JWT_SECRET in Open WebUI, or make a key with --trusted-headers.",
            )
        return ""
    user = signed_user(signed.pop(), secret)
    if not said(user):
        raise InvalidUserToken("the signed user cannot be believed: it names nobody", "Sign the user's id as `sub`.")
    if plain - {user}:
        raise InvalidUserToken("another user is named beside the signed one", "Send the signed one alone.")
    try:
        check_names(user=user)
    except RequestError as error:
        raise InvalidUserToken(error.message, error.hint) from error
    return user


def forwarded_conversation(headers: Headers, names: ForwardedHeaders) -> str:
    """What a frontend calls the conversation; empty where it does not."""
    return next((name for name in _said(headers, names.conversation) if name != UNNAMED), "")


def forwarded_task(headers: Headers, names: ForwardedHeaders) -> str:
    """What a frontend asks for itself; empty for what its user asks."""
    return next(_said(headers, names.task), "")


def said(value: str) -> str:
    """What a value says: nothing, where it is a word for none, or a placeholder that was left as it was."""
    value = value.strip()
    return "" if value.lower() in UNSAID or "{{" in value else value


def _said(headers: Headers, names: Iterable[str]) -> Iterator[str]:
    return (found for name in names for value in headers.getlist(name) if (found := said(value)))
