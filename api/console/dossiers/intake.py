# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking a dossier in: the vehicle, what is asked for, the papers, and what the facts say.

The form shows data of the vehicle's owner, so showing it is a look and is written down as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.dossiers.desk import Desk, DeskDep
from api.console.dossiers.facts import FactView, fact_view, word
from api.console.dossiers.form import (
    FIELD_PREFIX,
    PAPER_PREFIX,
    IntakeForm,
    dossier_of,
    form_values,
    request_of,
)
from api.console.dossiers.labels import field_problems
from api.console.dossiers.query import DOSSIERS_PATH
from api.console.dossiers.views import plate_view
from api.console.views import PlateView
from api.errors import NotHereError
from central.audit.types import Look, Purpose
from central.documents.errors import UnprintableTextError
from central.identity.permissions import Permission
from central.procedures.errors import (
    GuardRefusedError,
    InvalidRequestError,
    PapersMissingError,
    SubmissionConflictError,
)
from central.procedures.preview import Prospect, Wish
from central.procedures.rulebook.definition import Procedure, Requirement
from central.registry.service import RegistryService
from central.registry.types import Party, PartyId, VehicleId, VehicleRecord

NEW_PATH: Final = f"{DOSSIERS_PATH}/new"
FINDINGS_PATH: Final = f"{NEW_PATH}/findings"

router = APIRouter(include_in_schema=False)

