# SPDX-License-Identifier: AGPL-3.0-or-later
"""The dossiers' section on a vehicle's page; the page wrote the look down."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from api.console.dossiers.views import DossierRowView, row_view
from api.pages.i18n import Speech
from central.identity.permissions import Permission
from central.identity.types import User
from central.procedures.service import DossierService
from central.registry.types import VehicleId
from central.settings import NotifySettings, OfficeSettings

ROWS_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DossiersSection:
    """Newest dossiers about a vehicle.

    Attributes:
        is_allowed: Whether the user may see them; nothing is shown otherwise.
    """

    is_allowed: bool
    rows: tuple[DossierRowView, ...]


async def section(
    connection: AsyncConnection, vehicle_id: UUID, user: User, speech: Speech, *, now: datetime
) -> DossiersSection:
    """The section for ``dossiers/of_vehicle.html``."""
    if not user.may(Permission.SEE_DOSSIERS):
        return DossiersSection(is_allowed=False, rows=())
    # Reading needs no name of the office and sends no notice.
    service = DossierService(connection, office=OfficeSettings(), notify=NotifySettings())
    found = await service.dossiers_of_vehicle(
        VehicleId(vehicle_id), user=user, now=now, limit=ROWS_MAX
    )
    return DossiersSection(
        is_allowed=True, rows=tuple(row_view(each, speech, now=now) for each in found)
    )
