# SPDX-License-Identifier: AGPL-3.0-or-later
"""The toll's section on a vehicle's page; the page wrote the look down."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from api.console.tolls.views import CrossingView, crossing_view
from api.pages.i18n import Speech
from central.identity.permissions import Permission
from central.identity.types import User
from central.tolling.service import TollService

ROWS_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TollsSection:
    """Newest crossings of a vehicle.

    Attributes:
        is_linked: Whether the user may open each crossing's own page.
    """

    is_linked: bool
    rows: tuple[CrossingView, ...]


async def section(
    connection: AsyncConnection, vehicle_id: UUID, user: User, speech: Speech
) -> TollsSection:
    """The section for ``tolls/of_vehicle.html``."""
    crossings = await TollService(connection).crossings_of_vehicle(
        vehicle_id, user=user, limit=ROWS_MAX
    )
    return TollsSection(
        is_linked=user.may(Permission.SEE_TOLLS),
        rows=tuple(crossing_view(each, speech) for each in crossings),
    )
