# SPDX-License-Identifier: AGPL-3.0-or-later
"""From stored events to charges, with the real ledger, registry and ingest."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from central.audit.types import Actor, ActorKind
from central.contracts.passage import (
    BoxV1,
    PassageV1,
    PlateColour,
    PlateLayout,
    PlateReadV1,
    VehicleClass,
)
from central.contracts.tag_read import TagReadV1
from central.contracts.topics import Stream
from central.db.pool import connection_info, open_pool
from central.errors import PermissionDeniedError, StaleVersionError
from central.identity.permissions import Role
from central.identity.types import User
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.jobs import toll_tasks
from central.jobs.context import JobContext
from central.ledger.errors import InsufficientBalanceError
from central.settings import CentralSettings, IngestSettings
from central.tolling.day.service import TollDayService
from central.tolling.day.types import DayKey
from central.tolling.errors import (
    AlreadyRefundedError,
    CrossingNotChargedError,
    CrossingNotFoundError,
    CrossingNotInReviewError,
    TariffMissingError,
    TollAccountLockedError,
    TollAccountNotFoundError,
)
from central.tolling.service import TollService
from central.tolling.types import (
    ChargeAfterAll,
    CrossingFilter,
    CrossingPageRequest,
    CrossingState,
    Refund,
    RefundReason,
    Waive,
    WaiverReason,
)
from tests.integration.central import tolls

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

SITE, CAMERA, READER = "km12", "cam-1", "reader-1"
LIMITS = IngestSettings().time_limits
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 08:00 in Vietnam
TRUCK, CAR = "20C12345", "20A67890"
TRUCK_TAG, CAR_TAG = "E2801160600002054E1A2B3C", "E2801160600002054E1A2B3D"
TRUCK_ACCOUNT, CAR_ACCOUNT = "TK-TRUCK", "TK-CAR"
OPERATOR = User(id=1, username="toll", display_name="Trạm thu phí", role=Role.TOLL_OPERATOR)
AUDITOR = User(id=3, username="auditor", display_name="Đối soát", role=Role.TOLL_AUDITOR)
CLERK = User(id=2, username="clerk", display_name="Một cửa", role=Role.CLERK)
ACTOR = Actor(kind=ActorKind.USER, name="toll", role="toll_operator")


def plate(text: str, colour: PlateColour, *, confidence: float = 0.97) -> PlateReadV1:
    return PlateReadV1(
        raw_text=text,
        text=text,
        char_confidences=(confidence,) * len(text),
        confidence=confidence,
        is_legal=True,
        layout=PlateLayout.ONE_LINE,
        colour=colour,
        frames_read=9,
        box=BoxV1(x_min=1, y_min=1, x_max=99, y_max=30),
    )


@dataclass(kw_only=True)
class Lane:
    """A toll lane with its jobs: what is stored is matched when the test says so."""

    url: str
    pool: AsyncConnectionPool[psycopg.AsyncConnection]
    rows: psycopg.Connection
    device: "FakeDevice"
    database: IngestDatabase
    now: datetime = AT
    seq: int = 0
    last: list[PassageV1 | TagReadV1] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context = JobContext(
            pool=self.pool,
            settings=CentralSettings(database_url="postgresql://localhost/unused"),
            clock=lambda: self.now,
        )

    def truck(self, *, at: datetime = AT, **changes: Any) -> PassageV1:  # noqa: ANN401  # any field
        self.seq += 1
        values: dict[str, Any] = {
            "plate": plate(TRUCK, PlateColour.YELLOW),
            "vehicle_class": VehicleClass.TRUCK,
            "camera_id": CAMERA,
            **changes,
        }
        return self.device.passage(seq=self.seq, captured_at=at, **values)

    def car(self, *, at: datetime = AT, **changes: Any) -> PassageV1:  # noqa: ANN401  # any field
        values: dict[str, Any] = {
            "plate": plate(CAR, PlateColour.WHITE),
            "vehicle_class": VehicleClass.CAR,
            **changes,
        }
        return self.truck(at=at, **values)

    def tag(self, epc: str = TRUCK_TAG, *, at: datetime = AT, is_late: bool = False) -> TagReadV1:
        self.seq += 1
        return self.device.tag_read(
            seq=self.seq, epc=epc, captured_at=at, reader_id=READER, is_late=is_late
        )

    def store(self, *events: PassageV1 | TagReadV1) -> None:
        """Commit events as ingest does, in one batch."""
        messages = []
        for event in events:
            is_passage = isinstance(event, PassageV1)
            stream = Stream.PASSAGE if is_passage else Stream.TAG_READ
            messages.append(
                parse(Delivery(topic=self.device.topic(stream), payload=event.to_json()))
            )
        with self.database.transaction() as connection:
            outcome = store_batch(connection, messages, limits=LIMITS, now=self.now)
        assert not outcome.quarantined

    def queued(self) -> list[tuple[str, dict[str, Any]]]:
        """Every toll job that was ever queued, in order."""
        return [
            (str(name), dict(arguments))
            for name, arguments in self.rows.execute(
                "SELECT task_name, args FROM procrastinate_jobs WHERE task_name = any(%s)"
                " AND (scheduled_at IS NULL OR scheduled_at <= %s) ORDER BY id",
                [["match_passages", "match_passage", "match_tag_read", "end_waiting"], self.now],
            )
        ]

    async def work(self, *, after: timedelta = timedelta(0)) -> None:
        """Run every job that is due, also those that ran before: jobs may be repeated."""
        self.now += after
        for name, arguments in self.queued():
            await getattr(toll_tasks, name)(self.context, **arguments)

    async def see(self, *events: PassageV1 | TagReadV1) -> None:
        """Store events one by one, and run the jobs after each."""
        for event in events:
            self.store(event)
            await self.work()

    def crossings(self) -> list[dict[str, Any]]:
        """All crossings, oldest first."""
        with self.rows.cursor(row_factory=dict_row) as cursor:
            return cursor.execute("SELECT * FROM toll_crossing ORDER BY crossed_at, id").fetchall()

    def outcomes(self) -> list[tuple[str, str | None, int | None]]:
        """State, reason and amount of every crossing, oldest first."""
        return [(each["state"], each["reason"], each["amount_dong"]) for each in self.crossings()]

    def charges(self) -> int:
        row = self.rows.execute(
            "SELECT count(*) FROM ledger_entry WHERE kind = 'toll_charge'"
        ).fetchone()
        assert row is not None
        return int(row[0])

    async def top_up(self, number: str, amount_dong: int) -> None:
        await tolls.top_up(self.url, number, amount_dong, now=AT)

    async def balance(self, number: str) -> int:
        return await tolls.balance(self.url, number)


@pytest.fixture
def database(database_url: str) -> Iterator[IngestDatabase]:
    opened = IngestDatabase(connection_info(database_url))
    yield opened
    opened.close()


@pytest.fixture
async def lane(
    database_url: str,
    device: "FakeDevice",
    rows: psycopg.Connection,
    database: IngestDatabase,
) -> AsyncIterator[Lane]:
    """A station whose truck has 200,000 đồng and whose car has 20,000."""
    tolls.add_station(rows, site=SITE, camera=CAMERA, reader=READER)
    truck_id = tolls.add_vehicle(rows, TRUCK)
    car_id = tolls.add_vehicle(rows, CAR, colour="white", kind="car", seats=5, payload_kg=None)
    tolls.add_account(rows, TRUCK_ACCOUNT)
    tolls.add_account(rows, CAR_ACCOUNT)
    tolls.add_tag(rows, TRUCK_TAG, account=TRUCK_ACCOUNT, vehicle_id=truck_id)
    tolls.add_tag(rows, CAR_TAG, account=CAR_ACCOUNT, vehicle_id=car_id)
    async with open_pool(connection_info(database_url), connections_max=6) as pool:
        made = Lane(url=database_url, pool=pool, rows=rows, device=device, database=database)
        await made.top_up(TRUCK_ACCOUNT, 200_000)
        await made.top_up(CAR_ACCOUNT, 20_000)
        yield made


async def test_a_truck_is_charged_once_though_everything_comes_twice(lane: Lane) -> None:
    passage, tag = lane.truck(), lane.tag(at=AT + timedelta(seconds=1))
    lane.store(passage, tag)
    lane.store(passage, tag)  # the broker repeats both messages

    await lane.work()
    await lane.work()  # and a crash repeats the jobs

    assert lane.outcomes() == [("charged", None, 75_000)]
    assert lane.charges() == 1
    assert await lane.balance(TRUCK_ACCOUNT) == 125_000
    crossing = lane.crossings()[0]
    assert (crossing["passage_id"], crossing["tag_read_id"]) == (passage.id, tag.id)
    assert crossing["crossed_at"] == passage.captured_at
    assert str(crossing["booked_on"]) == "2026-03-02"


@pytest.mark.parametrize("is_tag_first", [True, False])
async def test_whichever_event_comes_second_completes_the_crossing(
    lane: Lane, *, is_tag_first: bool
) -> None:
    events: list[PassageV1 | TagReadV1] = [lane.tag(at=AT + timedelta(seconds=9)), lane.truck()]
    first, second = events if is_tag_first else reversed(events)

    await lane.see(first)
    waiting = lane.outcomes()
    await lane.see(second)

    assert waiting == [("waiting", None, None)]
    assert lane.outcomes() == [("charged", None, 75_000)]
    assert lane.charges() == 1


async def test_jobs_in_parallel_make_one_crossing_and_one_charge(lane: Lane) -> None:
    lane.store(lane.tag(), lane.truck())
    jobs = lane.queued() * 6

    await asyncio.gather(
        *(getattr(toll_tasks, name)(lane.context, **arguments) for name, arguments in jobs)
    )

    assert lane.outcomes() == [("charged", None, 75_000)]
    assert lane.charges() == 1
    assert await lane.balance(TRUCK_ACCOUNT) == 125_000


async def test_vehicles_in_a_row_get_their_own_tags_also_when_the_reader_is_far_ahead(
    lane: Lane,
) -> None:
    """The nearest tag of the truck is the car's: agreement decides and not nearness."""
    await lane.top_up(CAR_ACCOUNT, 80_000)
    truck_tag, car_tag = lane.tag(at=AT), lane.tag(CAR_TAG, at=AT + timedelta(seconds=3))
    truck, car = lane.truck(at=AT + timedelta(seconds=3)), lane.car(at=AT + timedelta(seconds=6))

    await lane.see(truck_tag, car_tag, truck, car)

    assert lane.outcomes() == [("charged", None, 75_000), ("charged", None, 35_000)]
    assert [each["tag_read_id"] for each in lane.crossings()] == [truck_tag.id, car_tag.id]


