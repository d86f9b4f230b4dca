# SPDX-License-Identifier: AGPL-3.0-or-later
"""A dossier about a permit to Laos, from the counter to the question at the border."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest

from central.audit.types import Actor, ActorKind, Look, Purpose
from central.contracts.passage import PlateColour
from central.documents.development_key import ensure_development_key
from central.documents.layout import DocumentTemplate
from central.documents.service import DocumentService
from central.documents.types import SigningKey, Subject, SubjectKind
from central.documents.verification import verify_pdf
from central.domain.legal import Answer, Verdict
from central.domain.local_time import LOCAL_ZONE
from central.domain.permits import Country, Crossing
from central.identity.permissions import Role
from central.identity.types import User
from central.procedures.errors import GuardRefusedError, InvalidRequestError
from central.procedures.rulebook.library import load_procedures
from central.procedures.service import DossierService
from central.procedures.types import (
    Channel,
    Dossier,
    DossierState,
    FactOutcome,
    HandedIn,
    NewDossier,
    PaperForm,
)
from central.registry.checking import CheckingService
from central.registry.errors import PermitConflictError
from central.registry.service import RegistryService
from central.registry.types import (
    NewBadge,
    NewPermit,
    Origin,
    PartyId,
    PlateKey,
    VehicleId,
    VehicleIdentifier,
)
from central.settings import NotifySettings, OfficeSettings

MONDAY = datetime(2026, 3, 2, 9, 15, tzinfo=LOCAL_ZONE).astimezone(UTC)
TODAY = date(2026, 3, 2)
ORIGIN = Origin(source="test", as_of=date(2026, 2, 1))
CLERK = User(id=1, username="clerk", display_name="Cán bộ một cửa", role=Role.CLERK)
APPROVER = User(id=2, username="approver", display_name="Người duyệt", role=Role.APPROVER)
OPERATOR = User(id=3, username="operator", display_name="Trực ban", role=Role.OPERATOR)
LOOK = Look(
    actor=Actor(kind=ActorKind.USER, name="operator", role="operator"),
    purpose=Purpose.TRAFFIC_CONTROL,
    case_reference=None,
)
GOODS: Final[Mapping[str, str | int]] = {"use": "goods", "trip_days": 20}
TRIP: Final[Mapping[str, str | int]] = {"use": "contract", "trip_days": 12}

TakeIn = Callable[..., Awaitable[Dossier]]


@pytest.fixture
async def firm_id(connection: psycopg.AsyncConnection) -> PartyId:
    party_id = PartyId(uuid4())
    await connection.execute(
        "INSERT INTO party (id, kind, name, identity_number, source, as_of, created_at, updated_at)"
        " VALUES (%s, 'organisation', 'Công ty TNHH Vận tải A', '6000000001', 'test', %s, %s, %s)",
        [party_id, ORIGIN.as_of, MONDAY, MONDAY],
    )
    return party_id


@pytest.fixture
async def truck_id(connection: psycopg.AsyncConnection, firm_id: PartyId) -> VehicleId:
    """Yellow plate, inspected, with a badge: nothing but the permit is missing."""
    vehicle_id = VehicleId(uuid4())
    await connection.execute(
        "INSERT INTO vehicle (id, chassis_number, kind, brand, manufactured_in, payload_kg, seats,"
        " inspected_until, owner_id, source, as_of, created_at, updated_at) VALUES (%s,"
        " 'RLHTRUCK000000001', 'truck', 'HINO', 2020, 8000, 3, '2027-01-31', %s, 'test', %s, %s,"
        " %s)",
        [vehicle_id, firm_id, ORIGIN.as_of, MONDAY, MONDAY],
    )
    await connection.execute(
        "INSERT INTO vehicle_plate (vehicle_id, plate_text, colour, valid_from)"
        " VALUES (%s, '47C12345', 'yellow', '2020-06-01')",
        [vehicle_id],
    )
    await RegistryService(connection).issue_badge(
        NewBadge(
            number="PH-1",
            kind="goods",
            vehicle_id=vehicle_id,
            party_id=firm_id,
            valid_from=date(2026, 1, 1),
            valid_until=date(2028, 1, 1),
            dossier_code=None,
            origin=ORIGIN,
        ),
        now=MONDAY,
    )
    return vehicle_id


@pytest.fixture
def give_licence(
    connection: psycopg.AsyncConnection, firm_id: PartyId
) -> Callable[..., Awaitable[None]]:
    """A transport licence of the firm."""

    async def give(
        *, valid_until: date | None = date(2030, 1, 1), revoked_on: date | None = None
    ) -> None:
        await connection.execute(
            "INSERT INTO transport_licence (id, number, party_id, valid_from, valid_until,"
            " revoked_on, source, as_of, created_at)"
            " VALUES (%s, 'GP-1', %s, '2023-01-01', %s, %s, 'test', %s, %s)",
            [uuid4(), firm_id, valid_until, revoked_on, ORIGIN.as_of, MONDAY],
        )

    return give


@pytest.fixture
async def service(connection: psycopg.AsyncConnection) -> DossierService:
    await load_procedures(connection, now=MONDAY)
    office = OfficeSettings(agency_code="H15.50", public_url="https://mot-cua.example")
    return DossierService(connection, office=office, notify=NotifySettings())


@pytest.fixture
def take_in(service: DossierService, firm_id: PartyId, truck_id: VehicleId) -> TakeIn:
    async def take(*, now: datetime = MONDAY, **changes: Any) -> Dossier:  # noqa: ANN401  # any field
        new = NewDossier(
            procedure_id="laos-permit",
            submission_key=f"form-{uuid4()}",
            channel=Channel.COUNTER,
            applicant_id=firm_id,
            submitted_by="Công ty TNHH Vận tải A",
            contact_phone=None,
            contact_email=None,
            vehicle_id=truck_id,
            request=GOODS,
            papers=(
                HandedIn(paper="request_form", form=PaperForm.ORIGINAL),
                HandedIn(paper="registration_certificate", form=PaperForm.COPY),
            ),
        )
        taken = await service.take_in(replace(new, **changes), user=CLERK, now=now)
        return taken.dossier

    return take


@pytest.fixture
def may_cross(connection: psycopg.AsyncConnection) -> Callable[..., Awaitable[Verdict]]:
    """What the border asks about the truck's plate."""

    async def ask(*, on: date = TODAY, trip_days: int = 10) -> Verdict:
        plate = PlateKey(text="47C12345", colour=PlateColour.YELLOW)
        return await CheckingService(connection).check_permit(
            VehicleIdentifier(plate=plate),
            Crossing(country=Country.LAOS, on=on, trip_days=trip_days),
            user=OPERATOR,
            look=LOOK,
            now=MONDAY,
        )

    return ask


