# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking dossiers in, asking for supplements, and deciding.

Every act locks the dossier, asks the procedure whether the state and the user's role allow it, has
its guards look at the facts, and writes state, event, audit entry, papers and notice in the
caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import uuid4

from central.control.service import AlertService
from central.db.deferring import PRIORITY_LIVE, Job, defer_async
from central.documents.service import DocumentService
from central.documents.types import Subject, SubjectKind
from central.documents.values import DocumentValues
from central.domain.local_time import local_date
from central.errors import StaleVersionError
from central.identity.permissions import Permission
from central.identity.types import User
from central.procedures import forms
from central.procedures.clock import running_until, stopped_with, supplement_facts
from central.procedures.definition import NUMBER_CODE, ActionRule, Procedure, ResultKind
from central.procedures.errors import (
    ActionNotAllowedError,
    DossierNotFoundError,
    GuardRefusedError,
    InvalidRequestError,
    PapersMissingError,
    SerialsUsedUpError,
    SubmissionConflictError,
)
from central.procedures.guards import (
    KIND_FIELD,
    BadgePeriod,
    Situation,
    badge_period,
    is_required,
    look,
)
from central.procedures.reading import DossierReader, asked_papers
from central.procedures.repository import Change, NewEvent
from central.procedures.types import (
    NOTE_LENGTH_MAX,
    ActionName,
    Done,
    Dossier,
    DossierCode,
    DossierId,
    DossierState,
    Fact,
    FactOutcome,
    HandedIn,
    NewDossier,
    SupplementRequest,
    TakenIn,
    require_reason,
)
from central.registry.types import Badge, NewBadge, Origin, VehicleId

BADGE_TASK: Final = "issue_badge_document"
BADGE_FACT: Final = "badge_granted"
BADGE_SOURCE: Final = "dossier"
KIND_OF_THING: Final = "dossier"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A dossier that is about to change, with what the act rests on."""

    dossier: Dossier
    procedure: Procedure
    rule: ActionRule
    situation: Situation
    facts: tuple[Fact, ...]
    user: User
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """What an act leaves in the dossier's history besides its state."""

    note: str = ""
    papers: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