async def test_a_tag_on_the_wrong_vehicle_goes_to_review_when_no_better_one_came(
    lane: Lane,
) -> None:
    await lane.see(lane.tag(TRUCK_TAG), lane.car(at=AT + timedelta(seconds=1)))
    before = lane.outcomes()

    await lane.work(after=timedelta(seconds=12))

    assert before == [("waiting", None, None), ("waiting", None, None)]
    assert lane.outcomes() == [("review", "wrong_tag", None)]
    assert lane.charges() == 0


async def test_a_tag_does_not_go_to_its_neighbour_while_the_right_passage_is_on_its_way(
    lane: Lane,
) -> None:
    await lane.see(lane.tag(TRUCK_TAG), lane.car(at=AT + timedelta(seconds=4)))

    await lane.see(lane.truck(at=AT + timedelta(seconds=1)))
    await lane.work(after=timedelta(seconds=30))

    assert lane.outcomes() == [("charged", None, 75_000), ("review", "no_tag", None)]


@pytest.mark.parametrize(("is_tag", "reason"), [(True, "no_passage"), (False, "no_tag")])
async def test_an_event_that_stays_alone_goes_to_review_with_suggestions(
    lane: Lane, *, is_tag: bool, reason: str
) -> None:
    await lane.see(lane.tag() if is_tag else lane.truck())
    await lane.work(after=timedelta(seconds=29))
    before = lane.outcomes()

    await lane.work(after=timedelta(seconds=1))
    await lane.work()

    assert before == [("waiting", None, None)]
    assert lane.outcomes() == [("review", reason, None)]
    crossing = lane.crossings()[0]
    assert (crossing["account_number"], crossing["vehicle_group"]) == (TRUCK_ACCOUNT, 3)


