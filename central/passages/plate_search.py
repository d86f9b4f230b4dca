# SPDX-License-Identifier: AGPL-3.0-or-later
"""What all questions about plates over months share: who may ask, how long, and the audit row."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import SEALED, AuditEntry, JsonValue, Look, Personal, about_plate
from central.db.deadlines import answered_within
from central.db.replica import AnswerT, HeavyReads, OnPrimary
from central.errors import InvalidFilterError
from central.identity.permissions import Permission
from central.identity.types import User
from central.passages.repository import PassageRepository
from central.passages.service import SEARCH_TIME_MAX


def check_span(since: datetime, until: datetime, *, longest: timedelta) -> None:
    """Refuse a span of time that no question may have.

    Raises:
        InvalidFilterError: A time has no zone, the end is not after the beginning, or too late.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise InvalidFilterError("times need a time zone")
    if not since < until <= since + longest:
        raise InvalidFilterError(f"the end must come within {longest.days} days")


class PlateSearch:
    """A kind of question, in the caller's transaction and within the user's sites.

    Args:
        connection: A connection whose transaction belongs to the caller.
        user: Who asks.
        look: Why.
        search_time: Longest time that a question may take.
        reads: Where passages are searched; in the caller's transaction when absent.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        user: User,
        look: Look,
        search_time: timedelta = SEARCH_TIME_MAX,
        reads: HeavyReads | None = None,
    ) -> None:
        self._connection = connection
        self._reads = reads or OnPrimary(connection)
        self._user = user
        self._look = look
        self._search_time = search_time

    def _require(self) -> None:
        """Stop unless the user may ask; before the look is written down.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
        """
        self._user.require(Permission.LOOK_UP_VEHICLES)

    async def _ask(self, question: Callable[[PassageRepository], Awaitable[AnswerT]]) -> AnswerT:
        """Ask for passages, each statement for as long as is allowed.

        Raises:
            SearchTooWideError: It took too long.
        """

        async def limited(connection: AsyncConnection) -> AnswerT:
            async with answered_within(connection, self._search_time):
                return await question(PassageRepository(connection))

        return await self._reads.ask(limited)

    async def _note(
        self, action: str, *, plate: str, detail: Mapping[str, JsonValue], now: datetime
    ) -> None:
        """Write the look into the audit log; the plate is sealed there."""
        await AuditService(self._connection).record(
            AuditEntry(
                occurred_at=now,
                actor=self._look.actor,
                action=action,
                subject_kind="passage_search",
                subject_id=SEALED,
                purpose=self._look.purpose,
                case_reference=self._look.case_reference,
                detail=detail,
                personal=Personal(about=about_plate(plate), facts={"plate": plate}),
            )
        )
