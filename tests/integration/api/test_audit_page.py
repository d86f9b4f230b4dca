# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit log's page, refused acts, and that both are written down."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from central.audit.service import AuditService
from central.audit.types import Actor, ActorKind, AuditEntry, Purpose
from central.identity.permissions import Role
from tests.integration.api.world import USERNAME, World

NOW: Final = datetime.now(UTC)
PLATE: Final = "20C12345"


@pytest.fixture
def officer(world: World) -> Iterator[httpx.Client]:
    """Somebody who may see the log."""
    with world.signed_in_as(Role.DATA_PROTECTION_OFFICER) as client:
        yield client


def test_the_log_shows_acts_newest_first_in_words(world: World, officer: httpx.Client) -> None:
    write(world, look("first"), look("second"))

    page = officer.get("/console/audit").text

    assert page.index("second") < page.index("first")
    assert "Xem phương tiện" in page
    assert "Giải quyết hồ sơ" in page
    assert "TS-2026-000017" in page
    assert "Cán bộ một cửa" in page


def test_opening_the_page_is_written_down_once(world: World, officer: httpx.Client) -> None:
    officer.get("/console/audit", params={"actor": "somebody"})

    (entry,) = entries(world)
    assert entry["action"] == "audit_looked_at"
    assert entry["actor"] == Role.DATA_PROTECTION_OFFICER.value
    assert entry["actor_role"] == Role.DATA_PROTECTION_OFFICER.value
    assert isinstance(entry["detail"], dict)
    assert entry["detail"]["actor"] == "somebody"
    assert entry["request_id"]


def test_a_long_log_is_read_page_by_page(world: World, officer: httpx.Client) -> None:
    write(world, *(look(f"subject-{number:03}") for number in range(60)))

    first = officer.get("/console/audit", params={"actor": "clerk-1"}).text
    older = first.split('rel="next"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    second = officer.get(older).text

    assert first.count("subject-") == 50
    assert second.count("subject-") == 10
    assert "subject-009" in second
    assert "subject-010" in first


def test_acts_are_found_by_what_they_are_about_and_no_address_holds_it(
    world: World, officer: httpx.Client
) -> None:
    write(world, look(PLATE), look("other"))

    found = officer.post(
        "/console/audit/find", data={"subject_kind": "vehicle", "subject_id": f" {PLATE} "}
    )
    page = officer.get(found.headers["location"]).text

    assert found.status_code == 303
    assert PLATE not in found.headers["location"]
    assert f'href="/console/audit?about={number_of(world, PLATE)}"' in page
    assert ">other<" not in page


def test_a_search_for_what_is_not_in_the_log_says_so(officer: httpx.Client) -> None:
    answer = officer.post(
        "/console/audit/find",
        data={"subject_kind": "vehicle", "subject_id": "nothing"},
        follow_redirects=True,
    )

    assert answer.status_code == 200
    assert "Nhật ký không có mục nào về việc này" in answer.text


def test_the_page_says_how_the_chain_stands(world: World, officer: httpx.Client) -> None:
    never = officer.get("/console/audit").text
    asyncio.run(seal_and_verify(world))
    checked = officer.get("/console/audit").text
    with psycopg.connect(world.owner_url) as connection:
        connection.execute(
            "UPDATE audit_entry SET actor = 'x' WHERE id IN (SELECT entry_id FROM audit_seal)"
        )
    asyncio.run(seal_and_verify(world))
    broken = officer.get("/console/audit", params={"lang": "en"}).text

    assert "Chưa kiểm tra" in never
    assert "không bị sửa" in checked
    assert "The last check found" in broken


def test_a_user_without_the_right_is_refused_and_that_is_written_down(
    world: World, client: httpx.Client
) -> None:
    page = client.get("/console/audit")
    search = client.post("/console/audit/find", data={"subject_kind": "user", "subject_id": "x"})

    assert (page.status_code, search.status_code) == (403, 403)
    assert "Vai trò của bạn không được phép làm việc này" in page.text
    first, second = entries(world)
    assert {key: first[key] for key in ("action", "outcome", "subject_kind", "subject_id")} == {
        "action": "act_refused",
        "outcome": "refused",
        "subject_kind": "permission",
        "subject_id": "see_audit",
    }
    assert (first["actor"], first["actor_role"]) == (USERNAME, "operator")
    assert first["request_id"] == page.headers["x-request-id"]
    assert second["detail"] == {"method": "POST", "route": "/console/audit/find"}


def test_a_refusal_is_told_in_english_too(client: httpx.Client) -> None:
    page = client.get("/console/audit", params={"lang": "en"})

    assert "Your role does not allow this" in page.text


@pytest.mark.parametrize(
    "address",
    [
        "/console/audit?about=999999999",
        "/console/audit?about=-1",
        "/console/audit?action=Nonsense!",
    ],
)
def test_an_address_that_makes_no_sense_is_an_error_page(
    officer: httpx.Client, address: str
) -> None:
    assert officer.get(address).status_code in {404, 422}


def test_without_a_session_the_log_is_behind_the_login(world: World) -> None:
    answer = httpx.get(f"{world.api_url}/console/audit")

    assert answer.status_code == 303
    assert entries(world) == []


def look(subject_id: str) -> AuditEntry:
    """A clerk looked at a vehicle."""
    return AuditEntry(
        occurred_at=NOW - timedelta(minutes=5),
        actor=Actor(kind=ActorKind.USER, name="clerk-1", role="clerk", request_id="r"),
        action="vehicle_looked_up",
        subject_kind="vehicle",
        subject_id=subject_id,
        purpose=Purpose.DOSSIER,
        case_reference="TS-2026-000017",
        detail={"papers": 3},
    )


def write(world: World, *acts: AuditEntry) -> None:
    """Write acts down."""

    async def record() -> None:
        async with await AsyncConnection.connect(world.database_url) as connection:
            for act in acts:
                await AuditService(connection).record(act)

    asyncio.run(record())


async def seal_and_verify(world: World) -> None:
    """What the jobs do."""
    async with await AsyncConnection.connect(world.database_url) as connection:
        await AuditService(connection).seal(now=datetime.now(UTC))
        await AuditService(connection).verify(actor=Actor.service("test"), now=datetime.now(UTC))


def entries(world: World) -> list[dict[str, object]]:
    """The log as it stands in the database, oldest first."""
    with psycopg.connect(world.owner_url, row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM audit_entry ORDER BY id").fetchall()


def number_of(world: World, subject_id: str) -> object:
    """The number of the newest entry about something."""
    return [each["id"] for each in entries(world) if each["subject_id"] == subject_id][-1]
