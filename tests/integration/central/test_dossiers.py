# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dossiers on a real database, as the services' own account."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from central.documents.development_key import ensure_development_key
from central.documents.errors import SigningKeyError
from central.documents.layout import DocumentTemplate
from central.documents.service import DocumentService
from central.documents.types import SigningKey, Subject, SubjectKind
from central.domain.local_time import LOCAL_ZONE
from central.domain.working_time import CalendarNotCoveredError
from central.errors import PermissionDeniedError, StaleVersionError
from central.identity.permissions import Role
from central.identity.types import User
from central.procedures.errors import (
    ActionNotAllowedError,
    DossierNotFoundError,
    GuardRefusedError,
    InvalidRequestError,
    NoCalendarError,
    PapersMissingError,
    ProcedureNotFoundError,
    SerialsUsedUpError,
    SubmissionConflictError,
)
from central.procedures.rulebook.library import load_procedures
from central.procedures.service import DossierService
from central.procedures.types import (
    ActionName,
    Channel,
    Dossier,
    DossierState,
    FactOutcome,
    HandedIn,
    NewDossier,
    PaperForm,
    SupplementRequest,
)
from central.procedures.views import DossierFilter, DossierPageRequest, OpenState
from central.registry.errors import BadgeConflictError, PartyNotFoundError, VehicleNotFoundError
from central.registry.service import RegistryService
from central.registry.types import NewBadge, Origin, PartyId, VehicleId
from central.settings import NotifySettings, OfficeSettings

OFFICE = OfficeSettings(agency_code="H15.50", public_url="https://mot-cua.example")
CLERK = User(id=1, username="clerk", display_name="Cán bộ một cửa", role=Role.CLERK)
APPROVER = User(id=2, username="approver", display_name="Người duyệt", role=Role.APPROVER)
OPERATOR = User(id=3, username="operator", display_name="Trực ban", role=Role.OPERATOR)
PAPERS = (
    HandedIn(paper="request_form", form=PaperForm.ORIGINAL),
    HandedIn(paper="registration_certificate", form=PaperForm.COPY),
)


def at(text: str) -> datetime:
    """A Vietnam time in UTC, as ``2026-02-13 09:15``."""
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE).astimezone(UTC)


MONDAY = at("2026-03-02 09:15")
FRIDAY_BEFORE_TET = at("2026-02-13 09:15")


async def insert_party(connection: psycopg.AsyncConnection, name: str, tax_code: str) -> PartyId:
    party_id = PartyId(uuid4())
    await connection.execute(
        "INSERT INTO party (id, kind, name, identity_number, email, source, as_of, created_at,"
        " updated_at) VALUES (%s, 'organisation', %s, %s, 'van-tai@firm.example', 'test',"
        " '2026-02-01', %s, %s)",
        [party_id, name, tax_code, MONDAY, MONDAY],
    )
    return party_id


async def insert_vehicle(
    connection: psycopg.AsyncConnection,
    owner_id: PartyId,
    *,
    plate: str = "47C12345",
    colour: str = "yellow",
    kind: str = "truck",
    inspected_until: date | None = date(2027, 1, 31),
) -> VehicleId:
    vehicle_id = VehicleId(uuid4())
    await connection.execute(
        "INSERT INTO vehicle (id, chassis_number, kind, manufactured_in, payload_kg, seats,"
        " inspected_until, owner_id, source, as_of, created_at, updated_at)"
        " VALUES (%s, %s, %s, 2020, 8000, 3, %s, %s, 'test', '2026-02-01', %s, %s)",
        [
            vehicle_id,
            f"RL{vehicle_id.hex[:14].upper()}",
            kind,
            inspected_until,
            owner_id,
            MONDAY,
            MONDAY,
        ],
    )
    await connection.execute(
        "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from)"
        " VALUES (%s, %s, %s, '2020-06-01')",
        [vehicle_id, plate, colour],
    )
    return vehicle_id


@pytest.fixture
async def owner_id(connection: psycopg.AsyncConnection) -> PartyId:
    return await insert_party(connection, "Công ty TNHH Vận tải A", "6000000001")


@pytest.fixture
async def truck_id(connection: psycopg.AsyncConnection, owner_id: PartyId) -> VehicleId:
    return await insert_vehicle(connection, owner_id)


@pytest.fixture
async def service(connection: psycopg.AsyncConnection) -> DossierService:
    """With every procedure and the calendar loaded."""
    await load_procedures(connection, now=MONDAY)
    return DossierService(connection, office=OFFICE, notify=NotifySettings())


@pytest.fixture
def new(owner_id: PartyId, truck_id: VehicleId) -> NewDossier:
    return NewDossier(
        procedure_id="badge",
        submission_key=f"form-{uuid4()}",
        channel=Channel.COUNTER,
        applicant_id=owner_id,
        submitted_by="Người được uỷ quyền của Công ty A",
        contact_phone="0262 3000000",
        contact_email=None,
        vehicle_id=truck_id,
        request={"badge_kind": "goods", "years": 3},
        papers=PAPERS,
    )


TakeIn = Callable[..., Awaitable[Dossier]]


