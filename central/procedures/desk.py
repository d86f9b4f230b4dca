# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every act on a dossier has in common: lock, ask the procedure, store, remember, tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from central.documents.layout import DocumentValues
from central.documents.service import DocumentService
from central.documents.types import Subject, SubjectKind
from central.domain.working_time import CalendarNotCoveredError
from central.errors import StaleVersionError
from central.identity.permissions import Permission
from central.identity.types import User
from central.notify.service import NoticeService
from central.procedures.clock import running_until
from central.procedures.errors import (
    ActionNotAllowedError,
    DossierNotFoundError,
    GuardRefusedError,
    InvalidRequestError,
    PapersMissingError,
)
from central.procedures.forms import Sheet
from central.procedures.notices import notice_of
from central.procedures.reading import DossierReader
from central.procedures.repository import Change, NewEvent
from central.procedures.rulebook.definition import ActionRule, Procedure
from central.procedures.rulebook.guards import look
from central.procedures.rulebook.situation import Situation
from central.procedures.types import (
    ActionName,
    Done,
    Dossier,
    DossierState,
    Fact,
    HandedIn,
    NewDossier,
)
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.types import EventType, Happening

KIND_OF_THING: Final = "dossier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A dossier that is about to change, with what the act rests on."""

    dossier: Dossier
    procedure: Procedure
    rule: ActionRule
    situation: Situation
    facts: tuple[Fact, ...]
    user: User
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an act leaves in the dossier's history besides its state."""

    note: str = ""
    papers: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


class DossierDesk(DossierReader):
    """The steps that acts are made of, in the caller's transaction."""

    async def _case(
        self, code: str, action: ActionName, *, version: int, user: User, now: datetime
    ) -> Case:
        """Lock a dossier for an action and have its guards look."""
        user.require(Permission.SEE_DOSSIERS)
        dossier = await self._rows.lock(code)
        if dossier is None:
            raise DossierNotFoundError(code)
        procedure = await self._library.version(dossier.procedure_id, dossier.procedure_version)
        rule = rule_of(procedure, action, state=dossier.state)
        user.require(rule.permission)
        if dossier.version != version:
            raise StaleVersionError(KIND_OF_THING)
        if dossier.state not in rule.from_states:
            raise ActionNotAllowedError(action=action, state=dossier.state)
        situation = await self._situation(dossier, procedure, user=user, now=now)
        return Case(
            dossier=dossier,
            procedure=procedure,
            rule=rule,
            situation=situation,
            facts=looked(rule, situation),
            user=user,
            now=now,
        )

    async def _done(self, case: Case, change: Change, record: Record) -> Done:
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
        self, case: Case, dossier: Dossier, *, before: DossierState | None, record: Record
    ) -> None:
        """Write an act into the dossier's history and into the audit log, and post a notice."""
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
        await WebhookOutbox(self._connection).put(
            [
                Happening(
                    type=EventType.DOSSIER_CHANGED,
                    subject="dossier",
                    subject_id=str(dossier.id),
                    state=dossier.state.value,
                )
            ],
            now=case.now,
        )
        applicant = await self._registry.party(dossier.applicant_id)
        notice = notice_of(
            case.rule.action,
            dossier,
            case.procedure,
            papers=record.papers,
            email=dossier.contact_email or applicant.email,
        )
        await NoticeService(self._connection, settings=self._notify).post(notice, now=case.now)

    async def _running(self, case: Case, change: Change) -> Change:
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

    async def _ended(self, case: Case, reason: str) -> Done:
        """End a dossier; one whose clock stands still gets the appointment that was left.

        Where the calendar does not reach that, the end itself is put down: time was left, so it
        is not late, and nobody has to wait for a calendar to withdraw.
        """
        change = change_of(case.dossier, case.rule)
        try:
            change = await self._running(case, change)
        except CalendarNotCoveredError:
            change = replace(change, due_at=case.now, remaining_minutes=None)
        return await self._done(
            case, replace(change, ended_at=case.now), Record(note=reason.strip())
        )

    async def _sheet(self, case: Case) -> Sheet:
        vehicle = case.situation.vehicle
        return Sheet(
            office=self._office,
            dossier=case.dossier,
            procedure=case.procedure,
            applicant=await self._registry.party(case.dossier.applicant_id),
            plate=vehicle.plate if vehicle else None,
        )

    async def _give_out(self, case: Case, values: DocumentValues) -> None:
        """Make a paper of the dossier in this transaction."""
        subject = Subject(kind=SubjectKind.DOSSIER, id=case.dossier.code)
        await DocumentService(self._connection).give_out(subject, values, now=case.now)


def rule_of(procedure: Procedure, action: ActionName, *, state: DossierState | None) -> ActionRule:
    """The rule of an action.

    Raises:
        ActionNotAllowedError: The procedure does not have it.
    """
    rule = procedure.action(action)
    if rule is None:
        raise ActionNotAllowedError(action=action, state=state or "")
    return rule


def looked(rule: ActionRule, situation: Situation) -> tuple[Fact, ...]:
    """What the guards of an action find, unless it stands against the action.

    Raises:
        GuardRefusedError: Names the guards that refuse.
    """
    facts = look(rule, situation)
    against = [fact.name for fact in facts if fact.stands_against]
    if against:
        raise GuardRefusedError(action=rule.action, guards=against)
    return facts


def change_of(dossier: Dossier, rule: ActionRule) -> Change:
    """What an action leads to when it touches nothing but the state."""
    return Change(
        state=rule.to_state,
        due_at=dossier.due_at,
        calendar_version=dossier.calendar_version,
        remaining_minutes=dossier.remaining_minutes,
        supplements=dossier.supplements,
        ended_at=dossier.ended_at,
    )


def check_against(procedure: Procedure, new: NewDossier) -> None:
    """Stop unless what is asked for fits the procedure.

    Raises:
        InvalidRequestError: Names the part that does not.
    """
    procedure.check_request(new.request)
    if new.channel not in procedure.channels:
        raise InvalidRequestError("channel", "the procedure has no such channel")
    if procedure.needs_vehicle is not (new.vehicle_id is not None):
        raise InvalidRequestError("vehicle_id", "is missing, or the procedure needs none")
    check_papers(procedure, new.papers)


def check_papers(procedure: Procedure, papers: Sequence[HandedIn]) -> None:
    """Stop unless every paper is one of the procedure's, in a form that is accepted.

    Raises:
        InvalidRequestError: One is not, or stands twice.
    """
    if len(set(names_of(papers))) != len(papers):
        raise InvalidRequestError("papers", "a paper stands twice")
    for each in papers:
        rule = procedure.paper(each.paper)
        if rule is None or each.form not in rule.forms:
            raise InvalidRequestError("papers", "the procedure has no such paper in this form")


def refuse_missing(wanted: set[str], papers: Sequence[HandedIn], procedure: Procedure) -> None:
    """Stop unless everything that is wanted was handed in.

    Raises:
        PapersMissingError: Names what is missing, in the order of the procedure.
    """
    missing = wanted - set(names_of(papers))
    if missing:
        raise PapersMissingError([each.paper for each in procedure.papers if each.paper in missing])


def names_of(papers: Sequence[HandedIn]) -> tuple[str, ...]:
    """Names of papers, in order."""
    return tuple(each.paper for each in papers)