async def test_an_approved_permit_lets_the_truck_cross_at_once(  # noqa: PLR0917
    service: DossierService,
    take_in: TakeIn,
    give_licence: Callable[..., Awaitable[None]],
    may_cross: Callable[..., Awaitable[Verdict]],
    connection: psycopg.AsyncConnection,
    truck_id: VehicleId,
) -> None:
    await give_licence()
    before = await may_cross()
    dossier = await take_in()

    done = await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    assert before.answer is Answer.UNKNOWN
    assert (await may_cross()).answer is Answer.YES
    assert (await may_cross(trip_days=21)).answer is Answer.NO
    assert (await may_cross(on=date(2027, 3, 2), trip_days=1)).answer is Answer.NO
    assert done.dossier.state is DossierState.APPROVED
    (permit,) = await RegistryService(connection).permits_of(truck_id)
    assert (permit.number, permit.dossier_code) == (f"LV-{dossier.code}", dossier.code)
    assert (permit.kind, permit.trip_days_max) == ("laos_commercial", 20)
    # A year: the first day after it is the same day of the next year.
    assert (permit.valid_from, permit.valid_until) == (TODAY, date(2027, 3, 2))


async def test_a_contract_car_gets_the_days_of_its_trip(
    service: DossierService,
    take_in: TakeIn,
    connection: psycopg.AsyncConnection,
    truck_id: VehicleId,
) -> None:
    dossier = await take_in(request=TRIP)

    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    (permit,) = await RegistryService(connection).permits_of(truck_id)
    assert permit.kind == "laos_contract"
    assert (permit.valid_from, permit.valid_until) == (TODAY, date(2026, 3, 14))


@pytest.mark.parametrize("trip_days", [0, 31, "10"])
async def test_a_trip_is_no_longer_than_the_law_allows(take_in: TakeIn, trip_days: object) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await take_in(request={"use": "contract", "trip_days": trip_days})

    assert caught.value.field == "trip_days"


async def test_a_firm_whose_transport_licence_ran_out_or_was_taken_gets_no_permit(
    service: DossierService, take_in: TakeIn, give_licence: Callable[..., Awaitable[None]]
) -> None:
    # The first day on which it no longer holds is today.
    await give_licence(valid_until=TODAY)
    dossier = await take_in()

    with pytest.raises(GuardRefusedError) as caught:
        await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    assert caught.value.guards == ("transport_licence_valid",)


async def test_a_revoked_transport_licence_is_no_licence(
    service: DossierService, take_in: TakeIn, give_licence: Callable[..., Awaitable[None]]
) -> None:
    await give_licence(valid_until=None, revoked_on=TODAY)
    dossier = await take_in()

    with pytest.raises(GuardRefusedError) as caught:
        await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    assert caught.value.guards == ("transport_licence_valid",)


async def test_a_truck_whose_inspection_ran_out_gets_no_permit(
    service: DossierService,
    take_in: TakeIn,
    connection: psycopg.AsyncConnection,
    truck_id: VehicleId,
) -> None:
    dossier = await take_in()
    await connection.execute(
        "UPDATE vehicle SET inspected_until = '2026-03-01' WHERE id = %s", [truck_id]
    )

    with pytest.raises(GuardRefusedError) as caught:
        await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    assert caught.value.guards == ("inspection_valid",)


