# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looks at many passages at once that need a reason: similar readings, and lists as files.

Seeing one list page is everybody's work and needs none; taking thousands of rows along, or asking
which other plates may be this vehicle, is a look-up, and is written into the audit log with its
purpose in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import AuditEntry, JsonValue, Look, Personal, about_plate
from central.domain.plate_similarity import reading_distance
from central.identity.permissions import Permission
from central.identity.types import User
from central.passages.repository import PassageRepository
from central.passages.service import PassageService
from central.passages.types import (
    PAGE_SIZE_MAX,
    PageRequest,
    Passage,
    PassageFilter,
    PassageSummary,
)

EXPORT_ROWS_MAX: Final = 5000
"""Most passages of one file. Higher: more personal data leave at once, and longer requests."""

SIMILAR_WITHIN: Final = timedelta(hours=1)
"""How far around a passage similar readings are sought. Higher: more of other vehicles."""

DISTANCE_MAX: Final = 1.3
"""Readings further apart are another vehicle's. Higher: more are shown, and fewer fit."""

CANDIDATES_MAX: Final = 500
SIMILAR_SHOWN_MAX: Final = 20
SHARED_GROUPS_MIN: Final = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarReading:
    """A passage whose plate may be a misreading of another's."""

    passage: PassageSummary
    distance: float


class PassageLookService:
    """Such looks, in the caller's transaction and within the user's sites.

    Args:
        connection: A connection whose transaction belongs to the caller.
        user: Who looks.
        look: Why.
    """

    def __init__(self, connection: AsyncConnection, *, user: User, look: Look) -> None:
        self._rows = PassageRepository(connection)
        self._passages = PassageService(connection)
        self._audit = AuditService(connection)
        self._user = user
        self._look = look

    async def similar(
        self, passage_id: UUID, *, now: datetime
    ) -> tuple[Passage, tuple[SimilarReading, ...]]:
        """A passage, and others around its time that may be the same vehicle, the likeliest first.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
            PassageNotFoundError: There is none, or it lies outside the user's sites.
        """
        self._user.require(Permission.LOOK_UP_VEHICLES)
        passage = await self._passages.get(passage_id, scope=self._user.scope)
        found = await self._similar_to(passage.summary)
        await self._audit.record(
            self._entry(
                "similar_readings_looked_at",
                subject=("passage", str(passage_id)),
                detail={"found": len(found)},
                personal=_personal(passage.summary.plate_text),
                now=now,
            )
        )
        return passage, found

    async def export(self, wanted: PassageFilter, *, now: datetime) -> tuple[PassageSummary, ...]:
        """The newest passages that fit a filter, to take along: at most ``EXPORT_ROWS_MAX``.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
        """
        self._user.require(Permission.LOOK_UP_VEHICLES)
        kept: list[PassageSummary] = []
        request = PageRequest(size=PAGE_SIZE_MAX)
        while len(kept) < EXPORT_ROWS_MAX:
            page = await self._passages.search(wanted, request, scope=self._user.scope, now=now)
            kept.extend(page.passages)
            if page.next is None:
                break
            request = PageRequest(size=PAGE_SIZE_MAX, after=page.next)
        rows = tuple(kept[:EXPORT_ROWS_MAX])
        await self._audit.record(
            self._entry(
                "passages_exported",
                subject=("passage_list", "passages"),
                detail={**_told(wanted), "rows": len(rows)},
                personal=_personal(wanted.plate.text if wanted.plate else ""),
                now=now,
            )
        )
        return rows

    async def _similar_to(self, summary: PassageSummary) -> tuple[SimilarReading, ...]:
        if not summary.plate_text:
            return ()
        candidates = await self._rows.similar_candidates(
            summary.plate_text,
            since=summary.captured_at - SIMILAR_WITHIN,
            until=summary.captured_at + SIMILAR_WITHIN,
            threshold=SHARED_GROUPS_MIN,
            limit=CANDIDATES_MAX,
            scope=self._user.scope,
        )
        distances = {
            row.id: (reading_distance(row.plate_text, summary.plate_text), row.captured_at)
            for row in candidates
        }
        near = sorted(
            (distance, abs(at - summary.captured_at), passage_id, at)
            for passage_id, (distance, at) in distances.items()
            if distance <= DISTANCE_MAX
        )[:SIMILAR_SHOWN_MAX]
        passages = await self._passages.by_key(
            [(at, passage_id) for _, _, passage_id, at in near], scope=self._user.scope
        )
        return tuple(
            SimilarReading(passage=passages[passage_id], distance=distance)
            for distance, _, passage_id, _ in near
            if passage_id in passages
        )

    def _entry(
        self,
        action: str,
        *,
        subject: tuple[str, str],
        detail: Mapping[str, JsonValue],
        personal: Personal | None,
        now: datetime,
    ) -> AuditEntry:
        subject_kind, subject_id = subject
        return AuditEntry(
            occurred_at=now,
            actor=self._look.actor,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            purpose=self._look.purpose,
            case_reference=self._look.case_reference,
            detail=detail,
            personal=personal,
        )


def _personal(text: str) -> Personal | None:
    """A plate, or a pattern of one, sealed so that it can be erased."""
    return Personal(about=about_plate(text), facts={"plate": text}) if text else None


def _told(wanted: PassageFilter) -> dict[str, JsonValue]:
    """What was asked for, as the log keeps it in the clear; a plate is sealed elsewhere."""
    return {
        "from": wanted.captured_from.isoformat() if wanted.captured_from else None,
        "until": wanted.captured_until.isoformat() if wanted.captured_until else None,
        "sites": [
            *wanted.site_ids,
            *(f"{each.site_id}/{each.camera_id}" for each in wanted.cameras),
        ],
        "directions": [each.value for each in wanted.directions],
        "classes": [each.value for each in wanted.vehicle_classes],
    }
