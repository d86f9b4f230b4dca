# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests of citizens about their own data: taken in, answered in time, exported and erased."""

from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import (
    Actor,
    AuditEntry,
    JsonValue,
    Personal,
    Purpose,
    about_plate,
    about_vehicle,
)
from central.db.deferring import Job, defer_async
from central.documents.layout import DocumentTemplate
from central.documents.service import DocumentService
from central.documents.types import SigningKey, Subject, SubjectKind
from central.documents.values import ErasureValues, Issuer
from central.domain.data_rights import data_right
from central.domain.local_time import local_date
from central.errors import InvalidPlatePatternError
from central.identity.permissions import Permission
from central.identity.types import User
from central.procedures.rulebook.library import ProcedureLibrary
from central.protection.errors import (
    DataRequestInvalidError,
    DataRequestNotFoundError,
    DataRequestStateError,
)
from central.protection.exporting import LOOKS_HEADING, ROWS_MAX, SECTIONS, Export
from central.protection.repository import Deadline, ProtectionRepository
from central.protection.service import exact_plate
from central.protection.types import (
    APPLICANT_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    DataRequest,
    Erasure,
    NewRequest,
    RequestKind,
    RequestState,
)

TASK_SIGN: Final = "sign_erasure_certificate"
ERASED_BATCH: Final = 2000
ERASED_ROUNDS_MAX: Final = 50
PAGE_SIZE_MAX: Final = 200


