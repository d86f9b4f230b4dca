# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who looked, what is unusual, and a citizen's request from taking in to proof of erasure."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditProof
from central.contracts.passage import EvidenceKind, PlateColour
from central.db.pool import connection_info, open_pool
from central.documents.development_key import ensure_development_key
from central.documents.types import SigningKey
from central.documents.verification import verify_pdf_now
from central.domain.local_time import local_date
from central.identity.permissions import Role
from central.identity.types import User
from central.jobs.context import JobContext
from central.jobs.protection_tasks import erase_by_date
from central.jobs.tasks import PERIODIC, TASKS
from central.procedures.rulebook.commands import load_now
from central.protection.keeping.inventory import RETENTIONS
from central.protection.requests import TASK_SIGN
from central.protection.service import ProtectionService
from central.settings import CentralSettings, DocumentsSettings
from tests.integration.api.world import Seen, World, drawn_jpeg, serving
from tests.integration.registered import Registered, register_vehicle

PLATE = "20C55511"
LOOK = {"purpose": "inspection", "case_reference": "TT-1"}
HOUSEKEEPING = {"erase_evidence", "trim_feed", "trim_heartbeats", "remove_dead_sessions"}
KEY = b"secret of the test"


@pytest.fixture
def officer(world: World) -> Iterator[httpx.Client]:
    with world.signed_in_as(Role.DATA_PROTECTION_OFFICER) as client:
        yield client