FormValues = Annotated[Mapping[str, str], Depends(form_values)]
ProcedureId = Annotated[str, Query(max_length=60)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """A field of the procedure.

    Attributes:
        choices: Value and word; empty for a number.
    """

    name: str
    label: str
    choices: tuple[tuple[str, str], ...]
    min: int | None
    max: int | None
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFieldView:
    """A paper of the procedure and how it can be handed in."""

    name: str
    label: str
    is_required: bool
    is_missing: bool
    forms: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureView:
    """A procedure to choose."""

    id: str
    name: str
    days: int
    legal_basis: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleHead:
    """The vehicle and its owner above the form."""

    id: str
    plate: PlateView | None
    kind: str
    brand: str
    chassis_number: str
    owner: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why the form comes back.

    Attributes:
        problems: Field and what is wrong with it, in words.
        missing: Papers that are missing, by name.
        guards: Guards that refuse, by name.
        other_code: Dossier that was taken in with this form before.
    """

    problems: Mapping[str, str]
    missing: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    other_code: str | None = None

    @property
    def status(self) -> int:
        """Status of the answer."""
        return 409 if self.guards or self.other_code else 422


@router.get(NEW_PATH)
async def new_page(
    desk: DeskDep,
    vehicle: UUID | None = None,
    procedure: ProcedureId = "",
) -> Response:
    """The form; without a vehicle the way to find one, without a procedure their choice."""
    desk.user.require(Permission.TAKE_IN_DOSSIERS)
    if vehicle is None:
        return desk.page("dossiers/no_vehicle.html")
    intake = _Intake(desk)
    record = await intake.record(vehicle)
    if not procedure:
        return await intake.choice(record)
    form = IntakeForm(procedure_id=procedure, vehicle_id=vehicle)
    return await intake.form(record, form)


@router.get(FINDINGS_PATH)
async def findings(
    request: Request,
    desk: DeskDep,
    vehicle: UUID,
    procedure: ProcedureId,
) -> Response:
    """What the facts say to what is being asked for; a piece of the form."""
    if "hx-request" not in request.headers:
        url = f"{NEW_PATH}?vehicle={vehicle}&procedure={procedure}"
        desk.user.require(Permission.TAKE_IN_DOSSIERS)
        return RedirectResponse(url, status_code=303)
    form = IntakeForm.read(request.query_params)
    return await _Intake(desk).findings(replace(form, vehicle_id=vehicle, procedure_id=procedure))


@router.post(NEW_PATH)
async def take_in(
    desk: DeskDep,
    values: FormValues,
) -> Response:
    """Take the dossier in; the same form again leads to the same dossier."""
    desk.user.require(Permission.TAKE_IN_DOSSIERS)
    form = IntakeForm.read(values)
    vehicle_id = form.vehicle_id
    if vehicle_id is None:
        raise NotHereError
    intake = _Intake(desk)
    vehicle = await RegistryService(desk.connection).vehicle(vehicle_id)
    try:
        code, trouble = await intake.take_in(form, owner_id=vehicle.owner_id)
    except SubmissionConflictError as error:
        # A form that was used for something else: the next sending is a new dossier.
        form = replace(form, submission_key=IntakeForm().submission_key)
        code, trouble = "", Trouble(problems={}, other_code=error.code)
    if trouble is None:
        return RedirectResponse(f"{DOSSIERS_PATH}/{code}", status_code=303)
    return await intake.form(await intake.record(vehicle_id), form, trouble)


class _Intake:
    """Makes the pages for one request."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._speech = desk.speech

    async def record(self, vehicle_id: UUID) -> VehicleRecord:
        """The vehicle and its owner; the look is written down."""
        look = Look(actor=self._desk.acting.actor, purpose=Purpose.DOSSIER, case_reference=None)
        return await RegistryService(self._desk.connection).record(
            vehicle_id, user=self._desk.user, look=look, now=self._desk.now
        )

    async def choice(self, record: VehicleRecord) -> Response:
        """The page on which a procedure is chosen."""
        known = await self._desk.service.procedures(user=self._desk.user, on=self._desk.today)
        return self._desk.page(
            "dossiers/choose.html",
            vehicle=self._head(record),
            procedures=tuple(
                ProcedureView(
                    id=each.id,
                    name=word(each.name, self._speech),
                    days=each.days.value,
                    legal_basis=each.legal_basis,
                    url=f"{NEW_PATH}?vehicle={record.vehicle.id}&procedure={each.id}",
                )
                for each in known
                if each.needs_vehicle
            ),
        )

    async def form(
        self, record: VehicleRecord, form: IntakeForm, trouble: Trouble | None = None
    ) -> Response:
        """The form as it was filled in, with what is wrong about it."""
        procedure = await self._procedure(form)
        trouble = trouble or Trouble(problems={})
        prospect = await self._prospect(form, procedure, record.owner.id)
        if not form.asked:
            form = replace(form, asked=prospect.only_choices)
            prospect = await self._prospect(form, procedure, record.owner.id)
        has_trouble = bool(
            trouble.problems or trouble.missing or trouble.guards or trouble.other_code
        )
        return self._desk.page(
            "dossiers/new.html",
            status=trouble.status if has_trouble else 200,
            vehicle=self._head(record),
            procedure=procedure,
            procedure_name=word(procedure.name, self._speech),
            form=form,
            fields=self._fields(form, procedure),
            papers=self._papers(form, procedure, prospect, trouble),
            paper_names={each.paper: word(each.name, self._speech) for each in procedure.papers},
            trouble=trouble,
            has_trouble=has_trouble,
            findings_url=FINDINGS_PATH,
            **self._found(prospect, procedure),
        )

    async def findings(self, form: IntakeForm) -> Response:
        """The facts alone."""
        self._desk.user.require(Permission.TAKE_IN_DOSSIERS)
        procedure = await self._procedure(form)
        vehicle_id = VehicleId(form.vehicle_id or UUID(int=0))
        vehicle = await RegistryService(self._desk.connection).vehicle(vehicle_id)
        prospect = await self._prospect(form, procedure, vehicle.owner_id)
        return self._desk.piece("dossiers/findings.html", **self._found(prospect, procedure))

    async def take_in(self, form: IntakeForm, *, owner_id: PartyId) -> tuple[str, Trouble | None]:
        """Code of the dossier, or why there is none; what was refused left nothing behind."""
        told = field_problems(self._speech.text)
        procedure = await self._procedure(form)
        applicant_id, problems = owner_id, dict[str, str]()
        if form.applicant_number:
            party = await RegistryService(self._desk.connection).party_by_identity(
                form.applicant_number
            )
            if party is None:
                problems["applicant_number"] = told["applicant_number"]
            else:
                applicant_id = party.id
        try:
            new, found = dossier_of(form, procedure, applicant_id=applicant_id, speech=self._speech)
            problems |= found
            if new is None or problems:
                prospect = await self._prospect(form, procedure, applicant_id)
                missing = tuple(
                    each.paper
                    for each in procedure.papers
                    if each.paper in prospect.required - set(form.papers)
                )
                return "", Trouble(problems=problems, missing=missing)
            async with self._desk.connection.transaction():
                taken = await self._desk.service.take_in(
                    new, user=self._desk.user, now=self._desk.now
                )
        except PapersMissingError as error:
            return "", Trouble(problems={}, missing=error.papers)
        except GuardRefusedError as error:
            return "", Trouble(problems={}, guards=error.guards)
        except UnprintableTextError:
            return "", Trouble(problems={"submitted_by": told["unprintable"]})
        except InvalidRequestError as error:
            if error.field != "papers":
                raise
            return "", Trouble(problems={"papers": told["papers"]})
        return taken.dossier.code, None

    async def _procedure(self, form: IntakeForm) -> Procedure:
        return await self._desk.service.procedure(
            form.procedure_id, user=self._desk.user, on=self._desk.today
        )

    async def _prospect(
        self, form: IntakeForm, procedure: Procedure, applicant_id: PartyId
    ) -> Prospect:
        wish = Wish(
            procedure=procedure,
            vehicle_id=VehicleId(form.vehicle_id or UUID(int=0)),
            applicant_id=applicant_id,
            request=request_of(form.asked, procedure),
        )
        return await self._desk.preview.prospect(wish, user=self._desk.user, now=self._desk.now)

    def _found(self, prospect: Prospect, procedure: Procedure) -> dict[str, object]:
        """What the piece with the facts needs."""
        facts: tuple[FactView, ...] = tuple(
            fact_view(each, procedure, self._speech, today=self._desk.today)
            for each in prospect.facts
        )
        due = self._speech.minute_and_date(prospect.due_at) if prospect.due_at else None
        return {"facts": facts, "due": due, "days": procedure.days.value}

    def _fields(self, form: IntakeForm, procedure: Procedure) -> tuple[FieldView, ...]:
        return tuple(
            FieldView(
                name=f"{FIELD_PREFIX}{each.field}",
                label=word(each.name, self._speech),
                choices=tuple(
                    (choice.value, word(choice.name, self._speech)) for choice in each.choices
                ),
                min=each.min,
                max=each.max,
                value=form.asked.get(each.field, ""),
            )
            for each in procedure.request
        )

    def _papers(
        self, form: IntakeForm, procedure: Procedure, prospect: Prospect, trouble: Trouble
    ) -> tuple[PaperFieldView, ...]:
        return tuple(
            PaperFieldView(
                name=f"{PAPER_PREFIX}{each.paper}",
                label=word(each.name, self._speech),
                is_required=each.paper in prospect.required or each.paper in trouble.missing,
                is_missing=each.paper in trouble.missing,
                forms=tuple(each.forms),
                value=form.papers.get(each.paper, ""),
            )
            for each in procedure.papers
            if each.required is not Requirement.ON_REQUEST
        )

    def _head(self, record: VehicleRecord) -> VehicleHead:
        vehicle = record.vehicle
        return VehicleHead(
            id=str(vehicle.id),
            plate=plate_view(vehicle, today=self._desk.today),
            kind=vehicle.kind,
            brand=vehicle.brand or "",
            chassis_number=vehicle.chassis_number,
            owner=record.owner,
        )
