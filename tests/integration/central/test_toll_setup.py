# SPDX-License-Identifier: AGPL-3.0-or-later
"""The toll's files: tried out first, every bad row named, all of a file or nothing."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from central.audit.types import Actor
from central.errors import InvalidFilterError
from central.ledger.errors import EntryConflictError
from central.ledger.types import Booked
from central.registry.importing.errors import MissingColumnsError, UnknownColumnsError
from central.registry.importing.types import ImportMode
from central.tolling.errors import TollAccountLockedError, TollAccountNotFoundError
from central.tolling.setup.service import TopUpService, import_setup
from central.tolling.setup.types import SetupKind, SetupReport
from tests.integration.central import tolls

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ACTOR = Actor.command("test")
Import = Callable[..., Awaitable[SetupReport]]

STATIONS = "tram,ten,dia_diem,loai,cao_toc\ntram-a,Trạm A,km12,open,không\n"
LANES = "station,number,kind,camera,reader\ntram-a,1,open,cam-1,reader-1\n"
TARIFFS = (
    "station,vehicle_group,price_dong,valid_from,valid_until,legal_reference,confidence\n"
    "tram-a,1,35000,01/01/2026,,Giá minh họa,example\n"
)


@pytest.fixture
def take_in(database_url: str, tmp_path: Path) -> Import:
    """Import some text; kept unless it is only tried."""

    async def run(
        kind: SetupKind, text: str, *, mode: ImportMode = ImportMode.APPLY
    ) -> SetupReport:
        path = tmp_path / f"{kind}.csv"
        path.write_bytes(text.encode())
        return await import_setup(database_url, path, kind, mode=mode, actor=ACTOR, now=NOW)

    return run


@pytest.fixture
def settled(device: "FakeDevice", rows: psycopg.Connection) -> psycopg.Connection:
    """A site with a camera, a firm, and a truck."""
    del device
    rows.execute(
        "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at,"
        " updated_at) VALUES (%s, 'organisation', 'Công ty TNHH Vận tải A', '4600000001', 'test',"
        " '2026-01-01', %s, %s)",
        [tolls.made_id("firm"), NOW, NOW],
    )
    tolls.add_vehicle(rows, "20C12345")
    return rows


async def test_a_station_is_set_up_by_files_and_a_second_time_changes_nothing(
    take_in: Import, settled: psycopg.Connection, count: Callable[[str], int]
) -> None:
    files = [
        (SetupKind.STATIONS, "\ufeff" + STATIONS.replace(",", ";")),  # as Excel writes it
        (SetupKind.LANES, LANES),
        (SetupKind.TARIFFS, TARIFFS),
        (
            SetupKind.ACCOUNTS,
            (
                "number,provider,holder,state,is_priority,opened_on\n"
                "tk-1,provider-a,4600000001,open,,2025-01-01\n"
            ),
        ),
        (
            SetupKind.TAGS,
            (
                "epc,account_number,chassis_number,valid_from,valid_until\n"
                "e2801160600002054e1a2b3c,TK-1,RN20C12345Y,2025-01-01,\n"
            ),
        ),
    ]

    first = [await take_in(kind, text) for kind, text in files]
    second = [await take_in(kind, text) for kind, text in files]

    assert [each.problems for each in first] == [()] * 5
    assert [(each.created, each.known) for each in first] == [(1, 0)] * 5
    assert [(each.created, each.known) for each in second] == [(0, 1)] * 5
    tag = settled.execute("SELECT epc, account_number, valid_from FROM toll_tag").fetchall()
    midnight = datetime(2024, 12, 31, 17, 0, tzinfo=UTC)  # in Vietnam
    assert tag == [("E2801160600002054E1A2B3C", "TK-1", midnight)]
    assert count("audit_entry WHERE action = 'toll_setup_imported'") == 10


async def test_a_trial_writes_nothing(
    take_in: Import, settled: psycopg.Connection, count: Callable[[str], int]
) -> None:
    del settled

    report = await take_in(SetupKind.STATIONS, STATIONS, mode=ImportMode.TRY_OUT)

    assert (report.created, report.is_applied) == (1, False)
    assert count("toll_station") == 0


async def test_one_bad_row_keeps_the_whole_file_out_and_every_bad_row_is_named(
    take_in: Import, settled: psycopg.Connection, count: Callable[[str], int]
) -> None:
    del settled
    await take_in(SetupKind.STATIONS, STATIONS)
    text = TARIFFS + (
        "tram-a,1,40000,01/06/2026,,Giá minh họa,example\n"  # overlaps the first
        "tram-a,6,40000,01/06/2026,,Giá minh họa,example\n"  # no such group
        "tram-x,2,40000,01/06/2026,,Giá minh họa,example\n"  # no such station
        "tram-a,2,4.5,31/02/2026,,Giá minh họa,example\n"  # neither number nor date
        "tram-a,2,40000,2026-06-01,2026-06-01,Giá minh họa,example\n"  # ends as it begins
    )

    report = await take_in(SetupKind.TARIFFS, text)

    assert not report.is_applied
    assert count("toll_tariff") == 0
    assert [(each.line, each.column) for each in report.problems] == [
        (3, "valid_from"),
        (4, "vehicle_group"),
        (5, "station"),
        (6, "price_dong"),
        (6, "valid_from"),
        (7, "valid_until"),
    ]


async def test_a_price_that_is_there_may_end_but_not_change(
    take_in: Import, settled: psycopg.Connection
) -> None:
    await take_in(SetupKind.STATIONS, STATIONS)
    await take_in(SetupKind.TARIFFS, TARIFFS)

    changed = await take_in(SetupKind.TARIFFS, TARIFFS.replace("35000", "36000"))
    ended = await take_in(SetupKind.TARIFFS, TARIFFS.replace("2026,,", "2026,01/07/2026,"))

    assert [each.line for each in changed.problems] == [2]
    assert ended.is_applied
    tariffs = settled.execute("SELECT price_dong, valid_until::text FROM toll_tariff").fetchall()
    assert tariffs == [(35_000, "2026-07-01")]


async def test_a_lane_names_a_camera_that_is_there(
    take_in: Import, settled: psycopg.Connection
) -> None:
    del settled
    await take_in(SetupKind.STATIONS, STATIONS)

    report = await take_in(SetupKind.LANES, LANES.replace("cam-1", "cam-9"))

    assert [(each.line, each.column) for each in report.problems] == [(2, "camera")]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("station,number\ntram-a,1\n", MissingColumnsError),
        (LANES.replace("reader\n", "reader,colour\n"), UnknownColumnsError),
        ("", MissingColumnsError),
    ],
)
async def test_a_file_with_other_columns_is_refused_as_a_whole(
    take_in: Import, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await take_in(SetupKind.LANES, text)


# Top-ups --------------------------------------------------------------------------------------


async def top_up(url: str, number: str, amount: int, *, key: str, now: datetime = NOW) -> Booked:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await TopUpService(connection).top_up(number, amount, key=key, actor=ACTOR, now=now)


async def test_a_top_up_is_booked_once_per_key(
    database_url: str, settled: psycopg.Connection, count: Callable[[str], int]
) -> None:
    tolls.add_account(settled, "TK-1")
    later = datetime(2026, 3, 5, tzinfo=UTC)

    first = await top_up(database_url, "TK-1", 100_000, key="vietqr-1")
    again = await top_up(database_url, "TK-1", 100_000, key="vietqr-1", now=later)

    assert (first.is_repeat, again.is_repeat, again.id) == (False, True, first.id)
    assert await tolls.balance(database_url, "TK-1") == 100_000
    assert count("audit_entry WHERE action = 'toll_account_topped_up'") == 1
    with pytest.raises(EntryConflictError):
        await top_up(database_url, "TK-1", 200_000, key="vietqr-1")


async def test_money_goes_to_no_account_that_is_closed_or_unknown(
    database_url: str, settled: psycopg.Connection
) -> None:
    tolls.add_account(settled, "TK-CLOSED", state="closed")

    with pytest.raises(TollAccountLockedError):
        await top_up(database_url, "TK-CLOSED", 1, key="k")
    with pytest.raises(TollAccountNotFoundError):
        await top_up(database_url, "TK-NONE", 1, key="k")
    with pytest.raises(InvalidFilterError):
        await top_up(database_url, "TK-CLOSED", 0, key="k")
