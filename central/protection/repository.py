# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of data protection."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.audit.types import JsonValue
from central.db.queries import QueryFile
from central.protection.types import (
    DataRequest,
    DayOfLooks,
    DestroyedKey,
    Finding,
    FindingState,
    NewRequest,
    PastLook,
    Relative,
    RequestKind,
    RequestState,
    Rule,
    RuleName,
    Unusual,
)

QUERIES: Final = QueryFile.beside(__file__)
VEHICLES_OF_PLATE_MAX: Final = 100
COUNTED_MAX: Final = 100_000
"""Most officials and days, or officials and vehicles, that one run compares."""

_Row = TypeVar("_Row")
Parameters = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedLooks:
    """Looks of one official at one vehicle.

    Attributes:
        plate: Only where plates were asked for.
    """

    username: str
    key_id: UUID
    looks: int
    plate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeHmac:
    """A relative's plate as it is compared."""

    username: str
    plate_hmac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedBatch:
    """What one batch of an erasure did."""

    passages: int
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Until when a request is answered, and by which law."""

    acknowledge_by: date
    due_on: date
    calendar_version: int
    legal_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _RuleRow:
    name: str
    is_enabled: bool
    parameters: dict[str, int]
    version: int
    changed_by: str | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _FindingRow:
    id: int
    rule: str
    username: str
    day: date
    key_id: UUID | None
    looks: int
    usual: Decimal | None
    state: str
    found_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None

    def finding(self) -> Finding:
        """The row as a value."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return Finding(**{**values, "rule": RuleName(self.rule), "state": FindingState(self.state)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _RequestRow:
    code: str
    kind: str
    state: str
    applicant: str
    contact: str
    statement: str
    vehicle_id: UUID
    received_at: datetime
    received_by: str
    acknowledge_by: date
    due_on: date
    calendar_version: int
    legal_reference: str
    acknowledged_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    answer: str | None
    version: int

    def request(self) -> DataRequest:
        """The row as a value."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return DataRequest(
            **{**values, "kind": RequestKind(self.kind), "state": RequestState(self.state)}
        )


class ProtectionRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def vehicles_of_plate(self, plate: str) -> list[UUID]:
        """Registered vehicles that bear a plate or bore it."""
        return await self._scalars(
            UUID, "select_vehicles_of_plate", plate=plate, rows_max=VEHICLES_OF_PLATE_MAX
        )

    async def plates_of_vehicle(self, vehicle_id: UUID) -> list[str]:
        """Plates that a vehicle bears or bore and no other one."""
        return await self._scalars(str, "select_plates_of_vehicle", vehicle_id=vehicle_id)

    async def looks(
        self,
        *,
        key_ids: Collection[UUID],
        vehicle_ids: Collection[UUID],
        before_id: int | None,
        limit: int,
    ) -> list[PastLook]:
        """Looks at a vehicle or plate, newest first."""
        return await self._rows(
            PastLook,
            "select_looks",
            key_ids=list(key_ids),
            vehicle_ids=[str(each) for each in vehicle_ids],
            before_id=before_id,
            rows_max=limit,
        )

    async def rules(self) -> dict[RuleName, Rule]:
        """Every rule by name."""
        rows = await self._rows(_RuleRow, "select_rules")
        return {
            RuleName(row.name): Rule(
                name=RuleName(row.name),
                is_enabled=row.is_enabled,
                parameters=row.parameters,
                version=row.version,
                changed_by=row.changed_by,
                changed_at=row.changed_at,
            )
            for row in rows
        }

    async def set_rule(self, rule: Rule, *, username: str, now: datetime) -> bool:
        """Set a rule; ``False`` when somebody else did meanwhile."""
        changed = await self._scalars(
            str,
            "update_rule",
            name=rule.name,
            is_enabled=rule.is_enabled,
            parameters=Jsonb(dict(rule.parameters)),
            version=rule.version,
            username=username,
            now=now,
        )
        return bool(changed)

    async def days(
        self, *, since: datetime, until: datetime, from_hour: int, until_hour: int
    ) -> list[DayOfLooks]:
        """Looks of every official by day."""
        return await self._rows(
            DayOfLooks,
            "count_looks_by_day",
            since=since,
            until=until,
            from_hour=from_hour,
            until_hour=until_hour,
            rows_max=COUNTED_MAX,
        )

    async def without_case(
        self, *, since: datetime, until: datetime, at_least: int
    ) -> list[RepeatedLooks]:
        """Officials who looked at the same vehicle again and again without a case."""
        return await self._rows(
            RepeatedLooks,
            "count_looks_without_case",
            since=since,
            until=until,
            at_least=at_least,
            rows_max=COUNTED_MAX,
        )

    async def plates_looked_at(self, *, since: datetime, until: datetime) -> list[RepeatedLooks]:
        """Plates that officials with listed relatives looked at."""
        return await self._rows(
            RepeatedLooks,
            "select_plates_looked_at",
            since=since,
            until=until,
            rows_max=COUNTED_MAX,
        )

    async def keep_finding(self, found: Unusual, *, now: datetime) -> None:
        """Keep a finding; one that is open follows the day, a decided one stays."""
        await self._run("upsert_finding", **asdict(found), now=now)

    async def findings(
        self, state: FindingState | None, *, before_id: int | None, limit: int
    ) -> list[Finding]:
        """Findings in a state, or all, newest first."""
        rows = await self._rows(
            _FindingRow, "select_findings", state=state, before_id=before_id, rows_max=limit
        )
        return [row.finding() for row in rows]

    async def decide_finding(
        self, finding_id: int, state: FindingState, *, reason: str, username: str, now: datetime
    ) -> str | None:
        """Decide an open finding; returns whom it is about, ``None`` when it is not open."""
        about = await self._scalars(
            str,
            "decide_finding",
            finding_id=finding_id,
            state=state,
            reason=reason,
            username=username,
            now=now,
        )
        return about[0] if about else None

    async def add_relative(
        self, username: str, plate_hmac: bytes, *, added_by: str, now: datetime
    ) -> int | None:
        """List a relative's plate; ``None`` when there is no such official."""
        made = await self._scalars(
            int,
            "insert_relative",
            username=username,
            plate_hmac=plate_hmac,
            added_by=added_by,
            now=now,
        )
        return made[0] if made else None

    async def relatives(self, *, limit: int) -> list[Relative]:
        """Listed relatives, by official."""
        return await self._rows(Relative, "select_relatives", rows_max=limit)

    async def relative_hmacs(self, *, limit: int) -> list[RelativeHmac]:
        """The same for comparing."""
        return await self._rows(RelativeHmac, "select_relative_hmacs", rows_max=limit)

    async def remove_relative(self, relative_id: int) -> str | None:
        """Take a relative off the list; returns the official."""
        gone = await self._scalars(str, "delete_relative", relative_id=relative_id)
        return gone[0] if gone else None

    async def add_request(
        self,
        new: NewRequest,
        deadline: Deadline,
        *,
        vehicle_id: UUID,
        username: str,
        year: int,
        now: datetime,
    ) -> str:
        """Take a request in; returns its code."""
        (code,) = await self._scalars(
            str,
            "insert_request",
            kind=new.kind,
            applicant=new.applicant,
            contact=new.contact,
            statement=new.statement,
            vehicle_id=vehicle_id,
            username=username,
            year=str(year),
            now=now,
            **asdict(deadline),
        )
        return code

    async def requests(self, *, before_code: str | None, limit: int) -> list[DataRequest]:
        """Requests, the last one first."""
        rows = await self._rows(
            _RequestRow, "select_requests", before_code=before_code, rows_max=limit
        )
        return [row.request() for row in rows]

    async def locked_request(self, code: str) -> DataRequest | None:
        """One request, locked until the transaction ends."""
        rows = await self._rows(_RequestRow, "lock_request", code=code)
        return rows[0].request() if rows else None

    async def set_request(
        self, code: str, state: RequestState, *, answer: str | None, username: str, now: datetime
    ) -> None:
        """A request's next state."""
        await self._run(
            "update_request",
            code=code,
            state=state,
            is_ended=state.is_ended,
            answer=answer,
            username=username,
            now=now,
        )

    async def erase_passages(self, vehicle_id: UUID, *, now: datetime, limit: int) -> ErasedBatch:
        """Take the plate off a batch of a vehicle's passages."""
        (batch,) = await self._rows(
            ErasedBatch, "erase_passages", vehicle_id=vehicle_id, now=now, rows_max=limit
        )
        return batch

    async def kept_passages(self, vehicle_id: UUID) -> int:
        """How many passages of a vehicle still bear its plate."""
        (count,) = await self._scalars(int, "count_kept_passages", vehicle_id=vehicle_id)
        return count

    async def destroy_keys(self, subjects: Collection[str], *, now: datetime) -> list[DestroyedKey]:
        """Destroy every key of some subjects."""
        return await self._rows(DestroyedKey, "destroy_keys", subjects=list(subjects), now=now)

    async def export(
        self, query: str, vehicle_id: UUID, *, limit: int
    ) -> list[Mapping[str, JsonValue]]:
        """One part of what is known about a vehicle."""
        return await self._scalars(dict, query, vehicle_id=vehicle_id, rows_max=limit)

    async def _rows(self, kind: type[_Row], query: str, /, **parameters: object) -> list[_Row]:
        async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            return await cursor.fetchall()

    async def _scalars(self, kind: type[_Row], query: str, /, **parameters: object) -> list[_Row]:
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            rows: Sequence[_Row] = await cursor.fetchall()
        if rows and not isinstance(rows[0], kind):
            raise TypeError(f"{query} gives {type(rows[0]).__name__}")
        return list(rows)

    async def _run(self, query: str, **parameters: object) -> None:
        await self._connection.execute(QUERIES[query], parameters)
