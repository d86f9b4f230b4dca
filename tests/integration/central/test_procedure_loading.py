# SPDX-License-Identifier: AGPL-3.0-or-later
"""Loading procedures and the calendar: once each, never changed; old dossiers keep theirs."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from central.domain.calendar_law import LAW_FOLDER
from central.domain.local_time import LOCAL_ZONE
from central.identity.permissions import Role
from central.identity.types import User
from central.procedures.errors import (
    PapersMissingError,
    ProcedureChangedError,
    ProcedureFileError,
)
from central.procedures.rulebook.checking import DEFINITIONS
from central.procedures.rulebook.commands import load_now
from central.procedures.rulebook.library import ProcedureLibrary, load_procedures
from central.procedures.service import DossierService
from central.procedures.types import (
    Channel,
    HandedIn,
    NewDossier,
    PaperForm,
    SupplementRequest,
)
from central.registry.types import PartyId, VehicleId
from central.settings import NotifySettings, OfficeSettings

NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
CLERK = User(id=1, username="clerk", display_name="Cán bộ một cửa", role=Role.CLERK)
APPROVER = User(id=2, username="approver", display_name="Người duyệt", role=Role.APPROVER)


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    """A copy of the built-in procedures, to be changed."""
    return Path(shutil.copytree(DEFINITIONS, tmp_path / "definitions"))


@pytest.fixture
def calendars(tmp_path: Path) -> Path:
    """A copy of the built-in calendar, to be changed."""
    folder = tmp_path / "calendars"
    folder.mkdir()
    for path in LAW_FOLDER.glob("calendar-v*.yaml"):
        shutil.copy(path, folder)
    return folder


def rewrite(path: Path, *changes: tuple[str, str], to: Path | None = None) -> None:
    """Write a file again with parts of its text replaced."""
    text = path.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    (to or path).write_text(text, encoding="utf-8")


async def test_loading_again_changes_nothing(connection: psycopg.AsyncConnection) -> None:
    first = await load_procedures(connection, now=NOW)
    second = await load_procedures(connection, now=NOW)

    assert first.new == ("calendar v1", "badge v1", "laos-permit v1")
    assert first.known == ()
    assert (second.new, second.known) == ((), first.new)


async def test_a_comment_may_change_and_contents_may_not(
    connection: psycopg.AsyncConnection, definitions: Path
) -> None:
    await load_procedures(connection, now=NOW)
    badge = definitions / "badge" / "v1.yaml"

    rewrite(badge, ("# A version", "# Every version"))
    await load_procedures(connection, now=NOW, definitions=definitions)
    rewrite(badge, ("days: {value: 2,", "days: {value: 3,"))
    with pytest.raises(ProcedureChangedError) as caught:
        await load_procedures(connection, now=NOW, definitions=definitions)

    assert (caught.value.name, caught.value.version) == ("badge", 1)
    assert "write version 2" in str(caught.value)


async def test_a_changed_calendar_is_refused(
    connection: psycopg.AsyncConnection, calendars: Path
) -> None:
    await load_procedures(connection, now=NOW)
    rewrite(calendars / "calendar-v1.yaml", ('"17:30"', '"17:00"'), ('"07:30"', '"07:00"'))

    with pytest.raises(ProcedureChangedError) as caught:
        await load_procedures(connection, now=NOW, calendars=calendars)

    assert caught.value.name == "calendar"


async def test_a_broken_calendar_is_refused_with_its_problem(
    connection: psycopg.AsyncConnection, calendars: Path
) -> None:
    rewrite(
        calendars / "calendar-v1.yaml", ("covers_until: 2028-01-01", "covers_until: 2026-01-01")
    )

    with pytest.raises(ProcedureFileError, match="outside the calendar"):
        await load_procedures(connection, now=NOW, calendars=calendars)


async def test_the_calendar_comes_back_as_it_was_stated(
    connection: psycopg.AsyncConnection,
) -> None:
    await load_procedures(connection, now=NOW)

    calendar = await ProcedureLibrary(connection).calendar()

    assert (calendar.version, calendar.covers_until) == (1, date(2028, 1, 1))
    friday = datetime(2026, 2, 13, 9, 15, tzinfo=LOCAL_ZONE)
    assert calendar.add_working_days(friday, days=2) == datetime(
        2026, 2, 24, 9, 15, tzinfo=LOCAL_ZONE
    )


async def test_a_newer_calendar_counts_from_its_loading_on(
    connection: psycopg.AsyncConnection, calendars: Path
) -> None:
    # The Government adds Monday 23 February to the break.
    extra = (
        "days:\n  - {day: 2026-02-23, is_working: false, name_vi: Nghỉ thêm, "
        "source: test, confidence: high}"
    )
    rewrite(
        calendars / "calendar-v1.yaml",
        ("version: 1", "version: 2"),
        ("days:", extra),
        to=calendars / "calendar-v2.yaml",
    )
    await load_procedures(connection, now=NOW, calendars=calendars)

    calendar = await ProcedureLibrary(connection).calendar()

    assert calendar.version == 2
    assert not calendar.is_working(date(2026, 2, 23))


def new_version(definitions: Path, *changes: tuple[str, str]) -> None:
    badge = definitions / "badge" / "v1.yaml"
    rewrite(badge, ("version: 1", "version: 2"), *changes, to=badge.with_name("v2.yaml"))


async def test_versions_follow_each_other_by_their_first_day(
    connection: psycopg.AsyncConnection, definitions: Path
) -> None:
    new_version(definitions, ("valid_from: 2025-01-01", "valid_from: 2026-04-01"))
    await load_procedures(connection, now=NOW, definitions=definitions)
    library = ProcedureLibrary(connection)

    versions = [
        (await library.procedure("badge", on=day)).version
        for day in (date(2026, 3, 31), date(2026, 4, 1))
    ]

    assert versions == [1, 2]


@pytest.mark.parametrize("begins_on", ["2025-06-01", "2026-01-01"])
async def test_a_version_that_begins_before_its_forerunner_is_refused(
    connection: psycopg.AsyncConnection, definitions: Path, begins_on: str
) -> None:
    new_version(definitions, ("valid_from: 2025-01-01", f"valid_from: {begins_on}"))
    first = definitions / "badge" / "v1.yaml"
    rewrite(first, ("valid_from: 2025-01-01", "valid_from: 2026-01-01"))

    with pytest.raises(ProcedureFileError, match="valid_from does not fit version 1"):
        await load_procedures(connection, now=NOW, definitions=definitions)


async def test_an_abolished_procedure_is_no_longer_in_force(
    connection: psycopg.AsyncConnection, definitions: Path
) -> None:
    new_version(
        definitions,
        ("valid_from: 2025-01-01", "valid_from: 2026-04-01\nvalid_until: 2026-07-01"),
    )
    await load_procedures(connection, now=NOW, definitions=definitions)

    in_force = await ProcedureLibrary(connection).in_force(on=date(2026, 7, 1))

    assert [each.id for each in in_force] == ["laos-permit"]


async def test_an_open_dossier_ends_under_the_version_it_began_with(
    connection: psycopg.AsyncConnection,
    definitions: Path,
    registered: Callable[[], Awaitable[tuple[PartyId, VehicleId]]],
) -> None:
    await load_procedures(connection, now=NOW, definitions=definitions)
    service = DossierService(connection, office=OfficeSettings(), notify=NotifySettings())
    applicant_id, vehicle_id = await registered()
    new = NewDossier(
        procedure_id="badge",
        submission_key=f"form-{uuid4()}",
        channel=Channel.COUNTER,
        applicant_id=applicant_id,
        submitted_by="Công ty TNHH Vận tải A",
        contact_phone=None,
        contact_email=None,
        vehicle_id=vehicle_id,
        request={"badge_kind": "goods", "years": 1},
        papers=(
            HandedIn(paper="request_form", form=PaperForm.ORIGINAL),
            HandedIn(paper="registration_certificate", form=PaperForm.COPY),
        ),
    )
    old = (await service.take_in(new, user=CLERK, now=NOW)).dossier

    # From tomorrow on every applicant has to bring "other", and only the director may reject.
    new_version(
        definitions,
        ("valid_from: 2025-01-01", "valid_from: 2026-03-03"),
        ("required: on_request", "required: always"),
        ("name: {vi: Duyệt cấp,", "name: {vi: Phê duyệt,"),
    )
    loaded = await load_procedures(connection, now=NOW, definitions=definitions)
    tomorrow = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)

    assert loaded.new == ("badge v2",)
    with pytest.raises(PapersMissingError) as caught:
        await service.take_in(
            replace(new, submission_key="form-tomorrow"),
            user=CLERK,
            now=tomorrow,
        )
    assert caught.value.papers == ("other",)
    asked = await service.request_supplement(
        old.code, SupplementRequest(papers=(), reason="Ký lại"), version=1, user=CLERK, now=tomorrow
    )
    await service.receive_supplement(
        old.code, (), version=asked.dossier.version, user=CLERK, now=tomorrow
    )
    record = await service.dossier(old.code, user=APPROVER, now=tomorrow)
    assert "Duyệt cấp" in {each.name.vi for each in record.actions}
    done = await service.approve(
        old.code, version=record.dossier.version, user=APPROVER, now=tomorrow
    )
    assert done.dossier.procedure_version == 1


@pytest.fixture
def registered(
    connection: psycopg.AsyncConnection,
) -> Callable[[], Awaitable[tuple[PartyId, VehicleId]]]:
    """Enter a firm with a truck that bears a yellow plate."""

    async def enter() -> tuple[PartyId, VehicleId]:
        party_id, vehicle_id = PartyId(uuid4()), VehicleId(uuid4())
        await connection.execute(
            "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at,"
            " updated_at) VALUES (%s, 'organisation', 'Công ty TNHH Vận tải A', '6000000001',"
            " 'test', '2026-02-01', %s, %s)",
            [party_id, NOW, NOW],
        )
        await connection.execute(
            "INSERT INTO vehicle (id, chassis_number, kind, owner_id, source, as_of, created_at,"
            " updated_at) VALUES (%s, 'RLTRUCK0001', 'truck', %s, 'test', '2026-02-01', %s, %s)",
            [vehicle_id, party_id, NOW, NOW],
        )
        await connection.execute(
            "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from)"
            " VALUES (%s, '47C12345', 'yellow', '2020-06-01')",
            [vehicle_id],
        )
        return party_id, vehicle_id

    return enter


def test_the_command_loads_in_a_transaction_of_its_own(
    database_url: str, definitions: Path
) -> None:
    broken = definitions / "laos-permit" / "v1.yaml"
    rewrite(broken, ("guard: badge_held", "guard: no_such"))

    with pytest.raises(ProcedureFileError):
        load_now(database_url, now=NOW, definitions=definitions)

    # Nothing of the files that were sound is there either.
    loaded = load_now(database_url, now=NOW)
    assert loaded.new == ("calendar v1", "badge v1", "laos-permit v1")
