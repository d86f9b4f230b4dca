# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands on the papers about a dossier: forms 01 to 03 and the badge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from central.contracts.passage import PlateColour, PlateLayout
from central.documents.values import (
    BadgeValues,
    DossierHeading,
    Issuer,
    PaperLine,
    ReceiptValues,
    RejectionValues,
    SupplementValues,
)
from central.domain.plate_grammar import format_plate, parse_plate
from central.procedures.rulebook.definition import Procedure
from central.procedures.types import (
    Dossier,
    DossierCode,
    DossierEvent,
    HandedIn,
    PaperForm,
    RequestValue,
)
from central.registry.types import Party, PlateKey
from central.settings import OfficeSettings

PUBLIC_PATH: Final = "/public/dossiers"
BADGE_FACT: Final = "badge_granted"
"""Name of the fact under which a decision keeps what it granted."""

_ONE_DAY: Final = timedelta(days=1)
_FORM_WORDS: Final = {
    PaperForm.ORIGINAL: "Bản chính",
    PaperForm.COPY: "Bản sao",
    PaperForm.ELECTRONIC: "Bản điện tử",
}
_COLOUR_WORDS: Final = {
    PlateColour.WHITE: "nền trắng",
    PlateColour.YELLOW: "nền vàng",
    PlateColour.BLUE: "nền xanh",
    PlateColour.RED: "nền đỏ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A dossier with everything that its papers name.

    Attributes:
        plate: Plate of the vehicle on the day; ``None`` when it bears none.
    """

    office: OfficeSettings
    dossier: Dossier
    procedure: Procedure
    applicant: Party
    plate: PlateKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedBadge:
    """A badge that a decision granted; ``valid_until`` is the first day after."""

    number: str
    kind: str
    valid_from: date
    valid_until: date
    plate: PlateKey | None
    granted_at: datetime


def receipt(sheet: Sheet, papers: Sequence[HandedIn], *, received_by: str) -> ReceiptValues:
    """Form 01: what was handed in, and the appointment."""
    dossier = sheet.dossier
    return ReceiptValues(
        heading=_heading(sheet, at=dossier.received_at),
        papers=tuple(
            PaperLine(
                name=_paper_name(sheet.procedure, each.paper),
                form=_FORM_WORDS[each.form],
                note=each.note,
            )
            for each in papers
        ),
        working_days=sheet.procedure.days.value,
        received_at=dossier.received_at,
        due_at=dossier.due_at,
        submitted_by=dossier.submitted_by,
        received_by=received_by,
        fee_dong=sheet.procedure.fee_dong.value,
    )


def supplement(
    sheet: Sheet, papers: Sequence[str], reason: str, *, asked_by: str, now: datetime
) -> SupplementValues:
    """Form 02: what is asked for once more, and why."""
    return SupplementValues(
        heading=_heading(sheet, at=now),
        wanted=tuple(PaperLine(name=_paper_name(sheet.procedure, each)) for each in papers),
        reason=reason,
        asked_by=asked_by,
    )


def rejection(sheet: Sheet, reason: str, *, decided_by: str, now: datetime) -> RejectionValues:
    """Form 03: why it was refused."""
    return RejectionValues(heading=_heading(sheet, at=now), reason=reason, decided_by=decided_by)


def badge(sheet: Sheet, granted: GrantedBadge) -> BadgeValues:
    """The badge itself."""
    kind = next(
        (
            choice.name.vi
            for field in sheet.procedure.request
            for choice in field.choices
            if choice.value == granted.kind
        ),
        granted.kind,
    )
    plate = granted.plate
    return BadgeValues(
        issuer=_issuer(sheet.office),
        number=granted.number,
        title=kind,
        plate=plate_words(plate) if plate else "",
        plate_colour=_COLOUR_WORDS.get(plate.colour, "") if plate else "",
        party=sheet.applicant.name,
        valid_from=granted.valid_from,
        last_day=granted.valid_until - _ONE_DAY,
        legal_basis=sheet.procedure.legal_basis,
        dossier_code=sheet.dossier.code,
        qr_text=qr_text(sheet.office, sheet.dossier.code),
        issued_at=granted.granted_at,
    )


def granted_badge(events: Sequence[DossierEvent]) -> GrantedBadge | None:
    """The badge that the decision in a dossier's history granted, if there is one."""
    for event in events:
        for fact in event.facts:
            if fact.name == BADGE_FACT:
                return _granted(fact.values, at=event.occurred_at)
    return None


def plate_words(plate: PlateKey) -> str:
    """A plate as it is written on it, in one line; as it is kept where it fits no grammar."""
    for possible in parse_plate(plate.text, colour=plate.colour):
        if possible.text == plate.text:
            return " ".join(format_plate(possible, PlateLayout.ONE_LINE))
    return plate.text


def qr_text(office: OfficeSettings, code: DossierCode) -> str:
    """Address of the dossier's public page; the code alone where no address is set."""
    return f"{office.public_url}{PUBLIC_PATH}/{code}" if office.public_url else code


def _granted(values: Mapping[str, RequestValue | None], *, at: datetime) -> GrantedBadge:
    text, colour = values["plate_text"], values["plate_colour"]
    is_known = text is not None and colour is not None
    return GrantedBadge(
        number=str(values["badge_number"]),
        kind=str(values["badge_kind"]),
        valid_from=date.fromisoformat(str(values["valid_from"])),
        valid_until=date.fromisoformat(str(values["valid_until"])),
        plate=PlateKey(text=str(text), colour=PlateColour(str(colour))) if is_known else None,
        granted_at=at,
    )


def _heading(sheet: Sheet, *, at: datetime) -> DossierHeading:
    dossier, applicant, procedure = sheet.dossier, sheet.applicant, sheet.procedure
    return DossierHeading(
        issuer=_issuer(sheet.office),
        code=dossier.code,
        applicant=applicant.name,
        address=applicant.address or "",
        phone=dossier.contact_phone or applicant.phone or "",
        email=dossier.contact_email or applicant.email or "",
        subject=_subject(sheet),
        procedure=procedure.name.vi,
        procedure_code=procedure.code.value,
        legal_basis=procedure.legal_basis,
        qr_text=qr_text(sheet.office, dossier.code),
        issued_at=at,
    )


def _subject(sheet: Sheet) -> str:
    """What is asked for, in one line."""
    wishes = [
        f"{field.name.vi}: {field.words(sheet.dossier.request[field.field]).vi}"
        for field in sheet.procedure.request
    ]
    if sheet.plate is not None:
        wishes.append(f"xe {plate_words(sheet.plate)}")
    return f"{sheet.procedure.result.name.vi} ({'; '.join(wishes)})"


def _issuer(office: OfficeSettings) -> Issuer:
    return Issuer(
        authority=office.authority,
        office=office.name,
        place=office.place,
        address=office.address,
        phone=office.phone,
    )


def _paper_name(procedure: Procedure, name: str) -> str:
    found = procedure.paper(name)
    return found.name.vi if found else name
