"""Where traces are sent, and whether what sends them is there; imports nothing of it."""

from importlib.util import find_spec
from typing import Final

from configs.errors import PackageNotInstalled
from configs.tracing import Tracing

PACKAGE: Final = "opentelemetry-exporter-otlp-proto-http"
NEEDED: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def destination(tracing: Tracing) -> str:
    """The URL; empty where tracing is off. Raises PackageNotInstalled, and ConfigError for variables that are wrong."""
    url = tracing.destination
    if url and not all(map(_is_there, NEEDED)):
        raise PackageNotInstalled(
            f"traces are to go to {url}, but what sends them is not installed",
            f"In a checkout: make setup EXTRAS=otel; else: pip install {PACKAGE}. OTEL_SDK_DISABLED=true sends none.",
        )
    return url


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # what it is a part of
        return False
