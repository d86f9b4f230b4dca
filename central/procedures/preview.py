# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a clerk sees before an act: what the facts say, what is missing, and how much time is left.

Nothing here is binding: the act itself looks again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from central.domain.working_time import CalendarNotCoveredError
from central.identity.permissions import Permission
from central.identity.types import User
from central.procedures.errors import InvalidRequestError
from central.procedures.reading import DossierReader
from central.procedures.rulebook.definition import Procedure, RequestField
from central.procedures.rulebook.guards import is_required, look
from central.procedures.rulebook.situation import Situation
from central.procedures.types import ActionName, Dossier, Fact, RequestValue
from central.registry.types import PartyId, VehicleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody is about to ask for.

    Attributes:
        request: Fields of the procedure as far as they are known.
    """

    procedure: Procedure
    vehicle_id: VehicleId
    applicant_id: PartyId
    request: Mapping[str, RequestValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What taking a dossier in would meet today.

    Attributes:
        facts: What the guards of the taking in find; empty while the wish is incomplete.
        required: Papers that have to be handed in.
        only_choices: Fields of which a single choice is possible for this vehicle, with it.
        due_at: Appointment if it were taken in now; ``None`` where the calendar does not reach.
    """

    facts: tuple[Fact, ...]
    required: frozenset[str]
    only_choices: Mapping[str, str]
    due_at: datetime | None


class DossierPreview(DossierReader):
    """Looks ahead, in the caller's transaction; changes nothing."""

    async def prospect(self, wish: Wish, *, user: User, now: datetime) -> Prospect:
        """What taking in would meet.

        Raises:
            PermissionDeniedError: The user may not take dossiers in.
            VehicleNotFoundError: No vehicle has this id.
            NoCalendarError: No official calendar has been loaded.
        """
        user.require(Permission.TAKE_IN_DOSSIERS)
        procedure = wish.procedure
        situation = await self._situation_of(
            procedure,
            request=wish.request,
            vehicle_id=wish.vehicle_id,
            applicant_id=wish.applicant_id,
            taken_in_by=None,
            user=user,
            now=now,
        )
        return Prospect(
            facts=_found(situation) if _is_complete(procedure, wish.request) else (),
            required=frozenset(
                each.paper for each in procedure.papers if is_required(each.required, situation)
            ),
            only_choices=_only_choices(situation),
            due_at=await self._due_at(procedure, now=now),
        )

    async def procedure_of(self, dossier: Dossier, *, user: User) -> Procedure:
        """The version of its procedure that a dossier began with (permission SEE_DOSSIERS)."""
        user.require(Permission.SEE_DOSSIERS)
        return await self._library.version(dossier.procedure_id, dossier.procedure_version)

    async def working_minutes_left(self, due_at: datetime, *, now: datetime) -> int | None:
        """Whole minutes of office hours to an appointment, negative after it.

        Returns:
            ``None`` where the calendar does not reach.

        Raises:
            NoCalendarError: No official calendar has been loaded.
        """
        calendar = await self._library.calendar()
        try:
            if due_at < now:
                return -calendar.working_minutes_between(due_at, now)
            return calendar.working_minutes_between(now, due_at)
        except CalendarNotCoveredError:
            return None

    async def _due_at(self, procedure: Procedure, *, now: datetime) -> datetime | None:
        calendar = await self._library.calendar()
        try:
            return calendar.add_working_days(now, days=procedure.days.value)
        except CalendarNotCoveredError:
            return None


def _is_complete(procedure: Procedure, request: Mapping[str, RequestValue]) -> bool:
    try:
        procedure.check_request(request)
    except InvalidRequestError:
        return False
    return True


def _found(situation: Situation) -> tuple[Fact, ...]:
    rule = situation.procedure.action(ActionName.TAKE_IN)
    return look(rule, situation) if rule else ()


def _only_choices(situation: Situation) -> dict[str, str]:
    """For every field with choices, the one against which nothing stands, if it is the only one.

    Other fields are filled with what is known, or with their first possible value.
    """
    fields = situation.procedure.request
    filled = {each.field: situation.request.get(each.field, _first(each)) for each in fields}
    only = {}
    for field in fields:
        possible = [
            choice.value
            for choice in field.choices
            if not _stands_against(situation, filled | {field.field: choice.value})
        ]
        if len(possible) == 1:
            only[field.field] = possible[0]
    return only


def _first(field: RequestField) -> RequestValue:
    return field.choices[0].value if field.choices else field.min or 0


def _stands_against(situation: Situation, request: Mapping[str, RequestValue]) -> bool:
    tried = replace(situation, request=request)
    return any(fact.stands_against for fact in _found(tried))