async def test_a_late_event_is_charged_too_and_ends_the_review(lane: Lane) -> None:
    await lane.see(lane.truck())
    await lane.work(after=timedelta(minutes=1))
    before = lane.outcomes()

    lane.now += timedelta(hours=3)
    await lane.see(lane.tag(at=AT + timedelta(seconds=2), is_late=True))

    assert before == [("review", "no_tag", None)]
    assert lane.outcomes() == [("charged", None, 75_000)]
    crossing = lane.crossings()[0]
    assert crossing["is_late"]
    history = lane.rows.execute(
        "SELECT state, actor FROM toll_crossing_event ORDER BY id"
    ).fetchall()
    assert history == [("review", "tolling"), ("charged", "tolling")]


async def test_two_late_events_are_charged_on_the_day_of_the_crossing(lane: Lane) -> None:
    lane.now += timedelta(days=2)

    await lane.see(lane.truck(is_late=True), lane.tag(is_late=True))

    assert lane.outcomes() == [("charged", None, 75_000)]
    booked = lane.rows.execute(
        "SELECT booked_on::text FROM ledger_entry WHERE kind = 'toll_charge'"
    ).fetchall()
    assert booked == [("2026-03-02",)]


async def test_events_further_apart_than_the_window_are_two_crossings(lane: Lane) -> None:
    await lane.see(lane.truck(), lane.tag(at=AT + timedelta(seconds=10, milliseconds=1)))
    await lane.work(after=timedelta(seconds=30))

    assert sorted(lane.outcomes()) == [("review", "no_passage", None), ("review", "no_tag", None)]


