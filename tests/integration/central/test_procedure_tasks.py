# SPDX-License-Identifier: AGPL-3.0-or-later
"""The job that puts a badge on signed paper, with the settings that a worker has."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from central.db.pool import connection_info, open_pool
from central.documents.development_key import ensure_development_key
from central.documents.errors import SigningKeyError
from central.documents.layout import DocumentTemplate
from central.documents.service import DocumentService
from central.documents.types import SigningKey, Subject, SubjectKind
from central.identity.permissions import Role
from central.identity.types import User
from central.jobs.context import JobContext
from central.jobs.tasks import TASKS
from central.procedures.rulebook.commands import load_now
from central.procedures.service import DossierService
from central.procedures.types import Channel, Dossier, HandedIn, NewDossier, PaperForm
from central.registry.types import PartyId, VehicleId
from central.settings import CentralSettings, DocumentsSettings, NotifySettings, OfficeSettings

NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
CLERK = User(id=1, username="clerk", display_name="Cán bộ một cửa", role=Role.CLERK)
APPROVER = User(id=2, username="approver", display_name="Người duyệt", role=Role.APPROVER)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    made = SigningKey(
        key_file=tmp_path / "key.pem",
        certificate_file=tmp_path / "certificate.pem",
        ca_file=tmp_path / "ca.pem",
    )
    ensure_development_key(made, now=datetime.now(UTC) - timedelta(minutes=1))
    return made


@pytest.fixture
async def approved(database_url: str) -> Dossier:
    """A dossier whose badge was granted and committed."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
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
        service = DossierService(connection, office=OfficeSettings(), notify=NotifySettings())
        new = NewDossier(
            procedure_id="badge",
            submission_key="form-of-the-job",
            channel=Channel.COUNTER,
            applicant_id=party_id,
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
        taken = await service.take_in(new, user=CLERK, now=NOW)
        done = await service.approve(taken.dossier.code, version=1, user=APPROVER, now=NOW)
        return done.dossier


@pytest.fixture(autouse=True)
def loaded(database_url: str) -> None:
    load_now(database_url, now=NOW)


async def test_the_job_signs_the_badge_and_a_repeat_changes_nothing(
    database_url: str, approved: Dossier, key: SigningKey
) -> None:
    settings = CentralSettings(
        database_url=database_url,
        documents=DocumentsSettings(
            signing_key_file=key.key_file,
            signing_certificate_file=key.certificate_file,
            ca_file=key.ca_file,
        ),
    )

    async with open_pool(connection_info(database_url)) as pool:
        context = JobContext(pool=pool, settings=settings, clock=lambda: NOW)
        await TASKS["issue_result_document"](context, dossier_id=str(approved.id))
        await TASKS["issue_result_document"](context, dossier_id=str(approved.id))
        async with context.transaction() as connection:
            paper = await DocumentService(connection).newest(
                Subject(kind=SubjectKind.DOSSIER, id=approved.code), DocumentTemplate.BADGE
            )

    assert paper is not None
    assert paper.revision == 1
    assert paper.signed_by is not None


async def test_without_a_key_the_job_fails_and_leaves_nothing(
    database_url: str, approved: Dossier
) -> None:
    settings = CentralSettings(database_url=database_url)

    async with open_pool(connection_info(database_url)) as pool:
        context = JobContext(pool=pool, settings=settings, clock=lambda: NOW)
        with pytest.raises(SigningKeyError):
            await TASKS["issue_result_document"](context, dossier_id=str(approved.id))
        async with context.transaction() as connection:
            papers = await DocumentService(connection).of_subject(
                Subject(kind=SubjectKind.DOSSIER, id=approved.code)
            )

    assert {each.kind for each in papers} == {"receipt"}
