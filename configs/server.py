"""The settings of the HTTP door: where it listens, by which names and pages it is called, and how much it takes."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from configs.section import Count, Duration, Section

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
Origin = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$")]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$"), AfterValidator(str.lower)]


class ForwardedHeaders(Section):
    """The headers in which a frontend says more of the request that it passes on."""

    user: tuple[HeaderName, ...] = ("x-openwebui-user-id", "x-user-id")
    """Whose it is; believed of keys that were made with `--trusted-headers`."""
    user_jwt: HeaderName = "x-openwebui-user-jwt"
    """The same, signed; believed of keys that were made with `--user-jwt-secret-file`."""
    conversation: tuple[HeaderName, ...] = ("x-openwebui-chat-id", "x-conversation-id")
    """To which conversation it belongs."""
    task: tuple[HeaderName, ...] = ("x-openwebui-task", "x-task")
    """What the frontend asks for itself, such as a title."""


class Server(Section):
    """The HTTP door."""

    host: str = "127.0.0.1"
    port: int = Field(default=8484, ge=0, le=65535)
    documents: tuple[Annotated[Path, AfterValidator(Path.expanduser)], ...] = ()
    """The folders that callers may have documents taken in from; none unless named."""
    published_on_loopback: bool = False
    """Inside a container whose port is published on its host's loopback alone; only there `host` may be 0.0.0.0."""
    names: tuple[HostName, ...] = ()
    """Names that the server may be called by, beside those of the loopback; without a port."""
    origins: tuple[Origin, ...] = ()
    """Web pages elsewhere that may call, such as https://chat.example.org; none unless named."""
    forwarded: ForwardedHeaders = ForwardedHeaders()
    requests_per_minute: Count = 600
    """Of one caller; as many at once when it has been quiet."""
    requests_at_once: Count = 16
    """Of one caller."""
    sockets_at_once: Count = 8
    """WebSockets of one caller."""
    turns_at_once: Count = 4
    """Of all callers."""
    queue: Count = 16
    """Turns that may wait for their place."""
    header_seconds: Duration = 10
    """In which a request's line and headers have to come."""
    body_seconds: Duration = 120
    """In which its body has to come."""
    json_bytes: Count = 1_000_000
    """Of a JSON body, without the sounds and pictures in it."""
