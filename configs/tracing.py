"""Where traces go: a setting of ours, else OpenTelemetry's own variables, else nowhere; sends nothing."""

import os
import re
from typing import Annotated, Final

from pydantic import Field

from configs.errors import ConfigError
from configs.section import Section

ADDRESS: Final = r"https?://[^\s/?#@]+(/[^\s?#@]*)?"
"""Without a name, a key or a query in it: it is shown, and keys belong into OTEL_EXPORTER_OTLP_HEADERS."""
PATH: Final = "/v1/traces"
PROTOCOL: Final = "http/protobuf"


class Tracing(Section):
    """Traces of turns and requests, for whoever wants to see where their time goes."""

    endpoint: Annotated[str, Field(pattern=rf"^({ADDRESS})?$")] = ""
    """A collector that takes OTLP over HTTP, such as http://127.0.0.1:4318. Empty: OTEL_EXPORTER_OTLP_ENDPOINT counts,
    and nothing is sent where that is not set either. OTEL_SDK_DISABLED=true turns it off."""

    @property
    def destination(self) -> str:
        """The URL that spans are sent to; empty where none are. Raises ConfigError for variables that name no place."""
        if _said("OTEL_SDK_DISABLED").lower() == "true" or _said("OTEL_TRACES_EXPORTER").lower() == "none":
            return ""
        if self.endpoint:
            return self.endpoint.rstrip("/") + PATH
        if whole := _address("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
            return whole
        if beginning := _address("OTEL_EXPORTER_OTLP_ENDPOINT"):
            return beginning.rstrip("/") + PATH
        return ""


def _address(name: str) -> str:
    """What a variable names, where it is set."""
    address = _said(name)
    if not address:
        return ""
    if not re.fullmatch(ADDRESS, address):
        raise ConfigError(
            f"{name} is not an address such as http://127.0.0.1:4318, without a key in it",
            "Correct or unset it; keys belong into OTEL_EXPORTER_OTLP_HEADERS.",
        )
    protocol = _said("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or _said("OTEL_EXPORTER_OTLP_PROTOCOL") or PROTOCOL
    if protocol != PROTOCOL:
        raise ConfigError(
            f"traces are sent as {PROTOCOL}, but OpenTelemetry's variables ask for {protocol!r}",
            "Name the collector's HTTP address (its port is 4318, mostly) as the setting `tracing.endpoint`.",
        )
    return address


def _said(name: str) -> str:
    return os.environ.get(name, "").strip()
