# SPDX-License-Identifier: AGPL-3.0-or-later
"""A toll station of the served world, whose crossings are made by the real jobs."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg

from central.contracts.event import ClockSource
from central.contracts.passage import EvidenceKind, PlateColour, VehicleClass
from central.contracts.tag_read import TagReadV1
from central.contracts.topics import Stream, Topic
from central.db.pool import open_pool
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.jobs import toll_tasks
from central.jobs.context import JobContext
from central.settings import CentralSettings
from tests.integration.api.world import (
    CAMERA_ID,
    DEVICE_ID,
    LIMITS,
    PROVINCE,
    SITE_ID,
    Seen,
    World,
    delete_rows,
    drawn_jpeg,
)
from tests.integration.central import tolls

TRUCK, CAR = "20C12345", "20A67890"
TRUCK_TAG, CAR_TAG = "E2801160600002054E1A2B3C", "E2801160600002054E1A2B3D"
TRUCK_ACCOUNT, CAR_ACCOUNT = "TK-TRUCK", "TK-CAR"
READER_ID = "dau-doc-1"
Pictures = tuple[tuple[EvidenceKind, bytes], ...]
_FORGOTTEN = (
    "alert",
    "toll_day",
    "toll_provider_file",
    "toll_crossing_event",
    "toll_crossing",
    "toll_tag",
    "toll_account",
    "toll_tariff",
    "toll_lane",
    "toll_station",
    "tag_read",
    "ledger_posting",
    "ledger_entry",
    "ledger_account",
    "procrastinate_jobs",
    "vehicle",
    "party",
)


@dataclass(kw_only=True)
class TollWorld:
    """A station with a truck that has money and a car that has little."""

    world: World
    pictures_of: Callable[..., Pictures] | None = None
    pictures: list[bytes] = field(default_factory=list)

    def truck(self, at: datetime, *, tag: str | None = TRUCK_TAG) -> None:
        """The truck passes; without tag, nothing is read."""
        seen = Seen(
            plate=TRUCK,
            colour=PlateColour.YELLOW,
            vehicle_class=VehicleClass.TRUCK,
            captured_at=at,
        )
        self._pass(seen, tag, at)

    def car(self, at: datetime, *, tag: str | None = CAR_TAG) -> None:
        """The car passes."""
        self._pass(Seen(plate=CAR, captured_at=at), tag, at)

    def top_up(self, account: str, amount_dong: int) -> None:
        """Put money on a traffic account."""
        with ThreadPoolExecutor(max_workers=1) as executor:
            top_up = tolls.top_up(
                self.world.database_url, account, amount_dong, now=datetime.now(UTC)
            )
            executor.submit(asyncio.run, top_up).result()

    def work(self, *, now: datetime) -> None:
        """Run every toll job that is due."""
        with ThreadPoolExecutor(max_workers=1) as executor:
            executor.submit(asyncio.run, _work(self.world.database_url, now)).result()

    def crossing_id(self, state: str) -> UUID:
        """The newest crossing in a state."""
        with closing(psycopg.connect(self.world.owner_url)) as rows:
            row = rows.execute(
                "SELECT id FROM toll_crossing WHERE state = %s ORDER BY crossed_at DESC LIMIT 1",
                [state],
            ).fetchone()
        assert row is not None, state
        return UUID(str(row[0]))

    def _pictures(self, seen: Seen) -> Pictures:
        seed = len(self.pictures)
        made: Pictures = (
            (EvidenceKind.SCENE, drawn_jpeg(seed=seed)),
            (EvidenceKind.PLATE, drawn_jpeg(seed=seed + 1, width=160, height=60)),
        )
        if self.pictures_of is not None:
            made = self.pictures_of(seen.plate, seen.colour, seen.layout, seen.vehicle_class)
        self.pictures.extend(body for _, body in made)
        return made

    def _pass(self, seen: Seen, tag: str | None, at: datetime) -> None:
        shown = replace(seen, pictures=self._pictures(seen))
        self.world.store(shown)
        for _, body in shown.pictures:
            assert self.world.upload(body).status_code == 201
        if tag is not None:
            self._read_tag(tag, at)

    def _read_tag(self, epc: str, at: datetime) -> None:
        self.world.seq += 1
        tag_read = TagReadV1(
            id=uuid4(),
            device_id=DEVICE_ID,
            outbox_id=self.world.outbox_id,
            boot_id=self.world.outbox_id,
            seq=self.world.seq,
            site_id=SITE_ID,
            reader_id=READER_ID,
            lane=1,
            epc=epc,
            antenna=1,
            rssi_dbm=-48.0,
            reads=11,
            captured_at=at,
            first_seen_at=at - timedelta(milliseconds=300),
            last_seen_at=at + timedelta(milliseconds=300),
            clock_source=ClockSource.NTP,
            clock_error_ms=5,
        )
        topic = Topic(
            province=PROVINCE, site_id=SITE_ID, device_id=DEVICE_ID, stream=Stream.TAG_READ
        )
        message = parse(Delivery(topic=str(topic), payload=tag_read.to_json()))
        with closing(IngestDatabase(self.world.database_url)) as database:
            with database.transaction() as connection:
                outcome = store_batch(connection, [message], limits=LIMITS, now=datetime.now(UTC))
            assert not outcome.quarantined, outcome.quarantined


@contextmanager
def toll_world(
    world: World, *, pictures_of: Callable[..., Pictures] | None = None
) -> Iterator[TollWorld]:
    """The station for as long as the block lasts; nothing of it stays.

    Args:
        world: Where it stands.
        pictures_of: Makes the pictures of a plate, its colour, its layout and its vehicle; without
            it they show nothing.
    """
    with closing(psycopg.connect(world.owner_url, autocommit=True)) as rows:
        delete_rows(rows, *_FORGOTTEN)
        tolls.add_station(rows, site=SITE_ID, camera=CAMERA_ID, reader=READER_ID)
        truck_id = tolls.add_vehicle(rows, TRUCK)
        car_id = tolls.add_vehicle(rows, CAR, colour="white", kind="car", seats=5, payload_kg=None)
        for number, epc, vehicle_id in (
            (TRUCK_ACCOUNT, TRUCK_TAG, truck_id),
            (CAR_ACCOUNT, CAR_TAG, car_id),
        ):
            tolls.add_account(rows, number)
            tolls.add_tag(rows, epc, account=number, vehicle_id=vehicle_id)
        made = TollWorld(world=world, pictures_of=pictures_of)
        made.top_up(TRUCK_ACCOUNT, 200_000)
        yield made
        delete_rows(rows, *_FORGOTTEN)


async def _work(url: str, now: datetime) -> None:
    async with open_pool(url, connections_max=3) as pool:
        context = JobContext(
            pool=pool,
            settings=CentralSettings(database_url="postgresql://localhost/unused"),
            clock=lambda: now,
        )
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT task_name, args FROM procrastinate_jobs WHERE task_name = any(%s)"
                " AND (scheduled_at IS NULL OR scheduled_at <= %s) ORDER BY id",
                [["match_passages", "match_tag_read", "end_waiting"], now],
            )
            jobs = await cursor.fetchall()
        for name, arguments in jobs:
            await getattr(toll_tasks, name)(context, **arguments)
