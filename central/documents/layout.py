# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns values into the texts that the templates set: Vietnamese dates, money and wordings.

What comes out is plain data: a template never reads it as markup, so no name or reason can change
the paper that it stands on.
"""

import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

import segno

from central.documents.statement_values import (
    EXPLANATION_WORDS,
    KEPT_DATA_WORDS,
    PURPOSE_WORDS,
    CompletenessValues,
    NumbersLine,
    RetentionValues,
)
from central.documents.values import (
    BadgeValues,
    DossierHeading,
    ErasureValues,
    Issuer,
    PaperLine,
    PermitValues,
    ReceiptValues,
    RejectionValues,
    SupplementValues,
)
from central.documents.wording import (
    date_words,
    moment_words,
    money_words,
    short_date,
    whole_number,
)
from central.domain.local_time import local_date

UNBROKEN_LENGTH_MAX: Final = 28
"""A word of so many characters may be broken there, so that it stays on the paper. Lower: names
are broken where they need not be; higher: they run out of a table's cell."""

BREAK: Final = "\u200b"
NOTHING: Final = "\u2013"
"""Stands in a table where there is nothing to say: a dash."""

_UNBROKEN: Final = re.compile(rf"([^\W_]{{{UNBROKEN_LENGTH_MAX}}})(?=[^\W_])")

QR_ERROR_LEVEL: Final = "m"
QR_QUIET_MODULES: Final = 2
ADDRESS_STARTS: Final = ("https://", "http://")

Text = str | list[str] | dict[str, str] | list[dict[str, str]]
Payload = Mapping[str, Text]
DocumentValues = (
    ReceiptValues
    | SupplementValues
    | RejectionValues
    | BadgeValues
    | PermitValues
    | ErasureValues
    | CompletenessValues
    | RetentionValues
)


class DocumentTemplate(StrEnum):
    """A paper's layout; the file of the same name lies in ``templates``."""

    RECEIPT = "receipt"
    SUPPLEMENT = "supplement"
    REJECTION = "rejection"
    BADGE = "badge"
    PERMIT = "permit"
    ERASURE = "erasure"
    COMPLETENESS = "completeness"
    RETENTION = "retention"


_TEMPLATES: Final[Mapping[type[DocumentValues], DocumentTemplate]] = {
    ReceiptValues: DocumentTemplate.RECEIPT,
    SupplementValues: DocumentTemplate.SUPPLEMENT,
    RejectionValues: DocumentTemplate.REJECTION,
    BadgeValues: DocumentTemplate.BADGE,
    PermitValues: DocumentTemplate.PERMIT,
    ErasureValues: DocumentTemplate.ERASURE,
    CompletenessValues: DocumentTemplate.COMPLETENESS,
    RetentionValues: DocumentTemplate.RETENTION,
}


def template_of(values: DocumentValues) -> DocumentTemplate:
    """The layout for some values."""
    return _TEMPLATES[type(values)]


def payload_of(values: DocumentValues) -> Payload:
    """Everything that stands on a paper, as texts."""
    match values:
        case ReceiptValues():
            payload = _receipt(values)
        case SupplementValues():
            payload = _supplement(values)
        case RejectionValues():
            payload = _rejection(values)
        case BadgeValues():
            payload = _badge(values)
        case PermitValues():
            payload = _permit(values)
        case ErasureValues():
            payload = _erasure(values)
        case CompletenessValues():
            payload = _completeness(values)
        case RetentionValues():
            payload = _retention(values)
        case _:
            assert_never(values)
    return payload


def encoded(payload: Payload) -> str:
    """A payload as the templates read it: JSON with composed letters (NFC) and one kind of space.

    Characters without a shape, such as zero-width spaces from a spreadsheet, are left out.
    """
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True)
    shaped = unicodedata.normalize("NFC", "".join(map(_shaped, text)))
    return _UNBROKEN.sub(rf"\1{BREAK}", shaped)


def values_digest(values: DocumentValues) -> str:
    """SHA-256 (hex) over what stands on a paper: equal values need no second revision."""
    contents = f"{template_of(values)}\n{encoded(payload_of(values))}"
    return hashlib.sha256(contents.encode()).hexdigest()


def qr_svg(text: str) -> str:
    """A QR code as SVG, of any size."""
    picture = io.BytesIO()
    segno.make(text, error=QR_ERROR_LEVEL, micro=False).save(
        picture, kind="svg", border=QR_QUIET_MODULES, xmldecl=False, omitsize=True
    )
    return picture.getvalue().decode()


def _shaped(character: str) -> str:
    """The character itself, a plain space for any space, or nothing."""
    category = unicodedata.category(character)
    if category.startswith("Z"):
        return " "
    return "" if category.startswith("C") else character