@pytest.mark.parametrize(
    ("balance", "outcome", "left"),
    [
        (35_000, ("charged", None, 35_000), 0),  # exactly the price
        (34_999, ("refused", "balance_too_low", 35_000), 34_999),
    ],
)
async def test_a_balance_of_exactly_the_price_is_enough(
    lane: Lane, balance: int, outcome: tuple[str, str | None, int], left: int
) -> None:
    await lane.top_up(CAR_ACCOUNT, balance - 20_000)

    await lane.see(lane.car(), lane.tag(CAR_TAG))

    assert lane.outcomes() == [outcome]
    assert await lane.balance(CAR_ACCOUNT) == left


async def test_a_refusal_keeps_the_balance_and_the_price_that_it_rests_on(lane: Lane) -> None:
    await lane.see(lane.car(), lane.tag(CAR_TAG))

    facts = {each["name"]: each["value"] for each in lane.crossings()[0]["facts"]}
    assert (facts["balance_dong"], facts["price_dong"]) == (20_000, 35_000)
    assert lane.charges() == 0


async def test_an_unknown_tag_goes_to_review(lane: Lane) -> None:
    await lane.see(lane.truck(), lane.tag("AAAAAAAAAAAAAAAA"))
    await lane.work(after=timedelta(seconds=12))

    assert lane.outcomes() == [("review", "tag_unknown", None)]


async def test_a_tag_on_two_accounts_charges_neither(lane: Lane) -> None:
    tolls.add_account(lane.rows, "TK-OTHER")
    tolls.add_tag(
        lane.rows,
        TRUCK_TAG,
        account="TK-OTHER",
        vehicle_id=tolls.made_id(f"vehicle {TRUCK} yellow"),
    )

    await lane.see(lane.truck(), lane.tag())

    assert lane.outcomes() == [("review", "tag_on_two_accounts", None)]
    assert lane.charges() == 0


async def test_a_tag_that_ended_before_the_crossing_pays_no_more(lane: Lane) -> None:
    lane.rows.execute("UPDATE toll_tag SET valid_until = %s WHERE epc = %s", [AT, TRUCK_TAG])

    await lane.see(lane.truck(), lane.tag())
    await lane.work(after=timedelta(seconds=12))

    assert lane.outcomes() == [("review", "tag_unknown", None)]