class DossierService(DossierReader):
    """What can be done with dossiers, in the caller's transaction.

    Every act on a dossier raises ``DossierNotFoundError``, ``PermissionDeniedError``,
    ``StaleVersionError``, ``ActionNotAllowedError`` when the state does not know it, and
    ``GuardRefusedError`` when the facts stand against it.
    """

    async def take_in(self, new: NewDossier, *, user: User, now: datetime) -> TakenIn:
        """Take a dossier in and make its receipt; the same submission key again changes nothing.

        Raises:
            PermissionDeniedError: The user may not take dossiers in.
            ProcedureNotFoundError: The procedure is not in force.
            InvalidRequestError: What is asked for does not fit the procedure.
            PapersMissingError: Required papers are missing; names all of them.
            GuardRefusedError: The procedure does not allow it for this vehicle.
            SubmissionConflictError: The key belongs to another dossier.
            CalendarNotCoveredError: The calendar ends before the appointment.
        """
        user.require(Permission.TAKE_IN_DOSSIERS)
        await self._rows.lock_submission(new.submission_key)
        known = await self._rows.by_submission(new.submission_key)
        if known is not None:
            return await self._repeated(new, known)
        procedure = await self._library.procedure(new.procedure_id, on=local_date(now))
        _check_against(procedure, new)
        rule = _rule(procedure, ActionName.TAKE_IN, state=None)
        user.require(rule.permission)
        situation = Situation(
            procedure=procedure,
            day=local_date(now),
            request=new.request,
            vehicle=await self._vehicle_facts(new.vehicle_id, now=now),
            applicant_id=new.applicant_id,
            taken_in_by=None,
            acting=user.username,
        )
        _refuse_missing(
            {each.paper for each in procedure.papers if is_required(each.required, situation)},
            new.papers,
            procedure,
        )
        facts = _looked(rule, situation)
        dossier = await self._added(new, procedure, user=user, now=now)
        case = _Case(
            dossier=dossier,
            procedure=procedure,
            rule=rule,
            situation=situation,
            facts=facts,
            user=user,
            now=now,
        )
        await self._remember(case, dossier, before=None, record=_Record(papers=_names(new.papers)))
        values = forms.receipt(await self._sheet(case), new.papers, received_by=user.display_name)
        await self._give_out(case, values)
        return TakenIn(dossier=dossier, facts=facts, is_repeat=False)

    async def request_supplement(
        self, code: str, wanted: SupplementRequest, *, version: int, user: User, now: datetime
    ) -> Done:
        """Stop the clock and ask for papers (Form 02)."""
        case = await self._case(
            code, ActionName.REQUEST_SUPPLEMENT, version=version, user=user, now=now
        )
        for name in wanted.papers:
            if case.procedure.paper(name) is None:
                raise InvalidRequestError("papers", "the procedure has no such paper")
        dossier, calendar = case.dossier, await self._library.calendar()
        done = await self._done(
            case,
            replace(
                _change(dossier, case.rule),
                remaining_minutes=stopped_with(calendar, due_at=dossier.due_at, now=now),
                supplements=dossier.supplements + 1,
            ),
            _Record(
                note=wanted.reason.strip(),
                papers=wanted.papers,
                facts=supplement_facts(calendar, dossier, case.procedure, now=now),
            ),
        )
        values = forms.supplement(
            await self._sheet(case),
            wanted.papers,
            wanted.reason.strip(),
            asked_by=user.display_name,
            now=now,
        )
        await self._give_out(case, values)
        return done

    async def receive_supplement(
        self,
        code: str,
        papers: tuple[HandedIn, ...],
        *,
        version: int,
        user: User,
        now: datetime,
    ) -> Done:
        """Put papers into the dossier and let the clock run on.

        Raises:
            PapersMissingError: Not everything that was asked for is there; names what is missing.
        """
        case = await self._case(
            code, ActionName.RECEIVE_SUPPLEMENT, version=version, user=user, now=now
        )
        dossier = case.dossier
        _check_papers(case.procedure, papers)
        asked = asked_papers(dossier, await self._rows.events(dossier.id))
        _refuse_missing(set(asked), papers, case.procedure)
        await self._rows.put_papers(dossier.id, papers, now=now)
        return await self._done(
            case,
            await self._running(case, _change(dossier, case.rule)),
            _Record(papers=_names(papers)),
        )

    async def approve(
        self, code: str, *, version: int, user: User, now: datetime, note: str = ""
    ) -> Done:
        """Grant what is asked for; a badge is in the registry with the same commit.

        Raises:
            BadgeConflictError: Another badge was issued for the vehicle meanwhile.
        """
        case = await self._case(code, ActionName.APPROVE, version=version, user=user, now=now)
        _check_note(note)
        granted: tuple[Fact, ...] = ()
        if case.procedure.result.kind is ResultKind.BADGE:
            granted = (await self._grant_badge(case),)
        return await self._done(
            case,
            replace(_change(case.dossier, case.rule), ended_at=now),
            _Record(note=note.strip(), facts=granted),
        )

    async def reject(
        self, code: str, reason: str, *, version: int, user: User, now: datetime
    ) -> Done:
        """Refuse, with the reason on paper (Form 03)."""
        require_reason(reason)
        case = await self._case(code, ActionName.REJECT, version=version, user=user, now=now)
        done = await self._ended(case, reason)
        values = forms.rejection(
            await self._sheet(case), reason.strip(), decided_by=user.display_name, now=now
        )
        await self._give_out(case, values)
        return done

    async def withdraw(
        self, code: str, reason: str, *, version: int, user: User, now: datetime
    ) -> Done:
        """End the dossier at the applicant's wish."""
        require_reason(reason)
        case = await self._case(code, ActionName.WITHDRAW, version=version, user=user, now=now)
        return await self._ended(case, reason)

    async def hand_over(self, code: str, *, version: int, user: User, now: datetime) -> Done:
        """Note that the applicant has the result."""
        case = await self._case(code, ActionName.HAND_OVER, version=version, user=user, now=now)
        return await self._done(case, _change(case.dossier, case.rule), _Record())

    async def _repeated(self, new: NewDossier, known: Dossier) -> TakenIn:
        """The dossier that was taken in with this key before.

        Raises:
            SubmissionConflictError: It is about something else.
        """
        is_same = (
            known.procedure_id == new.procedure_id
            and known.applicant_id == new.applicant_id
            and known.vehicle_id == new.vehicle_id
            and dict(known.request) == dict(new.request)
        )
        if not is_same:
            raise SubmissionConflictError(known.code)
        events = await self._rows.events(known.id)
        return TakenIn(dossier=known, facts=events[0].facts, is_repeat=True)

    async def _added(
        self, new: NewDossier, procedure: Procedure, *, user: User, now: datetime
    ) -> Dossier:
        """Keep a new dossier under a new code, with its appointment and its papers."""
        calendar = await self._library.calendar()
        dossier = Dossier(
            id=DossierId(uuid4()),
            code=await self._next_code(on=local_date(now)),
            procedure_id=procedure.id,
            procedure_version=procedure.version,
            channel=new.channel,
            state=DossierState.RECEIVED,
            version=1,
            applicant_id=new.applicant_id,
            taken_in_by=user.username,
            submitted_by=new.submitted_by.strip(),
            contact_phone=new.contact_phone,
            contact_email=new.contact_email,
            vehicle_id=new.vehicle_id,
            request=new.request,
            received_at=now,
            due_at=calendar.add_working_days(now, days=procedure.days.value),
            calendar_version=calendar.version,
            remaining_minutes=None,
            supplements=0,
            ended_at=None,
        )
        await self._registry.party(new.applicant_id)
        await self._rows.add(dossier, submission_key=new.submission_key)
        await self._rows.put_papers(dossier.id, new.papers, now=now)
        return dossier

    async def _next_code(self, *, on: date) -> DossierCode:
        agency = self._office.agency_code
        serial = await self._rows.next_serial(agency_code=agency, received_on=on)
        if serial is None:
            raise SerialsUsedUpError(on=on)
        return DossierCode(f"{agency}-{on:%y%m%d}-{serial:04}")

    async def _case(
        self, code: str, action: ActionName, *, version: int, user: User, now: datetime
    ) -> _Case:
        """Lock a dossier for an action and have its guards look."""
        user.require(Permission.SEE_DOSSIERS)
        dossier = await self._rows.lock(code)
        if dossier is None:
            raise DossierNotFoundError(code)
        procedure = await self._library.version(dossier.procedure_id, dossier.procedure_version)
        rule = _rule(procedure, action, state=dossier.state)
        user.require(rule.permission)
        if dossier.version != version:
            raise StaleVersionError(KIND_OF_THING)
        if dossier.state not in rule.from_states:
            raise ActionNotAllowedError(action=action, state=dossier.state)
        situation = await self._situation(dossier, procedure, user=user, now=now)
        return _Case(
            dossier=dossier,
            procedure=procedure,
            rule=rule,
            situation=situation,
            facts=_looked(rule, situation),
            user=user,
            now=now,
        )

    async def _ended(self, case: _Case, reason: str) -> Done:
        """End a dossier; one whose clock stands still gets the appointment that was left."""
        change = await self._running(case, _change(case.dossier, case.rule))
        return await self._done(
            case, replace(change, ended_at=case.now), _Record(note=reason.strip())
        )

    async def _running(self, case: _Case, change: Change) -> Change:
        """A change after which the clock no longer stands still."""
        left = case.dossier.remaining_minutes
        if left is None:
            return change
        calendar = await self._library.calendar()
        return replace(
            change,
            due_at=running_until(
                calendar, due_at=case.dossier.due_at, remaining_minutes=left, now=case.now
            ),
            calendar_version=calendar.version,
            remaining_minutes=None,
        )

    async def _done(self, case: _Case, change: Change, record: _Record) -> Done:
        """Store what an act leads to."""
        if not await self._rows.change(case.dossier, change):
            raise StaleVersionError(KIND_OF_THING)
        dossier = replace(
            case.dossier,
            state=change.state,
            version=case.dossier.version + 1,
            due_at=change.due_at,
            calendar_version=change.calendar_version,
            remaining_minutes=change.remaining_minutes,
            supplements=change.supplements,
            ended_at=change.ended_at,
        )
        await self._remember(case, dossier, before=case.dossier.state, record=record)
        return Done(
            dossier=dossier,
            facts=case.facts + record.facts,
            counts_as_late=dossier.is_late(now=case.now),
        )

    async def _remember(
        self, case: _Case, dossier: Dossier, *, before: DossierState | None, record: _Record
    ) -> None:
        """Write an act into the dossier's history and into the audit log."""
        await self._rows.add_event(
            dossier.id,
            NewEvent(
                occurred_at=case.now,
                action=case.rule.action,
                state_before=before,
                state_after=dossier.state,
                actor=case.user.username,
                note=record.note,
                due_at=dossier.due_at,
                papers=record.papers,
                facts=case.facts + record.facts,
            ),
        )
        await self._write_down(
            f"dossier_{case.rule.action.value}",
            dossier,
            user=case.user,
            now=case.now,
            detail={"version": dossier.version, "procedure": case.procedure.id},
        )

    async def _grant_badge(self, case: _Case) -> Fact:
        """Enter the badge, end the alerts that it answers, and have it put on paper."""
        vehicle_id, period = _vehicle_of(case.dossier), badge_period(case.situation)
        badge = await self._registry.issue_badge(
            NewBadge(
                number=case.procedure.result.number.value.replace(NUMBER_CODE, case.dossier.code),
                kind=str(case.dossier.request[KIND_FIELD]),
                vehicle_id=vehicle_id,
                party_id=case.dossier.applicant_id,
                valid_from=period.valid_from,
                valid_until=period.valid_until,
                dossier_code=case.dossier.code,
                origin=Origin(source=BADGE_SOURCE, as_of=case.situation.day),
            ),
            now=case.now,
        )
        if badge.holds_on(case.situation.day):
            await AlertService(self._connection).end_by_dossier(
                vehicle_id, dossier_code=case.dossier.code, now=case.now
            )
        await defer_async(
            self._connection,
            Job(
                task=BADGE_TASK,
                arguments={"dossier_id": str(case.dossier.id)},
                priority=PRIORITY_LIVE,
            ),
        )
        return _badge_fact(badge, case, period)

    async def _sheet(self, case: _Case) -> forms.Sheet:
        vehicle = case.situation.vehicle
        return forms.Sheet(
            office=self._office,
            dossier=case.dossier,
            procedure=case.procedure,
            applicant=await self._registry.party(case.dossier.applicant_id),
            plate=vehicle.plate if vehicle else None,
        )

    async def _give_out(self, case: _Case, values: DocumentValues) -> None:
        """Make a paper of the dossier in this transaction."""
        subject = Subject(kind=SubjectKind.DOSSIER, id=case.dossier.code)
        await DocumentService(self._connection).give_out(subject, values, now=case.now)


