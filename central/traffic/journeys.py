# SPDX-License-Identifier: AGPL-3.0-or-later
"""How many vehicles went from where to where: journeys between sites, out of their plates.

A journey is a row of passages of one plate with no pause longer than ``PAUSE_MAX``; it begins at
the first site and ends at the last. Plates are counted inside of the database and leave it in no
form; pairs of sites that fewer than ``VEHICLES_MIN`` vehicles went are left out, since a vehicle
could be known again by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.db.deadlines import answered_within
from central.identity.permissions import Permission
from central.identity.types import User
from central.passages.plate_search import check_span
from central.passages.service import SEARCH_TIME_MAX
from central.traffic.repository import TrafficRepository
from central.traffic.types import JourneyCount

SPAN_MAX: Final = timedelta(days=1)
"""Longest time of one question: every passage in it is read. Higher: minutes of work."""

PAUSE_MAX: Final = timedelta(hours=2)
"""Longest time between two passages of one journey. Higher: there and back becomes one."""

VEHICLES_MIN: Final = 5
"""Fewest vehicles of a pair of sites that is told. Lower: single vehicles can be guessed."""

PAIRS_MAX: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneySpan:
    """Within which time; aware, the end excluded."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        check_span(self.since, self.until, longest=SPAN_MAX)


class JourneyService:
    """Such counts, in the caller's transaction and within the user's scope.

    Args:
        connection: A connection whose transaction belongs to the caller.
        user: Who asks.
        search_time: Longest time that counting may take.
    """

    def __init__(
        self, connection: AsyncConnection, *, user: User, search_time: timedelta = SEARCH_TIME_MAX
    ) -> None:
        self._connection = connection
        self._rows = TrafficRepository(connection)
        self._user = user
        self._search_time = search_time

    async def count(self, span: JourneySpan) -> Sequence[JourneyCount]:
        """Journeys by first and last site, the commonest first.

        Raises:
            PermissionDeniedError: The user may not see passages.
            SearchTooWideError: It took too long.
        """
        self._user.require(Permission.SEE_PASSAGES)
        async with answered_within(self._connection, self._search_time):
            return await self._rows.journeys(
                since=span.since,
                until=span.until,
                pause=PAUSE_MAX,
                vehicles_min=VEHICLES_MIN,
                limit=PAIRS_MAX,
                scope=self._user.scope,
            )
