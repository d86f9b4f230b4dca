# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sites, devices with their health, and the proof that everything came that they numbered."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now, PassageReader, Sites
from api.v1.documented import problems
from api.v1.road_schemas import (
    PAGE_SIZE_DEFAULT,
    PAGE_SIZE_MAX,
    CompletenessBody,
    DeviceBody,
    DevicePageBody,
    ProofBody,
    SitePageBody,
)
from central.contracts.identifiers import SLUG_PATTERN
from central.devices.service import DeviceService

router = APIRouter(prefix="/v1", tags=["roads"])

_PROBLEMS: Final = ("not-signed-in", "permission-denied", "request-invalid", "database-unavailable")

PageSize = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)]
After = Annotated[
    str | None,
    Query(alias="cursor", pattern=SLUG_PATTERN, description="`next_cursor` of the page before."),
]
DeviceName = Annotated[str, Path(pattern=SLUG_PATTERN, examples=["gate-01"])]


@router.get("/sites", responses=problems(*_PROBLEMS))
async def list_sites(
    *,
    user: PassageReader,
    sites: Sites,
    page_size: PageSize = PAGE_SIZE_DEFAULT,
    after: After = None,
) -> SitePageBody:
    """One page of the sites that the caller may see, by id."""
    return SitePageBody.of(await sites.page(user.scope, after=after or "", size=page_size))


@router.get("/devices", responses=problems(*_PROBLEMS))
async def list_devices(
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    page_size: PageSize = PAGE_SIZE_DEFAULT,
    after: After = None,
) -> DevicePageBody:
    """One page of devices with how they were when last heard of, by id."""
    page = await DeviceService(connection, user=acting.user).devices(
        after=after or "", size=page_size, now=now
    )
    return DevicePageBody.of(page)


@router.get("/devices/{device_id}", responses=problems(*_PROBLEMS, "device-unknown"))
async def get_device(
    device_id: DeviceName, *, acting: ActingDep, connection: Connection, now: Now
) -> DeviceBody:
    """One device with how it was when last heard of."""
    service = DeviceService(connection, user=acting.user)
    return DeviceBody.of(await service.device(device_id, now=now))


@router.get("/devices/{device_id}/completeness", responses=problems(*_PROBLEMS, "device-unknown"))
async def get_completeness(
    device_id: DeviceName, *, acting: ActingDep, connection: Connection, now: Now
) -> CompletenessBody:
    """What the centre holds of every outbox of a device: first, last, missing, doubled."""
    service = DeviceService(connection, user=acting.user)
    device = await service.device(device_id, now=now)
    proofs = await service.proofs(device)
    return CompletenessBody(
        device_id=device.id, outboxes=tuple(ProofBody.of(each) for each in proofs)
    )
