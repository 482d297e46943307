"""What watches over a server: liveness, readiness and metrics; it answers no question."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from api.guard.guards import ANONYMOUS
from api.guard.principal import Caller
from api.metrics import MEDIA_TYPE
from api.native.answers import Live, Ready
from api.openapi import JSON, TEXT, answers
from api.service import Service


class HealthRoutes:
    """The routes for probes and for Prometheus, over the requests that are being answered."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.router = APIRouter(tags=["health"])
        self.router.get("/health/live", responses=answers("It does.", {JSON: Live}))(self.live)
        ready = {**answers("Now.", {JSON: Ready}), **answers("Not now.", {JSON: Ready}, status=503)}
        self.router.get("/health/ready", responses=ready)(self.ready)
        metrics = answers("In Prometheus's text format.", {"text/plain": {"schema": TEXT}})
        self.router.get("/metrics", response_class=PlainTextResponse, responses=metrics)(self.metrics)

    async def live(self) -> dict[str, bool]:
        """That the process runs."""
        return {"live": True}

    async def ready(self, caller: Caller) -> Response:
        """Whether turns should be sent here; which engine failed and how, only a caller with a key is told."""
        readiness = self._service.readiness
        told: dict[str, Any] = {"ready": readiness.state == "ready", "state": readiness.state}
        if readiness.reason and not (caller is ANONYMOUS and readiness.state == "failed"):
            told["reason"] = readiness.reason
        return JSONResponse(told, 200 if told["ready"] else 503, headers={"cache-control": "no-store"})

    async def metrics(self) -> Response:
        """What was counted since the server began, for Prometheus."""
        turns, ready = self._service.turns, self._service.readiness.state == "ready"
        gauges = {
            "tingshuo_engine_running": ("What has an engine work now.", float(turns.running)),
            "tingshuo_engine_queue": ("What waits for its turn at the engines.", float(turns.waiting)),
            "tingshuo_ready": ("Whether turns are welcome: 1 or 0.", float(ready)),
        }
        return PlainTextResponse(self._service.metrics.text(gauges), media_type=MEDIA_TYPE)
