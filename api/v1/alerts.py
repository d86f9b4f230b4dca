# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alerts for programs: list, look at one, take it on, close it."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response

from api.deps.acting import ActingDep
from api.deps.cursors import parse_place
from api.deps.request import Connection, Now
from api.v1.alert_schemas import (
    PAGE_SIZE_DEFAULT,
    AlertActBody,
    AlertPageBody,
    AlertRecordBody,
    ClosingBody,
    Cursor,
    PageSize,
)
from api.v1.documented import problems
from api.v1.once import OnceDep, Outcome
from api.v1.versions import SeenVersion, held_to_version, tag_of
from central.control.service import AlertService
from central.control.types import AlertFilter, AlertState, ListCursor, ListRequest
from central.domain.control_law import RuleName
from central.registry.types import VehicleId

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

_READ: Final = ("not-signed-in", "permission-denied", "request-invalid", "database-unavailable")
_CHANGE: Final = (
    *_READ,
    "alert-not-found",
    "alert-state",
    "precondition-needed",
    "precondition-failed",
    "idempotency-key-pending",
    "idempotency-key-reused",
    "cross-origin-request",
    "body-too-large",
)


@router.get("", responses=problems(*_READ, "cursor-invalid"))
async def list_alerts(
    *,
    acting: ActingDep,
    connection: Connection,
    state: Annotated[
        list[AlertState], Query(max_length=len(AlertState), description="May be repeated.")
    ] = [],  # noqa: B006 - FastAPI copies defaults
    rule: RuleName | None = None,
    vehicle_id: UUID | None = None,
    page_size: Annotated[PageSize, Query()] = PAGE_SIZE_DEFAULT,
    cursor: Annotated[Cursor | None, Query(description="`next_cursor` of the page before.")] = None,
) -> AlertPageBody:
    """One page of alerts, the most recently sighted first."""
    wanted = AlertFilter(
        states=tuple(dict.fromkeys(state)),
        rule=rule,
        vehicle_id=VehicleId(vehicle_id) if vehicle_id is not None else None,
    )
    page = await AlertService(connection).list_alerts(
        wanted, list_request(page_size, cursor), user=acting.user
    )
    return AlertPageBody.of(page)


@router.get("/{alert_id}", responses=problems(*_READ, "alert-not-found"))
async def get_alert(
    alert_id: UUID, response: Response, *, acting: ActingDep, connection: Connection, now: Now
) -> AlertRecordBody:
    """One alert with its newest sightings; the look is written to the audit log."""
    record = await AlertService(connection).alert(
        alert_id, user=acting.user, actor=acting.actor, now=now
    )
    response.headers["ETag"] = tag_of(record.seen.alert.version)
    return AlertRecordBody.of(record)


@router.post("/{alert_id}/acknowledge", response_model=AlertActBody, responses=problems(*_CHANGE))
async def acknowledge_alert(
    alert_id: UUID,
    version: SeenVersion,
    *,
    once: OnceDep,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Say that one looks after an open alert."""

    async def change() -> Outcome:
        with held_to_version():
            await AlertService(connection).acknowledge(
                alert_id, version=version, user=acting.user, actor=acting.actor, now=now
            )
        return _acted(alert_id, AlertState.ACKNOWLEDGED, version=version)

    return await once.answer(change)


@router.post("/{alert_id}/close", response_model=AlertActBody, responses=problems(*_CHANGE))
async def close_alert(
    alert_id: UUID,
    version: SeenVersion,
    body: Annotated[ClosingBody, Body()],
    *,
    once: OnceDep,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """End an alert with a reason; the next sighting opens a new one."""

    async def change() -> Outcome:
        with held_to_version():
            await AlertService(connection).close(
                alert_id,
                version=version,
                reason=body.reason,
                note=body.note,
                user=acting.user,
                actor=acting.actor,
                now=now,
            )
        return _acted(alert_id, AlertState.CLOSED, version=version)

    return await once.answer(change)


def list_request(page_size: int, cursor: str | None) -> ListRequest:
    """The wanted page of a list.

    Raises:
        CursorInvalidError: The cursor was not made here.
    """
    if cursor is None:
        return ListRequest(size=page_size)
    at, row_id = parse_place(cursor)
    return ListRequest(size=page_size, after=ListCursor(at=at, id=row_id))


def _acted(alert_id: UUID, state: AlertState, *, version: int) -> Outcome:
    """How the alert is now: an act raises its version by one."""
    return Outcome(
        body=AlertActBody(id=alert_id, state=state, version=version + 1),
        headers={"ETag": tag_of(version + 1)},
    )
