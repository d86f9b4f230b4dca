# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts and timings of requests for Prometheus, one log line each, and an id for each.

Labels are methods, route templates and statuses: nothing that names a vehicle or a person.
"""

import math
import time
from typing import Final
from uuid import uuid4

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps.request import Process, ProcessDep
from api.deps.transactions import transaction
from api.errors import NotHereError
from api.security.cookies import is_loopback
from api.settings import MetricsAccess
from central.db.replica import Answerer, Replica
from central.errors import CentralUnavailableError
from central.passages.service import PassageService

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)

REQUEST_ID_HEADER: Final = "X-Request-ID"
UNKNOWN_ROUTE: Final = "unknown"
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """What is measured about requests; each app has a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests = Counter(
            "luuthong_api_requests_total",
            "Requests answered",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "luuthong_api_request_seconds",
            "Time until a request was answered whole; live streams are left out",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=registry,
        )

        self.live_pages = Gauge(
            "luuthong_live_pages", "Pages that follow the live list", registry=registry
        )
        self.unjudged_commits = Gauge(
            "luuthong_unjudged_commits",
            "Commits of passages that vehicle control has not judged yet",
            registry=registry,
        )

        self._heavy = Counter(
            "luuthong_heavy_questions_total",
            "Heavy questions by who answered: the replica, or the primary and why",
            ("answerer",),
            registry=registry,
        )

    def note_heavy_question(self, answerer: Answerer) -> None:
        """Count one heavy question of a process with a replica."""
        self._heavy.labels(answerer.value).inc()

    def follow_replica(self, replica: Replica) -> None:
        """Show how far the replica is behind, not a number while that is not known."""
        gauge = Gauge(
            "luuthong_replica_lag_seconds",
            "How far the replica was behind when it was looked at last",
            registry=self.registry,
        )
        gauge.set_function(lambda: math.nan if replica.lag is None else replica.lag.total_seconds())

    def record(
        self, *, method: str, route: str, status: int, duration_s: float, is_stream: bool
    ) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        if not is_stream:
            self._seconds.labels(method, route).observe(duration_s)


class RequestObserver:
    """ASGI middleware around everything: gives an id, counts, times and logs."""

    def __init__(self, app: ASGIApp, *, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Never the caller's: the id stands in the audit log, where nobody may choose it.
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status, is_stream = 500, False
        started_s = time.monotonic()

        async def send_observed(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                is_stream = any(value.startswith(b"text/event-stream") for _, value in headers)
                headers.append((REQUEST_ID_HEADER.lower().encode(), request_id.encode()))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_observed)
            finally:
                self._record(
                    scope, status, duration_s=time.monotonic() - started_s, is_stream=is_stream
                )

    def _record(self, scope: Scope, status: int, *, duration_s: float, is_stream: bool) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
        self._metrics.record(
            method=method, route=route, status=status, duration_s=duration_s, is_stream=is_stream
        )
        log.info(
            "request_answered",
            method=method,
            route=route,
            status=status,
            duration_ms=round(duration_s * 1000, 1),
        )


@router.get("/metrics")
async def metrics(request: Request, process: ProcessDep) -> Response:
    """Everything that is measured, as text, for those who may read it.

    Raises:
        NotHereError: The caller may not read it.
    """
    access = process.settings.metrics_access
    is_allowed = access is MetricsAccess.EVERYBODY or (
        access is MetricsAccess.LOOPBACK and is_loopback(request)
    )
    if not is_allowed:
        raise NotHereError
    measured: RequestMetrics = request.app.state.metrics
    measured.unjudged_commits.set(await _unjudged_commits(process))
    return Response(generate_latest(measured.registry), media_type=CONTENT_TYPE_LATEST)


async def _unjudged_commits(process: Process) -> float:
    """How many commits wait to be judged; not a number while the database is away."""
    try:
        async with transaction(process) as connection:
            return float(await PassageService(connection).count_unjudged())
    except CentralUnavailableError:
        return math.nan
