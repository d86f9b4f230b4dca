# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether everything came that devices numbered: by day, and the holes of one device."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.console.devices.views import COMPLETENESS_PATH, day_view, older_days_url, outbox_view
from api.console.parts import Console
from api.deps.request import Connection, Now, SignedIn
from api.pages.rendering import language_of
from central.contracts.identifiers import SLUG_PATTERN
from central.devices.service import DeviceService
from central.devices.types import DayCursor

PAGE_SIZE: Final = 50
DEVICE_DAYS: Final = 31
OUTBOXES_MAX: Final = 20
"""Lives of an outbox that are shown, the newest; a device gets a new one when its disk does."""
STREAM_MAX: Final = 2**63 - 1

router = APIRouter(include_in_schema=False)

Day = Annotated[date | None, Query()]
Stream = Annotated[int | None, Query(ge=1, le=STREAM_MAX)]


@router.get(COMPLETENESS_PATH)
async def days_page(
    request: Request,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    day: Day = None,
    stream: Stream = None,
) -> Response:
    """Every device and day, newest first."""
    before = DayCursor(day=day, stream_id=stream) if day is not None and stream else None
    page = await DeviceService(connection, user=user).days(
        device_id=None, before=before, size=PAGE_SIZE
    )
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "devices/completeness.html",
        user=user,
        days=tuple(day_view(each, speech) for each in page.days),
        newest_url=COMPLETENESS_PATH if before else None,
        older_url=older_days_url(page, COMPLETENESS_PATH),
    )


@router.get(f"{COMPLETENESS_PATH}/{{device_id}}")
async def gaps_page(
    request: Request,
    device_id: Annotated[str, Path(pattern=SLUG_PATTERN)],
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    now: Now,
) -> Response:
    """The outboxes of one device with their holes, and its last days."""
    service = DeviceService(connection, user=user)
    device = await service.device(device_id, now=now)
    proofs = await service.proofs(device)
    page = await service.days(device_id=device_id, before=None, size=DEVICE_DAYS)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "devices/gaps.html",
        user=user,
        device_id=device.id,
        site_name=device.site_name,
        outboxes=tuple(outbox_view(each, speech) for each in reversed(proofs[-OUTBOXES_MAX:])),
        days=tuple(day_view(each, speech) for each in page.days),
    )