async def test_a_second_permit_for_the_same_days_is_refused(
    service: DossierService, take_in: TakeIn
) -> None:
    first, second, other = await take_in(), await take_in(), await take_in(request=TRIP)
    await service.approve(first.code, version=1, user=APPROVER, now=MONDAY)

    with pytest.raises(GuardRefusedError) as caught:
        await service.approve(second.code, version=1, user=APPROVER, now=MONDAY)

    assert caught.value.guards == ("no_overlapping_permit",)
    # Another kind is no overlap.
    done = await service.approve(other.code, version=1, user=APPROVER, now=MONDAY)
    assert done.dossier.state is DossierState.APPROVED


async def test_a_permit_near_its_end_is_followed_by_the_next_without_a_gap(
    service: DossierService,
    take_in: TakeIn,
    connection: psycopg.AsyncConnection,
    truck_id: VehicleId,
    firm_id: PartyId,
) -> None:
    await issue(connection, truck_id, firm_id, begins=date(2025, 3, 17), until=date(2026, 3, 17))
    dossier = await take_in()

    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    newest, _ = await RegistryService(connection).permits_of(truck_id)
    assert (newest.valid_from, newest.valid_until) == (date(2026, 3, 17), date(2027, 3, 17))


async def test_a_permit_that_only_the_registry_knows_of_is_a_conflict(
    service: DossierService,
    take_in: TakeIn,
    connection: psycopg.AsyncConnection,
    truck_id: VehicleId,
    firm_id: PartyId,
) -> None:
    # The number of the result is taken by a permit of another kind: no guard looks at that.
    dossier = await take_in()
    await issue(
        connection,
        truck_id,
        firm_id,
        begins=date(2020, 1, 1),
        until=date(2021, 1, 1),
        number=f"LV-{dossier.code}",
    )

    with pytest.raises(PermitConflictError):
        await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)


async def issue(
    connection: psycopg.AsyncConnection,
    vehicle_id: VehicleId,
    party_id: PartyId,
    *,
    begins: date,
    until: date,
    number: str = "LV-OLD",
) -> None:
    await RegistryService(connection).issue_permit(
        NewPermit(
            number=number,
            kind="laos_commercial",
            vehicle_id=vehicle_id,
            party_id=party_id,
            valid_from=begins,
            valid_until=until,
            trip_days_max=30,
            is_single_trip=False,
            dossier_code=None,
            origin=ORIGIN,
        ),
        now=MONDAY,
    )


async def test_the_decision_keeps_what_it_rested_on(
    service: DossierService,
    take_in: TakeIn,
    give_licence: Callable[..., Awaitable[None]],
    connection: psycopg.AsyncConnection,
) -> None:
    await give_licence()
    dossier = await take_in()
    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)
    await connection.execute("UPDATE transport_licence SET revoked_on = '2026-01-01'")
    await service.hand_over(dossier.code, version=2, user=CLERK, now=MONDAY)

    record = await service.dossier(dossier.code, user=CLERK, now=MONDAY + timedelta(days=1))

    kept = {fact.name: fact for fact in record.facts}
    assert kept["transport_licence_valid"].outcome is FactOutcome.HOLDS
    assert kept["transport_licence_valid"].values == {
        "transport_licence_number": "GP-1",
        "transport_licence_valid_until": "2030-01-01",
    }
    assert kept["transport_licence_valid"].source == "test"
    assert kept["permit_kind_in_force"].values["permit_kind"] == "laos_commercial"
    assert kept["permit_granted"].values["permit_number"] == f"LV-{dossier.code}"


async def test_an_unrecorded_transport_licence_is_unknown_and_shown(
    service: DossierService, take_in: TakeIn
) -> None:
    dossier = await take_in()

    record = await service.dossier(dossier.code, user=CLERK, now=MONDAY)

    (fact,) = [each for each in record.facts if each.name == "transport_licence_valid"]
    assert fact.outcome is FactOutcome.UNKNOWN
    assert not fact.stands_against


async def test_the_permit_goes_on_signed_paper_once(
    service: DossierService,
    take_in: TakeIn,
    connection: psycopg.AsyncConnection,
    tmp_path: Path,
) -> None:
    key = SigningKey(
        key_file=tmp_path / "key.pem",
        certificate_file=tmp_path / "certificate.pem",
        ca_file=tmp_path / "ca.pem",
    )
    ensure_development_key(key, now=datetime.now(UTC) - timedelta(minutes=1))
    dossier = await take_in()
    await service.approve(dossier.code, version=1, user=APPROVER, now=MONDAY)

    first = await service.make_result_document(dossier.id, key=key, now=MONDAY)
    again = await service.make_result_document(dossier.id, key=key, now=MONDAY)

    _, pdf = await DocumentService(connection).newest_content(
        Subject(kind=SubjectKind.DOSSIER, id=dossier.code), DocumentTemplate.PERMIT
    )
    report = await verify_pdf(pdf, trusted_ca=key.ca_file, now=datetime.now(UTC))
    assert (first, again) == (True, False)
    assert report.is_good
