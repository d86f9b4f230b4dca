# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closing a toll day on a real database, by the service and by the commands."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from central.audit.types import Actor
from central.domain.local_time import local_date, start_of_local_day
from central.errors import PermissionDeniedError
from central.identity.permissions import Role
from central.identity.types import User
from central.ledger.service import LedgerService
from central.ledger.types import AccountKey, AccountKind, EntryId, EntryKind, NewEntry, Posting
from central.tolling.commands import toll_commands
from central.tolling.day.errors import (
    ProviderFileError,
    StationNotFoundError,
    TollDayNotFoundError,
    TollDayNotOverError,
)
from central.tolling.day.provider_file import read_provider_file
from central.tolling.day.service import TollDayService
from central.tolling.day.types import (
    Closed,
    ClosingMode,
    DayKey,
    DayPageRequest,
    DifferenceKind,
    ProviderFile,
)
from tests.integration.central import tolls

DAY = date(2026, 3, 2)
AT = start_of_local_day(DAY).astimezone(UTC) + timedelta(hours=8)
AFTER = start_of_local_day(DAY) + timedelta(days=1)
KEY = DayKey(station_id=tolls.STATION, day=DAY)
ACCOUNT = "TK-0001"
HEADER = "crossing_id,account_number,debited_at,amount_dong"
AUDITOR = User(id=1, username="auditor", display_name="Kiểm soát", role=Role.TOLL_AUDITOR)
OPERATOR = User(id=2, username="operator", display_name="Vận hành", role=Role.TOLL_OPERATOR)
CLERK = User(id=3, username="clerk", display_name="Một cửa", role=Role.CLERK)
ACTOR = Actor.command("test")

AddCrossing = Callable[..., Awaitable[UUID]]
Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
async def station(database_url: str) -> None:
    """A station, and an account with money on it."""
    with psycopg.connect(database_url, autocommit=True) as rows:
        rows.execute("INSERT INTO site (id, name, province) VALUES ('km12', 'Km 12', 'dak-lak')")
        rows.execute("INSERT INTO camera (site_id, id, name) VALUES ('km12', 'cam-1', 'Camera 1')")
        tolls.add_station(rows, site="km12", camera="cam-1", reader="reader-1")
        tolls.add_account(rows, ACCOUNT)
    await tolls.top_up(database_url, ACCOUNT, 10_000_000, now=AT - timedelta(days=30))


