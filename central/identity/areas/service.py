# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making units and areas; every change is an act in the audit log."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue
from central.contracts.identifiers import SLUG_PATTERN
from central.errors import InvalidNameError, SiteNotFoundError
from central.identity.areas.repository import AreaRepository
from central.identity.areas.types import NAME_LENGTH_MAX, Area, Unit
from central.identity.errors import AreaNotFoundError, UnitNotFoundError
from central.identity.permissions import Permission
from central.identity.types import User

UNITS_MAX: Final = 1_000
AREAS_MAX: Final = 1_000
COMMAND: Final = "luuthong unit and area"
UNIT_SUBJECT: Final = "unit"
AREA_SUBJECT: Final = "area"
_SLUG: Final = re.compile(SLUG_PATTERN)


class AreaService:
    """What administrators do with units and areas, in the caller's transaction.

    Args:
        actor: Whoever acts, for the audit log.
        user: The signed-in user; ``None`` for a command at the server.
    """

    def __init__(
        self, connection: AsyncConnection, *, actor: Actor, user: User | None = None
    ) -> None:
        self._rows = AreaRepository(connection)
        self._audit = AuditService(connection)
        self._actor = actor
        self._user = user

    async def units(self) -> tuple[Unit, ...]:
        """Every unit, by name.

        Raises:
            PermissionDeniedError: The user may not manage users.
        """
        self._require()
        return await self._rows.units(limit=UNITS_MAX)

    async def areas(self) -> tuple[Area, ...]:
        """Every area, by name.

        Raises:
            PermissionDeniedError: The user may not manage users.
        """
        self._require()
        return await self._rows.areas(limit=AREAS_MAX)

    async def put_unit(
        self, unit_id: str, *, name: str, area_ids: Collection[str] | None, now: datetime
    ) -> None:
        """Make a unit or change it.

        Args:
            unit_id: Lower-case words joined by hyphens.
            name: Name in Vietnamese.
            area_ids: Areas of the unit from now on; ``None`` leaves them as they are.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not manage users.
            InvalidNameError: The id is no slug, or the name is empty or too long.
            AreaNotFoundError: One of the areas does not exist.
        """
        self._require()
        _check(unit_id, name)
        for missing in await self._rows.missing_areas(area_ids or ()):
            raise AreaNotFoundError(missing)
        await self._rows.put_unit(unit_id, name.strip(), now=now)
        if area_ids is not None:
            await self._rows.replace_unit_areas(unit_id, set(area_ids))
        await self._record(
            "unit_changed", UNIT_SUBJECT, unit_id, now=now, detail=_listed("areas", area_ids)
        )

    async def remove_unit(self, unit_id: str, *, now: datetime) -> None:
        """Remove a unit that nobody belongs to.

        Raises:
            PermissionDeniedError: The user may not manage users.
            UnitNotFoundError: There is none.
            UnitInUseError: People still belong to it.
        """
        self._require()
        if not await self._rows.remove_unit(unit_id):
            raise UnitNotFoundError(unit_id)
        await self._record("unit_removed", UNIT_SUBJECT, unit_id, now=now, detail={})

    async def put_area(
        self, area_id: str, *, name: str, site_ids: Collection[str] | None, now: datetime
    ) -> None:
        """Make an area or change it; open sessions see the change at their next request.

        Args:
            area_id: Lower-case words joined by hyphens.
            name: Name in Vietnamese.
            site_ids: Sites of the area from now on; ``None`` leaves them as they are.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not manage users.
            InvalidNameError: The id is no slug, or the name is empty or too long.
            SiteNotFoundError: One of the sites does not exist.
        """
        self._require()
        _check(area_id, name)
        for missing in await self._rows.missing_sites(site_ids or ()):
            raise SiteNotFoundError(missing)
        await self._rows.put_area(area_id, name.strip(), now=now)
        if site_ids is not None:
            await self._rows.replace_area_sites(area_id, set(site_ids))
        await self._record(
            "area_changed", AREA_SUBJECT, area_id, now=now, detail=_listed("sites", site_ids)
        )

    async def remove_area(self, area_id: str, *, now: datetime) -> None:
        """Remove an area that nobody is confined to.

        Raises:
            PermissionDeniedError: The user may not manage users.
            AreaNotFoundError: There is none.
            AreaInUseError: It is still given to people or units.
        """
        self._require()
        if not await self._rows.remove_area(area_id):
            raise AreaNotFoundError(area_id)
        await self._record("area_removed", AREA_SUBJECT, area_id, now=now, detail={})

    def _require(self) -> None:
        """Stop unless this is a command at the server or somebody who may manage users."""
        if self._user is not None:
            self._user.require(Permission.MANAGE_USERS)

    async def _record(
        self,
        action: str,
        kind: str,
        subject_id: str,
        *,
        now: datetime,
        detail: dict[str, JsonValue],
    ) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=kind,
                subject_id=subject_id,
                detail=detail,
            )
        )


def _check(slug: str, name: str) -> None:
    """Stop unless the id is a slug and the name something to show."""
    if _SLUG.fullmatch(slug) is None:
        raise InvalidNameError(slug)
    if not 1 <= len(name.strip()) <= NAME_LENGTH_MAX:
        raise InvalidNameError(name)


def _listed(key: str, ids: Collection[str] | None) -> dict[str, JsonValue]:
    """Ids for the audit log; nothing where they were left as they are."""
    return {} if ids is None else {key: [*sorted(ids)]}
