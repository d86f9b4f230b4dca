# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vehicles that travel together are found, and journeys between sites are counted."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from central.audit.types import Actor, ActorKind, Look, Purpose
from central.db.pool import connection_info
from central.domain.scope import SiteScope
from central.errors import InvalidFilterError, PermissionDeniedError
from central.identity.permissions import Role
from central.identity.types import User
from central.passages.convoys import ConvoyQuestion, ConvoyService
from central.traffic.journeys import JourneyService, JourneySpan
from central.traffic.types import JourneyCount

SITES: Final = ("a", "b", "c", "d")
BEGAN_AT: Final = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
NOW: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
OPERATOR: Final = User(id=1, username="truc-ban", display_name="Trực ban", role=Role.OPERATOR)
LOOK: Final = Look(
    actor=Actor(kind=ActorKind.USER, name="truc-ban", role=Role.OPERATOR),
    purpose=Purpose.VIOLATION_CASE,
    case_reference=None,
)
ADD: Final = """
    INSERT INTO passage
           (captured_at, id, device_id, stream_id, seq, boot_id, site_id, camera_id, direction,
            first_seen_at, last_seen_at, clock_source, clock_error_ms, frame_index, frame_width_px,
            frame_height_px, plate_text, models, is_late)
    SELECT at, gen_random_uuid(), 'gate-1', 1, 1, gen_random_uuid(), site, 'cam', 'up', at, at,
           'ntp', 0, 0, 1, 1, plate, '[]', FALSE
      FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS seen (plate, site, at)
"""


def minutes(number: float) -> datetime:
    return BEGAN_AT + timedelta(minutes=number)


def road(plate: str, begins: float, sites: str) -> list[tuple[str, str, datetime]]:
    """A drive past sites, ten minutes from one to the next."""
    return [(plate, site, minutes(begins + 10 * place)) for place, site in enumerate(sites)]


@pytest.fixture
def seen(rows: psycopg.Connection) -> list[tuple[str, str, datetime]]:
    rows.execute(
        "INSERT INTO site (id, province, name) SELECT id, 'p', id FROM unnest(%s::text[]) AS id",
        [list(SITES)],
    )
    rows.execute("INSERT INTO camera (site_id, id, name) SELECT id, 'cam', 'cam' FROM site")
    rows.execute(
        "INSERT INTO device (id, site_id, secret_hash, secret_set_at)"
        " VALUES ('gate-1', 'a', sha256('x'), now())"
    )
    passed = [
        *road("51A00001", 0, "abcd"),
        *road("51A00002", 0.5, "abcd"),  # half a minute behind it at four sites
        *road("51A00003", 0.9, "abc"),  # at three
        *road("51A00004", 0.2, "ab"),  # at two
        *road("51A00005", 3, "abcd"),  # three minutes behind
        *road("", 0.1, "abcd"),  # unread
        *road("51A00002", 300, "dcba"),  # back after five hours: another journey
        *road("51A00001", 60 * 24, "a"),
    ]
    plates, sites, times = (list(column) for column in zip(*passed, strict=True))
    rows.execute(ADD, [plates, sites, times])
    return passed


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info, autocommit=True) as opened:
        yield opened


def scoped(*sites: str, role: Role = Role.OPERATOR) -> User:
    scope = SiteScope(site_ids=frozenset(sites))
    return User(id=1, username="truc-ban", display_name="T", role=role, scope=scope)


@pytest.mark.usefixtures("seen")
async def test_vehicles_together_at_three_sites_are_company_and_the_look_is_written_down(
    connection: psycopg.AsyncConnection, rows: psycopg.Connection
) -> None:
    question = ConvoyQuestion(plate_text="51A00001", since=BEGAN_AT, until=NOW)

    found = await ConvoyService(connection, user=OPERATOR, look=LOOK).companions(question, now=NOW)
    fewer = await ConvoyService(connection, user=scoped("a", "b", "d"), look=LOOK).companions(
        question, now=NOW
    )

    assert [(each.plate_text, each.sites, each.meetings, each.days) for each in found] == [
        ("51A00002", 4, 4, 1),
        ("51A00003", 3, 3, 1),
    ]
    assert (found[0].first_at, found[0].last_at) == (minutes(0.5), minutes(30.5))
    assert [(each.plate_text, each.sites) for each in fewer] == [("51A00002", 3)]
    looks = rows.execute(
        "SELECT purpose, detail::text FROM audit_entry WHERE action = 'companions_searched'"
    ).fetchall()
    assert [purpose for purpose, _ in looks] == ["violation_case"] * 2
    assert "51A" not in str(looks)  # plates are sealed
    with pytest.raises(PermissionDeniedError):
        await ConvoyService(
            connection, user=scoped(*SITES, role=Role.ADMINISTRATOR), look=LOOK
        ).companions(question, now=NOW)


@pytest.mark.usefixtures("seen")
async def test_journeys_are_counted_from_their_first_site_to_their_last(
    connection: psycopg.AsyncConnection, rows: psycopg.Connection
) -> None:
    more = [part for number in range(4) for part in road(f"51B0000{number}", 40 + number, "acd")]
    plates, sites, times = (list(column) for column in zip(*more, strict=True))
    rows.execute(ADD, [plates, sites, times])
    day = JourneySpan(since=BEGAN_AT, until=BEGAN_AT + timedelta(days=1))

    told = await JourneyService(connection, user=OPERATOR).count(day)
    without_d = await JourneyService(connection, user=scoped("a", "b", "c")).count(day)

    # Three drove all the way and four by way of c; two to b, two to c and one back are too few.
    assert told == [
        JourneyCount(
            origin_id="a",
            destination_id="d",
            journeys=7,
            vehicles=7,
            median_duration_s=1200.0,
        )
    ]
    assert [(each.destination_id, each.journeys) for each in without_d] == [("c", 8)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"plate_text": ""},
        {"until": BEGAN_AT},
        {"until": BEGAN_AT + timedelta(days=93)},
        {"since": datetime(2026, 3, 1)},  # noqa: DTZ001  # the missing zone is the case
    ],
)
def test_a_question_without_bounds_is_refused(wrong: dict[str, Any]) -> None:
    values: dict[str, Any] = {"plate_text": "51A00001", "since": BEGAN_AT, "until": NOW, **wrong}

    with pytest.raises(InvalidFilterError):
        ConvoyQuestion(**values)
    if "plate_text" not in wrong:
        del values["plate_text"]
        with pytest.raises(InvalidFilterError):
            JourneySpan(**values)
