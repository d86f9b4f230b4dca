# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the data-protection officer sees and decides; each of it is in the audit log."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import (
    SEALED,
    Actor,
    AuditEntry,
    JsonValue,
    Look,
    Personal,
    about_plate,
    about_vehicle,
)
from central.domain.local_time import start_of_local_day
from central.domain.plates import PlatePattern
from central.errors import InvalidPlatePatternError, StaleVersionError
from central.identity.permissions import Permission
from central.identity.types import User
from central.protection.errors import (
    FindingNotFoundError,
    RelativeInvalidError,
    RuleInvalidError,
)
from central.protection.judging import HISTORY_DAYS, unusual_days
from central.protection.repository import ProtectionRepository
from central.protection.types import (
    PARAMETERS,
    REASON_LENGTH_MAX,
    Finding,
    FindingState,
    PastLook,
    Relative,
    Rule,
    RuleName,
    Unusual,
)

PAGE_SIZE_MAX: Final = 200
RELATIVES_MAX: Final = 10_000
USERNAME_LENGTH_MAX: Final = 40
_DAY: Final = timedelta(days=1)


class ProtectionService:
    """What can be done for data protection, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = ProtectionRepository(connection)
        self._audit = AuditService(connection)

    async def looks_at(
        self,
        plate: str,
        *,
        user: User,
        look: Look,
        before_id: int | None,
        size: int,
        now: datetime,
    ) -> tuple[PastLook, ...]:
        """Who looked at a plate, and at vehicles that bear or bore it, newest first.

        Args:
            plate: As somebody typed it, without wildcards.
            user: Who asks; the question is written down, too.
            look: Why.
            before_id: Only looks with smaller numbers; ``None`` for the newest.
            size: At most so many.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not.
            InvalidPlatePatternError: It is no plate, or holds a wildcard.
        """
        user.require(Permission.PROTECT_DATA)
        text = exact_plate(plate)
        vehicles = await self._rows.vehicles_of_plate(text)
        subjects = [about_plate(text), *(about_vehicle(each) for each in vehicles)]
        found = await self._rows.looks(
            key_ids=await self._audit.key_ids_of(subjects),
            vehicle_ids=vehicles,
            before_id=before_id,
            limit=min(size, PAGE_SIZE_MAX),
        )
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=look.actor,
                action="looks_searched",
                subject_kind="looks",
                subject_id=SEALED,
                purpose=look.purpose,
                case_reference=look.case_reference,
                personal=Personal(about=about_plate(text), facts={"plate": text}),
            )
        )
        return tuple(found)

    async def findings(
        self, state: FindingState | None, *, user: User, before_id: int | None, size: int
    ) -> tuple[Finding, ...]:
        """Findings in a state, or all, newest first.

        Raises:
            PermissionDeniedError: The user may not.
        """
        user.require(Permission.PROTECT_DATA)
        return tuple(
            await self._rows.findings(state, before_id=before_id, limit=min(size, PAGE_SIZE_MAX))
        )

    async def decide(
        self,
        finding_id: int,
        state: FindingState,
        *,
        reason: str,
        user: User,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Say what a finding is: explained, or passed on.

        Raises:
            PermissionDeniedError: The user may not.
            RuleInvalidError: There is no reason, or it is too long.
            FindingNotFoundError: There is none, it was decided before, or it is about the user.
        """
        user.require(Permission.PROTECT_DATA)
        text = reason.strip()
        if state is FindingState.OPEN or not 1 <= len(text) <= REASON_LENGTH_MAX:
            raise RuleInvalidError("reason")
        about = await self._rows.decide_finding(
            finding_id, state, reason=text, username=user.username, now=now
        )
        if about is None or about == user.username:  # nobody judges their own looks
            raise FindingNotFoundError(finding_id)
        await self._write_down(
            "finding_decided",
            ("finding", str(finding_id)),
            actor=actor,
            now=now,
            detail={"state": state.value, "about": about},
        )

    async def rules(self, *, user: User) -> Mapping[RuleName, Rule]:
        """Every rule.

        Raises:
            PermissionDeniedError: The user may not.
        """
        user.require(Permission.PROTECT_DATA)
        return await self._rows.rules()

    async def set_rule(self, rule: Rule, *, user: User, actor: Actor, now: datetime) -> None:
        """Change a rule; it holds from the next run on.

        Raises:
            PermissionDeniedError: The user may not.
            RuleInvalidError: A number is missing, unknown, or out of bounds.
            StaleVersionError: Somebody else changed it meanwhile.
        """
        user.require(Permission.PROTECT_DATA)
        bounds = PARAMETERS[rule.name]
        for name in bounds.keys() | rule.parameters.keys():
            least, most = bounds.get(name, (1, 0))
            if not least <= rule.parameters.get(name, least - 1) <= most:
                raise RuleInvalidError(name)
        if not await self._rows.set_rule(rule, username=user.username, now=now):
            raise StaleVersionError("rule")
        await self._write_down(
            "protection_rule_set",
            ("protection_rule", rule.name.value),
            actor=actor,
            now=now,
            detail={"is_enabled": rule.is_enabled, **rule.parameters},
        )

    async def relatives(self, *, user: User) -> tuple[Relative, ...]:
        """Listed relatives, by official.

        Raises:
            PermissionDeniedError: The user may not.
        """
        user.require(Permission.PROTECT_DATA)
        return tuple(await self._rows.relatives(limit=RELATIVES_MAX))

    async def add_relative(
        self, username: str, plate: str, *, key: bytes, user: User, actor: Actor, now: datetime
    ) -> None:
        """List a plate of an official's relative; of the plate only its HMAC is kept.

        Raises:
            PermissionDeniedError: The user may not.
            RelativeInvalidError: There is no such official, or it is no plate.
        """
        user.require(Permission.PROTECT_DATA)
        try:
            text = exact_plate(plate)
        except InvalidPlatePatternError as error:
            raise RelativeInvalidError("plate") from error
        name = username.strip().lower()
        made = (
            await self._rows.add_relative(
                name, relative_hmac(text, key=key), added_by=user.username, now=now
            )
            if 1 <= len(name) <= USERNAME_LENGTH_MAX
            else None
        )
        if made is None:
            raise RelativeInvalidError("username")
        await self._write_down(
            "relative_added", ("relative", str(made)), actor=actor, now=now, detail={"of": name}
        )

    async def remove_relative(
        self, relative_id: int, *, user: User, actor: Actor, now: datetime
    ) -> None:
        """Take a relative off the list; one that is not on it is fine.

        Raises:
            PermissionDeniedError: The user may not.
        """
        user.require(Permission.PROTECT_DATA)
        name = await self._rows.remove_relative(relative_id)
        if name is not None:
            await self._write_down(
                "relative_removed",
                ("relative", str(relative_id)),
                actor=actor,
                now=now,
                detail={"of": name},
            )

    async def find_unusual(self, *, on: date, key: bytes | None, now: datetime) -> int:
        """Judge the looks of a day by the rules that are on; returns how many are unusual.

        Args:
            on: The day, in Vietnam's time; may still run.
            key: Of the relatives' plates; ``None`` leaves them out.
            now: Aware time.
        """
        rules = {name: rule for name, rule in (await self._rows.rules()).items() if rule.is_enabled}
        since, until = start_of_local_day(on), start_of_local_day(on + _DAY)
        hours = rules.get(RuleName.OUTSIDE_HOURS)
        days = await self._rows.days(
            since=since - HISTORY_DAYS * _DAY,
            until=until,
            from_hour=hours.parameters["from_hour"] if hours else 24,
            until_hour=hours.parameters["until_hour"] if hours else 0,
        )
        found = list(unusual_days(days, on=on, rules=rules))
        found += await self._without_case(rules.get(RuleName.NO_CASE), on=on, until=until)
        if key is not None and RuleName.RELATIVE in rules:
            found += await self._of_relatives(since=since, until=until, on=on, key=key)
        for each in found:
            await self._rows.keep_finding(each, now=now)
        return len(found)

    async def _without_case(self, rule: Rule | None, *, on: date, until: datetime) -> list[Unusual]:
        if rule is None:
            return []
        rows = await self._rows.without_case(
            since=until - rule.parameters["days"] * _DAY,
            until=until,
            at_least=rule.parameters["at_least"],
        )
        return [
            Unusual(
                rule=rule.name, username=row.username, day=on, looks=row.looks, key_id=row.key_id
            )
            for row in rows
        ]

    async def _of_relatives(
        self, *, since: datetime, until: datetime, on: date, key: bytes
    ) -> list[Unusual]:
        listed = {
            (each.username, each.plate_hmac)
            for each in await self._rows.relative_hmacs(limit=RELATIVES_MAX)
        }
        looks_of = Counter[tuple[str, UUID]]()
        for row in await self._rows.plates_looked_at(since=since, until=until):
            if (row.username, relative_hmac(row.plate, key=key)) in listed:
                looks_of[row.username, row.key_id] = row.looks
        return [
            Unusual(rule=RuleName.RELATIVE, username=username, day=on, looks=looks, key_id=key_id)
            for (username, key_id), looks in looks_of.items()
        ]

    async def _write_down(
        self,
        action: str,
        subject: tuple[str, str],
        *,
        actor: Actor,
        now: datetime,
        detail: Mapping[str, JsonValue],
    ) -> None:
        """Write an act into the audit log."""
        subject_kind, subject_id = subject
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action=action,
                subject_kind=subject_kind,
                subject_id=subject_id,
                detail=detail,
            )
        )


def exact_plate(text: str) -> str:
    """A plate as it is stored.

    Raises:
        InvalidPlatePatternError: It is no plate, or holds a wildcard.
    """
    pattern = PlatePattern.parse(text)
    if not pattern.is_exact:
        raise InvalidPlatePatternError("one plate is wanted, without ? and *")
    return pattern.text


def relative_hmac(plate: str, *, key: bytes) -> bytes:
    """What is kept of a relative's plate."""
    return hmac.new(key, plate.encode(), hashlib.sha256).digest()