async def test_a_locked_account_is_refused_and_a_priority_one_is_free(lane: Lane) -> None:
    lane.rows.execute("UPDATE toll_account SET state = 'locked' WHERE number = %s", [TRUCK_ACCOUNT])
    lane.rows.execute("UPDATE toll_account SET is_priority = true WHERE number = %s", [CAR_ACCOUNT])

    await lane.see(lane.truck(), lane.tag())
    later = AT + timedelta(minutes=2)
    await lane.see(lane.car(at=later), lane.tag(CAR_TAG, at=later))

    assert lane.outcomes() == [("refused", "account_locked", None), ("exempt", "priority", 0)]
    assert lane.charges() == 0


async def test_a_passage_of_another_camera_is_no_crossing(lane: Lane) -> None:
    lane.rows.execute(
        "INSERT INTO camera (id, site_id, name, created_at) VALUES ('cam-2', %s, 'Camera 2', %s)",
        [SITE, AT],
    )

    await lane.see(lane.truck(camera_id="cam-2"))

    assert lane.crossings() == []


# A person decides -----------------------------------------------------------------------------


async def in_review(lane: Lane) -> UUID:
    """A truck without a tag that waits for a person, at version 2."""
    await lane.see(lane.truck())
    await lane.work(after=timedelta(seconds=30))
    crossing = lane.crossings()[0]
    assert (crossing["state"], crossing["version"]) == ("review", 2)
    return UUID(str(crossing["id"]))


async def decide(
    lane: Lane,
    crossing_id: UUID,
    decision: ChargeAfterAll | Waive,
    *,
    version: int = 2,
    user: User = OPERATOR,
) -> None:
    async with lane.pool.connection() as connection:
        await TollService(connection).decide(
            crossing_id, decision, version=version, user=user, actor=ACTOR, now=lane.now
        )


CHARGE = ChargeAfterAll(account_number=TRUCK_ACCOUNT, vehicle_group=3, note="Ảnh rõ")


async def test_a_person_charges_after_all(lane: Lane) -> None:
    crossing_id = await in_review(lane)

    await decide(lane, crossing_id, CHARGE)

    assert lane.outcomes() == [("charged", None, 75_000)]
    assert await lane.balance(TRUCK_ACCOUNT) == 125_000
    history = lane.rows.execute(
        "SELECT state, reason, actor, note FROM toll_crossing_event ORDER BY id"
    ).fetchall()
    assert history == [("review", "no_tag", "tolling", ""), ("charged", None, "toll", "Ảnh rõ")]
    audit = lane.rows.execute(
        "SELECT actor, action, subject_id, detail->>'account' FROM audit_entry"
        " WHERE action = 'toll_crossing_decided'"
    ).fetchall()
    assert audit == [("toll", "toll_crossing_decided", str(crossing_id), TRUCK_ACCOUNT)]


async def refused(lane: Lane) -> UUID:
    """A car whose account holds too little, at version 2."""
    await lane.see(lane.car(), lane.tag(CAR_TAG))
    crossing = lane.crossings()[0]
    assert (crossing["state"], crossing["reason"]) == ("refused", "balance_too_low")
    assert crossing["version"] == 2
    return UUID(str(crossing["id"]))


PAY_LATER = ChargeAfterAll(account_number=CAR_ACCOUNT, vehicle_group=1, note="Đã nạp tiền")


async def test_a_refused_crossing_is_charged_after_a_top_up(lane: Lane) -> None:
    crossing_id = await refused(lane)
    with pytest.raises(InsufficientBalanceError):
        await decide(lane, crossing_id, PAY_LATER)
    await lane.top_up(CAR_ACCOUNT, 50_000)

    await decide(lane, crossing_id, PAY_LATER)

    assert lane.outcomes() == [("charged", None, 35_000)]
    assert await lane.balance(CAR_ACCOUNT) == 35_000
    history = lane.rows.execute(
        "SELECT state, reason, actor FROM toll_crossing_event ORDER BY id"
    ).fetchall()
    assert history == [("refused", "balance_too_low", "tolling"), ("charged", None, "toll")]


