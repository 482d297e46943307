"""Keys to the server: a small file that holds no key, only hashes; it is read again as soon as it has changed."""

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from api.guard.scopes import Scope
from configs.errors import ConfigError, DataFolderUnwritable, KeyNotFound, RequestError

FILE = "keys.json"
PREFIX = "ts-"
SHOWN = 9
"""Characters of a token that may be shown, to tell keys apart."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key, without what opens."""

    name: str
    digest: str
    """SHA-256 of the token, in hexadecimal; the token is 256 random bits, so that no salt is needed."""
    prefix: str
    scopes: frozenset[Scope]
    user: str
    trusted_headers: bool
    created_at: datetime
    """UTC."""
    user_secret: str = field(default="", repr=False)
    """With which its frontend signs who is speaking; opens nothing without the key. Empty where it signs nothing."""


class _Kept(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(extra="forbid")

    version: int = 1
    keys: tuple[Key, ...] = ()


def digest_of(token: str) -> str:
    """The SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def keyed(data: Path) -> bool:
    """Whether a data folder holds a key. Raises ConfigError for a file that cannot be read."""
    return bool(KeyRing(data).keys())


class KeyRing:
    """The keys in a data folder; any number of processes may have it open."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] | None = None

    def keys(self) -> tuple[Key, ...] | None:
        """All keys; None where there has never been one. Raises ConfigError for a file that cannot be read."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                self._keys = _Kept.model_validate_json(self._path.read_bytes()).keys
                self._seen = seen
        except FileNotFoundError:
            self._seen = self._keys = None
        except (OSError, ValidationError) as error:
            self._seen = None
            why = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not what this program wrote"
            raise ConfigError(
                f"the keys in {str(self._path)!r} cannot be read: {why}",
                "Mend the file, or move it away and create the keys anew.",
            ) from error
        return self._keys

    def find(self, token: str) -> Key | None:
        """The key that a token is of. The time taken does not depend on how much of it is right."""
        digest, found = digest_of(token), None
        for key in self.keys() or ():
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def create(
        self, name: str, *, scopes: frozenset[Scope], user: str, trusted_headers: bool = False, user_secret: str = ""
    ) -> str:
        """A new key's token, which is kept nowhere. Raises RequestError where the name is taken."""
        token = PREFIX + secrets.token_urlsafe(32)
        key = Key(name, digest_of(token), token[:SHOWN], scopes, user, trusted_headers, datetime.now(UTC), user_secret)
        with self._alone():
            kept = self.keys() or ()
            if any(each.name == name for each in kept):
                raise RequestError(f"there is already a key {name!r}", f"Revoke it first: tingshuo key revoke {name}")
            self._write((*kept, key))
        return token

    def revoke(self, name: str) -> int:
        """Takes a key away; returns how many are left. Raises KeyNotFound."""
        with self._alone():
            kept = self.keys() or ()
            left = tuple(key for key in kept if key.name != name)
            if len(left) == len(kept):
                raise KeyNotFound(f"there is no key {name!r}", "tingshuo key list shows all.")
            self._write(left)
        return len(left)

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        """Inside, no other process changes the keys."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self._path.with_suffix(".lock"), mode=0o600, fallback_to_soft=False):
                yield
        except (OSError, NotImplementedError) as error:
            raise DataFolderUnwritable(
                f"the keys in {str(self._path)!r} cannot be written: {getattr(error, 'strerror', None) or error}",
                "Give this user a folder that can be written, or name another one with TINGSHUO_DATA.",
            ) from error

    def _write(self, keys: tuple[Key, ...]) -> None:
        """In one step: who reads sees the old keys or the new ones."""
        text = _Kept(keys=keys).model_dump_json(indent=1)
        # Made with mode 0600.
        handle, part = tempfile.mkstemp(dir=self._path.parent, prefix=f"{FILE}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            os.replace(part, self._path)
        except OSError:
            Path(part).unlink(missing_ok=True)
            raise
