# SPDX-License-Identifier: AGPL-3.0-or-later
"""What nothing keeps goes when its time is over, what a purpose keeps stays, with proof."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import cv2
import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from central.audit.types import Actor
from central.control.types import ClosingReason
from central.db.pool import connection_info, open_pool
from central.documents.errors import SigningKeyError
from central.documents.types import SigningKey
from central.domain.scope import SiteScope
from central.errors import PermissionDeniedError
from central.evidence.service import EvidenceService
from central.evidence.store import EvidenceStore
from central.evidence.types import Purpose
from central.identity.permissions import Role
from central.identity.types import User
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.jobs.context import JobContext
from central.jobs.protection_tasks import erase_by_date
from central.jobs.storage_tasks import compress_old_chunks
from central.protection.keeping.commands import retention_commands
from central.protection.keeping.service import Keeper, RecordDesk
from central.protection.keeping.types import ErasureRecord, Kept, Way
from central.retention_settings import RetentionSettings
from central.settings import CentralSettings, IngestSettings, OfficeSettings
from central.traffic.counting.service import count_touched
from central.traffic.repository import TrafficRepository
from central.traffic.types import DAY, HOUR, Span
from tests.integration.central.conftest import CAMERA, NOW, READER, SITE
from tests.integration.central.tolls import STATION, add_station, made_id

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

Connection = psycopg.AsyncConnection
OFFICER: Final = User(
    id=1, username="bao-ve", display_name="Bảo vệ dữ liệu", role=Role.DATA_PROTECTION_OFFICER
)
SPAN_START: Final = datetime(2026, 2, 26, tzinfo=UTC)
"""Chunks of seven days are counted from 1970-01-01, a Thursday."""
CAPTURED: Final = NOW
LATER: Final = SPAN_START + timedelta(days=7 + 30)
SETTINGS: Final = RetentionSettings()
LIMITS: Final = IngestSettings().time_limits
KINDS: Final = ("plain", "unread", "toll", "sighted", "open", "pursued", "shown")
"""One passage each, in this order of their numbers."""
JPEG: Final = bytes(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1])


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with await Connection.connect(connection_info(database_url), autocommit=True) as opened:
        yield opened


@pytest.fixture
def passages(
    database_url: str, device: "FakeDevice", rows: psycopg.Connection
) -> Mapping[str, UUID]:
    """A passage of every kind in one span; ids by kind. Each names two pictures, which came."""
    seen = [
        device.passage(
            number,
            captured_at=CAPTURED + timedelta(minutes=number),
            **({"plate": None} if kind == "unread" else {}),
        )
        for number, kind in enumerate(KINDS, start=1)
    ]
    reads = [device.tag_read(10 + each, captured_at=CAPTURED) for each in range(2)]
    store(database_url, device, seen, reads)
    for passage in seen:
        for picture in passage.evidence:
            rows.execute(
                "INSERT INTO evidence VALUES (decode(%s, 'hex'), %s, 'image/jpeg', 10, 'passage',"
                " %s, %s)",
                [picture.sha256, device.device_id, CAPTURED, CAPTURED + timedelta(days=400)],
            )
    ids = {kind: each.id for kind, each in zip(KINDS, seen, strict=True)}
    add_station(rows, site=SITE, camera=CAMERA, reader=READER)
    rows.execute(
        "INSERT INTO toll_crossing (id, station_id, lane_number, crossed_at, booked_on, passage_id,"
        " tag_read_id, state, reason, is_late, created_at) VALUES (gen_random_uuid(), %s, 1, %s,"
        " '2026-03-01', %s, %s, 'waived', 'a_reason', FALSE, %s)",
        [STATION, CAPTURED, ids["toll"], reads[0].id, CAPTURED],
    )
    for kind, reason in (
        ("sighted", None),
        ("open", None),
        ("pursued", ClosingReason.CASE_OPENED),
        ("shown", ClosingReason.PAPERS_SHOWN),
    ):
        add_sighting(rows, kind, ids[kind], reason)
    return ids


def store(
    database_url: str,
    device: "FakeDevice",
    passages: Sequence[object],
    reads: Sequence[object] = (),
) -> None:
    """Store events in one committed batch, as ingest does."""
    from central.contracts.topics import Stream  # noqa: PLC0415

    topics = [device.topic()] * len(passages) + [device.topic(Stream.TAG_READ)] * len(reads)
    messages = [
        parse(Delivery(topic=topic, payload=each.to_json()))  # type: ignore[attr-defined]
        for topic, each in zip(topics, (*passages, *reads), strict=True)
    ]
    database = IngestDatabase(connection_info(database_url))
    with database.transaction() as opened:
        outcome = store_batch(opened, messages, limits=LIMITS, now=NOW + timedelta(hours=1))
    database.close()
    assert outcome.quarantined == ()


def add_sighting(
    rows: psycopg.Connection, kind: str, passage_id: UUID, reason: ClosingReason | None
) -> None:
    """A sighting; of an alert unless it came too late for one."""
    alert_id = None if kind == "sighted" else made_id(f"alert {kind}")
    if alert_id is not None:
        rows.execute(
            "INSERT INTO watchlist_entry (id, plate_text, reason, legal_basis, listed_by,"
            " listed_at) VALUES (%s, '47AD15155', 'stolen', 'NĐ 1', 'somebody', %s)",
            [made_id(f"entry {kind}"), CAPTURED],
        )
        closed_at = CAPTURED + DAY if reason is not None else None
        rows.execute(
            "INSERT INTO alert (id, rule, severity, plate_text, plate_colour, watchlist_entry_id,"
            " legal_basis, facts, state, opened_at, last_sighted_at, passage_id, site_id,"
            " camera_id, closed_by, closed_at, closing_reason) VALUES (%s, 'watchlisted', 'high',"
            " '47AD15155', 'white', %s, 'NĐ 1', '[]', %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                alert_id,
                made_id(f"entry {kind}"),
                "closed" if reason is not None else "open",
                CAPTURED,
                CAPTURED,
                passage_id,
                SITE,
                CAMERA,
                "somebody" if reason is not None else None,
                closed_at,
                reason,
            ],
        )
    rows.execute(
        "INSERT INTO alert_sighting VALUES (%s, 'watchlisted', %s, %s, %s, %s, %s, %s, '[]')",
        [passage_id, alert_id, CAPTURED, SITE, CAMERA, alert_id is None, CAPTURED],
    )


async def judge(
    connection: Connection, data: Kept = Kept.PASSAGES, *, now: datetime = LATER, **more: int
) -> list[ErasureRecord | None]:
    """Judge what is due, each span in a transaction."""
    judged = list[ErasureRecord | None]()
    while True:
        async with connection.transaction():
            keeper = Keeper(
                connection,
                settings=SETTINGS,
                limits=LIMITS,
                office=OfficeSettings(),
                key=None,
                actor=Actor.service("erase_by_date"),
                **more,
            )
            span = await keeper.due_span(data, now=now)
            if span is None:
                return judged
            judged.append(await keeper.judge(span, now=now))


def left(rows: psycopg.Connection, ids: Mapping[str, UUID]) -> set[str]:
    """Kinds whose passages are still there."""
    found = {row[0] for row in rows.execute("SELECT id FROM passage").fetchall()}
    return {kind for kind, each in ids.items() if each in found}


def pictures(rows: psycopg.Connection, purpose: Purpose) -> int:
    query = "SELECT count(*) FROM evidence WHERE purpose = %s"
    row = rows.execute(query, [purpose]).fetchone()
    return int(row[0]) if row is not None else -1


@pytest.mark.parametrize(("staying_max", "way"), [(1000, Way.DROPPED), (2, Way.DELETED)])
async def test_what_nothing_keeps_goes_and_what_a_purpose_keeps_stays(
    connection: Connection,
    rows: psycopg.Connection,
    passages: Mapping[str, UUID],
    staying_max: int,
    way: Way,
) -> None:
    early = await judge(connection, now=LATER - timedelta(seconds=1))
    (record,) = await judge(connection, staying_max=staying_max)
    again = await judge(connection)

    assert (early, again) == ([], [])
    assert record is not None
    assert left(rows, passages) == set(KINDS) - {"plain", "unread"}
    assert (record.way, record.erased, record.pictures) == (way, 2, 4)
    assert record.kept == {Purpose.TOLL: 1, Purpose.PURSUED: 2, Purpose.MATCHED: 2}
    gone = sorted(passages[kind].bytes for kind in ("plain", "unread"))
    assert record.ids_sha256 == hashlib.sha256(b"".join(gone)).hexdigest()
    named = rows.execute("SELECT count(*) FROM passage_evidence").fetchone()
    assert named == (2 * 5,)
    assert [pictures(rows, each) for each in (Purpose.UNMATCHED, Purpose.TOLL)] == [4, 2]


@pytest.mark.usefixtures("passages")
async def test_tag_reads_of_toll_crossings_stay_longer_than_others(
    connection: Connection, count: Callable[[str], int]
) -> None:
    (record,) = await judge(connection, Kept.TAG_READS)

    assert record is not None
    assert (record.erased, dict(record.kept)) == (1, {Purpose.TOLL: 1})
    assert count("tag_read") == 1


async def test_each_purpose_ends_at_its_own_time(
    connection: Connection, rows: psycopg.Connection, passages: Mapping[str, UUID]
) -> None:
    stages = {
        timedelta(days=366): {"toll", "open", "pursued"},
        timedelta(days=732): {"toll", "open"},
        timedelta(days=1828): {"open"},
    }

    await judge(connection)
    for after, kinds in stages.items():
        await judge(connection, now=CAPTURED + after)
        assert left(rows, passages) == kinds
    kept = rows.execute(
        "SELECT max(erase_after) FROM evidence WHERE purpose = 'pursued'"
    ).fetchone()
    assert kept == (CAPTURED + timedelta(days=1828) + SETTINGS.pursued_keep,)


@pytest.mark.usefixtures("passages")
async def test_counts_stay_when_their_passages_are_gone_and_late_ones_do_not_spoil_them(
    connection: Connection, database_url: str, device: "FakeDevice"
) -> None:
    await judge(connection)  # the job that counts had not come to these minutes yet
    late = device.passage(99, captured_at=CAPTURED + timedelta(minutes=1))
    store(database_url, device, [late])
    async with connection.transaction():
        counted = await count_touched(connection)

    hours = Span(since=SPAN_START, until=SPAN_START + 7 * DAY, slot=HOUR)
    flow = await TrafficRepository(connection).flow(hours, SiteScope.everything())
    assert counted == 0
    assert sum(each.passages for each in flow) == len(KINDS)

    (record,) = await judge(connection, now=LATER + timedelta(days=30))
    assert record is not None
    assert record.erased == 1


async def test_a_row_that_is_being_written_while_its_span_is_judged_is_judged_too(
    connection: Connection, database_url: str, passages: Mapping[str, UUID]
) -> None:
    async with await Connection.connect(connection_info(database_url)) as writer:
        await writer.execute(
            "INSERT INTO passage SELECT (jsonb_populate_record(passage, %s)).* FROM passage"
            " WHERE id = %s",
            [Jsonb({"id": str(made_id("late"))}), passages["plain"]],
        )
        judging = asyncio.create_task(judge(connection))
        await asyncio.sleep(0.3)
        waits = not judging.done()
        await writer.commit()
        (record,) = await judging

    assert waits
    assert record is not None
    assert record.erased == 3


async def test_without_its_paper_nothing_is_erased(
    connection: Connection, rows: psycopg.Connection, passages: Mapping[str, UUID], tmp_path: Path
) -> None:
    missing = SigningKey(
        key_file=tmp_path / "key", certificate_file=tmp_path / "cert", ca_file=tmp_path / "ca"
    )
    keeper = Keeper(
        connection,
        settings=SETTINGS,
        limits=LIMITS,
        office=OfficeSettings(),
        key=missing,
        actor=Actor.service("erase_by_date"),
    )
    span = await keeper.due_span(Kept.PASSAGES, now=LATER)
    assert span is not None

    with pytest.raises(SigningKeyError):
        async with connection.transaction():
            await keeper.judge(span, now=LATER)

    assert left(rows, passages) == set(KINDS)
    assert pictures(rows, Purpose.PASSAGE) == 2 * len(KINDS)
    assert await keeper.due_span(Kept.PASSAGES, now=LATER) == span


@pytest.mark.usefixtures("passages")
async def test_pictures_that_no_passage_named_go_once_everything_before_them_is_judged(
    connection: Connection, rows: psycopg.Connection, device: "FakeDevice"
) -> None:
    def add_stray(name: str, stored_at: datetime) -> None:
        rows.execute(
            "INSERT INTO evidence VALUES (sha256(%s), %s, 'image/jpeg', 10, 'passage', %s, %s)",
            [name.encode(), device.device_id, stored_at, stored_at + timedelta(days=400)],
        )

    async def release(now: datetime) -> int:
        async with connection.transaction():
            keeper = Keeper(
                connection,
                settings=SETTINGS,
                limits=LIMITS,
                office=OfficeSettings(),
                key=None,
                actor=Actor.service("erase_by_date"),
            )
            return await keeper.release_strays(now=now)

    add_stray("old", CAPTURED)
    add_stray("young", LATER - DAY)

    before = await release(LATER)
    await judge(connection)
    after = await release(LATER)

    assert (before, after) == (0, 1)


@pytest.mark.usefixtures("passages")
async def test_an_erasure_is_in_the_audit_log_and_on_a_paper_for_the_officer(
    connection: Connection, rows: psycopg.Connection
) -> None:
    (record,) = await judge(connection)
    (reads,) = await judge(connection, Kept.TAG_READS, now=LATER + DAY)
    assert record is not None
    assert reads is not None

    desk = RecordDesk(connection, user=OFFICER)
    first = await desk.page(before=None, size=1)
    second = await desk.page(before=first.next, size=1)
    paper = await desk.paper(record.id)

    assert [*first.records, *second.records] == [reads, record]
    assert second.next is None
    assert paper.startswith(b"%PDF-")
    entries = rows.execute(
        "SELECT subject_id, detail ->> 'erased', detail ->> 'ids_sha256' FROM audit_entry"
        " WHERE action = 'rows_erased_by_date' ORDER BY id LIMIT 1"
    ).fetchone()
    assert entries == (str(record.id), "2", record.ids_sha256)
    clerk = User(id=2, username="x", display_name="X", role=Role.CLERK)
    with pytest.raises(PermissionDeniedError):
        await RecordDesk(connection, user=clerk).page(before=None, size=1)


async def test_the_job_erases_rows_and_then_pictures_with_their_files(
    database_url: str,
    device: "FakeDevice",
    tmp_path: Path,
    rows: psycopg.Connection,
) -> None:
    sha256 = hashlib.sha256(JPEG).hexdigest()
    passage = device.passage(1, captured_at=CAPTURED)
    picture = passage.evidence[0].model_copy(update={"sha256": sha256})
    store(database_url, device, [passage.model_copy(update={"evidence": (picture,)})])
    pictures_kept = EvidenceStore(tmp_path)
    settings = CentralSettings(database_url=database_url)
    async with open_pool(connection_info(database_url)) as pool:
        async with pool.connection() as opened:
            service = EvidenceService(opened, pictures_kept)
            await service.receive(
                sha256=sha256, body=JPEG, device_id=device.device_id, now=CAPTURED
            )
        context = JobContext(pool=pool, settings=settings, clock=lambda: LATER)
        erased = await erase_by_date(context)
        async with pool.connection() as opened:
            gone = await EvidenceService(opened, pictures_kept).erase_due(now=LATER)

    assert (erased, gone) == (1, 1)
    assert rows.execute("SELECT count(*) FROM passage").fetchone() == (0,)
    assert not pictures_kept.path_of(sha256).exists()


@pytest.mark.parametrize("function", ["claim_old_span", "drop_old_span"])
@pytest.mark.parametrize("table", ["passage", "audit_entry"])
def test_the_services_account_can_not_drop_what_is_new_or_of_another_table(
    sync_connection: psycopg.Connection, function: str, table: str
) -> None:
    until = datetime.now(UTC) if table == "passage" else NOW

    with pytest.raises(psycopg.errors.InvalidParameterValue):
        sync_connection.execute(
            f"SELECT {function}(%s, %s, %s)",
            [table, until - DAY, until],
        )


@pytest.mark.usefixtures("passages")
def test_the_commands_say_what_is_due_erase_it_and_show_the_proof(
    database_url: str, tmp_path: Path
) -> None:
    settings = CentralSettings(database_url=database_url)
    app = retention_commands(lambda: settings)
    paper = tmp_path / "record.pdf"

    due = CliRunner().invoke(app, ["due"])
    unsure = CliRunner().invoke(app, ["run"], input="n\n")
    run = CliRunner().invoke(app, ["run", "--yes"])
    settled = CliRunner().invoke(app, ["due"])
    records = CliRunner().invoke(app, ["records"], env={"COLUMNS": "300"})
    number = next(word for word in records.output.split() if word.count("-") == 4)
    written = CliRunner().invoke(app, ["paper", number, "--out", str(paper)])

    codes = [each.exit_code for each in (due, unsure, run, settled, records, written)]
    assert codes == [1, 1, 0, 0, 0, 0]
    assert [line.split()[0] for line in due.output.splitlines()[:4]] == [
        "unmatched",
        "matched",
        "pursued",
        "toll",
    ]
    assert "passages: 1 spans are due" in due.output
    assert "2 erased, 4 pictures to go" in run.output
    assert paper.read_bytes().startswith(b"%PDF-")


async def test_old_chunks_are_compressed_where_the_licence_allows_it_and_only_there(
    database_url: str, owner_url: str, passages: Mapping[str, UUID]
) -> None:
    """With Debian's Apache edition this shows that nothing is tried; the rest needs the other."""
    del passages
    with psycopg.connect(owner_url) as owner:
        (licence,) = owner.execute("SHOW timescaledb.license").fetchone() or ("",)
    async with open_pool(connection_info(database_url)) as pool:
        settings = CentralSettings(database_url=database_url)
        context = JobContext(pool=pool, settings=settings, clock=lambda: datetime.now(UTC))
        compressed = await compress_old_chunks(context)

    with psycopg.connect(owner_url) as owner:
        (chunks,) = owner.execute(
            "SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed"
        ).fetchone() or (-1,)
        if licence == "apache":
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                owner.execute("ALTER TABLE passage_evidence SET (timescaledb.compress)")
    assert compressed == chunks
    assert (chunks > 0) is (licence == "timescale")
