"""A user whom a frontend vouches for with a signed token (JWT), as Open WebUI does; knows no key and no header."""

from typing import Final

import jwt

from configs.errors import InvalidUserToken, RequestError

ISSUER: Final = "open-webui"
ALGORITHM: Final = "HS256"
CLAIMS: Final = ("sub", "iss", "iat", "exp")
"""What Open WebUI puts into each token, beside the user's name, address and role, which open nothing here."""
LONGEST: Final = 4_096
"""Characters of a token; Open WebUI's have some 300."""
LEEWAY: Final = 30
"""Seconds by which the clocks of the two machines may differ."""
SHORTEST_SECRET, LONGEST_SECRET = 32, 1_024
"""Bytes; a key for HS256 has no fewer (RFC 7518, section 3.2)."""

_WHY: Final[dict[type[jwt.PyJWTError], str]] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidSignatureError: "it was signed with another secret",
    jwt.InvalidAlgorithmError: f"it is not signed with {ALGORITHM}",
    jwt.InvalidIssuerError: f"its issuer is not {ISSUER}",
    jwt.InvalidAudienceError: "it is meant for others",
}
_AS_IT_SHOULD_BE: Final = f"Send what Open WebUI signs with {ALGORITHM}: a user (`sub`), `iss`, `iat` and `exp`."
_HINTS: Final[dict[type[jwt.PyJWTError], str]] = {
    jwt.ExpiredSignatureError: "Set the clocks of both machines; a token is made anew for each request.",
    jwt.ImmatureSignatureError: "Set the clocks of both machines.",
    jwt.InvalidSignatureError: "Give the key and the frontend the same secret: "
    "`--user-jwt-secret-file` and FORWARD_USER_INFO_HEADER_JWT_SECRET.",
}


def signed_user(token: str, secret: str) -> str:
    """The id of the user that a token names. Raises InvalidUserToken for one that cannot be believed."""
    if len(token) > LONGEST:
        raise _refusal(f"it has more than {LONGEST} characters")
    try:
        claims = jwt.decode(
            token, secret, algorithms=[ALGORITHM], issuer=ISSUER, leeway=LEEWAY, options={"require": [*CLAIMS]}
        )
    except jwt.MissingRequiredClaimError as error:
        raise _refusal(f"it has no `{error.claim}`") from error
    except jwt.PyJWTError as error:
        raise _refusal(_WHY.get(type(error), "it cannot be read"), _HINTS.get(type(error), _AS_IT_SHOULD_BE)) from error
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        # Of JSON that no issuer writes, such as a time without end or lists in lists.
        raise _refusal("it cannot be read") from error
    return str(claims["sub"])


def check_secret(secret: str) -> None:
    """Raises RequestError for a secret that cannot sign."""
    if not (SHORTEST_SECRET <= len(secret.encode("utf-8")) <= LONGEST_SECRET and secret.isprintable()):
        raise RequestError(
            f"the secret is no line of {SHORTEST_SECRET} to {LONGEST_SECRET} bytes, as {ALGORITHM} needs one",
            "Make one, and give the frontend the same: openssl rand -hex 32",
        )


def _refusal(why: str, hint: str = _AS_IT_SHOULD_BE) -> InvalidUserToken:
    return InvalidUserToken(f"the signed user cannot be believed: {why}", hint)