async def test_a_refused_crossing_of_a_locked_account_can_be_paid_by_another(lane: Lane) -> None:
    lane.rows.execute("UPDATE toll_account SET state = 'locked' WHERE number = %s", [CAR_ACCOUNT])
    await lane.see(lane.car(), lane.tag(CAR_TAG))
    crossing = lane.crossings()[0]
    assert crossing["reason"] == "account_locked"
    with pytest.raises(TollAccountLockedError):
        await decide(lane, crossing["id"], PAY_LATER)

    await decide(
        lane, crossing["id"], ChargeAfterAll(account_number=TRUCK_ACCOUNT, vehicle_group=1)
    )

    assert lane.outcomes() == [("charged", None, 35_000)]
    assert await lane.balance(TRUCK_ACCOUNT) == 165_000


async def test_many_at_once_charge_a_refused_crossing_once(lane: Lane) -> None:
    crossing_id = await refused(lane)
    await lane.top_up(CAR_ACCOUNT, 500_000)

    outcomes = await asyncio.gather(
        *(decide(lane, crossing_id, PAY_LATER) for _ in range(4)), return_exceptions=True
    )

    assert [each for each in outcomes if each is None] == [None]
    assert {type(each) for each in outcomes if each is not None} == {StaleVersionError}
    assert await lane.balance(CAR_ACCOUNT) == 485_000
    assert lane.charges() == 1


async def give_back(
    lane: Lane, crossing_id: UUID, *, version: int = 2, user: User = AUDITOR
) -> None:
    async with lane.pool.connection() as connection:
        await TollService(connection).refund(
            crossing_id,
            Refund(reason=RefundReason.WRONG_VEHICLE, note="Biển đọc nhầm"),
            version=version,
            user=user,
            actor=ACTOR,
            now=lane.now,
        )


async def charged(lane: Lane) -> UUID:
    """A truck that was charged 75,000 đồng of its 200,000, at version 2."""
    await lane.see(lane.truck(), lane.tag())
    assert lane.outcomes() == [("charged", None, 75_000)]
    return UUID(str(lane.crossings()[0]["id"]))


async def test_a_charge_is_given_back_by_a_new_entry_on_the_day_of_the_refund(lane: Lane) -> None:
    crossing_id = await charged(lane)
    lane.now += timedelta(days=1)

    await give_back(lane, crossing_id)

    assert await lane.balance(TRUCK_ACCOUNT) == 200_000
    crossing = lane.crossings()[0]
    entries = lane.rows.execute(
        "SELECT id, kind, booked_on::text, corrects_id FROM ledger_entry"
        " WHERE kind <> 'top_up' ORDER BY id"
    ).fetchall()
    assert entries == [
        (crossing["ledger_entry_id"], "toll_charge", "2026-03-02", None),
        (crossing["refund_entry_id"], "refund", "2026-03-03", crossing["ledger_entry_id"]),
    ]
    assert (crossing["state"], crossing["version"]) == ("charged", 3)
    async with lane.pool.connection() as connection:
        closed = TollDayService(connection)
        first, second = [
            (
                await closed.preview(
                    DayKey(station_id=tolls.STATION, day=day), user=None, now=lane.now
                )
            ).figures
            for day in (date(2026, 3, 2), date(2026, 3, 3))
        ]
        proof = await closed.proof()
    assert (first.charged_dong, first.ledger.corrected_dong) == (75_000, 0)
    assert (second.charged_dong, second.ledger.corrected_dong) == (0, -75_000)
    assert first.is_balanced
    assert second.is_balanced
    assert proof.is_sound


async def test_many_at_once_give_a_charge_back_once(lane: Lane) -> None:
    crossing_id = await charged(lane)

    outcomes = await asyncio.gather(
        *(give_back(lane, crossing_id) for _ in range(4)), return_exceptions=True
    )

    assert [each for each in outcomes if each is None] == [None]
    assert {type(each) for each in outcomes if each is not None} == {StaleVersionError}
    assert await lane.balance(TRUCK_ACCOUNT) == 200_000
    with pytest.raises(AlreadyRefundedError):
        await give_back(lane, crossing_id, version=3)


