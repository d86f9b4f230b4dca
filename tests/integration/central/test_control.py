# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a committed passage to an alert and its end, through the jobs that ingest queues."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from central.audit.types import Actor
from central.contracts.passage import PassageV1, PlateColour, PlateReadV1
from central.control.errors import AlertStateError, WatchlistEntryNotFoundError
from central.control.judging import JudgingService
from central.control.service import AlertService
from central.control.types import (
    AlertFilter,
    AlertState,
    ClosingReason,
    ListRequest,
)
from central.control.watchlist import WatchlistService
from central.control.watchlist_types import EntryState, NewWatchlistEntry, WatchReason
from central.db.pool import connection_info, open_pool
from central.domain.local_time import local_date
from central.domain.plates import PlatePattern
from central.errors import PermissionDeniedError, StaleVersionError
from central.identity.permissions import Role
from central.identity.types import User
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.jobs import control_tasks
from central.jobs.context import JobContext
from central.jobs.tasks import TASKS
from central.passages.service import PassageService
from central.registry.service import RegistryService
from central.registry.types import NewBadge, Origin, PartyId, VehicleId, VehicleKind
from central.settings import CentralSettings, IngestSettings
from tests.integration.registered import Registered, give_badge, list_plate, register_vehicle

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

LIMITS: Final = IngestSettings().time_limits
TRUCK: Final = Registered(plate="20C12345", colour=PlateColour.YELLOW, kind=VehicleKind.TRUCK)
OPERATOR: Final = User(id=1, username="truc-ban", display_name="Trực ban", role=Role.OPERATOR)
REVIEWER: Final = User(id=2, username="hau-kiem", display_name="Hậu kiểm", role=Role.REVIEWER)
CLERK: Final = User(id=3, username="mot-cua", display_name="Một cửa", role=Role.CLERK)
ACTOR: Final = Actor.command("test")
ANY_PAGE: Final = ListRequest(size=50)
Store = Callable[..., list[PassageV1]]
RunJobs = Callable[[], Coroutine[Any, Any, int]]
Rows = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """What a camera reads."""

    text: str = TRUCK.plate
    colour: PlateColour = PlateColour.YELLOW
    confidence: float = 0.97
    is_legal: bool = True
    is_late: bool = False
    captured_at: datetime | None = None


@pytest.fixture
def store(
    database_url: str, device: "FakeDevice", plate_read: Callable[[str], PlateReadV1]
) -> Store:
    """Commit passages as ingest does, in one batch."""
    seq = 0

    def committed(*plates: Plate) -> list[PassageV1]:
        nonlocal seq
        passages = []
        for each in plates:
            seq += 1
            read = plate_read(each.text).model_copy(
                update={
                    "colour": each.colour,
                    "confidence": each.confidence,
                    "is_legal": each.is_legal,
                }
            )
            passages.append(
                device.passage(seq, plate=read, is_late=each.is_late, captured_at=each.captured_at)
            )
        database = IngestDatabase(connection_info(database_url))
        messages = [
            parse(Delivery(topic=device.topic(), payload=each.to_json())) for each in passages
        ]
        with database.transaction() as connection:
            outcome = store_batch(connection, messages, limits=LIMITS, now=datetime.now(UTC))
        database.close()
        assert outcome.stored == len(plates)
        return passages

    return committed


@pytest.fixture
async def context(database_url: str) -> AsyncIterator[JobContext]:
    info = connection_info(database_url)
    async with open_pool(info, connections_max=2) as pool:
        yield JobContext(
            pool=pool,
            settings=CentralSettings(database_url=database_url),
            clock=partial(datetime.now, UTC),
        )


@pytest.fixture
def run_jobs(context: JobContext, rows: psycopg.Connection) -> RunJobs:
    """Run the judgements that are queued, by the names under which the worker knows them."""

    async def run() -> int:
        jobs = rows.execute(
            "SELECT id, args FROM procrastinate_jobs"
            " WHERE task_name = 'judge_passages' AND status = 'todo' ORDER BY id"
        ).fetchall()
        for job_id, arguments in jobs:
            await TASKS["judge_passages"](context, **arguments)
            rows.execute(
                "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [job_id]
            )
        return len(jobs)

    return run


@pytest.fixture
def table(rows: psycopg.Connection) -> Rows:
    """Every row of a table."""

    def read(name: str) -> list[dict[str, Any]]:
        with rows.cursor(row_factory=dict_row) as cursor:
            cursor.execute(f"SELECT * FROM {name}")  # noqa: S608 - our own text
            return cursor.fetchall()

    return read


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[AlertService]:
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info, autocommit=True) as opened:
        yield AlertService(opened)


