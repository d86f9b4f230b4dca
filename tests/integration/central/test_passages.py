# SPDX-License-Identifier: AGPL-3.0-or-later
"""Searching passages, looking at one, and following new ones."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from central.contracts.passage import Direction, EvidenceKind, PassageV1, VehicleClass
from central.db import migrations
from central.db.deadlines import answered_within
from central.db.pool import connection_info
from central.domain.plate_confusion import fold
from central.domain.plates import PlatePattern
from central.domain.scope import SiteScope
from central.errors import InvalidFilterError, PassageNotFoundError, SearchTooWideError
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.passages.service import PassageService
from central.passages.types import CameraKey, PageRequest, PassageFilter
from central.settings import IngestSettings

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

EVERYTHING = SiteScope.everything()
NOTHING = SiteScope(site_ids=frozenset())
LIMITS = IngestSettings().time_limits
BEGAN_AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def store(database_url: str, device: "FakeDevice") -> Callable[..., None]:
    """Store passages in one committed batch."""

    def store_passages(*passages: PassageV1, now: datetime = NOW) -> None:
        database = IngestDatabase(connection_info(database_url))
        messages = [
            parse(Delivery(topic=device.topic(), payload=each.to_json())) for each in passages
        ]
        with database.transaction() as connection:
            store_batch(connection, messages, limits=LIMITS, now=now)
        database.close()

    return store_passages


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[PassageService]:
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info, autocommit=True) as opened:
        yield PassageService(opened)


@pytest.fixture
def five(
    device: "FakeDevice", store: Callable[..., None], plate_read: Callable[[str], Any]
) -> list[PassageV1]:
    """Five passages, a minute apart, oldest first; the last one has no plate."""
    plates = ["51G12345", "51G12399", "47AD15155", "80A00123", None]
    passages = [
        device.passage(
            seq=number,
            captured_at=BEGAN_AT + timedelta(minutes=number),
            plate=plate_read(plate) if plate else None,
            vehicle_class=VehicleClass.CAR if number < 3 else VehicleClass.MOTORCYCLE,
            direction=Direction.UP if number == 2 else Direction.DOWN,
        )
        for number, plate in enumerate(plates, start=1)
    ]
    store(*passages)
    return passages


def minute(number: int) -> datetime:
    return BEGAN_AT + timedelta(minutes=number)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (PassageFilter(), [5, 4, 3, 2, 1]),
        (PassageFilter(captured_from=minute(2), captured_until=minute(4)), [3, 2]),
        (PassageFilter(site_ids=("km12",)), [5, 4, 3, 2, 1]),
        (PassageFilter(site_ids=("elsewhere",)), []),
        (PassageFilter(cameras=(CameraKey(site_id="km12", camera_id="cam-1"),)), [5, 4, 3, 2, 1]),
        (PassageFilter(cameras=(CameraKey(site_id="km12", camera_id="cam-2"),)), []),
        (PassageFilter(cameras=(CameraKey(site_id="other", camera_id="cam-1"),)), []),
        (PassageFilter(directions=(Direction.UP,)), [2]),
        (PassageFilter(vehicle_classes=(VehicleClass.CAR,)), [2, 1]),
        (PassageFilter(plate=PlatePattern.parse("47AD15155")), [3]),
        (PassageFilter(plate=PlatePattern.parse("51G*")), [2, 1]),
        (PassageFilter(plate=PlatePattern.parse("51G123?5")), [1]),
        (PassageFilter(plate=PlatePattern.parse("*23*")), [4, 2, 1]),
        (PassageFilter(plate=PlatePattern.parse("*")), [4, 3, 2, 1]),
        (PassageFilter(only_unread=True), [5]),
    ],
)
async def test_a_search_finds_what_it_describes_newest_first(
    service: PassageService, five: list[PassageV1], wanted: PassageFilter, found: list[int]
) -> None:
    page = await service.search(wanted, PageRequest(), scope=EVERYTHING, now=NOW)
    counted = await service.count(wanted, scope=EVERYTHING)

    assert [each.id for each in page.passages] == [five[number - 1].id for number in found]
    assert counted.count == len(found)
    assert page.next is None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
async def test_a_pattern_is_sought_back_to_the_oldest_day_page_by_page(
    service: PassageService,
    device: "FakeDevice",
    store: Callable[..., None],
    plate_read: Callable[[str], Any],
    size: int,
) -> None:
    days_ago = (0, 1, 6.9, 7, 7.1, 21, 21.1, 63, 63.1, 90)
    for seq, days in enumerate(days_ago, start=1):
        at = BEGAN_AT - timedelta(days=days)
        passage = device.passage(seq=seq, captured_at=at, plate=plate_read("51G12345"))
        store(passage, now=at + timedelta(hours=1))

    wanted = PassageFilter(plate=PlatePattern.parse("51?123*"))
    bounds = [
        (None, None),
        (BEGAN_AT - timedelta(days=7), None),
        (None, BEGAN_AT - timedelta(days=6)),
        (BEGAN_AT - timedelta(days=63), BEGAN_AT - timedelta(days=1)),
        (None, BEGAN_AT - timedelta(days=200)),
    ]
    nows = (BEGAN_AT, BEGAN_AT + timedelta(days=100), BEGAN_AT - timedelta(days=8))
    for (since, until), now in product(bounds, nows):  # nothing came for long; a clock was behind
        search = replace(wanted, captured_from=since, captured_until=until)
        times, after = [], None
        while True:
            page = await service.search(
                search, PageRequest(size=size, after=after), scope=EVERYTHING, now=now
            )
            times += [each.captured_at for each in page.passages]
            after = page.next
            if after is None:
                break

        assert times == [
            at
            for at in (BEGAN_AT - timedelta(days=days) for days in days_ago)
            if (since is None or at >= since) and (until is None or at < until)
        ]


async def test_pages_follow_each_other_without_overlap_even_at_equal_times(
    service: PassageService, device: "FakeDevice", store: Callable[..., None]
) -> None:
    passages = [
        device.passage(seq=number, captured_at=BEGAN_AT + timedelta(seconds=number // 4))
        for number in range(1, 24)
    ]
    store(*passages)
    request = PageRequest(size=5)
    seen: list[UUID] = []

    while True:
        page = await service.search(PassageFilter(), request, scope=EVERYTHING, now=NOW)
        seen.extend(each.id for each in page.passages)
        if page.next is None:
            break
        request = PageRequest(size=5, after=page.next)

    newest_first = sorted(passages, key=lambda each: (each.captured_at, each.id), reverse=True)
    assert seen == [each.id for each in newest_first]


async def test_a_passage_is_shown_with_everything_that_was_sent(
    service: PassageService, five: list[PassageV1], rows: psycopg.Connection
) -> None:
    sent = five[2]
    scene = sent.evidence[0].sha256
    rows.execute(
        "INSERT INTO evidence (sha256, device_id, media_type, size_bytes, purpose, stored_at,"
        " erase_after) VALUES (decode(%s, 'hex'), %s, 'image/jpeg', 1, 'passage', %s, %s)",
        [scene, sent.device_id, NOW, NOW + timedelta(days=1)],
    )

    shown = await service.get(sent.id, scope=EVERYTHING)

    assert shown.plate is not None
    assert sent.plate is not None
    assert (shown.plate.text, shown.plate.raw_text) == (sent.plate.text, sent.plate.raw_text)
    assert shown.plate.char_confidences == pytest.approx(sent.plate.char_confidences)
    assert [each.text for each in shown.plate.alternatives] == ["47AD15156"]
    assert (shown.seq, shown.outbox_id, shown.boot_id) == (3, sent.outbox_id, sent.boot_id)
    assert shown.summary.site_name == "Km 12 Quốc lộ 14"
    assert [(each.kind, each.is_stored) for each in shown.summary.evidence] == [
        (EvidenceKind.SCENE, True),
        (EvidenceKind.PLATE, False),
    ]
    assert shown.models[0].sha256 == "a" * 64


async def test_a_passage_outside_the_scope_does_not_exist_for_the_caller(
    service: PassageService, five: list[PassageV1]
) -> None:
    page = await service.search(PassageFilter(), PageRequest(), scope=NOTHING, now=NOW)
    counted = await service.count(PassageFilter(), scope=NOTHING)

    assert (page.passages, counted.count) == ((), 0)
    with pytest.raises(PassageNotFoundError):
        await service.get(five[0].id, scope=NOTHING)
    with pytest.raises(PassageNotFoundError):
        await service.get(uuid4(), scope=EVERYTHING)


async def test_the_feed_shows_what_is_new_once_and_in_order(
    service: PassageService, device: "FakeDevice", store: Callable[..., None]
) -> None:
    sent = [device.passage(seq=seq, captured_at=minute(9 - seq)) for seq in (1, 2, 3)]
    late = device.passage(seq=4, captured_at=minute(0), is_late=True)
    store(sent[0])
    began = await service.feed_position()

    store(*sent[1:])
    store(late)
    first = await service.feed_after(began, scope=EVERYTHING)
    rest = await service.feed_after(first.position, scope=EVERYTHING)
    hidden = await service.feed_after(began, scope=NOTHING)

    assert {each.id for each in first.passages[:2]} == {each.id for each in sent[1:]}
    assert first.passages[2].id == late.id
    assert [each.is_late for each in first.passages] == [False, False, True]
    assert (rest.passages, rest.position) == ((), first.position)
    assert (hidden.passages, hidden.position) == ((), first.position)


@pytest.mark.parametrize(
    "wrong",
    [
        {"captured_from": minute(2), "captured_until": minute(2)},
        {"captured_from": datetime(2026, 3, 1)},  # noqa: DTZ001  # the missing zone is the case
        {"only_unread": True, "plate": PlatePattern.parse("51*")},
        {"site_ids": ("a",) * 501},
        {"site_ids": ("km12\x00",)},
        {"cameras": (CameraKey(site_id="km12", camera_id="Ngã tư"),)},
    ],
)
def test_a_search_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidFilterError):
        PassageFilter(**wrong)


@pytest.mark.parametrize("size", [0, 201])
def test_a_page_has_a_limit(size: int) -> None:
    with pytest.raises(InvalidFilterError):
        PageRequest(size=size)


def test_every_kind_of_search_can_use_an_index_of_its_own(
    rows: psycopg.Connection, five: list[PassageV1]
) -> None:
    conditions = {
        "plate_fold(plate_text) LIKE '%1515%' AND plate_text <> ''": "plate_folded",
        "plate_fold(plate_text) LIKE any(ARRAY['%1515%', '4_4015']) AND plate_text <> ''": (
            "plate_folded"
        ),
        "plate_text = '47AD15155' AND plate_text <> ''": "plate",
        "site_id = 'km12' AND captured_at >= '2026-03-01'": "site",
        "plate_text = ''": "unread",
    }
    rows.execute("SET enable_seqscan = off")
    plans = {}

    for condition, index in conditions.items():
        with rows.transaction(force_rollback=True):
            # With five rows everything is cheap: leave the planner no other index to prefer.
            rows.execute("ALTER TABLE passage DROP CONSTRAINT passage_pkey")
            for other in {"plate", "plate_folded", "site", "unread"} - {index}:
                rows.execute(f"DROP INDEX passage_{other}")
            plans[condition] = str(
                rows.execute(f"EXPLAIN SELECT id FROM passage WHERE {condition}").fetchall()  # noqa: S608  # our own text
            )

    assert len(five) == 5
    for condition, index in conditions.items():
        assert f"passage_{index} " in plans[condition], condition


async def test_a_search_that_takes_too_long_is_ended_and_the_transaction_goes_on(
    database_url: str, rows: psycopg.Connection, five: list[PassageV1]
) -> None:
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info) as opened:
        await opened.execute("SET statement_timeout = '20s'")
        impatient = PassageService(opened, search_time=timedelta(milliseconds=50))
        found = await PassageService(opened).search(
            PassageFilter(), PageRequest(), scope=EVERYTHING, now=NOW
        )
        await opened.commit()
        rows.execute("BEGIN")
        rows.execute("LOCK TABLE passage IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(SearchTooWideError):
            await impatient.search(PassageFilter(), PageRequest(), scope=EVERYTHING, now=NOW)
        with pytest.raises(SearchTooWideError):
            await impatient.count(PassageFilter(), scope=EVERYTHING)
        rows.execute("ROLLBACK")
        after = await (await opened.execute("SHOW statement_timeout")).fetchone()

    assert len(found.passages) == len(five)
    assert after == ("20s",)


def test_the_databases_folded_key_is_the_one_of_the_rules() -> None:
    function = (Path(migrations.__file__).parent / "0019_pre_plate_fold.sql").read_text("utf-8")
    found = re.search(r"translate\(plate, '(\w+)', '(\d+)'\)", function)

    assert found is not None
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ?*"
    assert signs.translate(str.maketrans(found[1], found[2])) == fold(signs)


async def test_a_sessions_own_shorter_limit_stays(database_url: str) -> None:
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info) as opened:
        await opened.execute("SET statement_timeout = '50ms'")

        with pytest.raises(SearchTooWideError):
            async with answered_within(opened, timedelta(hours=1)):
                await opened.execute("SELECT pg_sleep(10)")


async def many_quick_ones(connection: psycopg.AsyncConnection) -> None:
    async with answered_within(connection, timedelta(seconds=0.5)):
        for _ in range(100):
            await connection.execute("SELECT pg_sleep(0.05)")


async def test_statements_that_are_quick_each_may_not_take_longer_together(
    database_url: str,
) -> None:
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info) as opened:
        with pytest.raises(SearchTooWideError):
            await many_quick_ones(opened)

        cursor = await opened.execute("SELECT 1")
        assert await cursor.fetchone() == (1,)
