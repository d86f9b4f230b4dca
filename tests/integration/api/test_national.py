# SPDX-License-Identifier: AGPL-3.0-or-later
"""A province hands its figures up to a national centre: two databases, and HTTPS between them."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest
from psycopg import AsyncConnection
from typer.testing import CliRunner

from central.contracts.passage import VehicleClass
from central.db.pool import connection_info
from central.domain.local_time import local_date, start_of_local_day
from central.identity.permissions import Permission
from central.national.commands import national_commands
from central.national.pushing.sending import NationalLink, national_link
from central.national.pushing.service import may_try, push_due, push_state
from central.national.pushing.types import Answered, NotAnswered, PushReport
from central.national.types import Sheet
from central.national_settings import NationalSettings
from central.settings import CentralSettings
from tests.fixtures.certificates import ServerCertificate, loopback_certificate
from tests.integration.api.national import ROW, bind_province, hand_up_a_day, hour_text
from tests.integration.api.world import Seen, World, serving

CODE: Final = "thai-nguyen"
NAME: Final = "Thái Nguyên"
TOLL: Final = """
    INSERT INTO toll_station (id, site_id, name, kind, created_at)
    VALUES ('tram-01', 'cau-gia-bay', 'Trạm 1', 'open', now())
    ON CONFLICT DO NOTHING;
"""
CLOSED: Final = """
    INSERT INTO toll_day (id, station_id, booked_on, revision, closed_at, closed_by, crossings,
                          charged, charged_dong, ledger_dong, summary, contents_sha256)
    VALUES (gen_random_uuid(), 'tram-01', %s, %s, now(), 'an', 5, 4, %s, 0, '{}', sha256('x'))
"""
SUMS_BELOW: Final = """
    SELECT sum(passages), sum(plates_read), sum(motorcycles), sum(cars), sum(buses), sum(trucks)
      FROM passage_hour
"""
SUMS_ABOVE: Final = """
    SELECT sum(passages), sum(plates_read), sum(motorcycles), sum(cars), sum(buses), sum(trucks)
      FROM national_traffic
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Province:
    """A province's own database, and its settings about the national centre."""

    world: World
    settings: NationalSettings

    async def push(self, link: "LosingLink | None" = None, *, sheets_max: int = 250) -> PushReport:
        """Hand up what is due, as the job does."""
        async with national_link(self.settings) as opened:
            return await push_due(
                self.transactions,
                link or opened,
                clock=partial(datetime.now, UTC),
                sheets_max=sheets_max,
            )

    @asynccontextmanager
    async def transactions(self) -> AsyncIterator[AsyncConnection]:
        async with await AsyncConnection.connect(
            connection_info(self.world.database_url)
        ) as connection:
            yield connection


@dataclass(slots=True, kw_only=True)
class LosingLink:
    """A link that is cut after some sheets: the last one arrives, and its answer does not."""

    link: NationalLink
    answers: int

    async def put(self, sheet: Sheet) -> Answered | NotAnswered:
        answer = await self.link.put(sheet)
        self.answers -= 1
        return answer if self.answers >= 0 else NotAnswered(reason="unreachable")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    """The certificate of the national centre."""
    return loopback_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def over_tls(lasting_world: World, certificate: ServerCertificate) -> Iterator[World]:
    """The lasting world as a national centre, served with a certificate."""
    centre = World(
        database_url=lasting_world.database_url,
        owner_url=lasting_world.owner_url,
        evidence_folder=lasting_world.evidence_folder,
    )
    with serving(centre, tls=certificate):
        yield centre


@pytest.fixture
def centre(world: World, over_tls: World) -> World:
    """The national centre, emptied."""
    del world
    return over_tls


@pytest.fixture
def key(centre: World) -> str:
    """The key of the province."""
    return bind_province(centre, CODE, name=NAME).key


@pytest.fixture
def province(
    centre: World,
    key: str,
    *,
    certificate: ServerCertificate,
    database_url: str,
    owner_url: str,
    tmp_path: Path,
) -> Province:
    """A province with a key of its own and passages of yesterday and today."""
    below = World(
        database_url=database_url, owner_url=owner_url, evidence_folder=tmp_path / "evidence"
    )
    below.settle()
    midnight = start_of_local_day(yesterday())
    kinds = (VehicleClass.MOTORCYCLE, VehicleClass.CAR, VehicleClass.TRUCK, None)
    below.store(
        *(
            Seen(
                vehicle_class=kinds[number % 4],
                captured_at=midnight + timedelta(minutes=37 * number),
                plate="" if number % 5 == 0 else "20A12345",
            )
            for number in range(20)
        )
    )
    key_file = tmp_path / "key"
    key_file.write_text(f"{key}\n", encoding="utf-8")
    return Province(
        world=below,
        settings=NationalSettings(
            url=centre.api_url,
            key_file=key_file,
            ca_file=certificate.certificate_file,
            province=CODE,
        ),
    )


def yesterday() -> date:
    return local_date(datetime.now(UTC)) - timedelta(days=1)


