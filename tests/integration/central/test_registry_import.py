# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files into the registry: good ones as a whole, bad ones not at all, every bad row named."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from central.audit.types import Actor
from central.contracts.passage import PlateColour
from central.db.pool import connection_info
from central.registry.importing.errors import (
    FileTooLargeError,
    ImportFileError,
    MissingColumnsError,
    UnknownColumnsError,
    WrongEncodingError,
)
from central.registry.importing.service import ROWS_AT_ONCE, import_file
from central.registry.importing.types import FileOrigin, ImportKind, ImportMode, ImportReport
from central.registry.service import RegistryService
from central.registry.types import PlateKey
from deploy.setup.places import PROJECT_FOLDER

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ORIGIN = FileOrigin(source="Sổ đăng ký xe", as_of=date(2026, 3, 1))
ACTOR = Actor.command("test")

PARTIES = """\
identity_number,kind,name,address
4600000001,organisation,Công ty TNHH Vận tải A,"Số 1, đường A"
4600000002,organisation,Công ty TNHH Vận tải B,
"""
VEHICLES = """\
chassis_number,kind,owner,seats,payload_kg,gross_mass_kg
RLHTRUCK000000001,truck,4600000001,3,8000,15000
RLHCAR00000000002,car,4600000002,5,,
"""
PLATES = """\
chassis_number,plate,colour,valid_from,valid_until
RLHTRUCK000000001,20C-123.45,yellow,2024-01-15,
RLHCAR00000000002,20A-543.21,white,2023-05-01,
"""


