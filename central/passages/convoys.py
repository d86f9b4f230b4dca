# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vehicles that were seen together with one: within a minute of it, at three sites or more.

Being together proves nothing: who drives the same road at the same hour meets often. So the answer
counts sites and days, and the look is written into the audit log with its purpose in the same
transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from central.errors import InvalidFilterError
from central.passages.plate_search import PlateSearch, check_span
from central.passages.rows import CompanionRow

SITES_MIN: Final = 3
"""Different sites at which two vehicles must have met. Lower: whoever shares one junction."""

APART_MAX: Final = timedelta(minutes=1)
"""Longest time between two vehicles that pass a site together. Higher: more strangers."""

SPAN_MAX: Final = timedelta(days=92)
MEETING_PASSAGES_MAX: Final = 500
"""Newest passages of the vehicle that are looked around; those of a daily commuter in a quarter."""

MEETING_VEHICLES_MAX: Final = 200
"""Vehicles that are looked at around one passage; more do not pass a site in two minutes."""

COMPANIONS_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvoyQuestion:
    """Whose company is sought.

    Attributes:
        plate_text: A whole plate without separators.
        since: Earliest capture time, included.
        until: Latest capture time, excluded.
    """

    plate_text: str
    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if not self.plate_text:
            raise InvalidFilterError("an unread plate has no company")
        check_span(self.since, self.until, longest=SPAN_MAX)


class ConvoyService(PlateSearch):
    """Questions for the company of a vehicle."""

    async def companions(
        self, question: ConvoyQuestion, *, now: datetime
    ) -> Sequence[CompanionRow]:
        """Vehicles seen together with one at ``SITES_MIN`` sites or more, most sites first.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
            SearchTooWideError: It took too long.
        """
        self._require()
        await self._note(
            "companions_searched",
            plate=question.plate_text,
            detail={"from": question.since.isoformat(), "until": question.until.isoformat()},
            now=now,
        )
        return await self._ask(
            lambda rows: rows.companions(
                question.plate_text,
                since=question.since,
                until=question.until,
                apart=APART_MAX,
                passages_max=MEETING_PASSAGES_MAX,
                vehicles_max=MEETING_VEHICLES_MAX,
                sites_min=SITES_MIN,
                limit=COMPANIONS_MAX,
                scope=self._user.scope,
            )
        )
