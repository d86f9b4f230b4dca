# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking dossiers in, asking for supplements, deciding, and what citizens may know."""

from collections.abc import Mapping
from datetime import date, datetime

from psycopg import AsyncConnection

from central.identity.types import User
from central.procedures.definition import Procedure
from central.procedures.types import (
    Done,
    DossierCode,
    DossierFilter,
    DossierPage,
    DossierPageRequest,
    DossierRecord,
    DossierSummary,
    HandedIn,
    NewDossier,
    PublicStatus,
    SupplementRequest,
    TakenIn,
)
from central.registry.types import VehicleId
from central.settings import OfficeSettings


class DossierService:
    """What can be done with dossiers, in the caller's transaction.

    Args:
        office: Who takes dossiers in: code, name and address of the centre.
        request_id: Number of the request, for the audit log.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        office: OfficeSettings,
        request_id: str | None = None,
    ) -> None:
        self._connection = connection
        self._office = office
        self._request_id = request_id

    async def procedures(self, *, user: User, on: date) -> tuple[Procedure, ...]:
        """Procedures in force on a day, by name (permission SEE_DOSSIERS)."""
        raise NotImplementedError

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
        raise NotImplementedError

    async def request_supplement(
        self, code: str, wanted: SupplementRequest, *, version: int, user: User, now: datetime
    ) -> Done:
        """Stop the clock and ask for papers (Form 02).

        Every action raises DossierNotFoundError, StaleVersionError, PermissionDeniedError,
        ActionNotAllowedError and GuardRefusedError.
        """
        raise NotImplementedError

    async def receive_supplement(
        self,
        code: str,
        papers: tuple[HandedIn, ...],
        *,
        version: int,
        user: User,
        now: datetime,
    ) -> Done:
        """Put papers into the dossier and let the clock run on."""
        raise NotImplementedError

    async def approve(
        self, code: str, *, version: int, user: User, now: datetime, note: str = ""
    ) -> Done:
        """Grant what is asked for; a badge is in the registry with the same commit."""
        raise NotImplementedError

    async def reject(
        self, code: str, reason: str, *, version: int, user: User, now: datetime
    ) -> Done:
        """Refuse, with the reason on paper (Form 03)."""
        raise NotImplementedError

    async def withdraw(
        self, code: str, reason: str, *, version: int, user: User, now: datetime
    ) -> Done:
        """End the dossier at the applicant's wish."""
        raise NotImplementedError

    async def hand_over(self, code: str, *, version: int, user: User, now: datetime) -> Done:
        """Note that the applicant has the result."""
        raise NotImplementedError

    async def dossier(self, code: str, *, user: User, now: datetime) -> DossierRecord:
        """Everything about one dossier; the look is audited.

        Raises:
            PermissionDeniedError: The user may not see dossiers.
            DossierNotFoundError: No dossier has this code.
        """
        raise NotImplementedError

    async def list_dossiers(
        self, wanted: DossierFilter, page: DossierPageRequest, *, user: User, now: datetime
    ) -> DossierPage:
        """One page of dossiers: open ones by appointment, overdue first."""
        raise NotImplementedError

    async def count_open(self, *, user: User, now: datetime) -> Mapping[str, int]:
        """How many dossiers are ``open``, ``overdue`` and ``supplement_requested``."""
        raise NotImplementedError

    async def dossiers_of_vehicle(
        self, vehicle_id: VehicleId, *, user: User, now: datetime, limit: int = 20
    ) -> tuple[DossierSummary, ...]:
        """Newest dossiers about a vehicle; empty for users who may not see dossiers."""
        raise NotImplementedError

    async def public_status(self, code: str, *, now: datetime) -> PublicStatus:
        """What anybody with the code may know.

        Raises:
            DossierNotFoundError: No dossier has this code.
        """
        raise NotImplementedError

    async def public_receipt(self, code: DossierCode) -> bytes:
        """The receipt as PDF; for officials' pages, never without login."""
        raise NotImplementedError
