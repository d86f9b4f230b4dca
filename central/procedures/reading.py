# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking at dossiers: lists, one with everything about it, and what citizens may know."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import (
    Actor,
    ActorKind,
    AuditEntry,
    JsonValue,
    Personal,
    Purpose,
    about_vehicle,
)
from central.domain.local_time import local_date
from central.identity.permissions import Permission
from central.identity.types import User
from central.notify.service import NoticeService
from central.procedures.errors import DossierNoLongerPublicError, DossierNotFoundError
from central.procedures.notices import SUBJECT_KIND
from central.procedures.repository import DossierRepository
from central.procedures.rows import SummaryRow
from central.procedures.rulebook.definition import Procedure
from central.procedures.rulebook.guards import is_required, look
from central.procedures.rulebook.library import ProcedureLibrary
from central.procedures.rulebook.situation import Situation
from central.procedures.types import (
    ActionName,
    Dossier,
    DossierCode,
    DossierEvent,
    DossierId,
    DossierState,
    Fact,
    Paper,
    RequestValue,
    is_late,
)
from central.procedures.views import (
    DossierCursor,
    DossierFilter,
    DossierPage,
    DossierPageRequest,
    DossierRecord,
    DossierSummary,
    OpenState,
    PaperLine,
    PossibleAction,
    PublicNotice,
    PublicStatus,
)
from central.registry.errors import VehicleNotFoundError
from central.registry.service import RegistryService
from central.registry.types import PartyId, VehicleFacts, VehicleId
from central.settings import NotifySettings, OfficeSettings

PUBLIC_FOR: Final = timedelta(days=180)
"""How long after its end anybody with the code may see how a dossier ended. Longer: of use to more
applicants, and to those who try out old codes."""

OF_VEHICLE_MAX: Final = 100