def _rule(procedure: Procedure, action: ActionName, *, state: DossierState | None) -> ActionRule:
    rule = procedure.action(action)
    if rule is None:
        raise ActionNotAllowedError(action=action, state=state or "")
    return rule


def _looked(rule: ActionRule, situation: Situation) -> tuple[Fact, ...]:
    """What the guards of an action find, unless it stands against the action.

    Raises:
        GuardRefusedError: Names the guards that refuse.
    """
    facts = look(rule, situation)
    against = [fact.name for fact in facts if fact.stands_against]
    if against:
        raise GuardRefusedError(action=rule.action, guards=against)
    return facts


def _change(dossier: Dossier, rule: ActionRule) -> Change:
    """What an action leads to when it touches nothing but the state."""
    return Change(
        state=rule.to_state,
        due_at=dossier.due_at,
        calendar_version=dossier.calendar_version,
        remaining_minutes=dossier.remaining_minutes,
        supplements=dossier.supplements,
        ended_at=dossier.ended_at,
    )


def _check_against(procedure: Procedure, new: NewDossier) -> None:
    """Stop unless what is asked for fits the procedure."""
    procedure.check_request(new.request)
    if new.channel not in procedure.channels:
        raise InvalidRequestError("channel", "the procedure has no such channel")
    if procedure.needs_vehicle is not (new.vehicle_id is not None):
        raise InvalidRequestError("vehicle_id", "is missing, or the procedure needs none")
    _check_papers(procedure, new.papers)


