# SPDX-License-Identifier: AGPL-3.0-or-later
"""What became of the vehicles at the toll station, against what must become of them."""

import csv
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

from psycopg import AsyncConnection

from central.domain.local_time import to_local
from central.identity.types import User
from central.ledger.service import LedgerService
from central.ledger.types import AccountKey, AccountKind
from central.tolling.service import TollService
from central.tolling.types import (
    Crossing,
    CrossingCursor,
    CrossingFilter,
    CrossingPageRequest,
    CrossingState,
    Reason,
)
from deploy.demo.story.cast import Cast, Member, Part
from deploy.demo.story.files import PRICES_DONG, STATION
from deploy.demo.story.results import StepResult, dong
from deploy.demo.story.setting import in_database
from deploy.demo.story.watching import Passed

TOLLS_PATH: Final = "/console/tolls"
SETTLE_LIMIT_S: Final = 60.0
POLL_S: Final = 0.5
CROSSINGS_MAX: Final = 10_000
PAGE_SIZE: Final = 200

WANTED: Final[Mapping[Part, tuple[CrossingState, Reason | None, int | None]]] = {
    Part.TRUCK: (CrossingState.CHARGED, None, 3),
    Part.SWAPPED: (CrossingState.REVIEW, Reason.WRONG_TAG, None),
    Part.WATCHED: (CrossingState.CHARGED, None, 1),
    Part.CLEAN: (CrossingState.CHARGED, None, 1),
    Part.POOR: (CrossingState.REFUSED, Reason.BALANCE_TOO_LOW, 1),
}
"""State, reason and vehicle group that each must come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolled:
    """Crossings of one play and what is on the accounts now.

    Attributes:
        crossings: By the passage that they rest on.
        balances_dong: By account number.
    """

    crossings: Mapping[UUID, Sequence[Crossing]]
    balances_dong: Mapping[str, int]

    def of(self, passed: Passed, member: Member) -> Sequence[Crossing]:
        """The crossings of a vehicle."""
        passage = passed.passage_of(member.plate)
        return self.crossings.get(passage.id, ()) if passage is not None else ()


def balances(database_url: str, cast: Cast) -> Mapping[str, int]:
    """What is on every account of the story."""
    return in_database(database_url, lambda connection: _balances(connection, cast))


def wait_until_settled(
    database_url: str, passed: Passed, cast: Cast, *, members: Sequence[Member], user: User
) -> Tolled:
    """Read the crossings once none waits for its tag or its passage any more."""
    deadline = time.monotonic() + SETTLE_LIMIT_S
    while True:
        tolled = in_database(
            database_url, lambda connection: _tolled(connection, passed, cast, user=user)
        )
        found = [tolled.of(passed, each) for each in members]
        is_settled = all(
            each and all(crossing.state is not CrossingState.WAITING for crossing in each)
            for each in found
        )
        if is_settled or time.monotonic() > deadline:
            return tolled
        time.sleep(POLL_S)


def told(
    tolled: Tolled,
    passed: Passed,
    cast: Cast,
    *,
    before_dong: Mapping[str, int],
    page_root: str,
) -> StepResult:
    """Crossing by crossing: group, price, what is on the account afterwards."""
    step = StepResult(title="3 · The toll lane", page=page_root + TOLLS_PATH)
    for member in cast.in_lane():
        crossings = tolled.of(passed, member)
        if not step.check(
            len(crossings) == 1,
            f"{member.plate}: one crossing",
            otherwise=f"{member.plate}: {len(crossings)} crossings instead of one",
        ):
            continue
        (crossing,) = crossings
        state, reason, group = WANTED[member.part]
        price = PRICES_DONG[group - 1] if state is CrossingState.CHARGED and group else 0
        left = tolled.balances_dong[member.account]
        step.check(
            (crossing.state, crossing.reason, crossing.vehicle_group) == (state, reason, group),
            f"{member.plate} ({member.part}): {crossing.state}"
            + (f", {crossing.reason}" if crossing.reason else "")
            + (f", group {crossing.vehicle_group}" if crossing.vehicle_group else ""),
        )
        step.check(
            before_dong[member.account] - left == price,
            f"account {member.account}: {dong(before_dong[member.account])} before,"
            f" charged {dong(price)}, {dong(left)} after",
        )
        step.tell(f"crossing: {page_root}{TOLLS_PATH}/{crossing.id}")
    return step


def charges_of(database_url: str, *, day: date, user: User) -> Sequence[Crossing]:
    """Every crossing of a day that was charged, oldest first."""
    return in_database(database_url, lambda connection: _charges(connection, day=day, user=user))


def write_provider_file(path: Path, charges: Sequence[Crossing], *, left_out: UUID) -> UUID:
    """Write what the payment provider sends: one charge is missing, one is nobody's.

    Args:
        path: The file.
        charges: What the station charged that day.
        left_out: The crossing that the provider forgot.

    Returns:
        The crossing of which only the provider knows.
    """
    extra = uuid5(left_out, "extra")
    rows = [
        {
            "crossing_id": each.id,
            "account_number": each.account_number,
            "debited_at": to_local(each.crossed_at).isoformat(timespec="seconds"),
            "amount_dong": each.amount_dong,
        }
        for each in charges
        if each.id != left_out
    ]
    template = next(each for each in charges if each.id == left_out)
    rows.append(
        {
            "crossing_id": extra,
            "account_number": template.account_number,
            "debited_at": to_local(template.crossed_at).isoformat(timespec="seconds"),
            "amount_dong": PRICES_DONG[0],
        }
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return extra


async def _charges(connection: AsyncConnection, *, day: date, user: User) -> Sequence[Crossing]:
    service = TollService(connection)
    wanted = CrossingFilter(station_id=STATION, day=day, state=CrossingState.CHARGED)
    found: list[Crossing] = []
    after: CrossingCursor | None = None
    while len(found) < CROSSINGS_MAX:
        page = await service.crossings(
            wanted, CrossingPageRequest(size=PAGE_SIZE, after=after), user=user
        )
        found += page.crossings
        if page.next is None:
            break
        after = page.next
    return found[::-1]


async def _tolled(connection: AsyncConnection, passed: Passed, cast: Cast, *, user: User) -> Tolled:
    page = await TollService(connection).crossings(
        CrossingFilter(station_id=STATION), CrossingPageRequest(size=PAGE_SIZE), user=user
    )
    by_passage: dict[UUID, list[Crossing]] = {}
    ours = {each.id for passages in passed.by_plate.values() for each in passages}
    for crossing in page.crossings:
        if crossing.passage_id is not None and crossing.passage_id in ours:
            by_passage.setdefault(crossing.passage_id, []).append(crossing)
    return Tolled(crossings=by_passage, balances_dong=await _balances(connection, cast))


async def _balances(connection: AsyncConnection, cast: Cast) -> Mapping[str, int]:
    ledger = LedgerService(connection)
    return {
        each.account: await ledger.balance(
            AccountKey(kind=AccountKind.TRAFFIC_ACCOUNT, reference=each.account)
        )
        for each in cast.members.values()
    }