@pytest.fixture
def take_in(service: DossierService, new: NewDossier) -> TakeIn:
    async def take(*, now: datetime = MONDAY, **changes: Any) -> Dossier:  # noqa: ANN401  # any field
        changes.setdefault("submission_key", f"form-{uuid4()}")
        taken = await service.take_in(replace(new, **changes), user=CLERK, now=now)
        return taken.dossier

    return take


async def rows(
    connection: psycopg.AsyncConnection, query: str, *values: object
) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


# Taking in ----------


async def test_a_dossier_gets_a_code_and_an_appointment_after_tet(
    service: DossierService, new: NewDossier
) -> None:
    taken = await service.take_in(new, user=CLERK, now=FRIDAY_BEFORE_TET)

    assert taken.dossier.code == "H15.50-260213-0001"
    # Friday 13 February; off 16 to 20; Monday 23 is the first working day, Tuesday 24 the second.
    assert taken.dossier.due_at == at("2026-02-24 09:15")
    assert taken.dossier.calendar_version == 1
    assert not taken.is_repeat


async def test_codes_count_up_within_a_vietnam_day(take_in: TakeIn) -> None:
    codes = [
        (await take_in(now=at("2026-03-02 23:59"))).code,
        (await take_in(now=at("2026-03-02 23:59"))).code,
        (await take_in(now=at("2026-03-03 00:01"))).code,
    ]

    assert codes == ["H15.50-260302-0001", "H15.50-260302-0002", "H15.50-260303-0001"]


async def test_the_receipt_is_there_with_the_dossier(
    connection: psycopg.AsyncConnection, take_in: TakeIn
) -> None:
    dossier = await take_in()

    document, pdf = await DocumentService(connection).newest_content(
        Subject(kind=SubjectKind.DOSSIER, id=dossier.code), DocumentTemplate.RECEIPT
    )

    assert document.revision == 1
    assert pdf.startswith(b"%PDF-")


async def test_what_the_registry_knows_is_shown_with_source_and_age(
    service: DossierService, new: NewDossier
) -> None:
    taken = await service.take_in(new, user=CLERK, now=MONDAY)

    found = {fact.name: fact for fact in taken.facts}
    assert {name: fact.outcome for name, fact in found.items()} == {
        "kind_fits_vehicle": FactOutcome.HOLDS,
        "plate_is_yellow": FactOutcome.HOLDS,
        "within_lifetime": FactOutcome.HOLDS,
        "no_overlapping_badge": FactOutcome.HOLDS,
        "inspection_valid": FactOutcome.HOLDS,
    }
    assert found["inspection_valid"].values == {"inspected_until": "2027-01-31"}
    assert found["inspection_valid"].source == "test"
    assert found["inspection_valid"].as_of == date(2026, 2, 1)


async def test_an_unknown_inspection_is_unknown_and_an_old_one_is_shown(
    connection: psycopg.AsyncConnection,
    service: DossierService,
    new: NewDossier,
    owner_id: PartyId,
) -> None:
    outcomes = []
    for number, until in enumerate((None, date(2026, 3, 1), date(2026, 3, 2))):
        vehicle_id = await insert_vehicle(
            connection, owner_id, plate=f"47C0000{number}", inspected_until=until
        )
        taken = await service.take_in(
            replace(new, vehicle_id=vehicle_id, submission_key=f"inspection-{number}"),
            user=CLERK,
            now=MONDAY,
        )
        outcomes += [fact.outcome for fact in taken.facts if fact.name == "inspection_valid"]

    # Its last day is a day on which it holds.
    assert outcomes == [FactOutcome.UNKNOWN, FactOutcome.FAILS, FactOutcome.HOLDS]


async def test_missing_papers_are_refused_with_the_whole_list(
    service: DossierService, new: NewDossier, connection: psycopg.AsyncConnection
) -> None:
    with pytest.raises(PapersMissingError) as caught:
        await service.take_in(replace(new, papers=()), user=CLERK, now=MONDAY)

    assert caught.value.papers == ("request_form", "registration_certificate")
    assert await rows(connection, "SELECT 1 FROM dossier LIMIT 1") == []


async def test_who_does_not_own_the_vehicle_has_to_bring_a_contract(
    connection: psycopg.AsyncConnection, service: DossierService, new: NewDossier
) -> None:
    other = await insert_party(connection, "Công ty TNHH Vận tải B", "6000000002")

    with pytest.raises(PapersMissingError) as caught:
        await service.take_in(replace(new, applicant_id=other), user=CLERK, now=MONDAY)

    assert caught.value.papers == ("use_contract",)


async def test_the_same_form_sent_twice_is_one_dossier(
    connection: psycopg.AsyncConnection, service: DossierService, new: NewDossier
) -> None:
    first = await service.take_in(new, user=CLERK, now=MONDAY)
    second = await service.take_in(new, user=CLERK, now=MONDAY + timedelta(seconds=5))

    assert second.is_repeat
    assert second.dossier == first.dossier
    assert second.facts == first.facts
    assert len(await rows(connection, "SELECT 1 FROM dossier LIMIT 9")) == 1
    assert len(await rows(connection, "SELECT 1 FROM dossier_event LIMIT 9")) == 1


