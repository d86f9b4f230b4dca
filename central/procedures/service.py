# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking dossiers in, asking for supplements, and deciding.

Every act locks the dossier, asks the procedure whether the state and the user's role allow it, has
its guards look at the facts, and writes state, event, audit entry, papers and notice in the
caller's transaction.
"""

from dataclasses import replace
from datetime import date, datetime
from uuid import uuid4

from central.documents.errors import SigningKeyError
from central.documents.service import DocumentService
from central.documents.types import SigningKey, Subject, SubjectKind
from central.domain.local_time import local_date
from central.identity.permissions import Permission
from central.identity.types import User
from central.procedures import forms
from central.procedures.clock import stopped_with, supplement_facts
from central.procedures.desk import (
    Case,
    DossierDesk,
    Record,
    change_of,
    check_against,
    check_papers,
    looked,
    names_of,
    refuse_missing,
    rule_of,
)
from central.procedures.errors import (
    InvalidRequestError,
    SerialsUsedUpError,
    SubmissionConflictError,
)
from central.procedures.granted import granted
from central.procedures.reading import asked_papers
from central.procedures.results import ResultGranter
from central.procedures.rulebook.definition import Procedure
from central.procedures.rulebook.guards import (
    is_required,
)
from central.procedures.types import (
    NOTE_LENGTH_MAX,
    ActionName,
    Done,
    Dossier,
    DossierCode,
    DossierId,
    DossierState,
    HandedIn,
    NewDossier,
    SupplementRequest,
    TakenIn,
    require_reason,
)


class DossierService(DossierDesk):
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
        check_against(procedure, new)
        rule = rule_of(procedure, ActionName.TAKE_IN, state=None)
        user.require(rule.permission)
        situation = await self._situation_of(
            procedure,
            request=new.request,
            vehicle_id=new.vehicle_id,
            applicant_id=new.applicant_id,
            taken_in_by=None,
            user=user,
            now=now,
        )
        refuse_missing(
            {each.paper for each in procedure.papers if is_required(each.required, situation)},
            new.papers,
            procedure,
        )
        facts = looked(rule, situation)
        dossier = await self._added(new, procedure, user=user, now=now)
        case = Case(
            dossier=dossier,
            procedure=procedure,
            rule=rule,
            situation=situation,
            facts=facts,
            user=user,
            now=now,
        )
        await self._remember(case, dossier, before=None, record=Record(papers=names_of(new.papers)))
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
                change_of(dossier, case.rule),
                remaining_minutes=stopped_with(calendar, due_at=dossier.due_at, now=now),
                supplements=dossier.supplements + 1,
            ),
            Record(
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
        check_papers(case.procedure, papers)
        asked = asked_papers(dossier, await self._rows.events(dossier.id))
        refuse_missing(set(asked), papers, case.procedure)
        await self._rows.put_papers(dossier.id, papers, now=now)
        return await self._done(
            case,
            await self._running(case, change_of(dossier, case.rule)),
            Record(papers=names_of(papers)),
        )

    async def approve(
        self, code: str, *, version: int, user: User, now: datetime, note: str = ""
    ) -> Done:
        """Grant what is asked for; a badge or permit is in the registry with the same commit.

        Raises:
            BadgeConflictError: Another badge was issued for the vehicle meanwhile.
            PermitConflictError: Another permit of the kind was issued meanwhile.
        """
        case = await self._case(code, ActionName.APPROVE, version=version, user=user, now=now)
        _check_note(note)
        facts = await ResultGranter(self._connection).grant(case)
        return await self._done(
            case,
            replace(change_of(case.dossier, case.rule), ended_at=now),
            Record(note=note.strip(), facts=facts),
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
        return await self._done(case, change_of(case.dossier, case.rule), Record())

    async def make_result_document(
        self, dossier_id: DossierId, *, key: SigningKey | None, now: datetime
    ) -> bool:
        """Put what was granted on signed paper; again, it changes nothing. For the job.

        Returns:
            Whether the paper is new.

        Raises:
            SigningKeyError: There is no key, or it is unfit: no result is given out unsigned.
        """
        if key is None:
            raise SigningKeyError("none is set; a result is not given out unsigned")
        dossier = await self._rows.by_id(dossier_id)
        found = granted(await self._rows.events(dossier_id))
        if dossier is None or found is None:
            return False
        sheet = forms.Sheet(
            office=self._office,
            dossier=dossier,
            procedure=await self._library.version(dossier.procedure_id, dossier.procedure_version),
            applicant=await self._registry.party(dossier.applicant_id),
            plate=found.plate,
        )
        made = await DocumentService(self._connection).give_out(
            Subject(kind=SubjectKind.DOSSIER, id=dossier.code),
            forms.result(sheet, found),
            now=now,
            key=key,
        )
        return made.is_new

    async def _repeated(self, new: NewDossier, known: Dossier) -> TakenIn:
        """The dossier that was taken in with this key before.

        Raises:
            SubmissionConflictError: It is about something else.
        """
        if _wish_of(known) != _wish_of(new):
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


def _wish_of(asked: Dossier | NewDossier) -> tuple[object, ...]:
    """What makes two requests the same; papers may have been added to a dossier meanwhile."""
    return (
        asked.procedure_id,
        asked.channel,
        asked.applicant_id,
        asked.submitted_by.strip(),
        asked.contact_phone,
        asked.contact_email,
        asked.vehicle_id,
        dict(asked.request),
    )


def _check_note(note: str) -> None:
    if note.strip():
        require_reason(note)
    elif len(note) > NOTE_LENGTH_MAX:
        raise InvalidRequestError("note", f"need at most {NOTE_LENGTH_MAX} letters")
