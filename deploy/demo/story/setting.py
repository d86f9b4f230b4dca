# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sets up the world of the story by the real parts: registry, toll station, watchlist, users."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from psycopg import AsyncConnection

from central.audit.types import Actor
from central.control.types import ListRequest
from central.control.watchlist import WatchlistService
from central.control.watchlist_types import EntryState, NewWatchlistEntry, WatchReason
from central.db.pool import connection_info
from central.domain.local_time import local_date
from central.domain.plates import PlatePattern
from central.identity.administration import UserAdministration
from central.identity.permissions import Role
from central.identity.service import IdentityService
from central.identity.types import LoggedIn, NewPassword, PasswordLife, User
from central.registry.importing.service import import_file
from central.registry.importing.types import FileOrigin, ImportKind, ImportMode, ImportReport
from central.tolling.setup.service import TopUpService, import_setup
from central.tolling.setup.types import SetupReport
from deploy.demo.story.cast import Cast, Part
from deploy.demo.story.files import write_registry_files, write_toll_files
from deploy.demo.story.results import StepResult, dong
from deploy.errors import LocalStackError

ResultT = TypeVar("ResultT")

COMMAND: Final = "demo"
SOURCE: Final = "Sổ đăng ký trình diễn"
LEGAL_BASIS: Final = "Công văn mẫu 01/CV của cơ quan điều tra (trình diễn)"
STAFF: Final[Mapping[str, tuple[str, Role]]] = {
    "clerk1": ("Cán bộ một cửa", Role.CLERK),
    "approver1": ("Lãnh đạo phòng", Role.APPROVER),
    "operator1": ("Trực ban giao thông", Role.OPERATOR),
    "reviewer1": ("Kiểm tra viên", Role.REVIEWER),
    "toll1": ("Kiểm soát thu phí", Role.TOLL_AUDITOR),
}
"""Users of the story by name: what they are called and do; no persons."""


class SettingError(LocalStackError):
    """The world of the story can't be set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The users of the story.

    Attributes:
        passwords: By user name.
        users: As the services know them.
    """

    passwords: Mapping[str, NewPassword]
    users: Mapping[str, User]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What setting up came to."""

    staff: Staff
    trial: ImportReport
    registry: Mapping[ImportKind, ImportReport]
    toll: tuple[SetupReport, ...]
    is_newly_listed: bool


def in_database(
    database_url: str, work: Callable[[AsyncConnection], Awaitable[ResultT]]
) -> ResultT:
    """Do something in one transaction on the stack's database."""

    async def connected() -> ResultT:
        info = connection_info(database_url, application_name="luuthong-demo")
        async with await AsyncConnection.connect(info) as connection:
            return await work(connection)

    return asyncio.run(connected())


def prepare(database_url: str, cast: Cast, folder: Path, *, now: datetime) -> Prepared:
    """Write the files and take them in; a second time brings only what is new.

    Args:
        database_url: Of the running stack; the toll's device must be registered.
        cast: Who plays.
        folder: Where the files are left, so that they can be looked at.
        now: Aware time.

    Raises:
        SettingError: A file that must be good was refused; names its first bad row.
    """
    staff = in_database(database_url, lambda connection: _staff(connection, now=now))
    files = write_registry_files(folder, cast, today=local_date(now))
    registry: dict[ImportKind, ImportReport] = {}
    trial: ImportReport | None = None
    for kind, path in files.good.items():
        if kind is ImportKind.PLATES:
            trial = _import(database_url, files.bad, kind, ImportMode.TRY_OUT, now=now)
        registry[kind] = _import(database_url, path, kind, ImportMode.APPLY, now=now)
        _require(registry[kind], path)
    if trial is None:
        raise SettingError("there is no file of plates")
    toll = []
    for setup_kind, path in write_toll_files(folder, cast).items():
        report = asyncio.run(
            import_setup(
                _info(database_url),
                path,
                setup_kind,
                mode=ImportMode.APPLY,
                actor=Actor.command(COMMAND),
                now=now,
            )
        )
        _require(report, path)
        toll.append(report)
    in_database(database_url, lambda connection: _top_up(connection, cast, now=now))
    is_newly_listed = in_database(
        database_url, lambda connection: _watch(connection, cast, staff, now=now)
    )
    return Prepared(
        staff=staff,
        trial=trial,
        registry=registry,
        toll=tuple(toll),
        is_newly_listed=is_newly_listed,
    )