async def test_the_same_form_with_another_address_is_not_silently_kept_as_it_was(
    service: DossierService, new: NewDossier
) -> None:
    await service.take_in(new, user=CLERK, now=MONDAY)

    with pytest.raises(SubmissionConflictError):
        await service.take_in(
            replace(new, contact_email="khac@firm.example"), user=CLERK, now=MONDAY
        )


async def test_the_same_form_with_other_contents_is_refused(
    service: DossierService, new: NewDossier
) -> None:
    first = await service.take_in(new, user=CLERK, now=MONDAY)

    with pytest.raises(SubmissionConflictError) as caught:
        await service.take_in(
            replace(new, request={"badge_kind": "goods", "years": 7}), user=CLERK, now=MONDAY
        )

    assert caught.value.code == first.dossier.code


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"request": {"badge_kind": "goods"}}, "years"),
        ({"request": {"badge_kind": "goods", "years": 8}}, "years"),
        ({"request": {"badge_kind": "goods", "years": "3"}}, "years"),
        ({"request": {"badge_kind": "tractor_unit", "years": 3}}, "badge_kind"),
        ({"request": {"badge_kind": "goods", "years": 3, "more": 1}}, "more"),
        ({"vehicle_id": None}, "vehicle_id"),
        ({"papers": (HandedIn(paper="no_such", form=PaperForm.COPY),)}, "papers"),
        ({"papers": (HandedIn(paper="request_form", form=PaperForm.COPY),)}, "papers"),
    ],
)
async def test_a_request_that_does_not_fit_is_refused_by_its_part(
    service: DossierService, new: NewDossier, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await service.take_in(replace(new, **changes), user=CLERK, now=MONDAY)

    assert caught.value.field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"submission_key": "short"},
        {"submitted_by": " "},
        {"submitted_by": "tên\nhai dòng"},
        {"contact_phone": "chưa có"},
        {"contact_email": "no address"},
        {"papers": (*PAPERS, PAPERS[0])},
    ],
)
def test_a_form_with_nonsense_is_no_dossier(changes: dict[str, Any]) -> None:
    values: dict[str, Any] = {
        "procedure_id": "badge",
        "submission_key": "form-1234",
        "channel": Channel.COUNTER,
        "applicant_id": PartyId(uuid4()),
        "submitted_by": "Công ty A",
        "contact_phone": None,
        "contact_email": None,
        "vehicle_id": None,
        "request": {},
        "papers": (),
    }

    with pytest.raises(InvalidRequestError):
        NewDossier(**{**values, **changes})


async def test_a_badge_that_does_not_fit_the_vehicle_is_refused_at_the_counter(
    service: DossierService, new: NewDossier
) -> None:
    with pytest.raises(GuardRefusedError) as caught:
        await service.take_in(
            replace(new, request={"badge_kind": "taxi", "years": 3}), user=CLERK, now=MONDAY
        )

    assert caught.value.guards == ("kind_fits_vehicle",)


async def test_an_unknown_vehicle_or_applicant_is_refused(
    service: DossierService, new: NewDossier
) -> None:
    with pytest.raises(VehicleNotFoundError):
        await service.take_in(replace(new, vehicle_id=VehicleId(uuid4())), user=CLERK, now=MONDAY)
    contract = HandedIn(paper="use_contract", form=PaperForm.COPY)
    with pytest.raises(PartyNotFoundError):
        await service.take_in(
            replace(new, applicant_id=PartyId(uuid4()), papers=(*PAPERS, contract)),
            user=CLERK,
            now=MONDAY,
        )


async def test_who_may_not_take_in_is_refused(service: DossierService, new: NewDossier) -> None:
    with pytest.raises(PermissionDeniedError):
        await service.take_in(new, user=OPERATOR, now=MONDAY)


async def test_a_deadline_behind_the_calendar_is_a_clear_error(
    service: DossierService, new: NewDossier
) -> None:
    with pytest.raises(CalendarNotCoveredError) as caught:
        await service.take_in(new, user=CLERK, now=at("2027-12-31 09:00"))

    assert caught.value.day == date(2028, 1, 1)


async def test_without_a_calendar_nothing_is_taken_in(
    connection: psycopg.AsyncConnection, new: NewDossier, tmp_path: Path
) -> None:
    await load_procedures(connection, now=MONDAY, calendars=tmp_path)
    service = DossierService(connection, office=OFFICE, notify=NotifySettings())

    with pytest.raises(NoCalendarError):
        await service.take_in(new, user=CLERK, now=MONDAY)


async def test_a_procedure_that_had_not_begun_takes_nothing_in(
    service: DossierService, new: NewDossier
) -> None:
    with pytest.raises(ProcedureNotFoundError):
        await service.take_in(new, user=CLERK, now=at("2024-12-31 09:00"))


async def test_the_ten_thousandth_dossier_of_a_day_is_refused(
    connection: psycopg.AsyncConnection, service: DossierService, new: NewDossier
) -> None:
    await connection.execute("INSERT INTO dossier_serial VALUES ('H15.50', '2026-03-02', 9999)")

    with pytest.raises(SerialsUsedUpError):
        await service.take_in(new, user=CLERK, now=MONDAY)


# Clock ----------


