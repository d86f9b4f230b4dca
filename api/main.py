# SPDX-License-Identifier: AGPL-3.0-or-later
"""The api process: ``uvicorn --factory api.main:create_app``."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Final, TypedDict

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.console import alike_plates, convoys, passage_looks, sign_in, stream
from api.console import passages as console_passages
from api.console import pictures as console_pictures
from api.console.account import pages as console_account
from api.console.account import second_factor as console_second_factor
from api.console.account import security_keys as console_security_keys
from api.console.account import sign_in_code, sign_in_key
from api.console.alerts import pages as console_alerts
from api.console.alerts import stream as alerts_stream
from api.console.audit import pages as console_audit
from api.console.components import pages as console_components
from api.console.devices import cameras as console_cameras
from api.console.devices import captured as console_captured
from api.console.devices import completeness as console_completeness
from api.console.devices import live_frames as console_live_frames
from api.console.devices import quarantine as console_quarantine
from api.console.dossiers import dossier as console_dossier
from api.console.dossiers import intake as console_intake
from api.console.dossiers import pages as console_dossiers
from api.console.errors import problem_page
from api.console.feeds import make_feeds
from api.console.incidents import pages as console_incidents
from api.console.labels import words
from api.console.live import Listener, running
from api.console.machines import keys as console_keys
from api.console.machines import webhooks as console_webhooks
from api.console.map import pages as console_map
from api.console.national import pages as console_national
from api.console.navigation import menu_for
from api.console.outside import linking as console_outside_linking
from api.console.outside import pages as console_outside
from api.console.overview import pages as console_overview
from api.console.parts import CATALOGUE_FOLDER, TEMPLATE_FOLDER, ConsoleParts
from api.console.protection import pages as console_protection
from api.console.remembered import PlateShelf
from api.console.tolls import days as console_toll_days
from api.console.tolls import pages as console_tolls
from api.console.traffic import journeys as console_journeys
from api.console.traffic import pages as console_traffic
from api.console.users import pages as console_users
from api.console.users import second_factors as console_users_factors
from api.console.vehicles import pages as console_vehicles
from api.console.watchlist import pages as console_watchlist
from api.deps.acting import record_refusal
from api.deps.heavy import open_replica
from api.deps.request import Clock, Process, process_behind
from api.errors import INTERNAL_PROBLEM, ApiError, problem_of
from api.pages.assets import STATIC_PATH, Assets, HashedFiles
from api.pages.i18n import load_speeches
from api.pages.rendering import Renderer
from api.public import pages as public_pages
from api.public.errors import public_problem_page
from api.public.parts import PUBLIC_PREFIX, PublicParts, make_public_parts
from api.public.reference import pages as reference_pages
from api.security.headers import SecurityHeaders
from api.security.https_only import HttpsOnly
from api.security.limits import BODY_BYTES_MAX, BodyLimit
from api.security.origin import require_same_origin
from api.security.rates import RATE_CONNECTIONS_MAX, RateHeaders, SharedRates
from api.settings import ApiSettings, read_settings
from api.v1 import (
    alerts,
    completeness,
    enrolment,
    evidence,
    health,
    incidents,
    live_frames,
    metrics,
    national,
    openapi,
    passages,
    roads,
    session,
    vehicles,
    watchlist,
    webhooks,
)
from api.v1.metrics import RequestMetrics, RequestObserver
from central.db.pool import connection_info, open_pool
from central.devices.authority import DeviceAuthority
from central.devices.live_frames import PICTURE_BYTES_MAX as LIVE_PICTURE_BYTES_MAX
from central.errors import CentralError, PermissionDeniedError
from central.evidence.store import PICTURE_BYTES_MAX, EvidenceStore
from central.identity.outside.provider import outside_provider
from central.identity.second_factor.sealing import SecretSeal
from central.identity.security_keys.types import KeySite
from central.logging import configure_logging, where
from central.settings import read_secret

log = structlog.get_logger(__name__)

APPLICATION_NAME: Final = "luuthong-api"
CONSOLE_PREFIX: Final = "/console"
V1_PARTS: Final = (
    session,
    passages,
    vehicles,
    alerts,
    incidents,
    watchlist,
    webhooks,
    completeness,
    roads,
    national,
    evidence,
    health,
    openapi,
    metrics,
    enrolment,
    live_frames,
)
PAGES: Final = (
    sign_in,
    console_outside,
    console_outside_linking,
    sign_in_code,
    sign_in_key,
    console_overview,
    console_journeys,
    console_traffic,
    console_national,
    console_map,
    stream,
    alerts_stream,
    console_alerts,
    console_incidents,
    console_watchlist,
    passage_looks,
    alike_plates,
    convoys,
    console_passages,
    console_toll_days,
    console_tolls,
    console_vehicles,
    console_intake,
    console_dossiers,
    console_dossier,
    console_audit,
    console_account,
    console_second_factor,
    console_security_keys,
    console_users,
    console_users_factors,
    console_components,
    console_protection,
    console_cameras,
    console_completeness,
    console_captured,
    console_quarantine,
    console_live_frames,
    console_pictures,
    console_keys,
    console_webhooks,
    public_pages,
    reference_pages,
)
"""The stream stands before the details, whose address would fit it, too."""

REFUSALS: Final = range(400, 500)
UPLOAD_PREFIX: Final = "/v1/evidence/"
LIVE_FRAME_PREFIX: Final = "/v1/live-frames/"
NATIONAL_PREFIX: Final = "/v1/national/"


class State(TypedDict):
    """What the lifespan puts into every request's state."""

    process: Process
    console: ConsoleParts
    public: PublicParts


