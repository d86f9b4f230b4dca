# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of cameras and devices, and the page of one device with its last day."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.console.devices.views import CAMERAS_PATH, device_view, span_view
from api.console.parts import Console
from api.deps.request import Connection, Now, SignedIn, Sites
from api.pages.rendering import language_of
from central.contracts.identifiers import SLUG_PATTERN
from central.devices.service import DeviceService

PAGE_SIZE: Final = 50

router = APIRouter(include_in_schema=False)

DeviceId = Annotated[str, Path(pattern=SLUG_PATTERN)]


@router.get(CAMERAS_PATH)
async def cameras_page(
    request: Request,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    sites: Sites,
    now: Now,
    after: Annotated[str, Query(pattern=rf"{SLUG_PATTERN}|^$")] = "",
) -> Response:
    """Devices with their cameras, by id."""
    page = await DeviceService(connection, user=user).devices(after=after, size=PAGE_SIZE, now=now)
    names = {(each.site_id, each.id): each.name for each in await sites.cameras(user.scope)}
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "devices/cameras.html",
        user=user,
        devices=tuple(device_view(each, names, speech, now=now) for each in page.devices),
        newest_url=CAMERAS_PATH if after else None,
        older_url=f"{CAMERAS_PATH}?after={page.next_after}" if page.next_after else None,
    )


@router.get(f"{CAMERAS_PATH}/{{device_id}}")
async def device_page(
    request: Request,
    device_id: DeviceId,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    sites: Sites,
    now: Now,
) -> Response:
    """One device, its cameras, and how it was during the last day."""
    service = DeviceService(connection, user=user)
    device = await service.device(device_id, now=now)
    spans = await service.history(device, now=now)
    names = {(each.site_id, each.id): each.name for each in await sites.cameras(user.scope)}
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "devices/device.html",
        user=user,
        device=device_view(device, names, speech, now=now),
        heartbeat=device.heartbeat,
        spans=tuple(span_view(each, speech) for each in spans),
    )