@pytest.fixture
async def watchlist(database_url: str) -> AsyncIterator[WatchlistService]:
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info, autocommit=True) as opened:
        yield WatchlistService(opened)


async def test_a_yellow_truck_without_a_badge_raises_one_alert_with_its_facts(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows
) -> None:
    vehicle_id = register_vehicle(rows, TRUCK)
    (passage,) = store(Plate())

    assert await run_jobs() == 1

    (alert,) = table("alert")
    assert (alert["rule"], alert["severity"], alert["state"]) == (
        "yellow_without_badge",
        "high",
        "open",
    )
    assert alert["vehicle_id"] == vehicle_id
    assert alert["passage_id"] == passage.id
    assert "158/2024" in alert["legal_basis"]
    facts = {fact["name"]: fact for fact in alert["facts"]}
    assert facts["badge_number"]["value"] is None
    assert facts["badge_number"]["as_of"] == "2026-01-05"
    assert facts["vehicle_kind"]["source"] == "test register"
    assert facts["reading_confidence"]["value"] == "0.9700"
    (entry,) = table("passage_feed")
    assert entry["judged_at"] is not None


async def test_further_passages_are_sightings_of_the_same_alert(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows
) -> None:
    register_vehicle(rows, TRUCK)
    store(Plate(), Plate())
    await run_jobs()
    (_, newest) = store(Plate(), Plate(captured_at=datetime.now(UTC) + timedelta(seconds=1)))
    await run_jobs()

    (alert,) = table("alert")
    assert alert["sightings"] == 4
    assert alert["version"] == 1
    assert alert["passage_id"] == newest.id
    assert len(table("alert_sighting")) == 4


async def test_judging_the_same_commit_again_changes_nothing(
    store: Store, run_jobs: RunJobs, context: JobContext, rows: psycopg.Connection, table: Rows
) -> None:
    register_vehicle(rows, TRUCK)
    store(Plate())
    await run_jobs()
    before = (table("alert"), table("alert_sighting"), table("alert_feed"))
    (entry,) = table("passage_feed")

    await control_tasks.judge_passages(context, position=entry["position"])
    async with context.transaction() as connection:
        key = (entry["captured_ats"][0], entry["passage_ids"][0])
        passages = await PassageService(connection).by_key([key], scope=OPERATOR.scope)
        again = await JudgingService(connection).judge(
            list(passages.values()), now=datetime.now(UTC)
        )

    assert again.sighted == 0
    assert (table("alert"), table("alert_sighting"), table("alert_feed")) == before