def create_app(
    settings: ApiSettings | None = None,
    *,
    clock: Clock | None = None,
    assets: Assets | None = None,
) -> FastAPI:
    """Make the application; nothing is opened before it starts.

    Args:
        settings: Read from the environment when absent.
        clock: Tells the aware time; the machine's when absent.
        assets: Built files of the console; those in the package when absent.

    Raises:
        ApiSettingsError: A setting is missing or wrong.
        AssetsMissingError: The console's files were not built.
    """
    if settings is None:
        settings = read_settings()
        configure_logging(settings.log_level)
    files = assets or Assets()
    app = openapi.DescribedApi(
        title="Luuthong",
        version=version("luuthong"),
        summary="Passages of a province's roads, for machines.",
        license_info={"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        generate_unique_id_function=lambda route: route.name,
        openapi_url=None,  # FastAPI's own pages load scripts of other hosts
        lifespan=partial(
            _lifespan, settings=settings, clock=clock or partial(datetime.now, UTC), files=files
        ),
        dependencies=[Depends(require_same_origin)],
    )
    for module in V1_PARTS:
        app.include_router(module.router)
    for page in PAGES:
        app.include_router(page.router)
    app.mount(STATIC_PATH, HashedFiles(directory=files.folder), name="static")
    for kind in (ApiError, CentralError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer_error)
    app.state.metrics = RequestMetrics(_process_metrics())
    app.add_middleware(LastResort)
    app.add_middleware(BodyLimit, bytes_max_of=_body_bytes_max)
    if settings.https_only and settings.console_url is not None:
        app.add_middleware(HttpsOnly, console_url=settings.console_url)
    app.add_middleware(RateHeaders)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestObserver, metrics=app.state.metrics)
    return app