class DossierReader:
    """What can be known of dossiers, in the caller's transaction.

    Args:
        office: Who takes dossiers in: code, name and address of the centre.
        notify: How e-mails to applicants leave the house.
        actor: Who acts, as the audit log names them; made of the user when absent.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        office: OfficeSettings,
        notify: NotifySettings,
        actor: Actor | None = None,
    ) -> None:
        self._connection = connection
        self._office = office
        self._notify = notify
        self._actor = actor
        self._rows = DossierRepository(connection)
        self._library = ProcedureLibrary(connection)
        self._registry = RegistryService(connection)
        self._audit = AuditService(connection)

    async def procedures(self, *, user: User, on: date) -> tuple[Procedure, ...]:
        """Procedures in force on a day, by id (permission SEE_DOSSIERS)."""
        user.require(Permission.SEE_DOSSIERS)
        return await self._library.in_force(on=on)

    async def procedure(self, procedure_id: str, *, user: User, on: date) -> Procedure:
        """One procedure in the version in force on a day (permission SEE_DOSSIERS).

        Raises:
            ProcedureNotFoundError: None is in force.
        """
        user.require(Permission.SEE_DOSSIERS)
        return await self._library.procedure(procedure_id, on=on)

    async def dossier(self, code: str, *, user: User, now: datetime) -> DossierRecord:
        """Everything about one dossier; the look is audited.

        Raises:
            PermissionDeniedError: The user may not see dossiers.
            DossierNotFoundError: No dossier has this code.
        """
        user.require(Permission.SEE_DOSSIERS)
        dossier = await self._rows.by_code(code)
        if dossier is None:
            raise DossierNotFoundError(code)
        procedure = await self._library.version(dossier.procedure_id, dossier.procedure_version)
        situation = await self._situation(dossier, procedure, user=user, now=now)
        events = await self._rows.events(dossier.id)
        await self._write_down("dossier_looked_up", dossier, user=user, now=now)
        return DossierRecord(
            dossier=dossier,
            procedure_name=procedure.name,
            state_name=procedure.state(dossier.state).name,
            applicant=await self._registry.party(dossier.applicant_id),
            vehicle=situation.vehicle.vehicle if situation.vehicle else None,
            papers=_paper_lines(
                procedure,
                situation,
                await self._rows.papers(dossier.id),
                asked_papers(dossier, events),
            ),
            facts=_facts_today(dossier, events, situation),
            actions=_possible_actions(dossier, procedure, user),
            events=events,
        )

    async def list_dossiers(
        self, wanted: DossierFilter, page: DossierPageRequest, *, user: User, now: datetime
    ) -> DossierPage:
        """One page of dossiers: open ones by appointment, overdue first.

        Raises:
            PermissionDeniedError: The user may not see dossiers.
        """
        user.require(Permission.SEE_DOSSIERS)
        rows, has_more = await self._rows.page(wanted, page)
        is_open = wanted.open_state is OpenState.OPEN
        after = _cursor(rows[-1], is_open=is_open) if has_more else None
        return DossierPage(dossiers=await self._summaries(rows, now=now), next=after)

    async def count_open(self, *, user: User, now: datetime) -> Mapping[str, int]:
        """How many dossiers are ``open``, ``overdue`` and ``supplement_requested``.

        Raises:
            PermissionDeniedError: The user may not see dossiers.
        """
        user.require(Permission.SEE_DOSSIERS)
        counted = await self._rows.count_open(now=now)
        return {
            "open": counted.open,
            "overdue": counted.overdue,
            DossierState.SUPPLEMENT_REQUESTED.value: counted.paused,
        }

    async def dossiers_of_vehicle(
        self, vehicle_id: VehicleId, *, user: User, now: datetime, limit: int = 20
    ) -> tuple[DossierSummary, ...]:
        """Newest dossiers about a vehicle; empty for users who may not see dossiers."""
        if not user.may(Permission.SEE_DOSSIERS):
            return ()
        rows = await self._rows.of_vehicle(vehicle_id, limit=min(limit, OF_VEHICLE_MAX))
        return await self._summaries(rows, now=now)

    async def public_status(self, code: str, *, now: datetime) -> PublicStatus:
        """What anybody with the code may know.

        Raises:
            DossierNotFoundError: No dossier has this code.
            DossierNoLongerPublicError: It ended too long ago.
        """
        dossier = await self._rows.by_code(code)
        if dossier is None:
            raise DossierNotFoundError(code)
        if dossier.ended_at is not None and dossier.ended_at + PUBLIC_FOR < now:
            raise DossierNoLongerPublicError(code)
        procedure = await self._library.version(dossier.procedure_id, dossier.procedure_version)
        events = await self._rows.events(dossier.id)
        missing = [procedure.paper(name) for name in asked_papers(dossier, events)]
        is_running = dossier.state is DossierState.RECEIVED
        return PublicStatus(
            code=dossier.code,
            procedure_name=procedure.name,
            state=dossier.state,
            state_name=procedure.state(dossier.state).public_name,
            received_at=dossier.received_at,
            due_at=dossier.due_at if is_running else None,
            ended_at=dossier.ended_at,
            missing=tuple(paper.name for paper in missing if paper is not None),
            notices=await self._public_notices(dossier.code),
        )

    async def _public_notices(self, code: DossierCode) -> tuple[PublicNotice, ...]:
        """What the applicant was told, newest first."""
        notices = NoticeService(self._connection, settings=self._notify)
        return tuple(
            PublicNotice(at=each.created_at, title=each.title, body=each.body)
            for each in await notices.on_page(subject_kind=SUBJECT_KIND, subject_id=code)
        )

    async def _situation(
        self, dossier: Dossier, procedure: Procedure, *, user: User, now: datetime
    ) -> Situation:
        """What guards may look at today."""
        return await self._situation_of(
            procedure,
            request=dossier.request,
            vehicle_id=dossier.vehicle_id,
            applicant_id=dossier.applicant_id,
            taken_in_by=dossier.taken_in_by,
            user=user,
            now=now,
        )

    async def _situation_of(
        self,
        procedure: Procedure,
        *,
        request: Mapping[str, RequestValue],
        vehicle_id: VehicleId | None,
        applicant_id: PartyId,
        taken_in_by: str | None,
        user: User,
        now: datetime,
    ) -> Situation:
        """What guards may look at for something that is asked for.

        Raises:
            VehicleNotFoundError: No vehicle has this id.
        """
        vehicle = await self._vehicle_facts(vehicle_id, now=now)
        return Situation(
            procedure=procedure,
            day=local_date(now),
            request=request,
            vehicle=vehicle,
            applicant_id=applicant_id,
            taken_in_by=taken_in_by,
            acting=user.username,
            permits=await self._registry.permits_of(vehicle.vehicle.id) if vehicle else (),
            transport_licences=await self._registry.transport_licences_of(applicant_id),
        )

    async def _vehicle_facts(
        self, vehicle_id: VehicleId | None, *, now: datetime
    ) -> VehicleFacts | None:
        """What the registry knows of a vehicle today; ``None`` without a vehicle.

        Raises:
            VehicleNotFoundError: No vehicle has this id.
        """
        if vehicle_id is None:
            return None
        facts = await self._registry.facts_of(vehicle_id, on=local_date(now))
        if facts is None:
            raise VehicleNotFoundError(vehicle_id)
        return facts

    async def _summaries(
        self, rows: Sequence[SummaryRow], *, now: datetime
    ) -> tuple[DossierSummary, ...]:
        """Rows of a list in the words of their procedures."""
        return tuple(
            [
                _summary(
                    row,
                    await self._library.version(row.procedure_id, row.procedure_version),
                    now=now,
                )
                for row in rows
            ]
        )

    async def _write_down(
        self,
        act: str,
        dossier: Dossier,
        *,
        user: User,
        now: datetime,
        detail: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Write an act into the audit log."""
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor or Actor(kind=ActorKind.USER, name=user.username, role=user.role),
                action=act,
                subject_kind="dossier",
                subject_id=dossier.code,
                purpose=Purpose.DOSSIER,
                case_reference=dossier.code,
                detail=detail or {},
                personal=(
                    Personal(about=about_vehicle(dossier.vehicle_id))
                    if dossier.vehicle_id is not None
                    else None
                ),
            )
        )