async def test_only_what_was_charged_is_given_back_and_only_by_auditors(lane: Lane) -> None:
    crossing_id = await refused(lane)
    with pytest.raises(CrossingNotChargedError):
        await give_back(lane, crossing_id)
    with pytest.raises(PermissionDeniedError):
        await give_back(lane, crossing_id, user=OPERATOR)
    with pytest.raises(CrossingNotFoundError):
        await give_back(lane, UUID(int=1))


async def test_a_refund_whose_entry_says_something_else_is_found(lane: Lane) -> None:
    crossing_id = await charged(lane)
    await lane.top_up(TRUCK_ACCOUNT, 1_000)
    lane.rows.execute(
        "UPDATE toll_crossing SET refund_entry_id = (SELECT max(id) FROM ledger_entry)"
        " WHERE id = %s",
        [crossing_id],
    )

    async with lane.pool.connection() as connection:
        proof = await TollDayService(connection).proof()

    assert not proof.is_sound


async def forget(lane: Lane) -> None:
    """Lose every queued job, and let time pass."""
    lane.rows.execute("DELETE FROM procrastinate_jobs")
    lane.rows.execute("UPDATE toll_lane SET in_use_since = %s", [AT - timedelta(days=1)])
    for table in ("passage", "tag_read"):
        lane.rows.execute(f"UPDATE {table} SET stored_at = %s", [AT])  # noqa: S608
    lane.now += timedelta(minutes=6)


async def test_events_whose_jobs_were_lost_are_matched_after_all(lane: Lane) -> None:
    lane.store(lane.truck(), lane.tag())
    await forget(lane)

    queued = await toll_tasks.match_forgotten(lane.context)
    await lane.work()

    assert queued == 2
    assert lane.outcomes() == [("charged", None, 75_000)]
    assert await toll_tasks.match_forgotten(lane.context) == 0


async def test_only_events_that_should_have_been_matched_are_queued_again(lane: Lane) -> None:
    lane.store(lane.truck(), lane.tag())
    await forget(lane)
    lane.now = AT + timedelta(minutes=4)
    assert await toll_tasks.match_forgotten(lane.context) == 0
    lane.now = AT + timedelta(hours=4)

    lately = await toll_tasks.match_forgotten(lane.context)
    nightly = await toll_tasks.match_long_forgotten(lane.context)

    assert (lately, nightly) == (0, 2)


async def test_what_a_camera_saw_before_it_was_a_lanes_is_no_crossing(lane: Lane) -> None:
    lane.store(lane.truck(), lane.tag())
    await forget(lane)
    lane.rows.execute("UPDATE toll_lane SET in_use_since = %s", [AT + timedelta(minutes=1)])

    assert await toll_tasks.match_forgotten(lane.context) == 0