async def test_the_clock_stands_still_while_a_supplement_is_awaited(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in(now=MONDAY)
    wanted = SupplementRequest(papers=("other",), reason="Bản sao đăng ký xe bị mờ.")

    asked = await service.request_supplement(
        dossier.code, wanted, version=1, user=CLERK, now=at("2026-03-02 10:15")
    )

    # Two days are 960 minutes; one hour is gone.
    assert asked.dossier.state is DossierState.SUPPLEMENT_REQUESTED
    assert asked.dossier.remaining_minutes == 900
    assert not asked.counts_as_late

    received = await service.receive_supplement(
        dossier.code,
        (HandedIn(paper="other", form=PaperForm.COPY),),
        version=2,
        user=CLERK,
        now=at("2026-03-09 15:00"),
    )

    # Monday 15:00: 150 minutes to 17:30, Tuesday 480, Wednesday 240 in the morning and 30 after.
    assert received.dossier.due_at == at("2026-03-11 14:00")
    assert received.dossier.remaining_minutes is None
    assert not received.counts_as_late


async def test_the_clock_that_stood_still_over_tet_counts_no_holiday(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in(now=FRIDAY_BEFORE_TET)
    wanted = SupplementRequest(papers=("other",), reason="Thiếu trang.")

    asked = await service.request_supplement(
        dossier.code, wanted, version=1, user=CLERK, now=at("2026-02-13 16:00")
    )
    received = await service.receive_supplement(
        dossier.code,
        (HandedIn(paper="other", form=PaperForm.COPY),),
        version=2,
        user=CLERK,
        now=at("2026-02-23 10:00"),
    )

    # Friday: 135 minutes to 11:30 and 150 from 13:30 are gone of 960.
    assert asked.dossier.remaining_minutes == 675
    # Monday: 90 to 11:30 and 240 in the afternoon; Tuesday: 240 and 105 more.
    assert received.dossier.due_at == at("2026-02-24 15:15")


async def test_a_supplement_behind_the_calendar_is_refused_and_changes_nothing(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in(now=at("2027-12-29 09:15"))
    wanted = SupplementRequest(papers=("other",), reason="Thiếu trang.")
    await service.request_supplement(
        dossier.code, wanted, version=1, user=CLERK, now=at("2027-12-29 10:15")
    )

    with pytest.raises(CalendarNotCoveredError) as caught:
        await service.receive_supplement(
            dossier.code,
            (HandedIn(paper="other", form=PaperForm.COPY),),
            version=2,
            user=CLERK,
            now=at("2027-12-31 16:00"),
        )

    assert caught.value.day == date(2028, 1, 1)
    record = await service.dossier(dossier.code, user=CLERK, now=at("2027-12-31 16:00"))
    assert record.dossier.state is DossierState.SUPPLEMENT_REQUESTED
    assert (record.dossier.version, record.dossier.remaining_minutes) == (2, 900)


async def test_a_dossier_is_withdrawn_though_the_calendar_ends(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in(now=at("2027-12-29 09:15"))
    wanted = SupplementRequest(papers=("other",), reason="Thiếu trang.")
    await service.request_supplement(
        dossier.code, wanted, version=1, user=CLERK, now=at("2027-12-29 10:15")
    )

    done = await service.withdraw(
        dossier.code, "Theo đơn", version=2, user=CLERK, now=at("2028-01-05 09:00")
    )

    assert done.dossier.state is DossierState.WITHDRAWN
    assert not done.counts_as_late


async def test_a_supplement_has_to_be_complete(service: DossierService, take_in: TakeIn) -> None:
    dossier = await take_in()
    wanted = SupplementRequest(papers=("registration_certificate", "other"), reason="Thiếu trang.")
    await service.request_supplement(dossier.code, wanted, version=1, user=CLERK, now=MONDAY)

    with pytest.raises(PapersMissingError) as caught:
        await service.receive_supplement(
            dossier.code,
            (HandedIn(paper="other", form=PaperForm.COPY),),
            version=2,
            user=CLERK,
            now=MONDAY,
        )

    assert caught.value.papers == ("registration_certificate",)


async def test_a_second_supplement_counts_as_late(service: DossierService, take_in: TakeIn) -> None:
    dossier = await take_in()
    wanted = SupplementRequest(papers=("other",), reason="Thiếu.")
    paper = (HandedIn(paper="other", form=PaperForm.COPY),)
    await service.request_supplement(dossier.code, wanted, version=1, user=CLERK, now=MONDAY)
    await service.receive_supplement(dossier.code, paper, version=2, user=CLERK, now=MONDAY)

    again = await service.request_supplement(
        dossier.code, wanted, version=3, user=CLERK, now=MONDAY
    )

    assert again.counts_as_late
    first = next(fact for fact in again.facts if fact.name == "first_supplement")
    assert first.outcome is FactOutcome.FAILS
    assert first.legal_basis.startswith("QĐ 766")


async def test_a_supplement_asked_for_too_late_is_shown(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in(now=MONDAY)
    wanted = SupplementRequest(papers=(), reason="Thiếu chữ ký.")

    # Within one working day: until Tuesday 09:15.
    done = await service.request_supplement(
        dossier.code, wanted, version=1, user=CLERK, now=at("2026-03-03 09:16")
    )

    fact = next(fact for fact in done.facts if fact.name == "supplement_notice_in_time")
    assert fact.outcome is FactOutcome.FAILS


async def test_a_missed_appointment_is_not_mended_by_a_supplement(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in(now=MONDAY)
    late_at = at("2026-03-05 09:00")
    wanted = SupplementRequest(papers=(), reason="Thiếu chữ ký.")

    asked = await service.request_supplement(
        dossier.code, wanted, version=1, user=CLERK, now=late_at
    )
    received = await service.receive_supplement(
        dossier.code, (), version=2, user=CLERK, now=at("2026-03-06 09:00")
    )

    assert asked.dossier.remaining_minutes == 0
    assert asked.counts_as_late
    assert received.dossier.due_at == dossier.due_at
    assert received.counts_as_late


async def test_a_withdrawn_dossier_whose_clock_stood_still_is_not_late(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in(now=MONDAY)
    wanted = SupplementRequest(papers=("other",), reason="Thiếu.")
    await service.request_supplement(dossier.code, wanted, version=1, user=CLERK, now=MONDAY)

    done = await service.withdraw(
        dossier.code, "Theo đơn", version=2, user=CLERK, now=at("2026-03-20 09:00")
    )

    assert done.dossier.state is DossierState.WITHDRAWN
    assert not done.counts_as_late


# Deciding ----------


async def test_an_approval_puts_the_badge_into_the_registry_at_once(
    connection: psycopg.AsyncConnection,
    service: DossierService,
    take_in: TakeIn,
    truck_id: VehicleId,
) -> None:
    dossier = await take_in()

    done = await service.approve(
        dossier.code, version=1, user=APPROVER, now=MONDAY + timedelta(hours=1)
    )

    facts = await RegistryService(connection).facts_of(truck_id, on=date(2026, 3, 2))
    assert facts is not None
    assert facts.badge is not None
    assert facts.badge.number == f"PH-{dossier.code}"
    assert facts.badge.dossier_code == dossier.code
    assert (facts.badge.valid_from, facts.badge.valid_until) == (
        date(2026, 3, 2),
        date(2029, 3, 2),
    )
    assert done.dossier.state is DossierState.APPROVED
    jobs = await rows(connection, "SELECT task_name, args FROM procrastinate_jobs LIMIT 9")
    assert jobs == [{"task_name": "issue_result_document", "args": {"dossier_id": str(dossier.id)}}]


async def test_an_approval_ends_the_alert_about_the_missing_badge(
    connection: psycopg.AsyncConnection,
    service: DossierService,
    take_in: TakeIn,
    truck_id: VehicleId,
) -> None:
    alert_id = await insert_alert(connection, truck_id)
    dossier = await take_in()

    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    (alert,) = await rows(
        connection, "SELECT state, dossier_code FROM alert WHERE id = %s", alert_id
    )
    assert alert == {"state": "closed", "dossier_code": dossier.code}


async def insert_alert(connection: psycopg.AsyncConnection, vehicle_id: VehicleId) -> UUID:
    """An open alert: yellow plate without a badge."""
    alert_id = uuid4()
    await connection.execute(
        "INSERT INTO site (id, province, name, created_at) VALUES ('km12', 'dak-lak', 'Km 12', %s)",
        [MONDAY],
    )
    await connection.execute(
        "INSERT INTO camera (site_id, id, name, created_at) VALUES ('km12', 'cam-1', 'Cam', %s)",
        [MONDAY],
    )
    await connection.execute(
        "INSERT INTO alert (id, rule, severity, plate_text, plate_colour, vehicle_id, legal_basis,"
        " facts, state, opened_at, last_sighted_at, passage_id, site_id, camera_id)"
        " VALUES (%s, 'yellow_without_badge', 'high', '47C12345', 'yellow', %s, 'NĐ 158', '[]',"
        " 'open', %s, %s, %s, 'km12', 'cam-1')",
        [alert_id, vehicle_id, MONDAY, MONDAY, uuid4()],
    )
    return alert_id


async def test_a_decision_keeps_the_facts_it_was_based_on(
    connection: psycopg.AsyncConnection,
    service: DossierService,
    take_in: TakeIn,
    truck_id: VehicleId,
) -> None:
    dossier = await take_in()
    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)
    await connection.execute(
        "UPDATE vehicle SET inspected_until = '2026-01-01' WHERE id = %s", [truck_id]
    )

    record = await service.dossier(dossier.code, user=CLERK, now=MONDAY + timedelta(days=1))

    kept = {fact.name: fact for fact in record.facts}
    assert kept["inspection_valid"].outcome is FactOutcome.HOLDS
    assert kept["inspection_valid"].values == {"inspected_until": "2027-01-31"}
    assert kept["decided_by_another"].values == {"taken_in_by": "clerk", "decided_by": "approver"}
    assert kept["badge_granted"].values["badge_number"] == f"PH-{dossier.code}"


async def test_a_clerk_may_not_decide(service: DossierService, take_in: TakeIn) -> None:
    dossier = await take_in()

    with pytest.raises(PermissionDeniedError) as caught:
        await service.approve(dossier.code, version=1, user=CLERK, now=MONDAY)

    assert caught.value.permission == "decide_dossiers"


async def test_who_took_a_dossier_in_does_not_decide_it(
    service: DossierService, new: NewDossier
) -> None:
    taken = await service.take_in(new, user=APPROVER, now=MONDAY)

    with pytest.raises(GuardRefusedError) as caught:
        await service.approve(taken.dossier.code, version=1, user=APPROVER, now=MONDAY)

    assert caught.value.guards == ("decided_by_another",)


async def test_a_white_plate_gets_no_badge(
    connection: psycopg.AsyncConnection,
    service: DossierService,
    take_in: TakeIn,
    owner_id: PartyId,
) -> None:
    vehicle_id = await insert_vehicle(connection, owner_id, plate="47C54321", colour="white")
    dossier = await take_in(vehicle_id=vehicle_id)

    with pytest.raises(GuardRefusedError) as caught:
        await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    assert caught.value.guards == ("plate_is_yellow",)


async def test_a_vehicle_with_a_badge_gets_no_second_one(
    connection: psycopg.AsyncConnection,
    service: DossierService,
    take_in: TakeIn,
    truck_id: VehicleId,
    owner_id: PartyId,
) -> None:
    await issue(connection, truck_id, owner_id, until=date(2027, 1, 1))
    dossier = await take_in()

    with pytest.raises(GuardRefusedError) as caught:
        await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    assert caught.value.guards == ("no_overlapping_badge",)


async def test_a_badge_near_its_end_is_renewed_from_its_end_on(
    connection: psycopg.AsyncConnection,
    service: DossierService,
    take_in: TakeIn,
    truck_id: VehicleId,
    owner_id: PartyId,
) -> None:
    # 15 days before Tuesday 17 March is Monday 2 March.
    await issue(connection, truck_id, owner_id, until=date(2026, 3, 17))
    dossier = await take_in()

    done = await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    granted = next(fact for fact in done.facts if fact.name == "badge_granted")
    assert granted.values["valid_from"] == "2026-03-17"
    assert granted.values["valid_until"] == "2029-03-17"


async def issue(
    connection: psycopg.AsyncConnection, vehicle_id: VehicleId, party_id: PartyId, *, until: date
) -> None:
    """A badge that began a year before its end."""
    await RegistryService(connection).issue_badge(
        NewBadge(
            number="PH-OLD",
            kind="goods",
            vehicle_id=vehicle_id,
            party_id=party_id,
            valid_from=until.replace(year=until.year - 1),
            valid_until=until,
            dossier_code=None,
            origin=Origin(source="test", as_of=date(2026, 2, 1)),
        ),
        now=MONDAY,
    )


async def test_a_stale_decision_is_refused(service: DossierService, take_in: TakeIn) -> None:
    dossier = await take_in()
    wanted = SupplementRequest(papers=("other",), reason="Thiếu.")
    await service.request_supplement(dossier.code, wanted, version=1, user=CLERK, now=MONDAY)

    with pytest.raises(StaleVersionError):
        await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)


async def test_a_decided_dossier_is_not_decided_again(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in()
    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    with pytest.raises(ActionNotAllowedError) as caught:
        await service.reject(dossier.code, "Lý do", version=2, user=APPROVER, now=MONDAY)

    assert (caught.value.action, caught.value.state) == ("reject", "approved")


async def test_a_rejection_goes_out_on_paper_with_its_reason(
    connection: psycopg.AsyncConnection, service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in()

    done = await service.reject(
        dossier.code, "Xe đã hết niên hạn.", version=1, user=APPROVER, now=MONDAY
    )

    papers = await DocumentService(connection).of_subject(
        Subject(kind=SubjectKind.DOSSIER, id=dossier.code)
    )
    assert done.dossier.state is DossierState.REJECTED
    assert {each.kind for each in papers} == {"receipt", "rejection"}


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001, "a\x00b"])
async def test_a_rejection_needs_a_reason(
    service: DossierService, take_in: TakeIn, reason: str
) -> None:
    dossier = await take_in()

    with pytest.raises(InvalidRequestError):
        await service.reject(dossier.code, reason, version=1, user=APPROVER, now=MONDAY)


async def test_the_result_is_handed_over_last(service: DossierService, take_in: TakeIn) -> None:
    dossier = await take_in()
    decided = await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    done = await service.hand_over(
        dossier.code, version=2, user=CLERK, now=MONDAY + timedelta(days=30)
    )

    assert done.dossier.state is DossierState.RETURNED
    # The index counts to the decision, not to the day on which somebody came to fetch it.
    assert done.dossier.ended_at == decided.dossier.ended_at
    assert not done.counts_as_late


async def test_an_unknown_code_is_not_found(service: DossierService) -> None:
    with pytest.raises(DossierNotFoundError):
        await service.approve("H15.50-260302-0099", version=1, user=APPROVER, now=MONDAY)


async def test_the_badge_goes_on_signed_paper_once(
    connection: psycopg.AsyncConnection,
    service: DossierService,
    take_in: TakeIn,
    tmp_path: Path,
) -> None:
    key = SigningKey(
        key_file=tmp_path / "key.pem",
        certificate_file=tmp_path / "certificate.pem",
        ca_file=tmp_path / "ca.pem",
    )
    ensure_development_key(key, now=datetime.now(UTC))
    dossier = await take_in()
    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    first = await service.make_result_document(dossier.id, key=key, now=MONDAY)
    again = await service.make_result_document(dossier.id, key=key, now=MONDAY)

    paper = await DocumentService(connection).newest(
        Subject(kind=SubjectKind.DOSSIER, id=dossier.code), DocumentTemplate.BADGE
    )
    assert (first, again) == (True, False)
    assert paper is not None
    assert paper.signed_by is not None


async def test_a_badge_is_not_given_out_unsigned(service: DossierService, take_in: TakeIn) -> None:
    dossier = await take_in()
    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    with pytest.raises(SigningKeyError):
        await service.make_result_document(dossier.id, key=None, now=MONDAY)


async def test_every_act_is_in_the_history_and_in_the_audit_log(
    connection: psycopg.AsyncConnection, service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in()
    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)
    record = await service.dossier(dossier.code, user=CLERK, now=MONDAY)

    assert [(each.seq, each.action, each.actor) for each in record.events] == [
        (1, ActionName.TAKE_IN, "clerk"),
        (2, ActionName.APPROVE, "approver"),
    ]
    audit = await rows(
        connection,
        "SELECT action, actor, case_reference FROM audit_entry WHERE subject_kind = 'dossier'"
        " ORDER BY id LIMIT 9",
    )
    assert [(each["action"], each["actor"]) for each in audit] == [
        ("dossier_take_in", "clerk"),
        ("dossier_approve", "approver"),
        ("dossier_looked_up", "clerk"),
    ]
    assert {each["case_reference"] for each in audit} == {dossier.code}


async def test_history_can_not_be_rewritten_by_the_services(
    connection: psycopg.AsyncConnection, take_in: TakeIn
) -> None:
    await take_in()

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await connection.execute("UPDATE dossier_event SET note = 'other'")


# Looking ----------


async def test_an_official_sees_papers_and_what_may_be_done(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in()

    for_clerk = await service.dossier(dossier.code, user=CLERK, now=MONDAY)
    for_approver = await service.dossier(dossier.code, user=APPROVER, now=MONDAY)

    assert [(each.paper, each.is_required) for each in for_clerk.papers] == [
        ("request_form", True),
        ("registration_certificate", True),
        ("use_contract", False),
        ("other", False),
    ]
    assert [each.action for each in for_clerk.actions] == [
        ActionName.REQUEST_SUPPLEMENT,
        ActionName.WITHDRAW,
    ]
    assert ActionName.APPROVE in {each.action for each in for_approver.actions}


async def test_open_dossiers_come_by_appointment_and_paused_ones_last(
    service: DossierService, take_in: TakeIn
) -> None:
    later = await take_in(now=at("2026-03-03 09:00"))
    paused = await take_in(now=at("2026-02-25 09:00"))
    overdue = await take_in(now=at("2026-02-26 09:00"))
    now = at("2026-03-03 10:00")
    wanted = SupplementRequest(papers=("other",), reason="Thiếu.")
    await service.request_supplement(
        paused.code, wanted, version=1, user=CLERK, now=at("2026-02-25 10:00")
    )

    codes, after = [], None
    while True:
        page = await service.list_dossiers(
            DossierFilter(), DossierPageRequest(size=1, after=after), user=CLERK, now=now
        )
        codes += [(each.code, each.is_late) for each in page.dossiers]
        after = page.next
        if after is None:
            break

    assert codes == [(overdue.code, True), (later.code, False), (paused.code, False)]
    assert await service.count_open(user=CLERK, now=now) == {
        "open": 3,
        "overdue": 1,
        "supplement_requested": 1,
    }


async def test_a_list_is_narrowed_by_state_procedure_clerk_and_code(
    service: DossierService, take_in: TakeIn, new: NewDossier
) -> None:
    badge = await take_in()
    laos = await take_in(procedure_id="laos-permit", request={"use": "goods", "trip_days": 10})
    mine = await service.take_in(new, user=APPROVER, now=MONDAY)
    await service.approve(badge.code, version=1, user=APPROVER, now=MONDAY)

    async def codes(wanted: DossierFilter) -> list[str]:
        page = await service.list_dossiers(wanted, DossierPageRequest(), user=CLERK, now=MONDAY)
        return [each.code for each in page.dossiers]

    assert await codes(DossierFilter(open_state=OpenState.ENDED)) == [badge.code]
    assert await codes(DossierFilter(procedure_id="laos-permit")) == [laos.code]
    assert await codes(DossierFilter(taken_in_by="approver")) == [mine.dossier.code]
    assert await codes(DossierFilter(code="-0002")) == [laos.code]
    assert await codes(DossierFilter(code="%")) == []
    assert await codes(DossierFilter(states=(DossierState.SUPPLEMENT_REQUESTED,))) == []


async def test_a_list_is_for_who_may_see_dossiers(service: DossierService) -> None:
    with pytest.raises(PermissionDeniedError):
        await service.list_dossiers(
            DossierFilter(), DossierPageRequest(), user=OPERATOR, now=MONDAY
        )


async def test_a_vehicle_shows_its_dossiers_to_who_may_see_them(
    service: DossierService, take_in: TakeIn, truck_id: VehicleId
) -> None:
    first = await take_in(now=MONDAY)
    second = await take_in(now=MONDAY + timedelta(hours=1))

    seen = await service.dossiers_of_vehicle(truck_id, user=CLERK, now=MONDAY)
    unseen = await service.dossiers_of_vehicle(truck_id, user=OPERATOR, now=MONDAY)

    assert [each.code for each in seen] == [second.code, first.code]
    assert seen[0].plate_text == "47C12345"
    assert unseen == ()


async def test_citizens_learn_the_state_and_nothing_personal(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in(now=FRIDAY_BEFORE_TET)
    wanted = SupplementRequest(papers=("registration_certificate",), reason="47C-123.45 bị mờ.")

    running = await service.public_status(dossier.code, now=FRIDAY_BEFORE_TET)
    await service.request_supplement(
        dossier.code, wanted, version=1, user=CLERK, now=FRIDAY_BEFORE_TET
    )
    paused = await service.public_status(dossier.code, now=FRIDAY_BEFORE_TET)

    assert running.due_at == at("2026-02-24 09:15")
    assert paused.due_at is None
    assert [each.vi for each in paused.missing] == ["Chứng nhận đăng ký xe"]
    assert [each.title for each in running.notices] == [f"Hồ sơ {dossier.code} đã được tiếp nhận"]
    assert running.notices[0].body == "Hẹn trả kết quả: 09:15 ngày 24/02/2026."
    told = repr(paused)
    for personal in ("Công ty", "47C", "bị mờ", "0262", "firm.example", "clerk", "Cán bộ"):
        assert personal not in told


async def test_an_unknown_code_tells_citizens_nothing(service: DossierService) -> None:
    with pytest.raises(DossierNotFoundError):
        await service.public_status("H15.50-260302-0001", now=MONDAY)


# Two at a time ----------


@pytest.fixture
async def committed(
    database_url: str,
) -> AsyncIterator[tuple[NewDossier, Callable[[], Awaitable[psycopg.AsyncConnection]]]]:
    """A database of its own in which work is committed, and a dossier to take in."""
    opened: list[psycopg.AsyncConnection] = []

    async def connect() -> psycopg.AsyncConnection:
        opened.append(await psycopg.AsyncConnection.connect(database_url))
        return opened[-1]

    connection = await connect()
    await load_procedures(connection, now=MONDAY)
    owner = await insert_party(connection, "Công ty TNHH Vận tải A", "6000000001")
    vehicle = await insert_vehicle(connection, owner)
    await connection.commit()
    new = NewDossier(
        procedure_id="badge",
        submission_key="form-from-one-page",
        channel=Channel.ONLINE,
        applicant_id=owner,
        submitted_by="Công ty TNHH Vận tải A",
        contact_phone=None,
        contact_email=None,
        vehicle_id=vehicle,
        request={"badge_kind": "goods", "years": 1},
        papers=PAPERS,
    )
    yield new, connect
    for each in opened:
        await each.close()


async def test_one_form_sent_from_two_connections_at_once_is_one_dossier(
    committed: tuple[NewDossier, Callable[[], Awaitable[psycopg.AsyncConnection]]],
) -> None:
    new, connect = committed

    async def take() -> tuple[str, bool]:
        async with await connect() as connection:
            service = DossierService(connection, office=OFFICE, notify=NotifySettings())
            taken = await service.take_in(new, user=CLERK, now=MONDAY)
            return taken.dossier.code, taken.is_repeat

    outcomes = await asyncio.gather(*(take() for _ in range(6)))

    assert {code for code, _ in outcomes} == {"H15.50-260302-0001"}
    assert sorted(is_repeat for _, is_repeat in outcomes) == [False] + [True] * 5


async def test_dossiers_taken_in_at_once_have_numbers_without_gaps(
    committed: tuple[NewDossier, Callable[[], Awaitable[psycopg.AsyncConnection]]],
) -> None:
    new, connect = committed

    async def take(number: int) -> str:
        async with await connect() as connection:
            service = DossierService(connection, office=OFFICE, notify=NotifySettings())
            taken = await service.take_in(
                replace(new, submission_key=f"form-number-{number}"), user=CLERK, now=MONDAY
            )
            return taken.dossier.code

    codes = await asyncio.gather(*(take(number) for number in range(5)))

    assert sorted(codes) == [f"H15.50-260302-{serial:04}" for serial in range(1, 6)]


async def test_two_approvals_at_once_grant_one_badge(
    committed: tuple[NewDossier, Callable[[], Awaitable[psycopg.AsyncConnection]]],
) -> None:
    new, connect = committed
    async with await connect() as connection:
        service = DossierService(connection, office=OFFICE, notify=NotifySettings())
        codes = [
            (
                await service.take_in(
                    replace(new, submission_key=f"form-number-{number}"), user=CLERK, now=MONDAY
                )
            ).dossier.code
            for number in range(2)
        ]

    async def approve(code: str) -> str:
        async with await connect() as connection:
            service = DossierService(connection, office=OFFICE, notify=NotifySettings())
            done = await service.approve(code, version=1, user=APPROVER, now=MONDAY)
            return done.dossier.state

    outcomes = await asyncio.gather(*map(approve, codes), return_exceptions=True)

    assert sum(outcome == "approved" for outcome in outcomes) == 1
    (refusal,) = [each for each in outcomes if isinstance(each, BaseException)]
    assert isinstance(refusal, GuardRefusedError | BadgeConflictError)
