# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands on the papers. Whoever gives a paper out fills one of these; the layout is ours.

Texts are Vietnamese, as they shall stand on the paper; characters without a shape are left out.
Instants are aware and dates are dates in
Vietnam: the layout writes them the official way. Forms 01 to 03 are those of TT 03/2025/TT-VPCP,
Annex I; the badge is that of NĐ 158/2024/NĐ-CP, Annex XIII, the permit that of Annex XI.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

LINE_LENGTH_MAX: Final = 300
"""Longest text of one line: names, addresses, names of procedures. Longer ones are refused, as a
paper that leaves half of a name out is worse than none."""

PASSAGE_LENGTH_MAX: Final = 4000
"""Longest text of several lines, such as the reason of a refusal."""

LIST_LENGTH_MAX: Final = 50
"""Most lines of a list of papers."""

QR_LENGTH_MAX: Final = 300
"""Longest text of a QR code; longer ones could not be read off a badge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who gives a paper out.

    Attributes:
        authority: Authority that decides, such as ``Sở Xây dựng tỉnh Đắk Lắk``.
        office: Centre that takes dossiers in; stands below the authority.
        place: Place in front of the date, such as ``Đắk Lắk``; empty where not known.
    """

    authority: str
    office: str
    place: str = ""
    address: str = ""
    phone: str = ""

    def __post_init__(self) -> None:
        _check_lines(self.authority, self.office, self.place, self.address, self.phone)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """A paper of a dossier.

    Attributes:
        form: In words, such as ``Bản chính``.
    """

    name: str
    form: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        _check_lines(self.name, self.form, self.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierHeading:
    """What forms 01, 02 and 03 say first.

    Attributes:
        applicant: Whose dossier it is.
        subject: What is asked for, such as ``Cấp phù hiệu "XE TẢI" cho xe 47C-123.45``.
        procedure: Name of the procedure; its code in ``procedure_code`` may be empty.
        qr_text: What the QR code holds: the address of the dossier's public page, or its code.
        issued_at: Aware instant at which the paper is given out.
        legal_basis: Law of the procedure, in one line; may be empty.
    """

    issuer: Issuer
    code: str
    applicant: str
    address: str
    phone: str
    email: str
    subject: str
    procedure: str
    procedure_code: str
    legal_basis: str
    qr_text: str
    issued_at: datetime

    def __post_init__(self) -> None:
        _check_lines(
            self.code,
            self.applicant,
            self.address,
            self.phone,
            self.email,
            self.subject,
            self.procedure,
            self.procedure_code,
            self.legal_basis,
        )
        _check_qr(self.qr_text)
        _check_aware(self.issued_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptValues:
    """Form 01: Giấy tiếp nhận hồ sơ và hẹn trả kết quả.

    Attributes:
        papers: What was handed in, in the order of the procedure.
        sets: Number of sets (bộ) handed in.
        working_days: Working days that the law gives.
        received_at: Aware instant of the reception.
        due_at: Aware instant of the appointment.
        return_way: Where or how the result is fetched, in words.
        submitted_by: Who handed it in; stands under the left signature.
        received_by: Who took it in; empty leaves room for a name.
        fee_dong: What the applicant pays; ``None`` leaves the line out.
    """

    heading: DossierHeading
    papers: tuple[PaperLine, ...]
    working_days: int
    received_at: datetime
    due_at: datetime
    return_way: str = "Tại nơi tiếp nhận hồ sơ"
    submitted_by: str = ""
    received_by: str = ""
    sets: int = 1
    fee_dong: int | None = None

    def __post_init__(self) -> None:
        _check_list(self.papers)
        _check_lines(self.return_way, self.submitted_by, self.received_by)
        _check_aware(self.received_at, self.due_at)
        if self.working_days < 0 or self.sets < 1 or (self.fee_dong or 0) < 0:
            raise ValueError("days and fees are not negative, and there is at least one set")


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementValues:
    """Form 02: Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ.

    Attributes:
        wanted: Papers that are asked for.
        reason: What has to be mended, and why; line breaks are kept.
        asked_by: Who asks; empty leaves room for a name.
    """

    heading: DossierHeading
    wanted: tuple[PaperLine, ...]
    reason: str
    asked_by: str = ""

    def __post_init__(self) -> None:
        _check_list(self.wanted)
        _check_passage(self.reason)
        _check_lines(self.asked_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionValues:
    """Form 03: Phiếu từ chối tiếp nhận, giải quyết hồ sơ.

    Attributes:
        reason: Why; line breaks are kept.
        decided_by: Who decided; empty leaves room for a name.
    """

    heading: DossierHeading
    reason: str
    decided_by: str = ""

    def __post_init__(self) -> None:
        _check_passage(self.reason)
        _check_lines(self.decided_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadgeValues:
    """A badge (phù hiệu), at least 9 x 10 cm (NĐ 158/2024/NĐ-CP Art. 23).

    Attributes:
        number: Number of the badge.
        title: Wording without marks, such as ``XE TẢI``.
        plate: As it is written on the plate, such as ``47C-123.45``.
        plate_colour: In words, such as ``nền vàng``; empty where it does not matter.
        party: Firm or person that runs the vehicle.
        valid_from: First day.
        last_day: Last day on which it is valid (the day before ``valid_until`` of the registry).
        qr_text: What the QR code holds.
        legal_basis: Law under which it is given, in one line.
        issued_at: Aware instant at which it is given out: that of the decision, so that a
            repeated job makes the same paper.
    """

    issuer: Issuer
    number: str
    title: str
    plate: str
    party: str
    valid_from: date
    last_day: date
    legal_basis: str
    dossier_code: str
    qr_text: str
    issued_at: datetime
    plate_colour: str = ""

    def __post_init__(self) -> None:
        _check_lines(
            self.number,
            self.title,
            self.plate,
            self.party,
            self.legal_basis,
            self.dossier_code,
            self.plate_colour,
        )
        _check_qr(self.qr_text)
        _check_aware(self.issued_at)
        if self.last_day < self.valid_from:
            raise ValueError("a badge ends after it begins")


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitValues:
    """A permit to cross the border with Laos (NĐ 158/2024/NĐ-CP Art. 29.2, 53).

    Attributes:
        number: Number of the permit.
        kind: Name of its kind, as the law has it.
        use: What it is for, such as ``Vận tải hàng hóa``.
        plate: As it is written on the plate, such as ``47C-123.45``.
        plate_colour: In words, such as ``nền vàng``; empty where it does not matter.
        vehicle: Kind of vehicle and brand, in words.
        chassis_number: As it is stamped.
        party: Firm or person that runs the vehicle; its address may be empty.
        valid_from: First day.
        last_day: Last day on which it is valid.
        trip_days_max: Longest trip in days.
        qr_text: What the QR code holds.
        issued_at: Aware instant of the decision, so that a repeated job makes the same paper.
    """

    issuer: Issuer
    number: str
    kind: str
    use: str
    plate: str
    plate_colour: str
    vehicle: str
    chassis_number: str
    party: str
    address: str
    valid_from: date
    last_day: date
    trip_days_max: int
    is_single_trip: bool
    legal_basis: str
    dossier_code: str
    qr_text: str
    issued_at: datetime

    def __post_init__(self) -> None:
        _check_lines(
            self.number,
            self.kind,
            self.use,
            self.plate,
            self.plate_colour,
            self.vehicle,
            self.chassis_number,
            self.party,
            self.address,
            self.legal_basis,
            self.dossier_code,
        )
        _check_qr(self.qr_text)
        _check_aware(self.issued_at)
        if self.last_day < self.valid_from or self.trip_days_max < 1:
            raise ValueError("a permit ends after it begins, and a trip has at least one day")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureValues:
    """A certificate of an erasure of personal data; no form of the law exists for it.

    Attributes:
        code: Of the request.
        passages: How many lost their plate.
        pictures: How many are erased within the hour.
        kept: Passages that other law keeps.
        key_fingerprints: SHA-256 of the keys that were destroyed, hex.
        chain_head: Where the audit log's chain stood.
        decided_by: Who did it.
        issued_at: Aware instant of the erasure.
    """

    issuer: Issuer
    code: str
    applicant: str
    legal_basis: str
    passages: int
    pictures: int
    kept: int
    key_fingerprints: tuple[str, ...]
    chain_head: str
    decided_by: str
    issued_at: datetime

    def __post_init__(self) -> None:
        _check_lines(self.code, self.applicant, self.legal_basis, self.chain_head, self.decided_by)
        _check_aware(self.issued_at)
        if min(self.passages, self.pictures, self.kept) < 0:
            raise ValueError("numbers of an erasure are not negative")


def _check_lines(*texts: str) -> None:
    """Stop unless every text is short enough for a line of a form."""
    for text in texts:
        if len(text) > LINE_LENGTH_MAX:
            raise ValueError(f"need at most {LINE_LENGTH_MAX} characters")


def _check_passage(text: str) -> None:
    """Stop unless a text of several lines fits."""
    if not 1 <= len(text) <= PASSAGE_LENGTH_MAX:
        raise ValueError(f"need 1 to {PASSAGE_LENGTH_MAX} characters")


def _check_list(lines: tuple[PaperLine, ...]) -> None:
    if len(lines) > LIST_LENGTH_MAX:
        raise ValueError(f"need at most {LIST_LENGTH_MAX} papers")


def _check_qr(text: str) -> None:
    if not 1 <= len(text) <= QR_LENGTH_MAX or not text.isprintable():
        raise ValueError(f"need 1 to {QR_LENGTH_MAX} printable characters")


def _check_aware(*instants: datetime) -> None:
    if any(instant.tzinfo is None for instant in instants):
        raise ValueError("need aware instants")
