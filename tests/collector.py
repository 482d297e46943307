"""A collector of traces on loopback: it takes OTLP over HTTP and reads it with the protocol's own messages."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What has come in."""

    url: str
    """Without the path."""
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    """Requests wait for it."""
    asked: threading.Event = field(default_factory=threading.Event)
    """A request has come."""
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def spans(self) -> dict[str, Span]:
        """By name; there must be one of each."""
        spans = [span for request in self.requests for of in request.resource_spans for scope in of.scope_spans
                 for span in scope.spans]  # fmt: skip
        named = {span.name: span for span in spans}
        assert len(named) == len(spans), sorted(span.name for span in spans)
        return named

    @property
    def resource(self) -> Mapping[str, Any]:
        """Who sent it."""
        return values(self.requests[0].resource_spans[0].resource.attributes)


def values(attributes: "Iterator[KeyValue] | Any") -> dict[str, Any]:
    """Attributes as Python has them."""
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    assert kind in ("string_value", "int_value", "bool_value", "double_value"), kind
    return getattr(value, kind)


@contextmanager
def collector() -> Iterator[Collector]:
    """One that answers at once."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.headers["content-type"] == "application/x-protobuf"
            opened.asked.set()
            opened.answers.wait(30)
            if opened.status == 200:
                opened.paths.append(self.path)
                opened.bodies.append(body)
                opened.requests.append(ExportTraceServiceRequest.FromString(body))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(opened.status)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *said: object) -> None:
            """Tells nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        opened = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        opened.answers.set()
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        serving.start()
        try:
            yield opened
        finally:
            opened.answers.set()
            server.shutdown()
            serving.join(10)