def _receipt(values: ReceiptValues) -> Payload:
    return {
        **_heading(values.heading),
        "papers": _papers(values.papers),
        "sets": f"{values.sets:02} bộ",
        "working_days": f"{values.working_days:02} ngày làm việc",
        "received_at": moment_words(values.received_at),
        "due_at": moment_words(values.due_at),
        "return_way": values.return_way,
        "fee": "" if values.fee_dong is None else money_words(values.fee_dong),
        "submitted_by": values.submitted_by,
        "received_by": values.received_by,
    }


def _supplement(values: SupplementValues) -> Payload:
    issuer = values.heading.issuer
    phone = f", số điện thoại {issuer.phone}," if issuer.phone else ""
    return {
        **_heading(values.heading),
        "papers": _papers(values.wanted),
        "reason": _passages(values.reason),
        "help": "Trong quá trình hoàn thiện hồ sơ nếu có vướng mắc, Ông/Bà liên hệ với "
        f"{issuer.office}{phone} để được hướng dẫn. Thời gian giải quyết hồ sơ tạm dừng cho đến "
        "khi nhận đủ giấy tờ, nội dung bổ sung.",
        "signer": values.asked_by,
    }


def _rejection(values: RejectionValues) -> Payload:
    issuer = values.heading.issuer
    phone = f", số điện thoại {issuer.phone}" if issuer.phone else ""
    return {
        **_heading(values.heading),
        "reason": _passages(values.reason),
        "help": f" Nếu có vướng mắc, Ông/Bà liên hệ với {issuer.office}{phone}.",
        "signer_role": "NGƯỜI TIẾP NHẬN HỒ SƠ",
        "signer": values.decided_by,
    }


def _badge(values: BadgeValues) -> Payload:
    return {
        "issuer": _issuer(values.issuer),
        "place_and_date": _place_and_date(values.issuer, values.issued_at),
        "number": values.number,
        "title": f"“{values.title}”",
        "plate": values.plate,
        "plate_colour": values.plate_colour,
        "party": values.party,
        "valid_from": short_date(values.valid_from),
        "last_day": short_date(values.last_day),
        "legal_basis": values.legal_basis,
        "dossier_code": values.dossier_code,
        "signed": "Bản điện tử được ký số.",
        "qr_svg": qr_svg(values.qr_text),
        "scan": _scan_words(values.qr_text),
    }


def _permit(values: PermitValues) -> Payload:
    return {
        "issuer": _issuer(values.issuer),
        "place_and_date": _place_and_date(values.issuer, values.issued_at),
        "number": values.number,
        "kind": values.kind,
        "use": values.use,
        "plate": values.plate,
        "plate_colour": values.plate_colour,
        "vehicle": values.vehicle,
        "chassis_number": values.chassis_number,
        "party": values.party,
        "address": values.address,
        "valid_from": short_date(values.valid_from),
        "last_day": short_date(values.last_day),
        "trips": "Một chuyến" if values.is_single_trip else "Nhiều chuyến",
        "trip_days": f"không quá {values.trip_days_max:02} ngày",
        "legal_basis": values.legal_basis,
        "dossier_code": values.dossier_code,
        "signed": "Bản điện tử được ký số.",
        "qr_svg": qr_svg(values.qr_text),
        "scan": _scan_words(values.qr_text),
    }


def _erasure(values: ErasureValues) -> Payload:
    return {
        "issuer": _issuer(values.issuer),
        "place_and_date": _place_and_date(values.issuer, values.issued_at),
        "code": values.code,
        "applicant": values.applicant,
        "legal_basis": values.legal_basis,
        "done": f"Lúc {moment_words(values.issued_at)}, {values.passages} lượt xe qua đã được xóa "
        f"biển số; {values.pictures} ảnh được xóa trong vòng một giờ; "
        f"{len(values.key_fingerprints)} khóa đã bị hủy, nên dữ liệu cá nhân được niêm phong bằng "
        "các khóa này trong nhật ký không ai đọc được nữa.",
        "kept": f"Giữ lại theo quy định khác: {values.kept} lượt xe qua gắn với giao dịch thu phí "
        "hoặc cảnh báo; bút toán thu phí, hồ sơ thủ tục và cơ sở dữ liệu đăng ký phương tiện.",
        "keys": list(values.key_fingerprints) or ["Không có khóa nào."],
        "chain_head": values.chain_head,
        "note": "Bản sao lưu lập trước thời điểm này còn chứa dữ liệu cho đến khi bị hủy theo lịch "
        "sao lưu; khi phục hồi từ bản sao lưu, phải hủy lại các khóa có dấu vân tay nêu trên.",
        "decided_by": values.decided_by,
    }


