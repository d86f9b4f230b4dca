# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes the toll's files in, all of a file or nothing, and books top-ups."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

from psycopg import AsyncConnection, Rollback
from psycopg.errors import (
    CheckViolation,
    ExclusionViolation,
    ForeignKeyViolation,
    IntegrityError,
    UniqueViolation,
)
from psycopg.rows import class_row, scalar_row

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.db.queries import QueryFile
from central.domain.local_time import local_date, start_of_local_day
from central.errors import InvalidFilterError
from central.ledger.service import LedgerService
from central.ledger.types import (
    AMOUNT_DONG_MAX,
    AccountKey,
    AccountKind,
    Booked,
    EntryKind,
    NewEntry,
    Posting,
)
from central.registry.importing.reading import read_table
from central.registry.importing.types import Cell, ImportMode, ParsedRow, RowProblem
from central.tolling.errors import TollAccountLockedError, TollAccountNotFoundError
from central.tolling.setup.parsing import known_names, parse_setup
from central.tolling.setup.types import RowRefusedError, SetupKind, SetupReport
from central.tolling.types import AccountState

QUERIES: Final = QueryFile.beside(__file__)
ROWS_MAX: Final = 500_000
PROBLEMS_MAX: Final = 1000
"""After so many bad rows the rest is not tried against the database."""

_FOREIGN_KEYS: Final = {
    "camera_id": "camera",
    "account_number": "account_number",
    "station_id": "station",
    "site_id": "site",
}
"""Parts of foreign keys' names, and the columns of a file in which the missing thing stands."""

_NAMESPACE: Final = UUID("a3a3b0f5-4f3c-5f0e-8d17-1f5f2f5a9c11")
_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Which of the things that a row names are there."""

    has_station: bool
    has_holder: bool
    has_vehicle: bool
    has_account: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    """Who holds an account's money."""

    provider: str
    state: str


async def import_setup(
    info: str, path: Path, kind: SetupKind, *, mode: ImportMode, actor: Actor, now: datetime
) -> SetupReport:
    """Take a file in, or only try it; connects, commits and closes by itself.

    Raises:
        OSError: The file can't be read.
        ImportFileError: The file as a whole is no table of its kind.
    """
    table = read_table(path, known_columns=known_names(kind), rows_max=ROWS_MAX)
    parsed = parse_setup(table, kind)
    async with (
        await AsyncConnection.connect(info) as connection,
        connection.transaction() as whole,
    ):
        importer = _Importer(connection, kind=kind, now=now)
        for row in parsed.rows:
            if len(importer.problems) >= PROBLEMS_MAX:
                break
            await importer.take_in(row)
        problems = sorted((*parsed.problems, *importer.problems), key=lambda each: each.line)
        is_applied = mode is ImportMode.APPLY and not problems
        if not is_applied:
            raise Rollback(whole)
        await AuditService(connection).record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="toll_setup_imported",
                subject_kind="toll_setup",
                subject_id=kind,
                detail={"sha256": table.sha256.hex(), "rows": len(table.rows)},
            )
        )
    return SetupReport(
        kind=kind,
        rows_read=len(table.rows),
        created=importer.created,
        known=importer.known,
        problems=tuple(problems),
        is_applied=is_applied,
    )


class TopUpService:
    """Money onto traffic accounts, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._ledger = LedgerService(connection)
        self._audit = AuditService(connection)

    async def top_up(
        self, account_number: str, amount_dong: int, *, key: str, actor: Actor, now: datetime
    ) -> Booked:
        """Put money on an account, once however often the same key comes.

        Args:
            account_number: Whose account; its provider holds the money.
            amount_dong: More than nothing.
            key: The provider's number of the transaction.
            actor: Who does it.
            now: Aware time.

        Raises:
            TollAccountNotFoundError: No traffic account has this number.
            TollAccountLockedError: The account is closed.
            EntryConflictError: The key was used for another account or amount.
            InvalidFilterError: The amount or the key makes no sense.
        """
        if not 1 <= amount_dong <= AMOUNT_DONG_MAX or _KEY.fullmatch(key) is None:
            raise InvalidFilterError("a top-up has an amount and a key of 1 to 80 plain signs")
        async with self._connection.cursor(row_factory=class_row(_Provider)) as cursor:
            await cursor.execute(QUERIES["select_provider"], {"account_number": account_number})
            found = await cursor.fetchone()
        if found is None:
            raise TollAccountNotFoundError
        if found.state == AccountState.CLOSED:
            raise TollAccountLockedError(state=found.state)
        account = AccountKey(kind=AccountKind.TRAFFIC_ACCOUNT, reference=account_number)
        clearing = AccountKey(kind=AccountKind.PROVIDER_CLEARING, reference=found.provider)
        entry_key = f"top-up:{key}"
        occurred_at = await self._first_booked_at(entry_key) or now
        booked = await self._ledger.book(
            NewEntry(
                idempotency_key=entry_key,
                kind=EntryKind.TOP_UP,
                occurred_at=occurred_at,
                booked_on=local_date(occurred_at),
                postings=(
                    Posting(account=account, amount_dong=amount_dong),
                    Posting(account=clearing, amount_dong=-amount_dong),
                ),
            ),
            now=now,
        )
        if not booked.is_repeat:
            await self._audit.record(
                AuditEntry(
                    occurred_at=now,
                    actor=actor,
                    action="toll_account_topped_up",
                    subject_kind="toll_account",
                    subject_id=account_number,
                    detail={"amount_dong": amount_dong, "ledger_entry": booked.id},
                )
            )
        return booked

    async def _first_booked_at(self, entry_key: str) -> datetime | None:
        """When this top-up was booked before; ``None`` when it is new."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_earlier_top_up"], {"key": entry_key})
            found: datetime | None = await cursor.fetchone()
            return found