class Registry:
    """Imports files into a database of this test."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.info = connection_info(database_url)
        self.folder = folder
        self.told: list[tuple[int, int]] = []

    async def take(
        self,
        kind: ImportKind,
        content: str | bytes,
        *,
        mode: ImportMode = ImportMode.APPLY,
        origin: FileOrigin | None = ORIGIN,
    ) -> ImportReport:
        path = self.folder / f"{kind}.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return await import_file(
            self.info,
            path,
            kind,
            mode=mode,
            origin=origin,
            actor=ACTOR,
            progress=lambda done, total: self.told.append((done, total)),
            now=NOW,
        )

    async def settle(self) -> None:
        """Two firms, a truck and a car with plates."""
        for kind, content in (
            (ImportKind.PARTIES, PARTIES),
            (ImportKind.VEHICLES, VEHICLES),
            (ImportKind.PLATES, PLATES),
        ):
            report = await self.take(kind, content)
            assert report.is_applied, report.problems

    def count(self, table: str) -> int:
        with psycopg.connect(self.info) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        assert row is not None
        return int(row[0])


@pytest.fixture
def registry(database_url: str, tmp_path: Path) -> Registry:
    return Registry(database_url, tmp_path)


def seen(report: ImportReport) -> list[tuple[int, str]]:
    """Line and column of every problem."""
    return [(each.line, each.column) for each in report.problems]


def said(report: ImportReport) -> str:
    return "\n".join(f"{each.reason} / {each.reason_en}" for each in report.problems)


async def test_files_become_vehicles_with_plates(registry: Registry) -> None:
    await registry.settle()

    async with await psycopg.AsyncConnection.connect(registry.info) as connection:
        key = PlateKey(text="20C12345", colour=PlateColour.YELLOW)
        [facts] = (await RegistryService(connection).facts_for_plates([key], on=TODAY))[key]
    assert (facts.vehicle.chassis_number, facts.vehicle.payload_kg) == ("RLHTRUCK000000001", 8000)
    assert (facts.vehicle.origin.source, facts.vehicle.origin.as_of) == (
        ORIGIN.source,
        ORIGIN.as_of,
    )
    assert registry.count("registry_import") == 3
    assert registry.count("audit_entry WHERE action = 'registry_imported'") == 3


async def test_a_trial_says_what_would_be_and_writes_nothing(registry: Registry) -> None:
    report = await registry.take(ImportKind.PARTIES, PARTIES, mode=ImportMode.TRY_OUT)

    assert (report.rows_read, report.counts.created, report.is_applied) == (2, 2, False)
    assert registry.count("party") == 0
    assert registry.count("registry_import") == 0


async def test_the_same_file_again_changes_nothing(registry: Registry) -> None:
    await registry.settle()

    for kind, content in (
        (ImportKind.PARTIES, PARTIES),
        (ImportKind.VEHICLES, VEHICLES),
        (ImportKind.PLATES, PLATES),
    ):
        report = await registry.take(kind, content)

        assert (report.counts.created, report.counts.changed) == (0, 0)
        assert report.counts.unchanged == 2


async def test_a_changed_row_is_counted_and_an_empty_cell_keeps_what_is_known(
    registry: Registry,
) -> None:
    await registry.settle()

    report = await registry.take(
        ImportKind.VEHICLES,
        "chassis_number,kind,owner,seats,payload_kg\n"
        "RLHTRUCK000000001,truck,4600000002,,9000\nRLHCAR00000000002,car,4600000002,5,\n",
    )

    assert (report.counts.changed, report.counts.unchanged) == (1, 1)
    assert registry.count("vehicle WHERE payload_kg = 9000 AND seats = 3") == 1


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
async def test_separators_byte_order_marks_and_line_ends_do_not_matter(
    registry: Registry, separator: str, bom: bytes, line_end: str
) -> None:
    rows = [
        ["Số định danh", "Loại", "Tên", "Địa chỉ"],
        ["4600000001", "Tổ chức", "Công ty TNHH Vận tải A", '"Số 1; đường A, xã B"'],
    ]
    content = line_end.join(separator.join(row) for row in rows)

    report = await registry.take(ImportKind.PARTIES, bom + content.encode())

    assert report.is_applied, said(report)
    assert registry.count("party WHERE address = 'Số 1; đường A, xã B'") == 1


async def test_excels_separator_line_is_understood(registry: Registry) -> None:
    report = await registry.take(ImportKind.PARTIES, "sep=;\n" + PARTIES.replace(",", ";"))

    assert report.rows_read == 2


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("15/01/2024", "2024-01-15"),
        ("5/1/2024", "2024-01-05"),
        ("2024-01-15", "2024-01-15"),
        ("29/02/2024", "2024-02-29"),
    ],
)
async def test_dates_are_day_first_or_iso(registry: Registry, typed: str, stored: str) -> None:
    await registry.settle()

    report = await registry.take(
        ImportKind.INSPECTIONS,
        f"chassis_number,inspected_until\nRLHTRUCK000000001,{typed}\n",
    )

    assert report.is_applied, said(report)
    assert registry.count(f"vehicle WHERE inspected_until = '{stored}'") == 1


@pytest.mark.parametrize("typed", ["31/02/2024", "2024-13-01", "15.1.24", "hôm nay", "1/1/0024"])
async def test_a_wrong_date_is_named_with_line_and_column(registry: Registry, typed: str) -> None:
    await registry.settle()

    report = await registry.take(
        ImportKind.INSPECTIONS,
        f"Số khung,Hạn đăng kiểm\nRLHCAR00000000002,1/1/2027\nRLHTRUCK000000001,{typed}\n",
    )

    assert seen(report) == [(3, "Hạn đăng kiểm")]
    assert not report.is_applied
    assert registry.count("vehicle WHERE inspected_until IS NOT NULL") == 0


async def test_every_bad_row_is_named_and_nothing_is_half_imported(registry: Registry) -> None:
    await registry.settle()

    report = await registry.take(
        ImportKind.VEHICLES,
        "chassis_number,kind,owner,seats\n"
        "NEWTRUCK1,truck,4600000001,3\n"  # good
        "NEWTRUCK2,lorry,4600000001,3\n"  # no such kind
        "NEWTRUCK1,truck,4600000001,3\n"  # chassis of line 2
        "NEWTRUCK3,truck,4600000009,3\n"  # unknown owner
        "NEW-3,truck,4600000001,three\n"  # two faults
        ",truck,4600000001,3\n"  # no chassis
        "NEWTRUCK4,truck,4600000001\n",  # a cell too few
    )

    assert seen(report) == [
        (3, "kind"),
        (4, "chassis_number"),
        (5, "owner"),
        (6, "chassis_number"),
        (6, "seats"),
        (7, "chassis_number"),
        (8, ""),
    ]
    assert "trùng với dòng 2 / doubles line 2" in said(report)
    assert "không có chủ thể này" in said(report)
    assert registry.count("vehicle") == 2
    assert registry.count("registry_import") == 3


async def test_two_live_plates_on_a_vehicle_are_refused(registry: Registry) -> None:
    await registry.settle()

    report = await registry.take(
        ImportKind.PLATES,
        "chassis_number,plate,colour,valid_from\nRLHTRUCK000000001,20C-999.99,yellow,1/1/2026\n",
    )

    assert seen(report) == [(2, "valid_from")]
    assert "two plates on one vehicle" in said(report)
    assert registry.count("vehicle_plate") == 2


async def test_one_plate_on_two_vehicles_is_refused_unless_the_colour_differs(
    registry: Registry,
) -> None:
    await registry.settle()
    row = "chassis_number,plate,colour,valid_from\nSECONDCAR,20C-123.45,{},1/1/2026\n"
    await registry.take(
        ImportKind.VEHICLES, "chassis_number,kind,owner\nSECONDCAR,truck,4600000001\n"
    )

    refused = await registry.take(ImportKind.PLATES, row.format("vàng"))
    taken = await registry.take(ImportKind.PLATES, row.format("trắng"))

    assert seen(refused) == [(2, "plate")]
    assert "on another vehicle" in said(refused)
    assert taken.is_applied, said(taken)


async def test_a_plate_may_move_to_another_car_in_one_file(registry: Registry) -> None:
    await registry.settle()

    report = await registry.take(
        ImportKind.PLATES,
        "chassis_number,plate,colour,valid_from,last_day\n"
        "RLHCAR00000000002,20C-123.45,yellow,01/02/2026,\n"
        "RLHTRUCK000000001,20C-123.45,yellow,15/01/2024,31/01/2026\n"
        "RLHCAR00000000002,20A-543.21,white,01/05/2023,31/01/2026\n",
    )

    assert report.is_applied, said(report)
    assert (report.counts.created, report.counts.changed) == (1, 2)


async def test_a_plate_that_breaks_the_grammar_is_refused(registry: Registry) -> None:
    await registry.settle()

    report = await registry.take(
        ImportKind.PLATES,
        "chassis_number,plate,colour,valid_from\nRLHTRUCK000000001,13C-123.45,yellow,1/1/2027\n"
        "RLHCAR00000000002,AB-12-34,white,1/1/2027\n",
    )

    assert [where for where in seen(report) if where[1] == "plate"] == [(2, "plate"), (3, "plate")]


@pytest.mark.parametrize(
    ("content", "guess"),
    [
        (PARTIES.encode("utf-16"), "UTF-16"),
        (PARTIES.encode("utf-16-le"), "UTF-16"),
        (b"identity_number,kind,name\n4600000001,organisation,C\xf4ng ty\n", "Latin-1"),
    ],
)
async def test_a_wrong_encoding_is_told_clearly(
    registry: Registry, content: bytes, guess: str
) -> None:
    with pytest.raises(WrongEncodingError, match="CSV UTF-8") as refused:
        await registry.take(ImportKind.PARTIES, content)

    assert guess in refused.value.guess


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("identity_number,name\n4600000001,A\n", MissingColumnsError),
        ("", MissingColumnsError),
        ("identity_number,kind,name,colour\n4600000001,person,A,x\n", UnknownColumnsError),
        ("identity_number,kind,name,Tên\n4600000001,person,A,A\n", UnknownColumnsError),
    ],
)
async def test_a_wrong_header_is_refused_as_a_whole(
    registry: Registry, content: str, error: type[ImportFileError]
) -> None:
    with pytest.raises(error):
        await registry.take(ImportKind.PARTIES, content)


async def test_a_file_must_say_how_old_it_is(registry: Registry) -> None:
    content = "identity_number,kind,name,source,as_of\n4600000001,person,A,{},{}\n"

    missing = await registry.take(ImportKind.PARTIES, content.format("x", ""), origin=None)
    ahead = await registry.take(ImportKind.PARTIES, content.format("x", "3/3/2026"))

    assert seen(missing) == [(2, "as_of")]
    assert "ở tương lai" in said(ahead)


async def test_older_data_never_replace_newer(registry: Registry) -> None:
    await registry.settle()
    older = FileOrigin(source="old", as_of=date(2026, 2, 28))

    report = await registry.take(ImportKind.PARTIES, PARTIES, origin=older)

    assert seen(report) == [(2, "as_of"), (3, "as_of")]
    assert "newer data (of 2026-03-01)" in said(report)


BADGES = """\
number,kind,chassis_number,holder,valid_from,last_day,revoked_on,revocation_reason
PH-1,XE TẢI,RLHTRUCK000000001,4600000001,01/03/2025,28/02/2027,,
"""


async def test_badges_permits_and_licences_are_taken_in(registry: Registry) -> None:
    await registry.settle()
    files = {
        ImportKind.BADGES: BADGES,
        ImportKind.PERMITS: (
            "number,kind,chassis_number,holder,valid_from,valid_until,trip_days_max\n"
            "LV-1,laos_commercial,RLHTRUCK000000001,4600000001,1/1/2026,1/1/2027,30\n"
        ),
        ImportKind.TRANSPORT_LICENCES: ("number,holder,valid_from\nKDVT-1,4600000001,1/6/2023\n"),
        ImportKind.DRIVING_LICENCES: (
            "number,holder_name,born_on,state,points,class,valid_from,valid_until\n"
            "010203040506,Lái xe số 1,2/1/1985,valid,12,C,1/5/2025,1/5/2030\n"
            "010203040506,Lái xe số 1,2/1/1985,valid,12,A1,1/5/2025,\n"
        ),
    }

    for kind, content in files.items():
        first = await registry.take(kind, content)
        again = await registry.take(kind, content)

        assert first.is_applied, said(first)
        assert first.counts.created == first.rows_read
        assert again.counts.unchanged == again.rows_read
    assert registry.count("badge WHERE kind = 'goods' AND valid_until = '2027-03-01'") == 1
    assert registry.count("driving_licence_class") == 2


async def test_two_badges_at_once_are_refused(registry: Registry) -> None:
    await registry.settle()
    await registry.take(ImportKind.BADGES, BADGES)

    report = await registry.take(
        ImportKind.BADGES,
        "number,kind,chassis_number,holder,valid_from,valid_until\n"
        "PH-2,goods,RLHTRUCK000000001,4600000001,1/2/2027,1/2/2029\n"
        "PH-1,goods,RLHCAR00000000002,4600000001,1/2/2027,1/2/2029\n",
    )

    assert seen(report) == [(2, "valid_from"), (3, "number")]


async def test_a_term_needs_one_end_after_its_beginning(registry: Registry) -> None:
    await registry.settle()

    report = await registry.take(
        ImportKind.BADGES,
        "number,kind,chassis_number,holder,valid_from,valid_until,last_day,revoked_on,"
        "revocation_reason\n"
        "PH-1,goods,RLHTRUCK000000001,4600000001,1/2/2027,,,,\n"
        "PH-2,goods,RLHTRUCK000000001,4600000001,1/2/2027,1/2/2027,,,\n"
        "PH-3,goods,RLHTRUCK000000001,4600000001,1/2/2027,1/2/2028,1/2/2028,,\n"
        "PH-4,goods,RLHTRUCK000000001,4600000001,1/2/2027,1/2/2028,,1/1/2027,\n",
    )

    assert [line for line, _ in seen(report)] == [2, 3, 4, 5, 5]


async def test_rows_of_one_licence_must_agree(registry: Registry) -> None:
    report = await registry.take(
        ImportKind.DRIVING_LICENCES,
        "number,holder_name,born_on,state,class,valid_from\n"
        "010203040506,Lái xe số 1,2/1/1985,valid,C,1/5/2025\n"
        "010203040506,Lái xe số 1,2/1/1985,revoked,A1,1/5/2025\n",
    )

    assert seen(report) == [(3, "state")]


async def test_a_cell_with_a_line_end_does_not_shift_the_lines(registry: Registry) -> None:
    report = await registry.take(
        ImportKind.PARTIES,
        'identity_number,kind,name,address\n4600000001,person,A,"x\ny"\n46,person,B,\n',
    )

    assert seen(report)[-1] == (4, "identity_number")


async def test_an_interrupted_import_keeps_nothing(registry: Registry) -> None:
    class Stop(BaseException):
        """As if somebody pressed Ctrl-C."""

    async def interrupted(told: Callable[[int, int], None]) -> None:
        path = registry.folder / "parties.csv"
        path.write_text(PARTIES)
        await import_file(
            registry.info,
            path,
            ImportKind.PARTIES,
            mode=ImportMode.APPLY,
            origin=ORIGIN,
            actor=ACTOR,
            progress=told,
            now=NOW,
        )

    def stop(done: int, total: int) -> None:
        if done == total:
            raise Stop

    with pytest.raises(Stop):
        await interrupted(stop)

    assert registry.count("party") == 0


async def test_progress_is_told_for_long_files(registry: Registry) -> None:
    rows = ROWS_AT_ONCE + 10
    content = "identity_number,kind,name\n" + "".join(
        f"{4600000000 + place},organisation,Công ty {place}\n" for place in range(rows)
    )

    report = await registry.take(ImportKind.PARTIES, content)

    assert report.counts.created == rows
    assert registry.told == [(0, rows), (ROWS_AT_ONCE, rows), (rows, rows)]


async def test_a_file_of_too_many_rows_is_refused(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("central.registry.importing.service.ROWS_MAX", 1)

    with pytest.raises(FileTooLargeError):
        await registry.take(ImportKind.PARTIES, PARTIES)


async def test_the_samples_of_the_documentation_are_good_files(registry: Registry) -> None:
    text = (PROJECT_FOLDER / "deploy/docs/registry-import.md").read_text(encoding="utf-8")
    samples = re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    kinds = (ImportKind.PARTIES, ImportKind.VEHICLES, ImportKind.PLATES, ImportKind.BADGES)

    for kind, sample in zip(kinds, samples, strict=True):
        report = await registry.take(kind, sample)

        assert report.is_applied, said(report)
