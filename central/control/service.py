# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alerts: lists, one with everything about it, what people do with it, and the live feed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import (
    Actor,
    AuditEntry,
    JsonValue,
    Personal,
    about_plate,
    about_vehicle,
)
from central.control.errors import AlertNotFoundError, AlertStateError
from central.control.repository import ControlRepository
from central.control.rows import facts_of
from central.control.types import (
    ALERT_CHANNEL,
    Alert,
    AlertFeedPage,
    AlertFilter,
    AlertId,
    AlertPage,
    AlertRecord,
    AlertState,
    ClosingReason,
    LatePage,
    LateSighting,
    ListRequest,
    SeenAlert,
    Sighting,
)
from central.domain.control_law import ControlLaw, Ending, RuleName, control_law
from central.domain.scope import SiteScope
from central.errors import StaleVersionError
from central.identity.permissions import Permission
from central.identity.types import User
from central.passages.service import PassageService
from central.registry.types import VehicleId
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.types import EventType, Happening

FEED_ROWS_MAX: Final = 200
SIGHTINGS_SHOWN_MAX: Final = 50
COUNT_MAX: Final = 1000
_TOLD: Final = {
    AlertState.ACKNOWLEDGED: EventType.ALERT_ACKNOWLEDGED,
    AlertState.CLOSED: EventType.ALERT_CLOSED,
}
"""What webhooks are told of an alert that somebody brought into a state."""