def asked_papers(dossier: Dossier, events: Sequence[DossierEvent]) -> tuple[str, ...]:
    """Papers that the open request for a supplement names; none when there is no such request."""
    if dossier.state is not DossierState.SUPPLEMENT_REQUESTED:
        return ()
    asking = [each for each in events if each.action is ActionName.REQUEST_SUPPLEMENT]
    return asking[-1].papers if asking else ()


def _paper_lines(
    procedure: Procedure, situation: Situation, papers: Sequence[Paper], asked: Sequence[str]
) -> tuple[PaperLine, ...]:
    """Every paper of the procedure beside what was handed in of it."""
    handed_in = {each.paper: each for each in papers}
    return tuple(
        PaperLine(
            paper=rule.paper,
            name=rule.name,
            is_required=is_required(rule.required, situation),
            handed_in=handed_in.get(rule.paper),
            is_asked_for=rule.paper in asked,
        )
        for rule in procedure.papers
    )


def _facts_today(
    dossier: Dossier, events: Sequence[DossierEvent], situation: Situation
) -> tuple[Fact, ...]:
    """What stands for or against an approval today; of an ended dossier, what its end rested on."""
    if not dossier.is_open:
        return next((each.facts for each in events if each.is_ending), ())
    rule = situation.procedure.action(ActionName.APPROVE)
    return look(rule, situation) if rule else ()


def _possible_actions(
    dossier: Dossier, procedure: Procedure, user: User
) -> tuple[PossibleAction, ...]:
    return tuple(
        PossibleAction(action=rule.action, name=rule.name, needs_reason=rule.needs_reason)
        for rule in procedure.actions_from(dossier.state)
        if user.may(rule.permission)
    )


def _cursor(row: SummaryRow, *, is_open: bool) -> DossierCursor:
    at = row.due_at if is_open or row.ended_at is None else row.ended_at
    return DossierCursor(
        at=at, dossier_id=row.id, is_paused=is_open and row.remaining_minutes is not None
    )


def _summary(row: SummaryRow, procedure: Procedure, *, now: datetime) -> DossierSummary:
    state = DossierState(row.state)
    return DossierSummary(
        id=DossierId(row.id),
        code=DossierCode(row.code),
        procedure_id=row.procedure_id,
        procedure_name=procedure.name,
        state=state,
        state_name=procedure.state(state).name,
        applicant_name=row.applicant_name,
        plate_text=row.plate_text,
        received_at=row.received_at,
        due_at=row.due_at,
        remaining_minutes=row.remaining_minutes,
        supplements=row.supplements,
        ended_at=row.ended_at,
        is_late=is_late(
            due_at=row.due_at,
            ended_at=row.ended_at,
            remaining_minutes=row.remaining_minutes,
            supplements=row.supplements,
            now=now,
        ),
    )
