# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an approval leads to outside of its dossier: the registry, alerts, and the signed paper."""

from typing import Final

from psycopg import AsyncConnection

from central.control.service import AlertService
from central.db.deferring import PRIORITY_LIVE, Job, defer_async
from central.procedures.desk import Case
from central.procedures.granted import badge_fact, permit_fact
from central.procedures.rulebook.definition import NUMBER_CODE, ResultKind
from central.procedures.rulebook.guards import KIND_FIELD, badge_period
from central.procedures.rulebook.permits import permit_terms
from central.procedures.types import Fact
from central.registry.service import RegistryService
from central.registry.types import NewBadge, NewPermit, Origin, VehicleFacts

PAPER_TASK: Final = "issue_result_document"
SOURCE: Final = "Hồ sơ {code}"
"""Where a granted paper comes from, as the registry names it on pages."""


class ResultGranter:
    """Gives what a dossier asks for, in the transaction of the decision."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._registry = RegistryService(connection)

    async def grant(self, case: Case) -> tuple[Fact, ...]:
        """Enter the result into the registry and have it put on paper.

        Returns:
            What was granted, for the dossier's history; nothing for a result on paper only.

        Raises:
            BadgeConflictError: Another badge was issued for the vehicle meanwhile.
            PermitConflictError: Another permit of the kind was issued meanwhile.
        """
        kind = case.procedure.result.kind
        if kind is ResultKind.PAPER:
            return ()
        fact = await (self._badge(case) if kind is ResultKind.BADGE else self._permit(case))
        await defer_async(
            self._connection,
            Job(
                task=PAPER_TASK,
                arguments={"dossier_id": str(case.dossier.id)},
                priority=PRIORITY_LIVE,
            ),
        )
        return (fact,)

    async def _badge(self, case: Case) -> Fact:
        """Enter the badge, and end the alerts that it answers."""
        facts, period = _vehicle_of(case), badge_period(case.situation)
        badge = await self._registry.issue_badge(
            NewBadge(
                number=_number(case),
                kind=str(case.dossier.request[KIND_FIELD]),
                vehicle_id=facts.vehicle.id,
                party_id=case.dossier.applicant_id,
                valid_from=period.valid_from,
                valid_until=period.valid_until,
                dossier_code=case.dossier.code,
                origin=_origin(case),
            ),
            now=case.now,
        )
        if badge.holds_on(case.situation.day):
            await AlertService(self._connection).end_by_dossier(
                facts.vehicle.id, dossier_code=case.dossier.code, now=case.now
            )
        return badge_fact(badge, facts, legal_basis=case.procedure.legal_basis)

    async def _permit(self, case: Case) -> Fact:
        """Enter the permit."""
        facts, terms = _vehicle_of(case), permit_terms(case.situation)
        if terms is None:
            raise AssertionError("the procedure's guard refuses kinds that the law does not have")
        permit = await self._registry.issue_permit(
            NewPermit(
                number=_number(case),
                kind=terms.kind.kind,
                vehicle_id=facts.vehicle.id,
                party_id=case.dossier.applicant_id,
                valid_from=terms.valid_from,
                valid_until=terms.valid_until,
                trip_days_max=terms.trip_days_max,
                is_single_trip=terms.kind.is_single_trip,
                dossier_code=case.dossier.code,
                origin=_origin(case),
            ),
            now=case.now,
        )
        return permit_fact(permit, facts, legal_basis=terms.kind.basis.reference)


def _vehicle_of(case: Case) -> VehicleFacts:
    if case.situation.vehicle is None:
        raise AssertionError("such a procedure needs a vehicle; its file was checked for it")
    return case.situation.vehicle


def _number(case: Case) -> str:
    return case.procedure.result.number.value.replace(NUMBER_CODE, case.dossier.code)


def _origin(case: Case) -> Origin:
    return Origin(source=SOURCE.format(code=case.dossier.code), as_of=case.situation.day)