@pytest.fixture
def rows(world: World) -> Iterator[psycopg.Connection]:
    with psycopg.connect(world.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def vehicle(world: World, rows: psycopg.Connection) -> Iterator[UUID]:
    """A registered vehicle, and the calendar that deadlines need."""
    load_now(world.owner_url, now=datetime.now(UTC))
    vehicle_id = register_vehicle(rows, Registered(plate=PLATE, colour=PlateColour.YELLOW))
    yield vehicle_id
    rows.execute("TRUNCATE data_request")
    rows.execute("DELETE FROM vehicle_plate WHERE vehicle_id = %s", [vehicle_id])
    rows.execute("DELETE FROM vehicle WHERE id = %s", [vehicle_id])


def take_in(officer: httpx.Client, kind: str) -> str:
    """The address of a new request."""
    answer = officer.post(
        "/console/protection/requests",
        data={"kind": kind, "plate": PLATE, "applicant": "Bà X", "statement": "Xin xóa"},
    )
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_the_officer_sees_who_looked_at_a_plate_and_that_question_is_written_down(
    world: World, officer: httpx.Client, client: httpx.Client, vehicle: UUID
) -> None:
    (passage,) = world.store(Seen(plate=PLATE, colour=PlateColour.YELLOW))
    client.get(f"/console/passages/{passage.id}")
    client.post(f"/console/vehicles/{vehicle}/look", data=LOOK)
    client.get(f"/console/vehicles/{vehicle}")

    found = officer.post("/console/protection/looks", data={"plate": "20C-555.11", **LOOK}).text
    other = officer.post("/console/protection/looks", data={"plate": "20C55599", **LOOK}).text
    again = officer.post("/console/protection/looks", data={"plate": PLATE, **LOOK}).text

    assert "Xem lượt xe qua" in found
    assert "Xem phương tiện" in found
    assert found.count("127.0.0.1") == 2
    assert "Chưa ai xem biển số này" in other
    assert "Hỏi ai đã xem một biển số" in again


@pytest.mark.parametrize(
    "form", [{"plate": "20C*", **LOOK}, {"plate": "", **LOOK}, {"plate": PLATE}]
)
def test_a_question_without_one_plate_or_reason_comes_back(
    officer: httpx.Client, form: dict[str, str]
) -> None:
    answer = officer.post("/console/protection/looks", data=form)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_looks_without_case_and_at_a_relative_are_found_and_decided_once(
    world: World,
    officer: httpx.Client,
    client: httpx.Client,
    rows: psycopg.Connection,
    vehicle: UUID,
) -> None:
    for _ in range(5):
        client.post(f"/console/vehicles/{vehicle}/look", data={"purpose": "inspection"})
        client.get(f"/console/vehicles/{vehicle}")
    asyncio.run(list_relative(world, "operator"))
    asyncio.run(judge(world))
    asyncio.run(judge(world))  # a second run finds the same, once

    page = officer.get("/console/protection").text
    (number, *_) = re.findall(r"findings/(\d+)/decide", page)
    decide = f"/console/protection/findings/{number}/decide"
    without = officer.post(decide, data={"state": "explained"})
    too_long = officer.post(decide, data={"state": "explained", "reason": "dài " * 900})
    done = officer.post(decide, data={"state": "escalated", "reason": "Báo lãnh đạo"})
    twice = officer.post(decide, data={"state": "explained", "reason": "x"})

    # In the evening the same looks are outside of office hours as well.
    kinds = rows.execute(
        "SELECT rule, username FROM protection_finding WHERE rule <> 'outside_hours' ORDER BY rule"
    ).fetchall()
    assert kinds == [("no_case", "operator"), ("relative", "operator")]
    assert "Xem biển số của người thân" in page
    assert [each.status_code for each in (without, done, twice)] == [422, 303, 409]
    assert too_long.status_code == 422
    assert "dài " * 900 in too_long.text  # what was typed comes back
    assert f'id="reason-{number}" name="reason" required' in without.text
    assert 'id="reason-problem"' in without.text
    assert PLATE not in str(rows.execute("SELECT * FROM relative_plate").fetchall())


def test_a_rule_is_changed_within_its_bounds_and_not_over_another_change(
    officer: httpx.Client, rows: psycopg.Connection
) -> None:
    path = "/console/protection/rules/no_case"
    (version,) = rows.execute(
        "SELECT version FROM protection_rule WHERE name = 'no_case'"
    ).fetchone() or (0,)
    good = {"version": version, "enabled": "yes", "at_least": 5, "days": 7}

    wrong = officer.post(path, data={**good, "days": 1000})
    missing = officer.post(path, data={"version": version})
    changed = officer.post(path, data=good)
    stale = officer.post(path, data=good)

    assert [each.status_code for each in (wrong, missing, changed, stale)] == [422, 422, 303, 409]
    assert 'id="days-problem"' in wrong.text
    assert 'value="1000"' in wrong.text  # what was typed comes back
    assert officer.post(path, data={**good, "days": "ba"}).status_code == 422
    assert officer.get("/console/protection/rules").status_code == 200


def test_a_relative_can_only_be_listed_where_a_key_is_set(officer: httpx.Client) -> None:
    page = officer.get("/console/protection/relatives").text
    answer = officer.post(
        "/console/protection/relatives", data={"username": "operator", "plate": PLATE}
    )

    assert "Chưa có biển số nào" in page
    assert answer.status_code == 409


def test_a_relative_with_a_wrong_part_comes_back_with_the_form(
    world: World, tmp_path: Path
) -> None:
    key_file = tmp_path / "relatives-key"
    key_file.write_text("key of the test", encoding="utf-8")
    own = replace(world)
    with (
        serving(own, relatives_key_file=key_file),
        own.signed_in_as(Role.DATA_PROTECTION_OFFICER) as officer,
    ):
        path = "/console/protection/relatives"
        nobody = officer.post(path, data={"username": "khong-co", "plate": PLATE})
        no_plate = officer.post(path, data={"username": "operator", "plate": "?"})
        good = officer.post(path, data={"username": "operator", "plate": PLATE})

    assert [each.status_code for each in (nobody, no_plate, good)] == [422, 422, 303]
    assert 'id="username-problem"' in nobody.text
    assert f'value="{PLATE}"' in nobody.text
    assert 'id="plate-problem"' in no_plate.text
    assert 'value="operator"' in no_plate.text


def test_a_request_has_its_deadline_and_is_answered_with_everything_known(
    world: World, officer: httpx.Client, vehicle: UUID
) -> None:
    world.store(Seen(plate=PLATE, colour=PlateColour.YELLOW))
    path = take_in(officer, "access")
    confirmed = officer.post(f"{path}/advance", data={"state": "acknowledged"})
    answer = officer.post(f"{path}/export")
    erase = officer.post(f"{path}/erase")
    done = officer.post(f"{path}/advance", data={"state": "done", "answer": "Đã gửi"})
    late = officer.post(f"{path}/advance", data={"state": "refused", "answer": "x"})

    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    facts = json.loads(archive.read(next(n for n in archive.namelist() if n.endswith("json"))))
    page = archive.read(next(n for n in archive.namelist() if n.endswith("html"))).decode()
    assert [each.status_code for each in (confirmed, erase, done, late)] == [303, 409, 303, 409]
    assert facts["vehicle"][0]["id"] == str(vehicle)
    assert [each["plate"] for each in facts["passages"]] == [PLATE]
    assert "Những lần dữ liệu được xem" in page
    assert "Đã gửi" in officer.get(path).text
    assert path.rsplit("/", 1)[-1] in officer.get("/console/protection/requests").text


@pytest.mark.usefixtures("vehicle")
@pytest.mark.parametrize(
    ("part", "value"), [("plate", "20C*"), ("plate", "99Z99999"), ("applicant", " ")]
)
def test_a_request_with_a_wrong_part_comes_back_with_the_form(
    officer: httpx.Client, part: str, value: str
) -> None:
    good = {"kind": "access", "plate": PLATE, "applicant": "Bà X", "statement": "Xin xem"}

    answer = officer.post("/console/protection/requests", data={**good, part: value})

    assert answer.status_code == 422
    assert f'aria-describedby="{part}-problem"' in answer.text
    assert "Xin xem" in answer.text


@pytest.mark.usefixtures("vehicle")
def test_an_erasure_takes_plates_pictures_and_keys_and_the_chain_still_holds(
    world: World,
    officer: httpx.Client,
    client: httpx.Client,
    rows: psycopg.Connection,
    tmp_path: Path,
) -> None:
    picture = drawn_jpeg(seed=5)
    world.store(
        Seen(plate=PLATE, colour=PlateColour.YELLOW, pictures=((EvidenceKind.SCENE, picture),)),
        Seen(plate="20C55512"),
    )
    world.upload(picture)
    client.post("/console/passages/search", data={"plate": PLATE})
    path = take_in(officer, "erasure")

    erased = officer.post(f"{path}/erase")
    again = officer.post(f"{path}/erase")
    paper = officer.get(f"{path}/certificate.pdf")
    authority = asyncio.run(sign_queued(world, rows, tmp_path))
    signed = officer.get(f"{path}/certificate.pdf")
    report = verify_pdf_now(signed.content, trusted_ca=authority, now=datetime.now(UTC))
    looks = officer.post("/console/protection/looks", data={"plate": PLATE, **LOOK}).text
    proof = asyncio.run(seal_and_verify(world))

    assert (erased.status_code, again.status_code) == (303, 409)
    assert paper.content.startswith(b"%PDF")
    assert signed.content.startswith(paper.content)  # not a byte of it was changed
    assert report.is_good
    plates = rows.execute("SELECT plate_text, plate_raw_text FROM passage ORDER BY seq").fetchall()
    assert plates == [("", None), ("20C55512", "20C55512")]
    due = rows.execute("SELECT erase_after <= now() + interval '1 s' FROM evidence").fetchall()
    assert due == [(True,)]
    assert "Chưa ai xem biển số này" in looks
    assert proof.is_whole
    (left,) = rows.execute(
        "SELECT count(*) FROM subject_key WHERE destroyed_at IS NOT NULL"
    ).fetchone() or (0,)
    assert left >= 1


def test_every_job_in_the_list_of_what_is_kept_exists(officer: httpx.Client) -> None:
    jobs = {each.name for each in PERIODIC} | HOUSEKEEPING

    assert {each.job for each in RETENTIONS if each.job is not None} <= jobs
    assert officer.get("/console/protection/retention").status_code == 200


def test_what_was_erased_by_date_is_listed_with_its_paper(
    world: World, officer: httpx.Client
) -> None:
    before = officer.get("/console/protection/retention").text
    world.store(Seen(captured_at=datetime.now(UTC) - timedelta(days=60)))
    assert asyncio.run(erase(world)) == 1

    page = officer.get("/console/protection/retention").text
    path = re.search(r"/console/protection/retention/[0-9a-f-]{36}/record.pdf", page)
    wrong = officer.get(f"/console/protection/retention/{uuid4()}/record.pdf")

    assert "Chưa có dữ liệu nào bị xóa theo thời hạn" in before
    assert "xóa cả khoảng" in page
    assert path is not None
    assert officer.get(path[0]).content.startswith(b"%PDF-")
    assert wrong.status_code == 404
    assert officer.get("/console/protection/retention?before=x").status_code == 422


async def erase(world: World) -> int:
    """Run the job that erases by date."""
    async with open_pool(connection_info(world.database_url)) as pool:
        settings = CentralSettings(database_url=world.database_url)
        return await erase_by_date(
            JobContext(pool=pool, settings=settings, clock=lambda: datetime.now(UTC))
        )


async def sign_queued(world: World, rows: psycopg.Connection, folder: Path) -> Path:
    """Run what was queued about certificates, twice; returns the authority of the key."""
    key = SigningKey(
        key_file=folder / "key.pem",
        certificate_file=folder / "certificate.pem",
        ca_file=folder / "authority.pem",
    )
    ensure_development_key(key, now=datetime.now(UTC))
    settings = CentralSettings(
        database_url=world.database_url,
        documents=DocumentsSettings(
            signing_key_file=key.key_file,
            signing_certificate_file=key.certificate_file,
            ca_file=key.ca_file,
        ),
    )
    [(arguments,)] = rows.execute(
        "SELECT args FROM procrastinate_jobs WHERE task_name = %s ORDER BY id DESC LIMIT 1",
        [TASK_SIGN],
    ).fetchall()
    async with open_pool(connection_info(world.database_url)) as pool:
        context = JobContext(pool=pool, settings=settings, clock=lambda: datetime.now(UTC))
        for _ in range(2):
            await TASKS[TASK_SIGN](context, **arguments)
    return key.ca_file


async def judge(world: World) -> None:
    """Run the job of the findings."""
    now = datetime.now(UTC)
    async with await AsyncConnection.connect(world.database_url) as connection:
        await ProtectionService(connection).find_unusual(on=local_date(now), key=KEY, now=now)


async def list_relative(world: World, username: str) -> None:
    """List the plate as one of an official's relative."""

    user = User(id=0, username="dpo", display_name="DPO", role=Role.DATA_PROTECTION_OFFICER)
    async with await AsyncConnection.connect(world.database_url) as connection:
        await ProtectionService(connection).add_relative(
            username,
            PLATE,
            key=KEY,
            user=user,
            actor=Actor.command("test"),
            now=datetime.now(UTC),
        )


async def seal_and_verify(world: World) -> AuditProof:
    """Seal everything and prove the chain."""
    now = datetime.now(UTC) + timedelta(seconds=1)
    async with await AsyncConnection.connect(world.database_url) as connection:
        audit = AuditService(connection)
        await audit.seal(now=now)
        return await audit.verify(actor=Actor.command("test"), now=now)