async def test_a_crash_in_the_middle_leaves_the_commit_unjudged_and_its_feed_entry_kept(
    store: Store,
    context: JobContext,
    rows: psycopg.Connection,
    table: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register_vehicle(rows, TRUCK)
    store(Plate())
    (entry,) = table("passage_feed")

    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(PassageService, "mark_judged", crash)
    with pytest.raises(RuntimeError):
        await control_tasks.judge_passages(context, position=entry["position"])
    async with context.transaction() as connection:
        gone = await PassageService(connection).forget_feed(
            before=datetime.now(UTC) + timedelta(days=1), limit=100
        )
        waiting = await PassageService(connection).count_unjudged()

    assert table("alert") == []
    assert (gone, waiting) == (0, 1)


async def test_a_forgotten_commit_is_queued_again(
    store: Store, context: JobContext, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows
) -> None:
    register_vehicle(rows, TRUCK)
    store(Plate())
    rows.execute("DELETE FROM procrastinate_jobs")
    later = JobContext(
        pool=context.pool,
        settings=context.settings,
        clock=lambda: datetime.now(UTC) + timedelta(minutes=5),
    )

    queued = await control_tasks.judge_forgotten(later)
    await run_jobs()

    assert queued == 1
    assert len(table("alert")) == 1
    assert await control_tasks.judge_forgotten(later) == 0


async def test_a_late_passage_raises_nothing_and_is_kept(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows, service: AlertService
) -> None:
    register_vehicle(rows, TRUCK)
    (passage,) = store(Plate(is_late=True, captured_at=datetime.now(UTC) - timedelta(hours=3)))
    await run_jobs()

    page = await service.late_sightings(None, ANY_PAGE, user=OPERATOR)

    assert table("alert") == []
    assert table("alert_feed") == []
    assert [(each.passage_id, len(each.rules)) for each in page.sightings] == [(passage.id, 1)]


async def test_a_late_passage_is_counted_by_the_alert_that_is_open(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows
) -> None:
    register_vehicle(rows, TRUCK)
    (live,) = store(Plate())
    await run_jobs()
    changes = len(table("alert_feed"))
    store(Plate(is_late=True, captured_at=datetime.now(UTC) - timedelta(hours=3)))
    await run_jobs()

    (alert,) = table("alert")
    assert alert["sightings"] == 2
    assert alert["passage_id"] == live.id  # the older sighting does not become the newest
    assert len(table("alert_feed")) == changes  # nothing moves on live pages


@pytest.mark.parametrize(
    "plate",
    [
        Plate(text="29H99999"),  # nobody here registered it: unknown is not invalid
        Plate(confidence=0.85),
        Plate(is_legal=False),
        Plate(colour=PlateColour.UNKNOWN),
        Plate(colour=PlateColour.WHITE),  # same text, other colour: another vehicle
        Plate(text=""),
    ],
)
async def test_no_alert_on_shaky_ground(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows, plate: Plate
) -> None:
    register_vehicle(rows, TRUCK)
    store(plate)
    await run_jobs()

    assert table("alert") == []
    assert all(entry["judged_at"] for entry in table("passage_feed"))


async def test_of_two_vehicles_with_the_same_text_the_colour_tells_which(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows
) -> None:
    yellow = register_vehicle(rows, TRUCK)
    register_vehicle(rows, Registered(plate=TRUCK.plate, colour=PlateColour.WHITE))
    store(
        Plate(colour=PlateColour.WHITE),
        Plate(colour=PlateColour.YELLOW),
        Plate(colour=PlateColour.UNKNOWN),
    )
    await run_jobs()

    (alert,) = table("alert")
    assert (alert["vehicle_id"], alert["sightings"]) == (yellow, 1)


async def test_each_kind_of_finding_and_none_for_a_clean_car(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows
) -> None:
    long_ago = date(2025, 1, 31)
    register_vehicle(
        rows,
        Registered(
            plate="20C00001",
            colour=PlateColour.YELLOW,
            kind=VehicleKind.TRUCK,
            badge_days=(-400, -10),
        ),
    )
    register_vehicle(rows, Registered(plate="20A00002", inspected_until=long_ago))
    register_vehicle(rows, Registered(plate="20A00003", badge_days=(-10, 10)))
    register_vehicle(
        rows, Registered(plate="20A00004", inspected_until=datetime.now(UTC).date() + timedelta(9))
    )
    list_plate(rows, "20A00005")
    store(
        Plate(text="20C00001"),
        *(Plate(text=f"20A0000{n}", colour=PlateColour.WHITE) for n in (2, 3, 4, 5)),
    )
    await run_jobs()

    assert {alert["plate_text"]: alert["rule"] for alert in table("alert")} == {
        "20C00001": "badge_expired",
        "20A00002": "inspection_expired",
        "20A00003": "white_with_badge",
        "20A00005": "watchlisted",
    }


async def test_a_watchlist_entry_holds_for_its_time_and_colour_only(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows
) -> None:
    now = datetime.now(UTC)
    list_plate(rows, "20A00001", valid_until=now - timedelta(minutes=1))
    list_plate(rows, "20A00002", valid_until=now + timedelta(hours=1))
    list_plate(rows, "20A00003", colour=PlateColour.YELLOW)
    list_plate(rows, "20A00004", listed_at=now - timedelta(hours=1))
    store(
        Plate(text="20A00001", colour=PlateColour.WHITE),
        Plate(text="20A00002", colour=PlateColour.WHITE),
        Plate(text="20A00003", colour=PlateColour.WHITE),
        # It drove by before somebody looked for it.
        Plate(
            text="20A00004",
            colour=PlateColour.WHITE,
            is_late=True,
            captured_at=now - timedelta(hours=2),
        ),
    )
    await run_jobs()

    assert [sighting["rule"] for sighting in table("alert_sighting")] == ["watchlisted"]
    assert [alert["plate_text"] for alert in table("alert")] == ["20A00002"]


async def test_a_plate_that_stands_twice_on_the_list_gives_one_alert(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows
) -> None:
    first = list_plate(rows, "20A00001", listed_at=datetime.now(UTC) - timedelta(hours=2))
    list_plate(rows, "20A00001")
    store(Plate(text="20A00001", colour=PlateColour.WHITE))
    await run_jobs()

    (alert,) = table("alert")
    assert alert["watchlist_entry_id"] == first
    assert [fact["name"] for fact in alert["facts"]].count("watch_reason") == 2


async def test_a_badge_ends_the_alert_and_the_next_passage_raises_none(
    store: Store,
    run_jobs: RunJobs,
    rows: psycopg.Connection,
    table: Rows,
    service: AlertService,
) -> None:
    vehicle_id = register_vehicle(rows, TRUCK)
    store(Plate())
    await run_jobs()
    give_badge(rows, vehicle_id)

    ended = await service.end_by_dossier(
        vehicle_id, dossier_code="H55.01-261122-0001", now=datetime.now(UTC)
    )
    store(Plate())
    await run_jobs()

    (alert,) = table("alert")
    assert ended == 1
    assert (alert["state"], alert["closing_reason"]) == ("closed", "ended_by_dossier")
    assert alert["dossier_code"] == "H55.01-261122-0001"
    assert alert["sightings"] == 1
    (entry,) = table("audit_entry")
    assert entry["action"] == "alert_ended_by_dossier"


async def test_a_badge_granted_while_a_passage_is_judged_is_not_missed(  # noqa: PLR0917
    store: Store,
    run_jobs: RunJobs,
    rows: psycopg.Connection,
    table: Rows,
    database_url: str,
    wait_until: Callable[..., None],
) -> None:
    # The decision has not committed when the judgement begins: the judgement waits for it.
    vehicle_id = register_vehicle(rows, TRUCK)
    store(Plate())
    async with await psycopg.AsyncConnection.connect(connection_info(database_url)) as decision:
        await decision.execute(
            "INSERT INTO badge (id, number, kind, vehicle_id, party_id, valid_from, valid_until,"
            " source, as_of, created_at) SELECT gen_random_uuid(), 'PH-1', 'truck', id, owner_id,"
            " current_date - 1, current_date + 300, 'test', current_date, now() FROM vehicle"
        )
        await AlertService(decision).end_by_dossier(
            vehicle_id, dossier_code="H55.01-261122-0001", now=datetime.now(UTC)
        )
        judging = asyncio.create_task(run_jobs())

        def waits() -> bool:
            return (
                rows.execute("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1").fetchone()
                is not None
            )

        await asyncio.to_thread(wait_until, waits, what="the judgement waits for the decision")
        await decision.commit()
        await judging

    assert table("alert") == []
    assert len(table("passage_feed")) == 1


async def test_a_passage_judged_in_the_middle_of_a_decision_holds_neither_up(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, table: Rows, database_url: str
) -> None:
    vehicle_id = register_vehicle(rows, TRUCK)
    (owner_id,) = rows.execute("SELECT owner_id FROM vehicle").fetchone() or (None,)
    store(Plate())
    now = datetime.now(UTC)
    today = local_date(now)
    badge = NewBadge(
        number="PH-1",
        kind="goods",
        vehicle_id=VehicleId(vehicle_id),
        party_id=PartyId(owner_id),
        valid_from=today,
        valid_until=today + timedelta(days=300),
        dossier_code="H55.01-261122-0001",
        origin=Origin(source="dossier", as_of=today),
    )
    async with await psycopg.AsyncConnection.connect(connection_info(database_url)) as decision:
        await RegistryService(decision).issue_badge(badge, now=now)
        # The badge is there and not committed: the judgement raises an alert, and commits.
        async with asyncio.timeout(10):
            await run_jobs()

        ended = await AlertService(decision).end_by_dossier(
            vehicle_id, dossier_code="H55.01-261122-0001", now=now
        )
        await decision.commit()

    (alert,) = table("alert")
    assert ended == 1
    assert alert["state"] == "closed"


async def test_an_alert_is_acknowledged_and_closed_by_the_version_that_was_seen(
    store: Store,
    run_jobs: RunJobs,
    rows: psycopg.Connection,
    table: Rows,
    service: AlertService,
) -> None:
    register_vehicle(rows, TRUCK)
    store(Plate())
    await run_jobs()
    (alert,) = table("alert")
    act: dict[str, Any] = {"user": OPERATOR, "actor": ACTOR, "now": datetime.now(UTC)}

    await service.acknowledge(alert["id"], version=1, **act)
    with pytest.raises(StaleVersionError):
        await service.close(
            alert["id"], version=1, reason=ClosingReason.VEHICLE_STOPPED, note="", **act
        )
    with pytest.raises(AlertStateError):
        await service.acknowledge(alert["id"], version=2, **act)
    await service.close(
        alert["id"], version=2, reason=ClosingReason.VEHICLE_STOPPED, note=" Km 12 ", **act
    )
    store(Plate())
    await run_jobs()
    record = await service.alert(alert["id"], **act)

    assert record.seen.alert.state is AlertState.CLOSED
    assert (record.seen.alert.closing_note, record.seen.alert.closed_by) == ("Km 12", "truc-ban")
    assert len(record.sightings) == 1
    assert {row["state"] for row in table("alert")} == {"closed", "open"}  # it drove by again
    assert [row["action"] for row in table("audit_entry")] == [
        "alert_acknowledged",
        "alert_closed",
        "alert_opened",
    ]


async def test_who_may_not_see_or_handle_alerts_is_refused(service: AlertService) -> None:
    now = datetime.now(UTC)

    with pytest.raises(PermissionDeniedError):
        await service.list_alerts(AlertFilter(), ANY_PAGE, user=CLERK)
    with pytest.raises(PermissionDeniedError):
        await service.alert(uuid4(), user=CLERK, actor=ACTOR, now=now)
    with pytest.raises(PermissionDeniedError):
        await service.acknowledge(uuid4(), version=1, user=CLERK, actor=ACTOR, now=now)


async def test_alerts_are_listed_page_by_page_without_gaps_or_repeats(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, service: AlertService
) -> None:
    for number in range(7):
        list_plate(rows, f"20A0000{number}")
    store(*(Plate(text=f"20A0000{n}", colour=PlateColour.WHITE) for n in range(7)))
    await run_jobs()

    seen: list[UUID] = []
    page = ListRequest(size=3)
    while True:
        got = await service.list_alerts(AlertFilter(states=(AlertState.OPEN,)), page, user=OPERATOR)
        seen.extend(each.alert.id for each in got.alerts)
        if got.next is None:
            break
        page = ListRequest(size=3, after=got.next)

    assert len(seen) == len(set(seen)) == 7


async def test_the_feed_tells_each_changed_alert_as_it_is_now(
    store: Store, run_jobs: RunJobs, rows: psycopg.Connection, service: AlertService
) -> None:
    register_vehicle(rows, TRUCK)
    store(Plate())
    await run_jobs()
    store(Plate())
    await run_jobs()

    page = await service.feed_after(0, scope=OPERATOR.scope)
    more = await service.feed_after(page.position, scope=OPERATOR.scope)

    assert [each.alert.sightings for each in page.alerts] == [2]
    assert (more.alerts, more.position) == ((), page.position)
    assert page.position == await service.feed_position()


async def test_the_watchlist_is_edited_by_those_who_may_and_everything_is_written_down(
    watchlist: WatchlistService, table: Rows
) -> None:
    now = datetime.now(UTC)
    new = NewWatchlistEntry(
        plate_text="20a-123.45",
        plate_colour=None,
        reason=WatchReason.STOLEN,
        note="",
        legal_basis="Công văn 12/CV-PC08",
        valid_until=None,
    )

    with pytest.raises(PermissionDeniedError):
        await watchlist.add(new, user=OPERATOR, actor=ACTOR, now=now)
    entry_id = await watchlist.add(new, user=REVIEWER, actor=ACTOR, now=now)
    found = await watchlist.entries(
        EntryState.HOLDING,
        PlatePattern.parse("20A*"),
        ANY_PAGE,
        user=OPERATOR,
        actor=ACTOR,
        now=now,
    )
    await watchlist.remove(entry_id, user=REVIEWER, actor=ACTOR, now=now)
    with pytest.raises(WatchlistEntryNotFoundError):
        await watchlist.remove(entry_id, user=REVIEWER, actor=ACTOR, now=now)
    holding, ended = [
        await watchlist.entries(state, None, ANY_PAGE, user=OPERATOR, actor=ACTOR, now=now)
        for state in (EntryState.HOLDING, EntryState.ENDED)
    ]

    assert [each.plate_text for each in found.entries] == ["20A12345"]
    assert holding.entries == ()
    assert [each.removed_by for each in ended.entries] == ["hau-kiem"]
    assert [row["action"] for row in table("audit_entry")] == [
        "watchlist_entry_added",
        "watchlist_searched",
        "watchlist_entry_removed",
    ]
