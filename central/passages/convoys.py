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

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import SEALED, AuditEntry, Look, Personal, about_plate
from central.db.deadlines import answered_within
from central.errors import InvalidFilterError
from central.identity.permissions import Permission
from central.identity.types import User
from central.passages.repository import PassageRepository
from central.passages.rows import CompanionRow
from central.passages.service import SEARCH_TIME_MAX

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
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise InvalidFilterError("times need a time zone")
        if not self.since < self.until <= self.since + SPAN_MAX:
            raise InvalidFilterError(f"the end must come within {SPAN_MAX.days} days")


class ConvoyService:
    """Such questions, in the caller's transaction and within the user's sites.

    Args:
        connection: A connection whose transaction belongs to the caller.
        user: Who asks.
        look: Why.
        search_time: Longest time that a question may take.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        user: User,
        look: Look,
        search_time: timedelta = SEARCH_TIME_MAX,
    ) -> None:
        self._connection = connection
        self._rows = PassageRepository(connection)
        self._audit = AuditService(connection)
        self._user = user
        self._look = look
        self._search_time = search_time

    async def companions(
        self, question: ConvoyQuestion, *, now: datetime
    ) -> Sequence[CompanionRow]:
        """Vehicles seen together with one at ``SITES_MIN`` sites or more, most sites first.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
            SearchTooWideError: It took too long.
        """
        self._user.require(Permission.LOOK_UP_VEHICLES)
        async with answered_within(self._connection, self._search_time):
            found = await self._rows.companions(
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
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._look.actor,
                action="companions_searched",
                subject_kind="passage_search",
                subject_id=SEALED,
                purpose=self._look.purpose,
                case_reference=self._look.case_reference,
                detail={
                    "from": question.since.isoformat(),
                    "until": question.until.isoformat(),
                    "found": len(found),
                },
                personal=Personal(
                    about=about_plate(question.plate_text), facts={"plate": question.plate_text}
                ),
            )
        )
        return found