@pytest.fixture
async def connection(database_url: str, station: None) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection whose every call is committed by itself."""
    del station
    async with await psycopg.AsyncConnection.connect(database_url) as opened:
        yield opened


@pytest.fixture
def service(connection: psycopg.AsyncConnection) -> TollDayService:
    return TollDayService(connection)


@pytest.fixture
def add_crossing(connection: psycopg.AsyncConnection) -> AddCrossing:
    """Let a vehicle through the lane; a charge is booked, too. Committed."""

    async def add(
        state: str = "charged",
        *,
        amount_dong: int = 35_000,
        account: str = ACCOUNT,
        crossed_at: datetime = AT,
        reason: str | None = None,
    ) -> UUID:
        crossing_id = uuid4()
        entry_id = None
        if state == "charged":
            entry_id = await book(connection, crossing_id, amount_dong, account, crossed_at)
        await connection.execute(
            "INSERT INTO toll_crossing (id, station_id, lane_number, crossed_at, booked_on,"
            " passage_id, state, reason, account_number, vehicle_group, amount_dong,"
            " ledger_entry_id, is_late, created_at)"
            " VALUES (%s, %s, 1, %s, %s, %s, %s, %s, %s, 1, %s, %s, false, %s)",
            [
                crossing_id,
                tolls.STATION,
                crossed_at,
                local_date(crossed_at),
                uuid4(),
                state,
                reason,
                account,
                amount_dong,
                entry_id,
                crossed_at,
            ],
        )
        await connection.commit()
        return crossing_id

    return add


async def book(
    connection: psycopg.AsyncConnection,
    crossing_id: UUID,
    amount_dong: int,
    account: str,
    crossed_at: datetime,
) -> EntryId:
    booked = await LedgerService(connection).book(
        NewEntry(
            idempotency_key=f"toll:{crossing_id}",
            kind=EntryKind.TOLL_CHARGE,
            occurred_at=crossed_at,
            booked_on=local_date(crossed_at),
            postings=(
                Posting(account=tolls.traffic_account(account), amount_dong=-amount_dong),
                Posting(account=revenue(), amount_dong=amount_dong),
            ),
        ),
        now=crossed_at,
    )
    return booked.id


def revenue() -> AccountKey:
    return AccountKey(kind=AccountKind.STATION_REVENUE, reference=tolls.STATION)


def row(crossing_id: UUID, amount_dong: int = 35_000, account: str = ACCOUNT) -> str:
    return f"{crossing_id},{account},2026-03-02 08:00:00,{amount_dong}"


def provider_file(rows: Sequence[str]) -> ProviderFile:
    content = "\n".join([HEADER, *rows]).encode()
    return read_provider_file(content, name="debits.csv", provider=tolls.PROVIDER, key=KEY)


async def close(
    service: TollDayService, file: ProviderFile | None = None, *, now: datetime = AFTER
) -> Closed:
    return await service.close(KEY, file=file, user=AUDITOR, actor=ACTOR, now=now)


async def test_a_day_is_closed_with_sums_that_the_ledger_moved(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    await add_crossing()
    await add_crossing(amount_dong=50_000)
    await add_crossing("refused", reason="balance_too_low")
    await add_crossing("review", reason="wrong_tag")
    await add_crossing("exempt", reason="priority", amount_dong=0)

    closed = await close(service)

    figures = closed.day.figures
    assert closed.is_new
    assert (closed.day.revision, closed.day.is_over, closed.day.closed_by) == (1, True, "test")
    assert (figures.crossings, figures.charged, figures.charged_dong) == (5, 2, 85_000)
    assert figures.by_state == {"charged": 2, "refused": 1, "review": 1, "exempt": 1}
    assert figures.by_reason == {"balance_too_low": 1, "wrong_tag": 1, "priority": 1}
    assert (figures.ledger.charges, figures.ledger.charged_dong) == (2, 85_000)
    assert figures.is_balanced
    assert figures.open_reviews == 1
    assert [(each.vehicle_group, each.charged_dong) for each in figures.by_group] == [(1, 85_000)]
    assert closed.day.figures == closed.report.figures


async def test_only_the_day_from_midnight_to_midnight_in_vietnam_counts(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    midnight = start_of_local_day(DAY)
    for at in (midnight, AFTER - timedelta(microseconds=1)):
        await add_crossing(crossed_at=at)
    for at in (midnight - timedelta(microseconds=1), AFTER):
        await add_crossing(crossed_at=at)

    closed = await close(service)

    assert closed.day.figures.charged == 2
    assert closed.day.figures.ledger.charged_dong == 70_000


async def test_closing_again_without_news_makes_no_revision(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    crossing_id = await add_crossing()
    first = await close(service, provider_file([row(crossing_id)]))

    again = await close(service)
    with_the_file = await close(service, provider_file([row(crossing_id)]))

    assert not again.is_new
    assert again.day.id == with_the_file.day.id == first.day.id


async def test_late_data_make_a_new_revision_and_the_old_one_stays(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    await add_crossing()
    first = await close(service)
    await add_crossing(amount_dong=50_000)

    second = await close(service)

    detail = await service.day(second.day.id, user=OPERATOR)
    assert [each.revision for each in detail.revisions] == [2, 1]
    assert [each.figures.charged_dong for each in detail.revisions] == [85_000, 35_000]
    assert (await service.day(first.day.id, user=OPERATOR)).day == first.day


async def test_a_file_with_one_missing_and_one_extra_row_is_found_out(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    known, missing = await add_crossing(), await add_crossing(amount_dong=50_000)
    extra = uuid4()

    closed = await close(service, provider_file([row(known), row(extra, 75_000)]))

    stored = (await service.day(closed.day.id, user=OPERATOR)).differences
    assert stored == closed.report.differences
    assert [
        (each.kind, each.crossing_id, each.our_amount_dong, each.their_amount_dong)
        for each in stored
    ] == [
        (DifferenceKind.MISSING_HERE, extra, None, 75_000),
        (DifferenceKind.MISSING_AT_PROVIDER, missing, 50_000, None),
    ]
    assert closed.day.differences == 2
    assert closed.day.figures.is_balanced


async def test_a_corrected_file_replaces_the_one_before_of_the_same_provider(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    crossing_id = await add_crossing()
    await close(service, provider_file([]))

    closed = await close(service, provider_file([row(crossing_id)]), now=AFTER + timedelta(hours=1))

    assert closed.day.revision == 2
    assert closed.report.differences == ()


async def test_a_file_about_another_station_or_day_is_refused_and_not_kept(
    service: TollDayService, add_crossing: AddCrossing, connection: psycopg.AsyncConnection
) -> None:
    known = await add_crossing()
    foreign = await add_crossing(crossed_at=AFTER + timedelta(minutes=1))

    with pytest.raises(ProviderFileError) as refused:
        await close(service, provider_file([row(known), row(foreign)]))

    assert [problem.line for problem in refused.value.problems] == [3]
    assert await _number(connection, "SELECT count(*) FROM toll_provider_file") == 0
    assert await _number(connection, "SELECT count(*) FROM toll_day") == 0


async def test_a_day_that_still_runs_is_only_closed_when_that_is_wanted(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    await add_crossing()

    with pytest.raises(TollDayNotOverError) as refused:
        await close(service, now=AT)
    closed = await service.close(
        KEY, mode=ClosingMode.SO_FAR, user=AUDITOR, actor=ACTOR, now=AT + timedelta(hours=1)
    )
    at_its_end = await close(service)

    assert refused.value.has_begun
    assert not closed.day.is_over
    # Same crossings, but now the day is whole: that is news.
    assert (at_its_end.day.revision, at_its_end.day.is_over) == (2, True)


@pytest.mark.parametrize("mode", list(ClosingMode))
async def test_a_day_that_lies_ahead_is_not_closed(
    service: TollDayService, mode: ClosingMode
) -> None:
    before = start_of_local_day(DAY) - timedelta(seconds=1)

    with pytest.raises(TollDayNotOverError) as refused:
        await service.close(KEY, mode=mode, user=AUDITOR, actor=ACTOR, now=before)

    assert not refused.value.has_begun


async def test_a_preview_closes_nothing(
    service: TollDayService, add_crossing: AddCrossing, connection: psycopg.AsyncConnection
) -> None:
    await add_crossing()

    report = await service.preview(KEY, user=OPERATOR, now=AT + timedelta(hours=1))

    assert report.figures.charged_dong == 35_000
    assert not report.is_over
    assert await _number(connection, "SELECT count(*) FROM toll_day") == 0


async def test_roles_decide_who_sees_and_who_closes(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    await add_crossing()

    with pytest.raises(PermissionDeniedError):
        await service.close(KEY, user=OPERATOR, actor=ACTOR, now=AFTER)
    with pytest.raises(PermissionDeniedError):
        await service.days(DayPageRequest(), user=CLERK)
    with pytest.raises(PermissionDeniedError):
        await service.preview(KEY, user=CLERK, now=AFTER)


async def test_unknown_stations_and_days_are_told(service: TollDayService) -> None:
    with pytest.raises(StationNotFoundError):
        await service.preview(DayKey(station_id="nowhere", day=DAY), user=OPERATOR, now=AFTER)
    with pytest.raises(TollDayNotFoundError):
        await service.day(uuid4(), user=OPERATOR)


async def test_closing_is_written_to_the_audit_log(
    service: TollDayService, add_crossing: AddCrossing, connection: psycopg.AsyncConnection
) -> None:
    await add_crossing()

    closed = await close(service)
    await close(service)

    cursor = await connection.execute(
        "SELECT subject_id, detail FROM audit_entry WHERE action = 'toll_day_closed'"
    )
    written = await cursor.fetchall()
    assert [subject for subject, _ in written] == [str(closed.day.id)]
    assert written[0][1]["charged_dong"] == 35_000


async def test_closed_days_are_listed_newest_first_by_pages(
    service: TollDayService, add_crossing: AddCrossing
) -> None:
    days = [DAY + timedelta(days=number) for number in range(3)]
    for day in days:
        await add_crossing(crossed_at=start_of_local_day(day) + timedelta(hours=1))
        await service.close(
            DayKey(station_id=tolls.STATION, day=day),
            user=AUDITOR,
            actor=ACTOR,
            now=AFTER + timedelta(days=3),
        )

    first = await service.days(DayPageRequest(size=2), user=OPERATOR)
    second = await service.days(DayPageRequest(size=2, after=first.next), user=OPERATOR)

    assert [each.key.day for each in first.days] == [days[2], days[1]]
    assert [each.key.day for each in second.days] == [days[0]]
    assert second.next is None


async def test_a_correction_is_told_beside_the_charges(
    service: TollDayService, add_crossing: AddCrossing, connection: psycopg.AsyncConnection
) -> None:
    await add_crossing()
    entry_id = await _number(connection, "SELECT ledger_entry_id FROM toll_crossing")
    await LedgerService(connection).book(
        NewEntry(
            idempotency_key="refund:1",
            kind=EntryKind.REFUND,
            occurred_at=AT,
            booked_on=DAY,
            corrects=EntryId(entry_id),
            postings=(
                Posting(account=revenue(), amount_dong=-35_000),
                Posting(account=tolls.traffic_account(ACCOUNT), amount_dong=35_000),
            ),
        ),
        now=AT,
    )

    closed = await close(service)

    ledger = closed.day.figures.ledger
    assert (ledger.charged_dong, ledger.corrected_dong) == (35_000, -35_000)
    assert closed.day.figures.is_balanced


async def test_a_charge_without_crossing_unbalances_the_day(
    service: TollDayService, add_crossing: AddCrossing, connection: psycopg.AsyncConnection
) -> None:
    await add_crossing()
    await book(connection, uuid4(), 35_000, ACCOUNT, AT)

    closed = await close(service)

    assert not closed.day.figures.is_balanced
    assert closed.day.figures.ledger.mismatches == 1
    assert (await service.proof()).without_crossing == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE toll_crossing SET amount_dong = amount_dong + 1",
        "UPDATE toll_crossing SET booked_on = booked_on + 1",
        "UPDATE toll_crossing SET account_number = 'TK-0002'",
    ],
    ids=["amount", "day", "account"],
)
async def test_a_crossing_that_says_something_else_than_its_entry_is_found(
    service: TollDayService,
    add_crossing: AddCrossing,
    connection: psycopg.AsyncConnection,
    database_url: str,
    change: str,
) -> None:
    with psycopg.connect(database_url, autocommit=True) as rows:
        tolls.add_account(rows, "TK-0002")
    await add_crossing()
    sound = await service.proof()
    await connection.execute(change.encode())

    proof = await service.proof()

    assert sound.is_sound
    assert (proof.charged, proof.without_entry) == (1, 1)


class TestCommands:
    """The commands, as an auditor types them."""

    @pytest.fixture
    def run(self, owner_url: str) -> Run:
        app = toll_commands(lambda: owner_url)

        async def invoke(*arguments: str) -> tuple[int, str]:
            # In a thread, as the command has an event loop of its own.
            result = await asyncio.to_thread(
                CliRunner().invoke, app, list(arguments), env={"COLUMNS": "200"}
            )
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return result.exit_code, result.output

        return invoke

    async def test_close_day_prints_sums_and_differences(
        self,
        run: Run,
        add_crossing: AddCrossing,
        tmp_path: Path,
    ) -> None:
        known, missing = await add_crossing(), await add_crossing(amount_dong=50_000)
        extra = uuid4()
        path = tmp_path / "debits.csv"
        path.write_text("\n".join([HEADER, row(known), row(extra)]))

        code, output = await run(
            "close-day",
            tolls.STATION,
            "2026-03-02",
            *("--provider-file", str(path)),
            *("--provider", tolls.PROVIDER),
        )

        assert code == 0
        assert "85.000 ₫: equal" in output
        assert str(extra) in output
        assert str(missing) in output
        assert "Revision 1 closed" in output

    async def test_close_day_fails_when_the_ledger_disagrees(
        self,
        run: Run,
        add_crossing: AddCrossing,
        connection: psycopg.AsyncConnection,
    ) -> None:
        await add_crossing()
        await book(connection, uuid4(), 35_000, ACCOUNT, AT)
        await connection.commit()

        code, output = await run("close-day", tolls.STATION, "2026-03-02")

        assert code == 1
        assert "NOT EQUAL" in output

    async def test_verify_tells_every_invariant_with_its_count(
        self, run: Run, add_crossing: AddCrossing
    ) -> None:
        await add_crossing()
        await run("close-day", tolls.STATION, "2026-03-02")

        code, output = await run("verify")

        assert code == 0
        assert output.count("✓") == 9
        assert "✗" not in output
        assert "0 of 1 charges differ from their ledger entry" in output

    async def test_verify_fails_after_a_change_by_hand(
        self,
        run: Run,
        add_crossing: AddCrossing,
        owner_url: str,
    ) -> None:
        await add_crossing()
        await run("close-day", tolls.STATION, "2026-03-02")
        with psycopg.connect(owner_url, autocommit=True) as owner:
            owner.execute("UPDATE ledger_posting SET amount_dong = sign(amount_dong) * 1")

        code, output = await run("verify")

        assert code == 1
        assert "✗ 2 sealed entries: 2 changed, missing or inserted" in output
        assert "✗ 1 of 1 charges differ from their ledger entry" in output

    @pytest.mark.parametrize(
        "arguments",
        [
            ("close-day", "x", "02/03/2026"),
            ("close-day", "x", "2026-03-02", "--provider", "a"),
            ("close-day", "x", "2026-03-02", "--provider-file", "/none/such.csv"),
        ],
    )
    async def test_wrong_arguments_are_told(self, run: Run, arguments: tuple[str, ...]) -> None:
        code, _ = await run(*arguments)

        assert code == 2


async def _number(connection: psycopg.AsyncConnection, query: str) -> int:
    cursor = await connection.execute(query.encode())
    found = await cursor.fetchone()
    assert found is not None
    return int(found[0])
