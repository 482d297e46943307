"""Which path needs which scopes, and takes how much; one that is not listed is for admins alone."""

from dataclasses import dataclass
from typing import Literal

from api.guard.scopes import Scope

Body = Literal["json", "sound", "document"]
"""JSON alone, a recording or JSON with one in it, a document: each has a limit of its own."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What a path and all below it need."""

    path: str
    scopes: frozenset[Scope] = frozenset()
    body: Body = "json"
    form: bool = False
    """Whether multipart/form-data is taken."""
    public: bool = False
    """Whether it can be read without a key."""
    below: bool = True
    """Whether it speaks for the paths below it as well."""
    listed: bool = True
    """Whether it is one of those here: to callers who are no admins, there is nothing at any other path."""

    def covers(self, path: str) -> bool:
        """Whether it speaks for a path."""
        return path == self.path or (self.below and path.startswith(f"{self.path}/"))


CHAT, AUDIO, TALK = frozenset[Scope]({"chat"}), frozenset[Scope]({"audio"}), frozenset[Scope]({"chat", "audio"})
KNOWLEDGE, MEMORY, ADMIN = frozenset[Scope]({"knowledge"}), frozenset[Scope]({"memory"}), frozenset[Scope]({"admin"})

PERMISSIONS = (
    # Without a key, /health says only that the server lives.
    Permission("/health", public=True, below=False),
    Permission("/v1/health", public=True, below=False),
    # Probes have no key.
    Permission("/health/live", public=True, below=False),
    Permission("/health/ready", public=True, below=False),
    Permission("/metrics", ADMIN, below=False),
    # Open WebUI reads these two without its key; they hold names alone.
    Permission("/v1/audio/models", AUDIO, public=True, below=False),
    Permission("/v1/audio/voices", AUDIO, public=True, below=False),
    Permission("/v1/audio/speech", AUDIO),
    Permission("/v1/audio", AUDIO, body="sound", form=True),
    Permission("/v1/realtime", TALK),
    Permission("/v1/ask", CHAT, body="sound"),
    Permission("/v1/chat", CHAT, body="sound"),
    Permission("/v1/responses", CHAT, body="sound"),
    Permission("/v1/messages", CHAT, body="sound"),
    Permission("/v1/completions", CHAT),
    Permission("/v1/embeddings", CHAT),
    Permission("/v1/moderations", CHAT),
    Permission("/api", CHAT, body="sound"),
    Permission("/v1/knowledge", KNOWLEDGE, body="document", form=True),
    Permission("/v1/memory", MEMORY),
    Permission("/v1/turns", CHAT),
    Permission("/v1/personas", CHAT),
    Permission("/v1/models"),
    Permission("/openapi.json", below=False),
    Permission("/docs", below=False),
    # Ollama answers there to whoever asks whether it is running.
    Permission("/", public=True, below=False),
)


def permission_for(path: str) -> Permission:
    """The first that covers a path, as the router sees it: no part of the address or of the Host header counts."""
    return next((each for each in PERMISSIONS if each.covers(path)), Permission(path, ADMIN, listed=False))