async def test_one_look_queues_a_bounded_number(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane.store(*(lane.truck(at=AT + timedelta(seconds=second)) for second in range(5)))
    await forget(lane)
    monkeypatch.setattr(toll_tasks, "FORGOTTEN_MAX", 3)

    assert await toll_tasks.match_forgotten(lane.context) == 3


async def test_a_person_waives_with_a_reason(lane: Lane) -> None:
    crossing_id = await in_review(lane)

    await decide(lane, crossing_id, Waive(reason=WaiverReason.PAID_OTHERWISE))

    assert lane.outcomes() == [("waived", "paid_otherwise", None)]
    assert lane.charges() == 0


async def test_a_review_is_decided_once(lane: Lane) -> None:
    crossing_id = await in_review(lane)
    await decide(lane, crossing_id, CHARGE)

    with pytest.raises(StaleVersionError):
        await decide(lane, crossing_id, Waive(reason=WaiverReason.NOT_TOLLED))
    with pytest.raises(CrossingNotInReviewError):
        await decide(lane, crossing_id, Waive(reason=WaiverReason.NOT_TOLLED), version=3)

    assert lane.charges() == 1


async def test_two_people_at_once_decide_once(lane: Lane) -> None:
    crossing_id = await in_review(lane)

    outcomes = await asyncio.gather(
        *(decide(lane, crossing_id, CHARGE) for _ in range(4)), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in outcomes) == [
        "NoneType",
        *["StaleVersionError"] * 3,
    ]
    assert await lane.balance(TRUCK_ACCOUNT) == 125_000


@pytest.mark.parametrize(
    ("decision", "error"),
    [
        (ChargeAfterAll(account_number="TK-NONE", vehicle_group=3), TollAccountNotFoundError),
        (ChargeAfterAll(account_number="TK-LOCKED", vehicle_group=3), TollAccountLockedError),
        (ChargeAfterAll(account_number=TRUCK_ACCOUNT, vehicle_group=5), TariffMissingError),
        (ChargeAfterAll(account_number=CAR_ACCOUNT, vehicle_group=3), InsufficientBalanceError),
    ],
)
async def test_a_charge_that_can_not_be_booked_changes_nothing(
    lane: Lane, decision: ChargeAfterAll, error: type[Exception]
) -> None:
    crossing_id = await in_review(lane)
    tolls.add_account(lane.rows, "TK-LOCKED", state="locked")
    lane.rows.execute("UPDATE toll_tariff SET valid_until = '2026-01-01' WHERE vehicle_group = 5")

    with pytest.raises(error):
        await decide(lane, crossing_id, decision)

    assert lane.outcomes() == [("review", "no_tag", None)]
    assert lane.charges() == 0


async def test_who_may_not_review_can_neither_see_nor_decide(lane: Lane) -> None:
    crossing_id = await in_review(lane)

    with pytest.raises(PermissionDeniedError):
        await decide(lane, crossing_id, CHARGE, user=CLERK)
    async with lane.pool.connection() as connection:
        service = TollService(connection)
        with pytest.raises(PermissionDeniedError):
            await service.crossings(CrossingFilter(), CrossingPageRequest(), user=CLERK)
        with pytest.raises(PermissionDeniedError):
            await service.crossing(crossing_id, user=CLERK, actor=ACTOR, now=AT)
        with pytest.raises(CrossingNotFoundError):
            await service.crossing(UUID(int=1), user=OPERATOR, actor=ACTOR, now=AT)


# Reading --------------------------------------------------------------------------------------


async def test_pages_of_crossings_follow_each_other_without_overlap(lane: Lane) -> None:
    for number in range(7):
        await lane.see(lane.truck(at=AT + timedelta(minutes=number // 2)))
    request = CrossingPageRequest(size=3)
    seen: list[UUID] = []

    async with lane.pool.connection() as connection:
        service = TollService(connection)
        while True:
            page = await service.crossings(CrossingFilter(), request, user=OPERATOR)
            seen.extend(each.id for each in page.crossings)
            if page.next is None:
                break
            request = CrossingPageRequest(size=3, after=page.next)

    newest_first = sorted(lane.crossings(), key=lambda row: (row["crossed_at"], row["id"]))[::-1]
    assert seen == [row["id"] for row in newest_first]


async def test_a_stations_day_is_counted_by_state(lane: Lane) -> None:
    await lane.see(lane.truck(), lane.tag())
    later = AT + timedelta(minutes=2)
    await lane.see(lane.car(at=later), lane.tag(CAR_TAG, at=later))
    await lane.see(lane.truck(at=AT + timedelta(minutes=4)))

    async with lane.pool.connection() as connection:
        days = await TollService(connection).station_days(AT.date(), user=OPERATOR)
        charged = await TollService(connection).crossings(
            CrossingFilter(station_id=tolls.STATION, day=AT.date(), state=CrossingState.CHARGED),
            CrossingPageRequest(),
            user=OPERATOR,
        )

    (day,) = days
    assert (day.crossings, day.charged, day.charged_dong) == (3, 1, 75_000)
    assert (day.refused, day.review, day.waiting) == (1, 0, 1)
    assert len(charged.crossings) == 1
