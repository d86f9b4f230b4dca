# SPDX-License-Identifier: AGPL-3.0-or-later
"""The alerts of one vehicle, as its own page shows them (``alerts/of_vehicle.html``)."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from api.console.alerts.views import AlertRowView, alert_row
from api.pages.i18n import Speech
from central.control.service import AlertService
from central.control.types import ListRequest
from central.identity.permissions import Permission
from central.identity.types import User

ALERTS_SHOWN_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleAlertView:
    """An alert as a line; ``url`` is ``None`` for those who may not open alerts."""

    row: AlertRowView
    url: str | None
    closing_reason: str | None
    dossier_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsSection:
    """The newest alerts of a vehicle, and whether there are older ones."""

    alerts: tuple[VehicleAlertView, ...]
    has_more: bool


async def section(
    connection: AsyncConnection, vehicle_id: UUID, user: User, speech: Speech
) -> AlertsSection:
    """The alerts of a vehicle; whoever looked the vehicle up gave a purpose for it before.

    Raises:
        PermissionDeniedError: The user may not look vehicles up.
    """
    page = await AlertService(connection).alerts_of_vehicle(
        vehicle_id, ListRequest(size=ALERTS_SHOWN_MAX), user=user
    )
    may_open = user.may(Permission.SEE_ALERTS)
    rows = [(each.alert, alert_row(each, speech)) for each in page.alerts]
    return AlertsSection(
        alerts=tuple(
            VehicleAlertView(
                row=row,
                url=row.url if may_open else None,
                closing_reason=alert.closing_reason,
                dossier_code=alert.dossier_code,
            )
            for alert, row in rows
        ),
        has_more=page.next is not None,
    )