class DataRequestService:
    """What can be done with requests, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._rows = ProtectionRepository(connection)
        self._audit = AuditService(connection)
        self._library = ProcedureLibrary(connection)
        self._documents = DocumentService(connection)

    async def take_in(self, new: NewRequest, *, user: User, actor: Actor, now: datetime) -> str:
        """Take a request in; its deadline is counted by the law of today. Returns its code.

        Raises:
            PermissionDeniedError: The user may not.
            DataRequestInvalidError: A part is missing or wrong, or the register has no such plate,
                or has had several vehicles with it.
            CalendarNotCoveredError: The official calendar ends before the deadline.
        """
        user.require(Permission.PROTECT_DATA)
        try:
            plate = exact_plate(new.plate)
        except InvalidPlatePatternError as error:
            raise DataRequestInvalidError("plate") from error
        for part, text, most in (
            ("applicant", new.applicant, APPLICANT_LENGTH_MAX),
            ("statement", new.statement, TEXT_LENGTH_MAX),
        ):
            if not 1 <= len(text) <= most:
                raise DataRequestInvalidError(part)
        if len(new.contact) > APPLICANT_LENGTH_MAX:
            raise DataRequestInvalidError("contact")
        vehicles = await self._rows.vehicles_of_plate(plate)
        if len(vehicles) != 1:
            raise DataRequestInvalidError("plate")
        calendar = await self._library.calendar()
        right = data_right(new.kind, on=local_date(now))
        deadline = Deadline(
            acknowledge_by=right.acknowledge_by(now, calendar=calendar),
            due_on=right.due_on(now, calendar=calendar),
            calendar_version=calendar.version,
            legal_reference=right.reference,
        )
        code = await self._rows.add_request(
            new,
            deadline,
            vehicle_id=vehicles[0],
            username=user.username,
            year=local_date(now).year,
            now=now,
        )
        await self._write_down("data_request_taken_in", code, actor=actor, now=now)
        return code

    async def requests(
        self, *, user: User, before_code: str | None, size: int
    ) -> tuple[DataRequest, ...]:
        """Requests, the last one first.

        Raises:
            PermissionDeniedError: The user may not.
        """
        user.require(Permission.PROTECT_DATA)
        rows = await self._rows.requests(before_code=before_code, limit=min(size, PAGE_SIZE_MAX))
        return tuple(rows)

    async def request(self, code: str, *, user: User, actor: Actor, now: datetime) -> DataRequest:
        """One request; the look is written down.

        Raises:
            PermissionDeniedError: The user may not.
            DataRequestNotFoundError: There is none.
        """
        found = await self._locked(code, user=user)
        await self._write_down("data_request_looked_at", code, actor=actor, now=now)
        return found

    async def advance(
        self,
        code: str,
        state: RequestState,
        *,
        answer: str,
        user: User,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Confirm the receipt, or end a request with an answer.

        Raises:
            PermissionDeniedError: The user may not.
            DataRequestNotFoundError: There is none.
            DataRequestStateError: It has ended, or an erasure must be carried out instead.
            DataRequestInvalidError: The answer is missing or too long.
        """
        found = await self._locked(code, user=user)
        is_erasure = found.kind is RequestKind.ERASURE and state is RequestState.DONE
        is_again = state in {RequestState.RECEIVED, found.state}
        if found.state.is_ended or is_erasure or is_again:
            raise DataRequestStateError(code)
        text = answer.strip()
        if len(text) > TEXT_LENGTH_MAX or (state.is_ended and not text):
            raise DataRequestInvalidError("answer")
        await self._rows.set_request(
            code, state, answer=text or None, username=user.username, now=now
        )
        await self._write_down(
            "data_request_advanced", code, actor=actor, now=now, detail={"state": state.value}
        )

    async def export(self, code: str, *, user: User, actor: Actor, now: datetime) -> Export:
        """Everything known about the request's vehicle, and who looked; it is written down.

        Raises:
            PermissionDeniedError: The user may not.
            DataRequestNotFoundError: There is none.
        """
        found = await self._locked(code, user=user)
        vehicle_id = found.vehicle_id
        sections = [
            (name, heading, await self._rows.export(query, vehicle_id, limit=ROWS_MAX))
            for name, query, heading in SECTIONS
        ]
        plates = await self._rows.plates_of_vehicle(vehicle_id)
        looks = await self._rows.looks(
            key_ids=await self._audit.key_ids_of(
                [about_vehicle(vehicle_id), *map(about_plate, plates)]
            ),
            vehicle_ids=[vehicle_id],
            before_id=None,
            limit=ROWS_MAX,
        )
        await self._write_down(
            "personal_data_exported",
            code,
            actor=actor,
            now=now,
            personal=Personal(about=about_vehicle(vehicle_id)),
        )
        told: list[dict[str, JsonValue]] = [
            {
                "at": each.occurred_at.isoformat(),
                "role": each.actor_role,
                "act": each.action,
                "purpose": each.purpose,
                "case": each.case_reference,
            }
            for each in looks
        ]
        return Export(code=code, made_at=now, sections=(*sections, ("looks", LOOKS_HEADING, told)))

    async def erase(
        self, code: str, *, issuer: Issuer, user: User, actor: Actor, now: datetime
    ) -> Erasure:
        """Carry an erasure out: passages lose their plate, keys are destroyed, a paper says so.

        Raises:
            PermissionDeniedError: The user may not.
            DataRequestNotFoundError: There is none.
            DataRequestStateError: It asks for something else, has ended, or has more passages
                than one transaction takes.
        """
        found = await self._locked(code, user=user)
        if found.kind is not RequestKind.ERASURE or found.state.is_ended:
            raise DataRequestStateError(code)
        erasure = await self._erased(found, now=now)
        await self._rows.set_request(
            code, RequestState.DONE, answer=None, username=user.username, now=now
        )
        await self._write_down(
            "personal_data_erased",
            code,
            actor=actor,
            now=now,
            detail={
                "passages": erasure.passages,
                "pictures": erasure.pictures,
                "kept": erasure.kept,
                "keys": [key.fingerprint.hex() for key in erasure.keys],
            },
        )
        head = await self._audit.head()
        await self._documents.give_out(
            _subject(code),
            ErasureValues(
                issuer=issuer,
                code=code,
                applicant=found.applicant,
                legal_basis=found.legal_reference,
                passages=erasure.passages,
                pictures=erasure.pictures,
                kept=erasure.kept,
                key_fingerprints=tuple(key.fingerprint.hex() for key in erasure.keys),
                chain_head=f"{head.position}:{head.hash.hex()}",
                decided_by=user.display_name,
                issued_at=now,
            ),
            now=now,
        )
        await defer_async(self._connection, Job(task=TASK_SIGN, arguments={"request_code": code}))
        return erasure

    async def sign_certificate(self, code: str, *, key: SigningKey, now: datetime) -> bool:
        """Sign the paper about an erasure; whether it was not signed before.

        Only the worker has the key, so this is a job and asks for nobody's permission.

        Raises:
            DocumentNotFoundError: Nothing was erased for this request.
            SigningKeyError: The key is missing or unfit.
        """
        made = await self._documents.sign(
            _subject(code), DocumentTemplate.ERASURE, key=key, now=now
        )
        return made.is_new

    async def certificate(self, code: str, *, user: User, actor: Actor, now: datetime) -> bytes:
        """The paper about an erasure, as PDF; that it was opened is written down.

        Raises:
            PermissionDeniedError: The user may not.
            DocumentNotFoundError: Nothing was erased for this request.
        """
        user.require(Permission.PROTECT_DATA)
        _document, content = await self._documents.newest_content(
            _subject(code), DocumentTemplate.ERASURE
        )
        await self._write_down("erasure_certificate_opened", code, actor=actor, now=now)
        return content

    async def _erased(self, found: DataRequest, *, now: datetime) -> Erasure:
        passages = pictures = 0
        for _ in range(ERASED_ROUNDS_MAX):
            batch = await self._rows.erase_passages(found.vehicle_id, now=now, limit=ERASED_BATCH)
            passages, pictures = passages + batch.passages, pictures + batch.pictures
            if batch.passages < ERASED_BATCH:
                break
        else:
            raise DataRequestStateError(found.code)
        plates = await self._rows.plates_of_vehicle(found.vehicle_id)
        keys = await self._rows.destroy_keys(
            [about_vehicle(found.vehicle_id), *map(about_plate, plates)], now=now
        )
        return Erasure(
            passages=passages,
            pictures=pictures,
            kept=await self._rows.kept_passages(found.vehicle_id),
            keys=tuple(keys),
        )

    async def _locked(self, code: str, *, user: User) -> DataRequest:
        user.require(Permission.PROTECT_DATA)
        found = await self._rows.locked_request(code)
        if found is None:
            raise DataRequestNotFoundError(code)
        return found

    async def _write_down(
        self,
        action: str,
        code: str,
        *,
        actor: Actor,
        now: datetime,
        detail: dict[str, JsonValue] | None = None,
        personal: Personal | None = None,
    ) -> None:
        """Write an act on a request into the audit log."""
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action=action,
                subject_kind="data_request",
                subject_id=code,
                purpose=Purpose.CITIZEN_REQUEST,
                case_reference=code,
                detail=detail or {},
                personal=personal,
            )
        )


def _subject(code: str) -> Subject:
    """The request as papers name it."""
    return Subject(kind=SubjectKind.DATA_REQUEST, id=code)
