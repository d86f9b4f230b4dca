# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands on the papers about a dossier: forms 01 to 03, the badge and the permit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from central.contracts.passage import PlateColour, PlateLayout
from central.documents.layout import DocumentValues
from central.documents.values import (
    BadgeValues,
    DossierHeading,
    Issuer,
    PaperLine,
    PermitValues,
    ReceiptValues,
    RejectionValues,
    SupplementValues,
)
from central.domain.local_time import local_date
from central.domain.permits import permit_kind, permit_kinds
from central.domain.plate_grammar import format_plate, parse_plate
from central.domain.vehicles import VehicleKind
from central.procedures.granted import Granted, GrantedBadge, GrantedPermit
from central.procedures.rulebook.definition import Procedure
from central.procedures.rulebook.permits import USE_FIELD
from central.procedures.types import Dossier, DossierCode, HandedIn, PaperForm, RequestValue
from central.registry.types import Party, PlateKey
from central.settings import OfficeSettings

PUBLIC_PATH: Final = "/public/dossiers"

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


_VEHICLE_WORDS: Final = {
    VehicleKind.CAR: "Ô tô con",
    VehicleKind.BUS: "Ô tô khách",
    VehicleKind.TRUCK: "Ô tô tải",
    VehicleKind.TRACTOR: "Ô tô đầu kéo",
    VehicleKind.TRAILER: "Rơ moóc, sơ mi rơ moóc",
    VehicleKind.MOTORCYCLE: "Xe mô tô",
    VehicleKind.FOUR_WHEELER: "Xe bốn bánh có gắn động cơ",
    VehicleKind.SPECIAL_MACHINE: "Xe máy chuyên dùng",
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


def result(sheet: Sheet, granted: Granted) -> DocumentValues:
    """What was granted."""
    if isinstance(granted, GrantedBadge):
        return badge(sheet, granted)
    return permit(sheet, granted)


def badge(sheet: Sheet, granted: GrantedBadge) -> BadgeValues:
    """The badge itself."""
    plate = granted.plate
    return BadgeValues(
        issuer=_issuer(sheet.office),
        number=granted.number,
        title=_choice_words(sheet, granted.kind),
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


def permit(sheet: Sheet, granted: GrantedPermit) -> PermitValues:
    """The permit itself."""
    plate, dossier = granted.plate, sheet.dossier
    kind = permit_kind(granted.kind, on=local_date(granted.granted_at), kinds=permit_kinds())
    vehicle = _VEHICLE_WORDS[granted.vehicle_kind]
    return PermitValues(
        issuer=_issuer(sheet.office),
        number=granted.number,
        kind=kind.name if kind else granted.kind,
        use=_choice_words(sheet, dossier.request[USE_FIELD]),
        plate=plate_words(plate) if plate else "",
        plate_colour=_COLOUR_WORDS.get(plate.colour, "") if plate else "",
        vehicle=f"{vehicle}, nhãn hiệu {granted.brand}" if granted.brand else vehicle,
        chassis_number=granted.chassis_number,
        party=sheet.applicant.name,
        address=sheet.applicant.address or "",
        valid_from=granted.valid_from,
        last_day=granted.valid_until - _ONE_DAY,
        trip_days_max=granted.trip_days_max,
        is_single_trip=granted.is_single_trip,
        legal_basis=kind.basis.reference if kind else sheet.procedure.legal_basis,
        dossier_code=dossier.code,
        qr_text=qr_text(sheet.office, dossier.code),
        issued_at=granted.granted_at,
    )


def plate_words(plate: PlateKey) -> str:
    """A plate as it is written on it, in one line; as it is kept where it fits no grammar."""
    for possible in parse_plate(plate.text, colour=plate.colour):
        if possible.text == plate.text:
            return " ".join(format_plate(possible, PlateLayout.ONE_LINE))
    return plate.text


def qr_text(office: OfficeSettings, code: DossierCode) -> str:
    """Address of the dossier's public page; the code alone where no address is set."""
    return f"{office.public_url}{PUBLIC_PATH}/{code}" if office.public_url else code


def _choice_words(sheet: Sheet, value: RequestValue) -> str:
    """A choice in the procedure's words."""
    return next(
        (
            choice.name.vi
            for field in sheet.procedure.request
            for choice in field.choices
            if choice.value == value
        ),
        str(value),
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
