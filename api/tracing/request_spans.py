"""A request as a span, which goes on with its caller's trace; of its path it tells the route alone."""

from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Tracer, use_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.trace.status import StatusCode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answer_status import AnswerStatus

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SCRUBBED: Final = "REDACTED"
"""In place of a path without a route, which is the caller's own words; what OpenTelemetry writes there."""


class RequestSpans:
    """Makes a span of each request, from outside of all that could refuse it; a WebSocket is one request."""

    def __init__(self, app: ASGIApp, *, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; the turns in it are parts of its span."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        said = scope.get("method", "GET")
        method = said if said in METHODS else "_OTHER"
        attributes = {"http.request.method": method, "url.scheme": scope["scheme"]}
        answer = AnswerStatus(send)

        span = self._tracer.start_span(_named(method), self._caller(Headers(scope=scope)), SpanKind.SERVER, attributes)
        try:
            # An exception's message and traceback may quote what was asked.
            with use_span(span, record_exception=False, set_status_on_exception=False):
                await self._app(scope, receive, answer)
        finally:
            _tell(span, method, scope, answer.status)
            span.end()

    def _caller(self, headers: Headers) -> Context:
        """The caller's own span, where the headers name one as W3C's Trace Context defines it."""
        parents = headers.getlist("traceparent")
        if len(parents) != 1:
            return Context()
        states = ",".join(headers.getlist("tracestate"))
        return self._propagator.extract({"traceparent": parents[0], "tracestate": states}, Context())


def _tell(span: Span, method: str, scope: Scope, status: int) -> None:
    """What is known of a request only when it is over; the router and the guard put it there."""
    route = getattr(scope.get("route"), "path_format", "")
    span.set_attribute("url.path", route or SCRUBBED)
    if route:
        span.update_name(f"{_named(method)} {route}")
        span.set_attribute("http.route", route)
    if request_id := scope.get("state", {}).get("request_id"):
        span.set_attribute("tingshuo.request.id", request_id)
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def _named(method: str) -> str:
    return "HTTP" if method == "_OTHER" else method