def _process_metrics() -> CollectorRegistry:
    """What every process tells about itself."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


class LastResort:
    """ASGI middleware: whatever nobody expected becomes a plain 500 with all our headers.

    Starlette's own place for this lies outside of every middleware.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        has_started = False

        async def send_watched(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Exception as error:
            if scope["type"] != "http" or has_started:
                raise
            response = await _answer_error(Request(scope, receive), error)
            await response(scope, receive, send)


@asynccontextmanager
async def _lifespan(
    app: FastAPI, *, settings: ApiSettings, clock: Clock, files: Assets
) -> AsyncIterator[Mapping[str, object]]:
    """Open the pool and follow the feed, for as long as the process serves."""
    info = connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name=APPLICATION_NAME,
        statement_time=settings.database_statement_time,
    )
    async with AsyncExitStack() as stack:
        process = Process(
            settings=settings,
            pool=await stack.enter_async_context(
                open_pool(info, connections_max=settings.database_connections_max)
            ),
            store=EvidenceStore(settings.evidence_folder),
            clock=clock,
            authority=_device_authority(settings),
            provider=await stack.enter_async_context(outside_provider(settings.outside)),
            seal=_second_factor_seal(settings),
            key_site=_key_site(settings),
            replica=await stack.enter_async_context(
                open_replica(settings, application_name=APPLICATION_NAME, watcher=app.state.metrics)
            ),
            rates=SharedRates(
                await stack.enter_async_context(
                    open_pool(info, connections_max=RATE_CONNECTIONS_MAX)
                )
            ),
        )
        feeds = make_feeds(process, subscribers_max=settings.live_subscribers_max)
        await stack.enter_async_context(running(Listener(info, (feeds.passages, feeds.alerts))))
        app.state.metrics.live_pages.set_function(lambda: feeds.subscribers)
        console = ConsoleParts(
            renderer=Renderer(
                folder=TEMPLATE_FOLDER,
                assets=files,
                speeches=load_speeches(CATALOGUE_FOLDER),
                words_of=words,
                menu_of=menu_for,
            ),
            shelf=PlateShelf(),
            feeds=feeds,
        )
        log.info("api_started")
        yield State(process=process, console=console, public=make_public_parts(files))
    log.info("api_stopped")


def _device_authority(settings: ApiSettings) -> DeviceAuthority | None:
    """What signs certificates of devices; ``None`` where no key is set.

    Raises:
        SettingsError: A file is missing or damaged.
    """
    if settings.devices.ca_key_file is None:
        return None
    key_file, certificate_file = settings.devices.required_files()
    return DeviceAuthority.load(key_file=key_file, certificate_file=certificate_file)


def _second_factor_seal(settings: ApiSettings) -> SecretSeal | None:
    """What seals secrets of second factors; ``None`` where no key is set, which is said.

    Raises:
        SettingsError: The file is missing, or its text is too short.
    """
    if settings.second_factor_key_file is None:
        log.warning("second_factors_off")
        return None
    return SecretSeal.of_text(read_secret(settings.second_factor_key_file))


def _key_site(settings: ApiSettings) -> KeySite | None:
    """What security keys are bound to; ``None`` where no fitting address is set, which is said."""
    site = settings.key_site
    if site is None:
        log.warning("security_keys_off")
    return site


async def _answer_error(request: Request, error: Exception) -> Response:
    """Any error as problem+json, or as a page below the console."""
    problem = problem_of(error)
    if problem.status in REFUSALS:
        log.info("request_refused", code=problem.code, status=problem.status)
    if problem is INTERNAL_PROBLEM:
        log.error("request_failed", kind=type(error).__name__, where=where(error))
    if isinstance(error, PermissionDeniedError):
        await record_refusal(process_behind(request), request, error)
    request_id = request.scope["state"].get("request_id", "")
    if request.url.path.startswith(CONSOLE_PREFIX):
        return problem_page(request, problem, request_id=request_id)
    if request.url.path.startswith((PUBLIC_PREFIX, reference_pages.DOCS_PATH)):
        return public_problem_page(request, problem, request_id=request_id)
    return problem.as_response(request_id=request_id)


def _body_bytes_max(scope: Scope) -> int:
    """Largest body by address."""
    is_upload = scope["method"] == "PUT" and scope["path"].startswith(UPLOAD_PREFIX)
    if is_upload:
        return PICTURE_BYTES_MAX
    if scope["method"] == "PUT" and scope["path"].startswith(LIVE_FRAME_PREFIX):
        return LIVE_PICTURE_BYTES_MAX
    if scope["method"] == "PUT" and scope["path"].startswith(NATIONAL_PREFIX):
        return national.SHEET_BYTES_MAX
    return console_toll_days.file_body_bytes_max(scope["method"], scope["path"]) or BODY_BYTES_MAX
