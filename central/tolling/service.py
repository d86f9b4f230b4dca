# SPDX-License-Identifier: AGPL-3.0-or-later
"""Crossings of toll lanes: matching, reading, and a person's decision."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.errors import StaleVersionError
from central.identity.permissions import Permission
from central.identity.types import User
from central.ledger.types import EntryId
from central.tolling.deciding import Verdict
from central.tolling.errors import (
    AlreadyRefundedError,
    CrossingNotChargedError,
    CrossingNotFoundError,
    CrossingNotInReviewError,
    TariffMissingError,
    TollAccountLockedError,
    TollAccountNotFoundError,
)
from central.tolling.matching import CrossingMatcher
from central.tolling.rating import CrossingRater
from central.tolling.repository import TollRepository
from central.tolling.types import (
    AccountState,
    ChargeAfterAll,
    Crossing,
    CrossingDetail,
    CrossingFilter,
    CrossingPage,
    CrossingPageRequest,
    CrossingState,
    LanePassage,
    LaneTagRead,
    MatchingPolicy,
    Reach,
    Refund,
    ReviewDecision,
    StationDay,
    Tariff,
    Unmatched,
    Waive,
)

CROSSINGS_OF_VEHICLE_MAX: Final = 50
SUBJECT: Final = "toll_crossing"
DECIDABLE: Final = frozenset({CrossingState.REVIEW, CrossingState.REFUSED})
"""States that a person may end: a refused vehicle pays later, or has paid otherwise."""


class TollService:
    """What can be done with crossings, in the caller's transaction."""

    def __init__(
        self, connection: AsyncConnection, *, policy: MatchingPolicy | None = None
    ) -> None:
        self._rows = TollRepository(connection)
        self._matcher = CrossingMatcher(connection, policy=policy or MatchingPolicy())
        self._rater = CrossingRater(connection)
        self._audit = AuditService(connection)

    async def lane_passages(self, position: int) -> tuple[LanePassage, ...]:
        """Passages at toll lanes that one commit stored, oldest first; for matching."""
        return tuple(await self._rows.lane_passages(position))

    async def lane_tag_read(self, tag_read_id: UUID) -> LaneTagRead | None:
        """A tag read for matching; ``None`` when its reader watches no toll lane."""
        return await self._rows.lane_tag_read(tag_read_id)

    async def lane_passage(self, passage_id: UUID) -> LanePassage | None:
        """A passage for matching; ``None`` when its camera watches no toll lane."""
        return await self._rows.lane_passage_in_use(passage_id)

    async def unmatched(self, reach: Reach, *, limit: int) -> Unmatched:
        """Events at toll lanes that no crossing has; at most so many of each kind."""
        return Unmatched(
            passage_ids=tuple(await self._rows.unmatched_passages(reach, limit=limit)),
            tag_read_ids=tuple(await self._rows.unmatched_tag_reads(reach, limit=limit)),
        )

    async def match(self, event: LanePassage | LaneTagRead, *, now: datetime) -> None:
        """Join an event with its partner or let it wait; one event per transaction."""
        await self._matcher.match(event, now=now)

    async def end_waiting(self, crossing_id: UUID, *, is_last: bool, now: datetime) -> None:
        """Settle a crossing that still waits for its other event."""
        await self._matcher.end_waiting(crossing_id, is_last=is_last, now=now)

    async def station_days(self, day: date, *, user: User) -> tuple[StationDay, ...]:
        """Every station that the user may see, with its numbers of a day so far.

        Raises:
            PermissionDeniedError: The user may not see tolls.
        """
        user.require(Permission.SEE_TOLLS)
        return tuple(await self._rows.station_days(day, user.scope))

    async def crossings(
        self, wanted: CrossingFilter, page: CrossingPageRequest, *, user: User
    ) -> CrossingPage:
        """One page of crossings, newest first.

        Raises:
            PermissionDeniedError: The user may not see tolls.
        """
        user.require(Permission.SEE_TOLLS)
        return await self._rows.search(wanted, page, user.scope)

    async def crossings_of_vehicle(
        self, vehicle_id: UUID, *, user: User, limit: int = CROSSINGS_OF_VEHICLE_MAX
    ) -> tuple[Crossing, ...]:
        """Newest crossings of a vehicle; whoever shows them has written the look down.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
        """
        user.require(Permission.LOOK_UP_VEHICLES)
        size = max(1, min(limit, CROSSINGS_OF_VEHICLE_MAX))
        return tuple(await self._rows.crossings_of_vehicle(vehicle_id, user.scope, limit=size))

    async def crossing(
        self, crossing_id: UUID, *, user: User, actor: Actor, now: datetime
    ) -> CrossingDetail:
        """One crossing with everything that belongs to it; the look is written down.

        Raises:
            PermissionDeniedError: The user may not see tolls.
            CrossingNotFoundError: It does not exist, or lies outside the user's scope.
        """
        user.require(Permission.SEE_TOLLS)
        found = await self._rows.crossing(crossing_id, user.scope)
        if found is None:
            raise CrossingNotFoundError(crossing_id)
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="toll_crossing_looked_up",
                subject_kind=SUBJECT,
                subject_id=str(crossing_id),
                personal=found.personal,
            )
        )
        return CrossingDetail(
            crossing=found,
            tag_read=(
                await self._rows.lane_tag_read(found.tag_read_id) if found.tag_read_id else None
            ),
            tariff=await self._rows.tariff(found.tariff_id) if found.tariff_id else None,
            events=tuple(await self._rows.events(crossing_id)),
        )

    async def next_in_review(self, other_than: UUID, *, user: User) -> UUID | None:
        """The crossing that has waited longest for a decision; ``None`` when none is left.

        Raises:
            PermissionDeniedError: The user may not review tolls.
        """
        user.require(Permission.REVIEW_TOLLS)
        return await self._rows.next_in_review(other_than, user.scope)

    async def decide(
        self,
        crossing_id: UUID,
        decision: ReviewDecision,
        *,
        version: int,
        user: User,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Charge a crossing in review or refused after all, or let it go; written down for ever.

        Args:
            crossing_id: What is decided.
            decision: What a person decided, and why.
            version: The crossing's version that this person saw.
            user: Who decides.
            actor: The same, as the audit log names them.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not review tolls.
            CrossingNotFoundError: It does not exist, or lies outside the user's scope.
            StaleVersionError: It was changed since this person saw it.
            CrossingNotInReviewError: It waits for nobody's decision.
            TollAccountNotFoundError: No traffic account has this number.
            TollAccountLockedError: The account is locked or closed.
            TariffMissingError: The station has no price for this group on that day.
            InsufficientBalanceError: The account holds less than the price.
        """
        user.require(Permission.REVIEW_TOLLS)
        crossing = await self._held(crossing_id, version=version, user=user)
        if crossing.state not in DECIDABLE:
            raise CrossingNotInReviewError(crossing_id, state=crossing.state)
        match decision:
            case ChargeAfterAll():
                await self._charge(crossing, decision, user=user, now=now)
            case Waive():
                await self._waive(crossing, decision, user=user, now=now)
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="toll_crossing_decided",
                subject_kind=SUBJECT,
                subject_id=str(crossing_id),
                detail=_detail_of(decision),
            )
        )

    async def refund(
        self,
        crossing_id: UUID,
        refund: Refund,
        *,
        version: int,
        user: User,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Give the whole charge of a crossing back by a new entry; written down for ever.

        Whoever charges does not give back: it takes the permission to close days.

        Args:
            crossing_id: Whose charge.
            refund: Why.
            version: The crossing's version that this person saw.
            user: Who decides.
            actor: The same, as the audit log names them.
            now: Aware time; the refund belongs to its day.

        Raises:
            PermissionDeniedError: The user may not close days.
            CrossingNotFoundError: It does not exist, or lies outside the user's scope.
            StaleVersionError: It was changed since this person saw it.
            CrossingNotChargedError: Nothing was charged.
            AlreadyRefundedError: It was given back before.
            OverCorrectionError: The charge was corrected in the ledger by another entry.
        """
        user.require(Permission.CLOSE_TOLL_DAYS)
        crossing = await self._held(crossing_id, version=version, user=user)
        if crossing.state is not CrossingState.CHARGED:
            raise CrossingNotChargedError(crossing_id, state=crossing.state)
        if crossing.refund_entry_id is not None:
            raise AlreadyRefundedError(crossing_id)
        entry_id = await self._rater.refund(crossing, memo=refund.reason, now=now)
        await self._rows.refunded(
            crossing_id,
            refund_entry_id=entry_id,
            reason=refund.reason,
            actor=user.username,
            note=refund.note,
            now=now,
        )
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="toll_crossing_refunded",
                subject_kind=SUBJECT,
                subject_id=str(crossing_id),
                detail={"reason": refund.reason, "amount_dong": crossing.amount_dong or 0},
            )
        )

    async def _held(self, crossing_id: UUID, *, version: int, user: User) -> Crossing:
        """A crossing that nobody else changes, as this person saw it."""
        crossing = await self._rows.lock_crossing(crossing_id, user.scope)
        if crossing is None:
            raise CrossingNotFoundError(crossing_id)
        if crossing.version != version:
            raise StaleVersionError("toll crossing")
        return crossing

    async def _charge(
        self, crossing: Crossing, decision: ChargeAfterAll, *, user: User, now: datetime
    ) -> None:
        """Book a crossing on the account and for the group that a person chose."""
        state = await self._rows.account_state(decision.account_number)
        if state is None:
            raise TollAccountNotFoundError
        if state is not AccountState.OPEN:
            raise TollAccountLockedError(state=state)
        tariffs = await self._rows.tariffs(crossing.lane.station_id, day=crossing.booked_on)
        tariff = tariffs.get(decision.vehicle_group)
        if tariff is None or tariff.price_dong == 0:
            raise TariffMissingError(
                crossing.lane.station_id,
                vehicle_group=decision.vehicle_group,
                day=crossing.booked_on,
            )
        entry_id = await self._rater.charge(
            crossing.id,
            account_number=decision.account_number,
            tariff=tariff,
            lane=crossing.lane,
            crossed_at=crossing.crossed_at,
            now=now,
        )
        verdict = _verdict(
            crossing,
            CrossingState.CHARGED,
            account_number=decision.account_number,
            vehicle_group=decision.vehicle_group,
            tariff=tariff,
        )
        await self._store(
            verdict,
            crossing,
            reason=None,
            entry_id=entry_id,
            note=decision.note,
            user=user,
            now=now,
        )

    async def _waive(
        self, crossing: Crossing, decision: Waive, *, user: User, now: datetime
    ) -> None:
        """Let a crossing go without a charge."""
        verdict = _verdict(
            crossing,
            CrossingState.WAIVED,
            account_number=None,
            vehicle_group=crossing.vehicle_group,
            tariff=await self._rows.tariff(crossing.tariff_id) if crossing.tariff_id else None,
        )
        await self._store(
            verdict,
            crossing,
            reason=decision.reason,
            entry_id=None,
            note=decision.note,
            user=user,
            now=now,
        )

    async def _store(
        self,
        verdict: Verdict,
        crossing: Crossing,
        *,
        reason: str | None,
        entry_id: EntryId | None,
        note: str,
        user: User,
        now: datetime,
    ) -> None:
        await self._rows.decide(
            crossing.id,
            verdict,
            reason=reason,
            ledger_entry_id=entry_id,
            actor=user.username,
            note=note,
            now=now,
        )


def _verdict(
    crossing: Crossing,
    state: CrossingState,
    *,
    account_number: str | None,
    vehicle_group: int | None,
    tariff: Tariff | None,
) -> Verdict:
    """A person's decision; the facts stay those on which the crossing came to review."""
    return Verdict(
        state=state,
        reason=None,
        account_number=account_number,
        vehicle_id=crossing.vehicle_id,
        vehicle_group=vehicle_group,
        tariff=tariff,
        facts=crossing.facts,
    )


def _detail_of(decision: ReviewDecision) -> dict[str, str | int]:
    """What the audit log keeps of a decision."""
    match decision:
        case ChargeAfterAll():
            return {
                "decision": "charge",
                "account": decision.account_number,
                "vehicle_group": decision.vehicle_group,
            }
        case Waive():
            return {"decision": "waive", "reason": decision.reason}