def _completeness(values: CompletenessValues) -> Payload:
    return {
        "issuer": _issuer(values.issuer),
        "place_and_date": _place_and_date(values.issuer, values.issued_at),
        "day": short_date(values.day),
        "about": f"Ngày {short_date(values.day)}, lần lập thứ {values.revision}, lập lúc "
        f"{moment_words(values.issued_at)}. Bản lập sau thay thế bản lập trước của cùng ngày.",
        "total": _figures(values.total),
        "devices": [
            {
                "device": each.device,
                "site": each.site,
                "numbers": each.numbers or NOTHING,
                **_figures(each.figures),
            }
            for each in values.devices
        ],
        "gaps": [
            {
                "device": each.device,
                "numbers": each.numbers,
                "count": whole_number(each.count),
                "explanation": EXPLANATION_WORDS[each.explanation],
                "since": moment_words(each.since) if each.since is not None else NOTHING,
            }
            for each in values.gaps
        ],
        "left_out": f"Còn {whole_number(values.gaps_left_out)} khoảng thiếu khác trong tệp đã ký."
        if values.gaps_left_out
        else "",
        "note": "Mỗi thiết bị đánh số liên tục mọi sự kiện nó ghi nhận. Ghi nhận = đã lưu + còn ở "
        "thiết bị + cách ly hoặc loại bỏ + đã mất. Mỗi số tính vào ngày mà số đó, hoặc một số lớn "
        "hơn, đến lần đầu.",
        "file": f"Tệp JSON đã ký kèm theo có SHA-256: {values.file_sha256}",
    }


def _retention(values: RetentionValues) -> Payload:
    return {
        "issuer": _issuer(values.issuer),
        "place_and_date": _place_and_date(values.issuer, values.issued_at),
        "code": values.code,
        "about": f"Dữ liệu: {KEPT_DATA_WORDS[values.data]}, ghi nhận từ "
        f"{moment_words(values.since)} đến trước {moment_words(values.until)}.",
        "done": f"Lúc {moment_words(values.issued_at)}, {whole_number(values.erased)} bản ghi hết "
        f"thời hạn lưu trữ đã được xóa; {whole_number(values.pictures)} ảnh của các bản ghi này "
        "được xóa trong vòng một giờ. Số đếm lưu lượng theo phút, giờ, ngày được giữ lại và không "
        "chứa biển số.",
        "kept": [
            {
                "purpose": PURPOSE_WORDS[each.purpose],
                "keep": f"{whole_number(each.keep.days)} ngày",
                "rows": whole_number(each.rows),
            }
            for each in values.kept
        ],
        "ids": values.ids_sha256,
        "chain_head": values.chain_head,
        "note": "Bản sao lưu lập trước thời điểm này còn chứa dữ liệu cho đến khi bị hủy theo lịch "
        "sao lưu.",
    }


def _figures(line: NumbersLine) -> dict[str, str]:
    return {
        "captured": whole_number(line.captured),
        "stored": whole_number(line.stored),
        "waiting": whole_number(line.waiting),
        "held_back": whole_number(line.held_back),
        "lost": whole_number(line.lost),
    }


def _scan_words(qr_text: str) -> str:
    """What to do with the code."""
    return "Quét mã để tra cứu" if qr_text.startswith(ADDRESS_STARTS) else "Mã để tra cứu"


def _heading(heading: DossierHeading) -> dict[str, Text]:
    issuer = heading.issuer
    contact = [
        each
        for each in (issuer.address, f"Điện thoại: {issuer.phone}" if issuer.phone else "")
        if each
    ]
    code = f" ({heading.procedure_code})" if heading.procedure_code else ""
    is_address = heading.qr_text.startswith(ADDRESS_STARTS)
    return {
        "issuer": _issuer(issuer),
        "place_and_date": _place_and_date(issuer, heading.issued_at),
        "code": heading.code,
        "applicant": heading.applicant,
        "address": heading.address,
        "phone": heading.phone,
        "email": heading.email,
        "subject": heading.subject,
        "procedure": f"{heading.procedure}{code}",
        "legal_basis": heading.legal_basis,
        "footer": " · ".join([issuer.office, *contact]),
        "qr_svg": qr_svg(heading.qr_text),
        "look_up": f"Quét mã QR để tra cứu tình trạng hồ sơ, hoặc tra cứu tại: {heading.qr_text}"
        if is_address
        else f"Tra cứu tình trạng hồ sơ bằng mã hồ sơ {heading.code}; mã QR chứa mã hồ sơ.",
    }


def _issuer(issuer: Issuer) -> dict[str, str]:
    return {"authority": issuer.authority, "office": issuer.office}


def _place_and_date(issuer: Issuer, issued_at: datetime) -> str:
    words = date_words(local_date(issued_at))
    return f"{issuer.place}, {words}" if issuer.place else words.capitalize()


def _papers(papers: tuple[PaperLine, ...]) -> list[dict[str, str]]:
    return [{"name": each.name, "form": each.form, "note": each.note} for each in papers]


def _passages(text: str) -> list[str]:
    """The paragraphs of a text; empty ones are left out."""
    return [line.strip() for line in text.splitlines() if line.strip()]
