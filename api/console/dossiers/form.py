# SPDX-License-Identifier: AGPL-3.0-or-later
"""The form in which a dossier is taken in, as it was filled in, and what is wrong about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID, uuid4

from fastapi import Request

from api.console.dossiers.labels import field_problems
from api.pages.i18n import Speech
from central.procedures.errors import InvalidRequestError
from central.procedures.rulebook.definition import Procedure, RequestField
from central.procedures.types import (
    Channel,
    HandedIn,
    NewDossier,
    PaperForm,
    RequestValue,
)
from central.registry.types import PartyId, VehicleId

TEXT_LENGTH_MAX: Final = 2000
FIELDS_MAX: Final = 100
FIELD_PREFIX: Final = "field_"
PAPER_PREFIX: Final = "paper_"
_PHONE_MARKS: Final = re.compile(r"[\s.\-]+")
_NUMBER: Final = re.compile(r"[0-9]{1,6}")
_NEUTRAL: Final[Mapping[str, str | None]] = {
    "submitted_by": "-",
    "contact_phone": None,
    "contact_email": None,
}
"""What stands in for a wrong field, so that the others are looked at, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeForm:
    """The form as it was filled in.

    Attributes:
        submission_key: Made when the form was shown first: sent twice, it is kept once.
        applicant_number: Identity number of the applicant; empty when it is the owner.
        asked: Fields of the procedure, as typed.
        papers: How each paper was handed in; absent when it was not.
    """

    procedure_id: str = ""
    vehicle_id: UUID | None = None
    submission_key: str = field(default_factory=lambda: str(uuid4()))
    channel: str = Channel.COUNTER
    applicant_number: str = ""
    submitted_by: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)
    papers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Read what a browser sent."""
        return cls(
            procedure_id=values.get("procedure", ""),
            vehicle_id=_id(values.get("vehicle", "")),
            submission_key=values.get("submission_key", ""),
            channel=values.get("channel", ""),
            applicant_number=values.get("applicant_number", ""),
            submitted_by=values.get("submitted_by", ""),
            contact_phone=values.get("contact_phone", ""),
            contact_email=values.get("contact_email", ""),
            asked=_below(FIELD_PREFIX, values),
            papers={name: form for name, form in _below(PAPER_PREFIX, values).items() if form},
        )


async def form_values(request: Request) -> Mapping[str, str]:
    """The texts of a form, trimmed and cut; each name once."""
    async with request.form(max_files=0, max_fields=FIELDS_MAX) as form:
        return {
            name: value.strip()[:TEXT_LENGTH_MAX]
            for name, value in form.items()
            if isinstance(value, str)
        }


def request_of(asked: Mapping[str, str], procedure: Procedure) -> dict[str, RequestValue]:
    """What is asked for, with numbers as numbers; what does not fit the procedure is left out."""
    found: dict[str, RequestValue] = {}
    for rule in procedure.request:
        text = asked.get(rule.field, "")
        value: RequestValue = int(text) if rule.is_number and _NUMBER.fullmatch(text) else text
        try:
            rule.check(value)
        except InvalidRequestError:
            continue
        found[rule.field] = value
    return found


def handed_in(papers: Mapping[str, str]) -> tuple[HandedIn, ...]:
    """Papers that were handed in.

    Raises:
        InvalidRequestError: A form of a paper is none of ours.
    """
    if any(form not in set(PaperForm) for form in papers.values()):
        raise InvalidRequestError("papers", "no such form of a paper")
    return tuple(HandedIn(paper=name, form=PaperForm(form)) for name, form in papers.items())


def dossier_of(
    form: IntakeForm, procedure: Procedure, *, applicant_id: PartyId, speech: Speech
) -> tuple[NewDossier | None, dict[str, str]]:
    """What is taken in, or everything that is wrong with the form, by field and in words."""
    told = field_problems(speech.text)
    request = request_of(form.asked, procedure)
    problems = {
        f"{FIELD_PREFIX}{rule.field}": _field_problem(rule, told)
        for rule in procedure.request
        if rule.field not in request
    }
    if form.channel not in set(procedure.channels):
        problems["channel"] = told["channel"]
    texts: dict[str, str | None] = {
        "submitted_by": form.submitted_by,
        "contact_phone": _PHONE_MARKS.sub(" ", form.contact_phone).strip() or None,
        "contact_email": form.contact_email or None,
    }
    new: NewDossier | None = None
    while new is None:
        try:
            new = NewDossier(
                procedure_id=procedure.id,
                submission_key=form.submission_key,
                channel=Channel(form.channel) if "channel" not in problems else Channel.COUNTER,
                applicant_id=applicant_id,
                submitted_by=texts["submitted_by"] or "",
                contact_phone=texts["contact_phone"],
                contact_email=texts["contact_email"],
                vehicle_id=VehicleId(form.vehicle_id) if form.vehicle_id else None,
                request=request,
                papers=handed_in(form.papers),
            )
        except InvalidRequestError as error:
            if error.field not in _NEUTRAL or error.field in problems:
                raise
            problems[error.field] = told[error.field]
            texts[error.field] = _NEUTRAL[error.field]
    return (None if problems else new), problems


def _field_problem(rule: RequestField, told: Mapping[str, str]) -> str:
    if rule.is_number:
        return told["number"] % {"min": rule.min, "max": rule.max}
    return told["choice"]


def _below(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
