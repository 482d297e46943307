"""What a key can open."""

from typing import Literal, get_args

Scope = Literal["chat", "audio", "knowledge", "memory", "admin"]
"""`admin` opens everything, and may act for any user."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