class AlertService:
    """What can be done with alerts, in the caller's transaction.

    Args:
        connection: A connection whose transaction belongs to the caller.
        law: Which rules an event ends; those of the package when absent.
    """

    def __init__(self, connection: AsyncConnection, *, law: ControlLaw | None = None) -> None:
        self._rows = ControlRepository(connection)
        self._passages = PassageService(connection)
        self._audit = AuditService(connection)
        self._outbox = WebhookOutbox(connection)
        self._law = law or control_law()

    async def list_alerts(self, wanted: AlertFilter, page: ListRequest, *, user: User) -> AlertPage:
        """One page of alerts, the most recently sighted first.

        Raises:
            PermissionDeniedError: The user may not see alerts.
        """
        user.require(Permission.SEE_ALERTS)
        return await self._page(wanted, page, scope=user.scope)

    async def alerts_of_vehicle(
        self, vehicle_id: UUID, page: ListRequest, *, user: User
    ) -> AlertPage:
        """Alerts about one vehicle; whoever looked the vehicle up sees them.

        Raises:
            PermissionDeniedError: The user may not look vehicles up.
        """
        user.require(Permission.LOOK_UP_VEHICLES)
        wanted = AlertFilter(vehicle_id=VehicleId(vehicle_id))
        return await self._page(wanted, page, scope=user.scope)

    async def late_sightings(
        self, rule: RuleName | None, page: ListRequest, *, user: User
    ) -> LatePage:
        """One page of late passages that fitted rules and raised nothing, newest first.

        Raises:
            PermissionDeniedError: The user may not see alerts.
        """
        user.require(Permission.SEE_ALERTS)
        rows = await self._rows.late(rule, page, user.scope)
        shown = rows[: page.size]
        passages = await self._passages.by_key(
            [(row.captured_at, row.passage_id) for row in shown], scope=user.scope
        )
        sightings = tuple(
            LateSighting(
                passage_id=row.passage_id,
                captured_at=row.captured_at,
                rules=tuple(map(RuleName, row.rules)),
                passage=passages.get(row.passage_id),
            )
            for row in shown
        )
        has_more = len(rows) > page.size
        return LatePage(sightings=sightings, next=sightings[-1].cursor if has_more else None)

    async def count_open(self, *, user: User) -> int:
        """How many alerts nobody has taken yet; counts up to ``COUNT_MAX``.

        Raises:
            PermissionDeniedError: The user may not see alerts.
        """
        user.require(Permission.SEE_ALERTS)
        return await self._rows.count({AlertState.OPEN}, user.scope, limit=COUNT_MAX)

    async def alert(
        self, alert_id: UUID, *, user: User, actor: Actor, now: datetime
    ) -> AlertRecord:
        """One alert with its newest sightings; that it was opened is written down.

        Raises:
            PermissionDeniedError: The user may not see alerts.
            AlertNotFoundError: There is none, or it lies outside the user's sites.
        """
        user.require(Permission.SEE_ALERTS)
        found = await self._rows.by_id([alert_id], user.scope)
        if not found:
            raise AlertNotFoundError(alert_id)
        (seen,) = await self._seen(found, user.scope)
        rows = await self._rows.sightings(seen.alert.id, user.scope, limit=SIGHTINGS_SHOWN_MAX)
        passages = await self._passages.by_key(
            [(row.captured_at, row.passage_id) for row in rows], scope=user.scope
        )
        alert = seen.alert
        await self._write_down(
            "alert_opened",
            alert_id,
            actor=actor,
            now=now,
            personal=Personal(
                about=about_vehicle(alert.vehicle_id)
                if alert.vehicle_id is not None
                else about_plate(alert.plate_text)
            ),
        )
        return AlertRecord(
            seen=seen,
            sightings=tuple(
                Sighting(
                    passage_id=row.passage_id,
                    captured_at=row.captured_at,
                    is_late=row.is_late,
                    judged_at=row.judged_at,
                    facts=facts_of(row.facts),
                    passage=passages.get(row.passage_id),
                )
                for row in rows
            ),
        )

    async def acknowledge(
        self, alert_id: UUID, *, version: int, user: User, actor: Actor, now: datetime
    ) -> None:
        """Say that one looks after an alert.

        Raises:
            PermissionDeniedError: The user may not handle alerts.
            AlertNotFoundError: There is none, or it lies outside the user's sites.
            StaleVersionError: Somebody acted on it meanwhile.
            AlertStateError: It is not open.
        """
        user.require(Permission.HANDLE_ALERTS)
        alert = await self._locked(alert_id, version=version, allowed={AlertState.OPEN}, user=user)
        await self._rows.acknowledge(alert, username=user.username, now=now)
        await self._write_down("alert_acknowledged", alert, actor=actor, now=now)
        await self._announce({alert}, now=now)

    async def close(
        self,
        alert_id: UUID,
        *,
        version: int,
        reason: ClosingReason,
        note: str,
        user: User,
        actor: Actor,
        now: datetime,
    ) -> None:
        """End an alert with a reason from the list; the next sighting opens a new one.

        Raises:
            PermissionDeniedError: The user may not handle alerts.
            AlertNotFoundError: There is none, or it lies outside the user's sites.
            StaleVersionError: Somebody acted on it meanwhile.
            AlertStateError: It is closed, or the reason is not for people to choose.
        """
        user.require(Permission.HANDLE_ALERTS)
        alert = await self._locked(
            alert_id,
            version=version,
            allowed={AlertState.OPEN, AlertState.ACKNOWLEDGED},
            user=user,
        )
        if reason is ClosingReason.ENDED_BY_DOSSIER:
            raise AlertStateError(alert_id, state="to be ended by a dossier only")
        await self._rows.close(
            alert, reason=reason, note=note.strip(), username=user.username, now=now
        )
        await self._write_down(
            "alert_closed", alert, actor=actor, now=now, detail={"reason": reason.value}
        )
        await self._announce({alert}, now=now)

    async def end_by_dossier(
        self,
        vehicle_id: UUID,
        *,
        dossier_code: str,
        now: datetime,
        ending: Ending = Ending.BADGE_GRANTED,
    ) -> int:
        """Close the alerts about a vehicle that a decision put right; returns how many.

        Call it in the decision's transaction, after the registry has the new fact: a judgement
        that runs at the same time then waits, and reads the new fact.
        """
        await self._rows.lock({str(vehicle_id)})
        ended = await self._rows.close_by_dossier(
            vehicle_id, rules=self._law.ended_by(ending), dossier_code=dossier_code, now=now
        )
        for alert_id in ended:
            await self._write_down(
                "alert_ended_by_dossier",
                alert_id,
                actor=Actor.service("procedures"),
                now=now,
                detail={"dossier_code": dossier_code},
            )
        if ended:
            await self._announce(set(ended), now=now)
        return len(ended)

    async def feed_position(self) -> int:
        """Where the live feed of alerts ends at present."""
        return await self._rows.feed_position()

    async def feed_after(self, position: int, *, scope: SiteScope) -> AlertFeedPage:
        """Alerts that changed after a position, each once and as it is now.

        Nothing is skipped: a smaller position can't appear later. For live pages, which check
        their user's permission before they follow.
        """
        rows = await self._rows.feed_after(position, limit=FEED_ROWS_MAX)
        if not rows:
            return AlertFeedPage(alerts=(), position=position)
        alerts = await self._rows.by_id({alert_id for _, alert_id in rows}, scope)
        return AlertFeedPage(alerts=await self._seen(alerts, scope), position=rows[-1][0])

    async def forget_feed(self, *, before: datetime, limit: int) -> int:
        """Delete at most ``limit`` old entries of the feed; returns how many went."""
        return await self._rows.forget_feed(before=before, limit=limit)

    async def _page(self, wanted: AlertFilter, page: ListRequest, *, scope: SiteScope) -> AlertPage:
        """One page of alerts with their newest sightings."""
        rows = await self._rows.alerts(wanted, page, scope)
        shown = await self._seen(rows[: page.size], scope)
        has_more = len(rows) > page.size
        return AlertPage(alerts=shown, next=shown[-1].alert.cursor if has_more else None)

    async def _seen(self, alerts: Sequence[Alert], scope: SiteScope) -> tuple[SeenAlert, ...]:
        """Alerts with their newest sightings."""
        passages = await self._passages.by_key(
            [(each.last_sighted_at, each.passage_id) for each in alerts], scope=scope
        )
        return tuple(
            SeenAlert(alert=each, passage=passages.get(each.passage_id)) for each in alerts
        )

    async def _locked(
        self, alert_id: UUID, *, version: int, allowed: set[AlertState], user: User
    ) -> AlertId:
        """The alert, locked, if it is as the caller saw it."""
        alert = AlertId(alert_id)
        locked = await self._rows.lock_alert(alert, user.scope)
        if locked is None:
            raise AlertNotFoundError(alert_id)
        if locked.version != version:
            raise StaleVersionError("alert")
        if locked.state not in allowed:
            raise AlertStateError(alert_id, state=locked.state)
        return alert

    async def _announce(self, alert_ids: set[UUID] | set[AlertId], *, now: datetime) -> None:
        """Tell webhooks and live pages."""
        alerts = await self._rows.by_id(set(alert_ids), SiteScope.everything())
        await self._outbox.put(
            [
                Happening(
                    type=_TOLD[each.state],
                    subject="alert",
                    subject_id=str(each.id),
                    site_id=each.site_id,
                    state=each.state.value,
                    rule=each.rule.value,
                    path=f"/v1/alerts/{each.id}",
                )
                for each in alerts
                if each.state in _TOLD
            ],
            now=now,
        )
        await self._rows.announce(alert_ids, channel=ALERT_CHANNEL, now=now)

    async def _write_down(
        self,
        action: str,
        alert_id: UUID,
        *,
        actor: Actor,
        now: datetime,
        detail: Mapping[str, JsonValue] | None = None,
        personal: Personal | None = None,
    ) -> None:
        """Write an act on an alert into the audit log."""
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action=action,
                subject_kind="alert",
                subject_id=str(alert_id),
                detail=detail or {},
                personal=personal,
            )
        )