class _Importer:
    """Writes the rows of one file; a row that is refused leaves no trace."""

    def __init__(self, connection: AsyncConnection, *, kind: SetupKind, now: datetime) -> None:
        self._connection = connection
        self._kind = kind
        self._now = now
        self.created = 0
        self.known = 0
        self.problems: list[RowProblem] = []

    async def take_in(self, row: ParsedRow) -> None:
        """Write one row, or note what is wrong with it."""
        try:
            async with self._connection.transaction():
                is_created = await self._write(row.cells)
                if is_created is None:
                    raise await self._why_not(row.cells)
        except RowRefusedError as error:
            self.problems.append(error.problem(row.line))
        except IntegrityError as error:
            self.problems.append(_refusal(error).problem(row.line))
        else:
            self.created += is_created
            self.known += not is_created

    async def _write(self, cells: Mapping[str, Cell]) -> bool | None:
        """Whether the row is new; ``None`` when it names something that is not there."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES[f"upsert_{self._kind}"], _parameters(self._kind, cells, now=self._now)
            )
            found: bool | None = await cursor.fetchone()
            return found

    async def _why_not(self, cells: Mapping[str, Cell]) -> RowRefusedError:
        """Why nothing was written."""
        names = ("station", "holder", "chassis_number", "account_number")
        async with self._connection.cursor(row_factory=class_row(_Known)) as cursor:
            await cursor.execute(QUERIES["select_known"], {name: cells.get(name) for name in names})
            known = await cursor.fetchone()
        if known is None:
            raise RuntimeError("a query without table returned no row")
        for column, is_there in (
            ("station", known.has_station),
            ("holder", known.has_holder),
            ("chassis_number", known.has_vehicle),
        ):
            if cells.get(column) is not None and not is_there:
                return _missing(column)
        return RowRefusedError(
            "",
            reason="khác với dữ liệu đã có; chỉ được đổi trạng thái hoặc ngày kết thúc",
            reason_en="differs from what is there; only its state or its end may change",
        )


def _parameters(
    kind: SetupKind, cells: Mapping[str, Cell], *, now: datetime
) -> Mapping[str, object]:
    """A row as it is bound; an id is made of what names the thing."""
    values: dict[str, object] = {
        "is_expressway": None,
        "is_priority": None,
        "valid_until": None,
        **cells,
        "now": now,
    }
    if kind is SetupKind.TARIFFS:
        values["id"] = _id_of(kind, cells, "station", "vehicle_group", "valid_from")
    if kind is SetupKind.TAGS:
        values["id"] = _id_of(kind, cells, "epc", "account_number", "valid_from")
        values["valid_from_at"] = _start_of(cells["valid_from"])
        values["valid_until_at"] = _start_of(cells.get("valid_until"))
    return values


def _id_of(kind: SetupKind, cells: Mapping[str, Cell], *names: str) -> UUID:
    return uuid5(_NAMESPACE, "|".join((kind.value, *(str(cells[name]) for name in names))))


def _start_of(day: Cell) -> datetime | None:
    """Midnight in Vietnam at which a day begins."""
    return None if day is None else start_of_local_day(date.fromisoformat(str(day)))


def _missing(column: str) -> RowRefusedError:
    return RowRefusedError(
        column,
        reason="chưa có trong hệ thống: hãy nhập trước",
        reason_en="not known here: import it first",
    )


def _refusal(error: IntegrityError) -> RowRefusedError:
    """What a constraint of the database means to whoever wrote the file."""
    constraint = error.diag.constraint_name or ""
    match error:
        case ForeignKeyViolation():
            for named, column in _FOREIGN_KEYS.items():
                if named in constraint:
                    return _missing(column)
            return _missing("")
        case ExclusionViolation():
            return RowRefusedError(
                "valid_from",
                reason="chồng lên một mức giá khác: hãy ghi ngày kết thúc của mức trước",
                reason_en="overlaps another price: give the end of the earlier one",
            )
        case UniqueViolation():
            return RowRefusedError(
                "",
                reason="camera hoặc đầu đọc đã thuộc làn khác",
                reason_en="the camera or the reader belongs to another lane",
            )
        case CheckViolation():
            return RowRefusedError("", reason="giá trị sai", reason_en="a value is out of bounds")
        case _:
            raise error
