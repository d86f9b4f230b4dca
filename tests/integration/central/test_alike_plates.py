# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates that somebody half knows, or that a camera misread, are found over months."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from central.audit.types import Actor, ActorKind, Look, Purpose
from central.db.pool import connection_info
from central.domain.plates import PlatePattern
from central.domain.scope import SiteScope
from central.errors import InvalidFilterError, PermissionDeniedError, SearchTooWideError
from central.identity.permissions import Role
from central.identity.types import User
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.passages.alike import SPAN_MAX, AlikePlateService, AlikeQuestion
from central.settings import IngestSettings

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

BEGAN_AT = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 2, 20, 8, 0, tzinfo=UTC)
OPERATOR = User(id=1, username="truc-ban", display_name="Trực ban", role=Role.OPERATOR)
LOOK = Look(
    actor=Actor(kind=ActorKind.USER, name="truc-ban", role=Role.OPERATOR),
    purpose=Purpose.VIOLATION_CASE,
    case_reference="VP-12/2026",
)
SEEN = ("30F25658", "30F25658", "3OF2565B", "30F25653", "30F25654", "30A99999", "51G12345", None)
"""One passage a week; the second is the same vehicle again."""


@pytest.fixture
def seen(database_url: str, device: "FakeDevice", plate_read: Callable[[str], Any]) -> None:
    passages = [
        device.passage(
            seq=number + 1,
            captured_at=BEGAN_AT + timedelta(days=7 * number),
            plate=plate_read(plate) if plate else None,
        )
        for number, plate in enumerate(SEEN)
    ]
    database = IngestDatabase(connection_info(database_url))
    messages = [parse(Delivery(topic=device.topic(), payload=each.to_json())) for each in passages]
    with database.transaction() as connection:
        store_batch(connection, messages, limits=IngestSettings().time_limits, now=NOW)
    database.close()


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    info = connection_info(database_url)
    async with await psycopg.AsyncConnection.connect(info, autocommit=True) as opened:
        yield opened


def asked(pattern: str, **changes: Any) -> AlikeQuestion:  # noqa: ANN401  # any field
    values = {"since": BEGAN_AT, "until": NOW, **changes}
    return AlikeQuestion(pattern=PlatePattern.parse(pattern), **values)


QUESTIONS: Final[tuple[tuple[AlikeQuestion, list[tuple[str, int, float]]], ...]] = (
    # The plate itself, then 8 read as 3, then two signs of another kind; never the 4.
    (asked("30F-256.58"), [("30F25658", 2, 0.0), ("30F25653", 1, 0.3), ("3OF2565B", 1, 0.6)]),
    (asked("?0F*658"), [("30F25658", 2, 0.0), ("30F25653", 1, 0.3), ("3OF2565B", 1, 0.6)]),
    # Of three signs that are known none may be another digit; of equals the commonest comes first.
    (
        asked("*OF2*"),
        [
            ("3OF2565B", 1, 0.0),
            ("30F25658", 2, 0.3),
            ("30F25654", 1, 0.3),
            ("30F25653", 1, 0.3),
        ],
    ),
    (asked("30F25658", until=BEGAN_AT + timedelta(days=1)), [("30F25658", 1, 0.0)]),
    (asked("30F25658", site_ids=("elsewhere",)), []),
)


@pytest.mark.usefixtures("seen")
async def test_plates_come_by_how_easily_they_are_read_for_the_one_sought_and_the_look_is_kept(
    connection: psycopg.AsyncConnection, rows: psycopg.Connection
) -> None:
    service = AlikePlateService(connection, user=OPERATOR, look=LOOK)

    answers = [await service.find(question, now=NOW) for question, _ in QUESTIONS]

    for answer, (question, found) in zip(answers, QUESTIONS, strict=True):
        told = [(each.text, each.passages, each.distance) for each in answer.plates]
        assert told == found, question.pattern
        assert not answer.is_cut
    assert answers[0].plates[0].first_at == BEGAN_AT
    assert answers[0].plates[0].last.captured_at == BEGAN_AT + timedelta(days=7)
    looks = rows.execute(
        "SELECT purpose, case_reference, detail::text FROM audit_entry"
        " WHERE action = 'alike_plates_searched'"
    ).fetchall()
    assert {each[:2] for each in looks} == {("violation_case", "VP-12/2026")}
    assert len(looks) == len(QUESTIONS)
    assert "30F" not in str(looks)  # plates are sealed


@pytest.mark.usefixtures("seen")
async def test_a_question_keeps_to_the_users_sites_right_and_time(
    connection: psycopg.AsyncConnection, rows: psycopg.Connection
) -> None:
    elsewhere = SiteScope(site_ids=frozenset({"elsewhere"}))
    far = User(id=1, username="a", display_name="A", role=Role.OPERATOR, scope=elsewhere)
    other = User(id=2, username="b", display_name="B", role=Role.ADMINISTRATOR)

    answer = await AlikePlateService(connection, user=far, look=LOOK).find(
        asked("30F25658"), now=NOW
    )

    assert answer.plates == ()
    with pytest.raises(PermissionDeniedError):
        await AlikePlateService(connection, user=other, look=LOOK).find(asked("30F25658"), now=NOW)
    impatient = AlikePlateService(
        connection, user=OPERATOR, look=LOOK, search_time=timedelta(milliseconds=50)
    )
    rows.execute("BEGIN")
    rows.execute("LOCK TABLE passage IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(SearchTooWideError):
        await impatient.find(asked("30F25658"), now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": BEGAN_AT},
        {"until": BEGAN_AT + SPAN_MAX + timedelta(seconds=1)},
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001  # the missing zone is the case
        {"site_ids": ("km12",) * 501},
        {"pattern": PlatePattern.parse("*3?0*")},
    ],
)
def test_a_question_without_bounds_is_refused(wrong: dict[str, Any]) -> None:
    values = {"pattern": PlatePattern.parse("30F*"), "since": BEGAN_AT, "until": NOW, **wrong}

    with pytest.raises(InvalidFilterError):
        AlikeQuestion(**values)