def close_day(province: Province, *, revision: int, charged_dong: int) -> None:
    with psycopg.connect(province.world.owner_url) as rows:
        rows.execute(TOLL)
        rows.execute(CLOSED, [yesterday(), revision, charged_dong])


def one_row(url: str, query: str) -> tuple[object, ...]:
    with psycopg.connect(url) as rows:
        found = rows.execute(query).fetchone()
    assert found is not None
    return found


def assert_same_sums(province: Province, centre: World) -> None:
    below = one_row(province.world.owner_url, SUMS_BELOW)
    assert below == one_row(centre.owner_url, SUMS_ABOVE)
    assert below[0]


async def test_everything_goes_up_once_through_a_cut_and_both_sides_have_the_same_sums(
    province: Province, centre: World
) -> None:
    close_day(province, revision=1, charged_dong=105_000)
    province.world.state(yesterday())
    async with national_link(province.settings) as link:
        cut = await province.push(LosingLink(link=link, answers=3))
    async with province.transactions() as connection:
        now = datetime.now(UTC)
        too_early = await may_try(connection, now=now)
        later = await may_try(connection, now=now + timedelta(minutes=1))
        state = await push_state(connection, now=now)

    resumed = await province.push()
    again = await province.push()

    assert (cut.sheets, cut.trouble) == (3, "unreachable")
    assert (too_early, later) == (False, True)
    assert (resumed.stored, resumed.unchanged) == (state.due - 1, 1)  # that with the lost answer
    assert again == PushReport()
    assert_same_sums(province, centre)
    tolls = one_row(centre.owner_url, "SELECT charged, charged_dong, revision FROM national_toll")
    assert tolls == (4, 105_000, 1)
    stated = "SELECT due_count, stored_count, gap_count FROM"
    assert one_row(centre.owner_url, f"{stated} national_completeness") == one_row(
        province.world.owner_url, f"{stated} completeness_statement"
    )


async def test_late_passages_and_days_closed_again_replace_what_was_handed_up(
    province: Province, centre: World
) -> None:
    close_day(province, revision=1, charged_dong=105_000)
    await province.push(sheets_max=30)
    before = one_row(centre.owner_url, SUMS_ABOVE)

    late_at = start_of_local_day(yesterday()) + timedelta(minutes=3)
    province.world.store(Seen(vehicle_class=VehicleClass.BUS, captured_at=late_at, is_late=True))
    close_day(province, revision=2, charged_dong=140_000)
    repaired = await province.push(sheets_max=2)

    assert (repaired.stored, repaired.unchanged) == (2, 0)
    assert before != one_row(centre.owner_url, SUMS_ABOVE)
    assert_same_sums(province, centre)
    assert one_row(centre.owner_url, "SELECT sum(buses), sum(late) FROM national_traffic") == (1, 1)
    assert one_row(centre.owner_url, "SELECT sum(charged_dong) FROM national_toll") == (140_000,)


async def test_neither_a_revoked_key_nor_an_unknown_certificate_hands_anything_up(
    province: Province, centre: World, tmp_path: Path
) -> None:
    stranger = loopback_certificate(tmp_path)
    settings = province.settings.model_copy(update={"ca_file": stranger.certificate_file})
    with psycopg.connect(centre.owner_url) as rows:
        rows.execute("UPDATE api_key SET revoked_at = now(), revoked_by = 'an'")

    revoked = await province.push()
    unknown = await Province(world=province.world, settings=settings).push()

    assert (revoked.sheets, revoked.trouble) == (0, "key-revoked")
    assert (unknown.sheets, unknown.trouble) == (0, "unreachable")
    assert one_row(centre.owner_url, "SELECT count(*) FROM national_sheet") == (0,)


def test_a_key_writes_figures_of_its_own_province_only(
    centre: World, key: str, certificate: ServerCertificate
) -> None:
    other = bind_province(centre, "lang-son", name="Lạng Sơn").key
    free = centre.add_program(Permission.PUSH_NATIONAL, name="nobodys").key
    address = f"traffic/{hour_text(start_of_local_day(yesterday()))}"

    answers = [
        put(centre, certificate, used, f"{code}/{address}")
        for used, code in ((key, CODE), (key, "lang-son"), (other, CODE), (free, CODE))
    ]
    elsewhere = put(centre, certificate, key, f"nowhere/{address}")

    assert [answer.status_code for answer in answers] == [200, 404, 404, 404]
    assert {answer.json()["code"] for answer in answers[1:]} == {"province-not-yours"}
    assert elsewhere.json()["code"] == "province-not-yours"  # nor does it learn which there are
    assert one_row(centre.owner_url, "SELECT count(*), min(province) FROM national_traffic") == (
        1,
        CODE,
    )


