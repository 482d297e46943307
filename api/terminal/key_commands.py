"""The commands of `tingshuo key`: who may use the server; a running server notices at once."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.guard.scopes import SCOPES, Scope
from api.terminal.process import reported

if TYPE_CHECKING:
    from api.guard.keys import Key

key = typer.Typer(rich_markup_mode=None, help="Who may use the server.", no_args_is_help=True)

NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")]


@key.command()
@reported()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it, such as the device it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="|".join(SCOPES), help="What it opens; repeatable. Else chat and audio."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose conversations and memories it opens; else NAME's own.")
    ] = None,
    trusted_headers: Annotated[
        bool, typer.Option("--trusted-headers", help="For a frontend with many users: it may say who is speaking.")
    ] = False,
    user_jwt_secret_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", allow_dash=True, help="The same, where it signs that with the secret in FILE."),
    ] = None,
    json: Json = False,
) -> None:
    """Create a key, and print it this once."""
    from api.guard.keys import KeyRing
    from api.question import check_names
    from api.terminal.screen import note, print_json
    from configs.settings import load_settings

    if not NAME.fullmatch(name):
        raise typer.BadParameter("use 1 to 64 letters, digits, and . _ : -", param_hint="NAME")
    if trusted_headers and user_jwt_secret_file:
        raise typer.BadParameter("a key believes signed users or plain ones", param_hint="--user-jwt-secret-file")
    check_names(user=user)
    scopes, secret = _scopes(scope or ["chat", "audio"]), _secret(user_jwt_secret_file)
    token = KeyRing(load_settings().data).create(
        name, scopes=scopes, user=user or name, trusted_headers=trusted_headers, user_secret=secret
    )
    if json:
        print_json({"name": name, "key": token, "user": user or name, "scopes": _sorted(scopes)})
        return
    typer.echo(token)
    note("This is the only time that it is shown. Send it as: Authorization: Bearer KEY")


@key.command("list")
@reported()
def list_keys(json: Json = False) -> None:
    """List the keys; what opens is not kept, and so not shown."""
    from api.guard.keys import KeyRing
    from api.terminal.screen import note, print_json
    from configs.settings import load_settings

    keys = KeyRing(load_settings().data).keys() or ()
    if json:
        print_json([_shown(each) for each in keys])
        return
    for each in keys:
        trusted = "  trusted headers" if each.trusted_headers else "  signed users" if each.user_secret else ""
        scopes, since = ",".join(_sorted(each.scopes)), each.created_at.date()
        typer.echo(f"{each.name}  {each.prefix}...  {each.user}  {scopes}  {since}{trusted}")
    if not keys:
        note("There are no keys.")


@key.command()
@reported()
def revoke(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Take a key away: its next request is refused, its WebSockets are closed."""
    from api.guard.keys import FILE, KeyRing
    from api.terminal.screen import note
    from configs.settings import load_settings

    data = load_settings().data
    if not KeyRing(data).revoke(name):
        note(f"No key is left, and so nobody may call. To open the server to all of this machine, delete {data / FILE}")


def _shown(key: "Key") -> dict[str, Any]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "user": key.user,
        "scopes": _sorted(key.scopes),
        "trusted_headers": key.trusted_headers,
        "signed_users": bool(key.user_secret),
        "created_at": key.created_at.isoformat(timespec="seconds"),
    }


def _secret(file: Path | None) -> str:
    """The secret in a file, or on standard input for "-"; empty for no file. Raises RequestError."""
    if file is None:
        return ""
    from api.guard.signed_user import LONGEST_SECRET, check_secret
    from api.question import piped
    from configs.errors import RequestError

    try:
        if str(file) == "-":
            secret = piped(LONGEST_SECRET, "the secret")
        else:
            with file.open(encoding="utf-8") as opened:
                secret = opened.read(LONGEST_SECRET + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RequestError(f"the secret in {str(file)!r} cannot be read: {why}", "Name a file of one line.") from error
    if len(secret) <= LONGEST_SECRET:
        # Open WebUI does not count the space around it.
        secret = secret.strip()
    check_secret(secret)
    return secret


def _scopes(names: list[str]) -> frozenset[Scope]:
    for name in names:
        if name not in SCOPES:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(SCOPES)}", param_hint="--scope")
    return frozenset(scope for scope in SCOPES if scope in names)


def _sorted(scopes: frozenset[Scope]) -> list[Scope]:
    return [scope for scope in SCOPES if scope in scopes]
