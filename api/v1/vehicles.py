# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking a vehicle up, and asking whether it may cross or be driven; each with a purpose."""

from typing import Annotated

from fastapi import APIRouter, Body

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now, ProcessDep
from api.deps.transactions import transaction
from api.v1.documented import problems
from api.v1.registry_schemas import (
    LicenceCheckBody,
    PermitCheckBody,
    VehicleBody,
    VehicleLookupBody,
    VerdictBody,
)
from central.domain.local_time import local_date
from central.domain.permits import Crossing
from central.registry.checking import CheckingService
from central.registry.errors import VehicleNotFoundError

router = APIRouter(prefix="/v1", tags=["registry"])

_PROBLEMS = (
    "not-signed-in",
    "permission-denied",
    "cross-origin-request",
    "vehicle-ambiguous",
    "body-too-large",
    "request-invalid",
    "database-unavailable",
)


@router.post("/vehicles/lookup", responses=problems("vehicle-not-found", *_PROBLEMS))
async def look_up_vehicle(
    body: Annotated[VehicleLookupBody, Body()],
    *,
    acting: ActingDep,
    process: ProcessDep,
    now: Now,
) -> VehicleBody:
    """Everything about one vehicle; the look is written to the audit log with its purpose."""
    async with transaction(process) as connection:
        record = await CheckingService(connection).look_up(
            body.identifier(), user=acting.user, look=body.look(acting.actor), now=now
        )
    if record is None:
        raise VehicleNotFoundError  # after the commit: an empty look stays written down
    return VehicleBody.of(record)


@router.post("/permits/check", responses=problems(*_PROBLEMS))
async def check_permit(
    body: Annotated[PermitCheckBody, Body()],
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> VerdictBody:
    """Whether a vehicle may cross a border on a day: yes, no or unknown, with every ground."""
    today = local_date(now)
    crossing = Crossing(country=body.country, on=body.on or today, trip_days=body.trip_days)
    verdict = await CheckingService(connection).check_permit(
        body.identifier(), crossing, user=acting.user, look=body.look(acting.actor), now=now
    )
    return VerdictBody.of(verdict, asked_for=crossing.on, today=today)


@router.post("/licences/check", responses=problems(*_PROBLEMS))
async def check_licence(
    body: Annotated[LicenceCheckBody, Body()],
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> VerdictBody:
    """Whether a driver may drive a vehicle on a day: yes, no or unknown, with every ground."""
    today = local_date(now)
    day = body.on or today
    verdict = await CheckingService(connection).check_licence(
        body.licence_number,
        body.identifier(),
        trailer=body.trailer,
        on=day,
        user=acting.user,
        look=body.look(acting.actor),
        now=now,
    )
    return VerdictBody.of(verdict, asked_for=day, today=today)