def _check_papers(procedure: Procedure, papers: Sequence[HandedIn]) -> None:
    """Stop unless every paper is one of the procedure's, in a form that is accepted."""
    if len(set(_names(papers))) != len(papers):
        raise InvalidRequestError("papers", "a paper stands twice")
    for each in papers:
        rule = procedure.paper(each.paper)
        if rule is None or each.form not in rule.forms:
            raise InvalidRequestError("papers", "the procedure has no such paper in this form")


def _refuse_missing(wanted: set[str], papers: Sequence[HandedIn], procedure: Procedure) -> None:
    """Stop unless everything that is wanted was handed in."""
    missing = wanted - set(_names(papers))
    if missing:
        raise PapersMissingError([each.paper for each in procedure.papers if each.paper in missing])


def _check_note(note: str) -> None:
    if note.strip():
        require_reason(note)
    elif len(note) > NOTE_LENGTH_MAX:
        raise InvalidRequestError("note", f"need at most {NOTE_LENGTH_MAX} letters")


def _names(papers: Sequence[HandedIn]) -> tuple[str, ...]:
    return tuple(each.paper for each in papers)


def _vehicle_of(dossier: Dossier) -> VehicleId:
    if dossier.vehicle_id is None:
        raise AssertionError("a badge procedure needs a vehicle; its file was checked for it")
    return dossier.vehicle_id


def _badge_fact(badge: Badge, case: _Case, period: BadgePeriod) -> Fact:
    """What was granted, as the badge's paper will say it."""
    plate = case.situation.vehicle.plate if case.situation.vehicle else None
    return Fact(
        name=BADGE_FACT,
        outcome=FactOutcome.HOLDS,
        values={
            "badge_id": str(badge.id),
            "badge_number": badge.number,
            "badge_kind": badge.kind,
            "valid_from": period.valid_from.isoformat(),
            "valid_until": period.valid_until.isoformat(),
            "plate_text": plate.text if plate else None,
            "plate_colour": plate.colour.value if plate else None,
        },
        is_obstacle=False,
        source=None,
        as_of=None,
        legal_basis=case.procedure.legal_basis,
    )