def test_an_older_version_never_replaces_a_newer_one(
    centre: World, key: str, certificate: ServerCertificate
) -> None:
    address = f"{CODE}/traffic/{hour_text(start_of_local_day(yesterday()))}"
    now = datetime.now(UTC)
    versions = [
        (now - timedelta(minutes=2), 10),
        (now - timedelta(minutes=2), 10),
        (now - timedelta(minutes=1), 12),
        (now - timedelta(minutes=2), 10),
        (now - timedelta(minutes=1), 11),
        (now + timedelta(hours=1), 13),
    ]

    answers = [
        put(centre, certificate, key, address, revised_at=at, passages=passages)
        for at, passages in versions
    ]

    outcomes = [answer.json().get("outcome", answer.json().get("code")) for answer in answers]
    assert outcomes == [
        "stored",
        "unchanged",
        "stored",
        "superseded",
        "superseded",
        "sheet-invalid",
    ]
    assert one_row(centre.owner_url, "SELECT passages FROM national_traffic") == (12,)


def test_rows_that_contradict_themselves_are_refused_whole(
    centre: World, key: str, certificate: ServerCertificate
) -> None:
    address = f"{CODE}/traffic/{hour_text(start_of_local_day(yesterday()))}"

    more_cars = put(centre, certificate, key, address, cars=11)
    half_hour = put(centre, certificate, key, address.replace(":00:00Z", ":30:00Z"))

    assert (more_cars.status_code, more_cars.json()["code"]) == (422, "sheet-invalid")
    assert half_hour.json()["code"] == "request-invalid"
    assert one_row(centre.owner_url, "SELECT count(*) FROM national_sheet") == (0,)


def put(
    centre: World,
    certificate: ServerCertificate,
    key: str,
    place: str,
    *,
    revised_at: datetime | None = None,
    **changes: object,
) -> httpx.Response:
    context = ssl.create_default_context(cafile=str(certificate.certificate_file))
    at = revised_at or datetime.now(UTC)
    return httpx.put(
        f"{centre.api_url}/v1/national/{place}",
        json={"revised_at": at.isoformat(), "rows": [ROW | changes]},
        headers={"Authorization": f"Bearer {key}"},
        verify=context,
    )


def test_the_pages_show_provinces_with_their_lag_and_the_days_of_one(
    world: World, client: httpx.Client
) -> None:
    empty = client.get("/console/national?lang=en").text
    hand_up_a_day(world, CODE, name=NAME, hours=3)
    bind_province(world, "lang-son", name="Lạng Sơn")

    listed = client.get("/console/national").text
    days = client.get(f"/console/national/{CODE}?lang=vi").text
    none = client.get("/console/national/lang-son?lang=en").text
    wrong = client.get("/console/national?day=2999-01-01")
    unknown = client.get("/console/national/nowhere")

    assert "No province hands its figures up" in empty
    assert NAME in listed
    assert "30" in listed
    assert "Nothing came" in listed  # of the other province
    assert "105.000 ₫" in days
    assert "30 trên 31" in days
    assert "handed nothing up yet" in none
    assert (wrong.status_code, unknown.status_code) == (422, 404)
    assert 'value="2999-01-01"' in wrong.text


def test_programs_read_provinces_and_days_by_pages(world: World) -> None:
    for code, name in (("lang-son", "Lạng Sơn"), (CODE, NAME)):
        hand_up_a_day(world, code, name=name, hours=2)
    question = {"day": yesterday().isoformat(), "page_size": "1"}

    with world.program(Permission.SEE_NATIONAL, name="bo") as reader:
        first = reader.get("/v1/national/provinces", params=question).json()
        cursor = {"cursor": first["next_cursor"]}
        second = reader.get("/v1/national/provinces", params=question | cursor).json()
        days = reader.get(f"/v1/national/{CODE}/days").json()
        before = reader.get(
            f"/v1/national/{CODE}/days", params={"cursor": yesterday().isoformat()}
        ).json()
        unknown = reader.get("/v1/national/nowhere/days")

    codes = [page["provinces"][0]["code"] for page in (first, second)]
    assert (codes, second["next_cursor"]) == (["lang-son", CODE], None)
    [day] = days["days"]
    assert (day["hours"], day["passages"], day["charged_dong"]) == (2, 20, 105_000)
    assert first["provinces"][0]["figures"] == day
    assert before["days"] == []
    assert unknown.json()["code"] == "province-not-found"


def test_the_commands_bind_push_and_tell_what_waits(province: Province, centre: World) -> None:
    below = CentralSettings(database_url=province.world.database_url, national=province.settings)
    above = CentralSettings(database_url=centre.database_url)
    centre.add_program(Permission.PUSH_NATIONAL, name="tinh-cao-bang")
    bind = ["add", "cao-bang", "--name", "Cao Bằng", "--program", "tinh-cao-bang"]
    run = CliRunner().invoke

    bound = run(national_commands(lambda: above), bind)
    twice = run(national_commands(lambda: above), bind)
    waiting = run(national_commands(lambda: below), ["status"])
    pushed = run(national_commands(lambda: below), ["push"])
    done = run(national_commands(lambda: below), ["status"])

    assert (bound.exit_code, twice.exit_code) == (0, 1)
    assert "waiting: 0" not in waiting.output
    assert pushed.exit_code == 0
    assert "waiting: 0 sheets" in done.output
    assert_same_sums(province, centre)
