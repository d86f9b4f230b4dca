# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gathers the facts of a crossing, has it decided, and books what is owed."""

from dataclasses import replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.domain.local_time import local_date
from central.domain.toll_groups import toll_group_rules
from central.ledger.errors import InsufficientBalanceError
from central.ledger.service import LedgerService
from central.ledger.types import (
    AccountKey,
    AccountKind,
    EntryId,
    EntryKind,
    NewEntry,
    Posting,
)
from central.registry.service import RegistryService
from central.registry.types import PlateKey, VehicleFacts
from central.tolling.deciding import (
    HalfScene,
    PlateVerdict,
    Scene,
    Verdict,
    compare_plate,
    decide,
    decide_half,
)
from central.tolling.repository import TollRepository
from central.tolling.types import (
    Crossing,
    CrossingState,
    Fact,
    LaneEvent,
    LaneKey,
    LanePassage,
    LaneTagRead,
    Reason,
    TagBinding,
    Tariff,
)

ACTOR: Final = "tolling"
"""Who decides when no person does."""


class CrossingRater:
    """Decides crossings, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = TollRepository(connection)
        self._registry = RegistryService(connection)
        self._ledger = LedgerService(connection)

    async def agrees(self, passage: LanePassage, tag_read: LaneTagRead) -> bool:
        """Whether the camera read the plate of a vehicle to which the tag belongs."""
        day = local_date(passage.captured_at)
        for binding in await self._rows.bindings(tag_read.epc, at=tag_read.captured_at):
            found = await self._registry.facts_of(binding.vehicle_id, on=day)
            if found is None or found.plate is None:
                continue
            if compare_plate(passage, found.plate) is PlateVerdict.AGREES:
                return True
        return False

    async def settle(
        self, crossing_id: UUID, passage: LanePassage, tag_read: LaneTagRead, *, now: datetime
    ) -> None:
        """Decide a crossing whose events are both here, and book its price once."""
        day = local_date(passage.captured_at)
        bindings = await self._rows.bindings(tag_read.epc, at=tag_read.captured_at)
        vehicle = (
            await self._registry.facts_of(bindings[0].vehicle_id, on=day) if bindings else None
        )
        verdict = decide(
            Scene(
                passage=passage,
                tag_read=tag_read,
                bindings=bindings,
                vehicle=vehicle,
                tariffs=await self._rows.tariffs(passage.lane.station_id, day=day),
                rules=toll_group_rules(),
                day=day,
                now=now,
            )
        )
        await self._carry_out(crossing_id, verdict, passage, now=now)

    async def settle_half(self, crossing_id: UUID, event: LaneEvent, *, now: datetime) -> None:
        """Put a crossing before a person, as its tag or its passage did not come."""
        day = local_date(event.captured_at)
        bindings, vehicle = await self._known_of(event, day=day)
        verdict = decide_half(
            HalfScene(
                event=event,
                bindings=bindings,
                vehicle=vehicle,
                rules=toll_group_rules(),
                day=day,
                now=now,
            )
        )
        await self._store(crossing_id, verdict, entry_id=None, now=now)

    async def charge(
        self,
        crossing_id: UUID,
        *,
        account_number: str,
        tariff: Tariff,
        lane: LaneKey,
        crossed_at: datetime,
        now: datetime,
    ) -> EntryId:
        """Book the price of a crossing; booked once however often it is asked for.

        Raises:
            InsufficientBalanceError: The account holds less than the price.
        """
        booked = await self._ledger.book(
            NewEntry(
                idempotency_key=f"toll:{crossing_id}",
                kind=EntryKind.TOLL_CHARGE,
                occurred_at=crossed_at,
                booked_on=local_date(crossed_at),
                postings=(
                    Posting(
                        account=AccountKey(
                            kind=AccountKind.TRAFFIC_ACCOUNT, reference=account_number
                        ),
                        amount_dong=-tariff.price_dong,
                    ),
                    Posting(
                        account=AccountKey(
                            kind=AccountKind.STATION_REVENUE, reference=lane.station_id
                        ),
                        amount_dong=tariff.price_dong,
                    ),
                ),
            ),
            now=now,
        )
        return booked.id

    async def refund(self, crossing: Crossing, *, memo: str, now: datetime) -> EntryId:
        """Book the whole price of a charged crossing back, on the day of the refund.

        The day of the charge may be closed, and its debits compared: they stay what they were.
        """
        if crossing.ledger_entry_id is None:
            raise RuntimeError("a charged crossing has its entry")
        charge = await self._ledger.entry(crossing.ledger_entry_id)
        booked = await self._ledger.book(
            NewEntry(
                idempotency_key=f"toll-refund:{crossing.id}",
                kind=EntryKind.REFUND,
                occurred_at=now,
                booked_on=local_date(now),
                postings=tuple(
                    Posting(account=each.account, amount_dong=-each.amount_dong)
                    for each in charge.postings
                ),
                memo=memo,
                corrects=charge.id,
            ),
            now=now,
        )
        return booked.id

    async def _carry_out(
        self, crossing_id: UUID, verdict: Verdict, passage: LanePassage, *, now: datetime
    ) -> None:
        """Book what a verdict asks for, and store it; the ledger may refuse."""
        entry_id: EntryId | None = None
        if verdict.state is CrossingState.CHARGED:
            if verdict.account_number is None or verdict.tariff is None:
                raise RuntimeError("a charge names an account and a price")
            try:
                entry_id = await self.charge(
                    crossing_id,
                    account_number=verdict.account_number,
                    tariff=verdict.tariff,
                    lane=passage.lane,
                    crossed_at=passage.captured_at,
                    now=now,
                )
            except InsufficientBalanceError as error:
                verdict = _refused(verdict, balance_dong=error.balance_dong, now=now)
        await self._store(crossing_id, verdict, entry_id=entry_id, now=now)

    async def _store(
        self, crossing_id: UUID, verdict: Verdict, *, entry_id: EntryId | None, now: datetime
    ) -> None:
        await self._rows.decide(
            crossing_id,
            verdict,
            reason=verdict.reason,
            ledger_entry_id=entry_id,
            actor=ACTOR,
            note="",
            now=now,
        )

    async def _known_of(
        self, event: LaneEvent, *, day: date
    ) -> tuple[tuple[TagBinding, ...], VehicleFacts | None]:
        """Accounts and vehicle that a lone event points at; nothing when it points at several."""
        if isinstance(event, LaneTagRead):
            bindings = tuple(await self._rows.bindings(event.epc, at=event.captured_at))
            vehicle_ids = {each.vehicle_id for each in bindings}
            if len(vehicle_ids) != 1:
                return bindings, None
            return bindings, await self._registry.facts_of(vehicle_ids.pop(), on=day)
        if not event.plate_text:
            return (), None
        key = PlateKey(text=event.plate_text, colour=event.plate_colour)
        vehicles = (await self._registry.facts_for_plates([key], on=day))[key]
        if len(vehicles) != 1:
            return (), None
        vehicle_id = vehicles[0].vehicle.id
        found = await self._rows.bindings_of_vehicle(vehicle_id, at=event.captured_at)
        return tuple(found), vehicles[0]


def _refused(verdict: Verdict, *, balance_dong: int, now: datetime) -> Verdict:
    """The verdict when the account holds too little (NĐ 119/2024/NĐ-CP Art. 12.2 to 12.4)."""
    balance = Fact(name="balance_dong", value=balance_dong, source="ledger", as_of=now.isoformat())
    return replace(
        verdict,
        state=CrossingState.REFUSED,
        reason=Reason.BALANCE_TOO_LOW,
        facts=(*verdict.facts, balance),
    )