def told(prepared: Prepared, cast: Cast, *, page_root: str) -> StepResult:
    """What setting up came to, in plain words."""
    step = StepResult(
        title="1 · Registry, station, accounts, watchlist, users",
        page=f"{page_root}/console/vehicles",
    )
    bad = prepared.trial.problems
    step.check(
        len(bad) == 1 and not prepared.trial.is_applied,
        f"trial of {prepared.trial.file_name} (as Excel saves it): {prepared.trial.rows_read} rows,"
        f" {len(bad)} bad, nothing written"
        + "".join(f"; line {each.line}, {each.column}: {each.reason}" for each in bad),
    )
    counts = [
        f"{report.rows_read} {kind.value} ({report.counts.created} new)"
        for kind, report in prepared.registry.items()
    ]
    step.check(
        all(each.is_applied for each in prepared.registry.values()),
        "registry files taken in: " + ", ".join(counts),
    )
    step.check(
        prepared.registry[ImportKind.VEHICLES].counts.created >= 1,
        f"this run's truck is new: plate {cast.truck.plate} (yellow), chassis"
        f" {cast.truck.chassis}, payload {cast.truck.payload_kg} kg, no badge",
    )
    step.check(
        all(each.is_applied for each in prepared.toll),
        "toll files taken in: "
        + ", ".join(f"{each.rows_read} {each.kind.value}" for each in prepared.toll),
    )
    step.tell(
        f"watchlist: {cast.members[Part.WATCHED].plate}"
        + (" put on it" if prepared.is_newly_listed else " stands on it since an earlier run")
    )
    for name, (called, role) in STAFF.items():
        password = prepared.staff.passwords[name].password
        step.tell(f"user {name} ({called}, {role.value}), password {password}")
    poor = cast.members[Part.POOR]
    step.tell(f"account of {poor.plate} was opened with only {dong(poor.balance_dong)}")
    return step


async def _staff(connection: AsyncConnection, *, now: datetime) -> Staff:
    """Make every user, or give who is there a new password."""
    people = UserAdministration(connection, actor=Actor.command(COMMAND))
    identity = IdentityService(connection)
    known = {each.username for each in await people.users()}
    passwords: dict[str, NewPassword] = {}
    users: dict[str, User] = {}
    for name, (called, role) in STAFF.items():
        if name in known:
            await people.set_role(name, role, now=now)
            passwords[name] = await people.reset_password(name, life=PasswordLife.LASTING, now=now)
        else:
            passwords[name] = await people.add(
                username=name, display_name=called, role=role, life=PasswordLife.LASTING, now=now
            )
        opened = await identity.log_in(username=name, password=passwords[name].password, now=now)
        if not isinstance(opened, LoggedIn):
            raise SettingError(f"the user {name} can't sign in")
        users[name] = opened.user
    return Staff(passwords=passwords, users=users)


async def _top_up(connection: AsyncConnection, cast: Cast, *, now: datetime) -> None:
    """Put money on every account, on the poor one once and never again."""
    service = TopUpService(connection)
    for each in cast.members.values():
        run = "" if each.part is Part.POOR else f":{cast.run}"
        await service.top_up(
            each.account,
            each.balance_dong,
            key=f"demo:{each.account}{run}",
            actor=Actor.command(COMMAND),
            now=now,
        )


async def _watch(connection: AsyncConnection, cast: Cast, staff: Staff, *, now: datetime) -> bool:
    """Put the watched car on the list; returns whether it was not there."""
    plate = cast.members[Part.WATCHED].plate
    user = staff.users["reviewer1"]
    actor = Actor.command(COMMAND)
    service = WatchlistService(connection)
    page = await service.entries(
        EntryState.HOLDING,
        PlatePattern.parse(plate),
        ListRequest(),
        user=user,
        actor=actor,
        now=now,
    )
    if page.entries:
        return False
    await service.add(
        NewWatchlistEntry(
            plate_text=plate,
            plate_colour=None,
            reason=WatchReason.AGENCY_REQUEST,
            note="Trình diễn",
            legal_basis=LEGAL_BASIS,
            valid_until=now + timedelta(days=365),
        ),
        user=user,
        actor=actor,
        now=now,
    )
    return True


def _import(
    database_url: str, path: Path, kind: ImportKind, mode: ImportMode, *, now: datetime
) -> ImportReport:
    """Take a file of the registry in, with yesterday's state of things."""
    return asyncio.run(
        import_file(
            _info(database_url),
            path,
            kind,
            mode=mode,
            origin=FileOrigin(source=SOURCE, as_of=local_date(now) - timedelta(days=1)),
            actor=Actor.command(COMMAND),
            progress=lambda _done, _all: None,
            now=now,
        )
    )


def _require(report: ImportReport | SetupReport, path: Path) -> None:
    if report.problems:
        first = report.problems[0]
        raise SettingError(f"{path}: line {first.line}, {first.column}: {first.reason_en}")


def _info(database_url: str) -> str:
    return connection_info(database_url, application_name="luuthong-demo")
