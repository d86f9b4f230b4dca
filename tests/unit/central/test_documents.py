# SPDX-License-Identifier: AGPL-3.0-or-later
"""Papers: what stands on them, how they are typeset, signed and verified."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from central.documents.commands import document_app
from central.documents.development_key import ensure_development_key
from central.documents.errors import SigningKeyError, UnprintableTextError, UnreadablePdfError
from central.documents.layout import (
    DocumentValues,
    encoded,
    payload_of,
    values_digest,
)
from central.documents.signing import sign_pdf_now
from central.documents.statement_values import (
    CompletenessValues,
    DeviceLine,
    GapLine,
    KeptLine,
    NumbersLine,
    RetentionValues,
)
from central.documents.types import SigningKey
from central.documents.typesetting import picture_pages, typeset, typeset_now
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
from central.documents.verification import SignatureReport, verify_pdf_now
from central.documents.wording import date_words, moment_words, money_words

ISSUED_AT = datetime(2027, 2, 5, 2, 30, tzinfo=UTC)
ISSUER = Issuer(
    authority="Sở Xây dựng tỉnh Đắk Lắk",
    office="Trung tâm Phục vụ hành chính công tỉnh",
    place="Đắk Lắk",
    phone="0262 3000 000",
)
HEADING = DossierHeading(
    issuer=ISSUER,
    code="H15.50-270205-0975",
    applicant="Công ty TNHH Vận tải A",
    address="Lô 5, khu công nghiệp Hòa Phú",
    phone="0262 3111 111",
    email="lienhe@vantai-a.example",
    subject='Cấp phù hiệu "XE TẢI" cho xe 47C-123.45',
    procedure="Cấp phù hiệu",
    procedure_code="2.002288",
    legal_basis="Điều 23 Nghị định số 158/2024/NĐ-CP",
    qr_text="https://example.vn/public/dossiers/H15.50-270205-0975",
    issued_at=ISSUED_AT,
)
PAPERS = (PaperLine(name="Giấy đề nghị cấp phù hiệu", form="Bản chính"),)
RECEIPT = ReceiptValues(
    heading=HEADING,
    papers=PAPERS,
    working_days=2,
    received_at=ISSUED_AT,
    due_at=ISSUED_AT + timedelta(days=11),
    fee_dong=200_000,
)
SUPPLEMENT = SupplementValues(heading=HEADING, wanted=PAPERS, reason="Bản sao bị mờ.")
REJECTION = RejectionValues(heading=HEADING, reason="Xe đã có phù hiệu còn hiệu lực.")
BADGE = BadgeValues(
    issuer=ISSUER,
    number="47-00123",
    title="XE TẢI",
    plate="47C-123.45",
    party="Công ty TNHH Vận tải A",
    valid_from=date(2027, 2, 16),
    last_day=date(2034, 2, 15),
    legal_basis="Điều 23 Nghị định số 158/2024/NĐ-CP",
    dossier_code="H15.50-270205-0975",
    qr_text="H15.50-270205-0975",
    issued_at=ISSUED_AT,
)
PERMIT = PermitValues(
    issuer=ISSUER,
    number="LV-H15.50-270205-0976",
    kind="Giấy phép liên vận Việt Nam - Lào (thương mại)",
    use="Vận tải hàng hóa",
    plate="47C-123.45",
    plate_colour="nền vàng",
    vehicle="Ô tô tải, nhãn hiệu HINO",
    chassis_number="RLHTRUCK000000001",
    party="Công ty TNHH Vận tải A",
    address="Lô 5, khu công nghiệp Hòa Phú",
    valid_from=date(2027, 2, 5),
    last_day=date(2028, 2, 4),
    trip_days_max=30,
    is_single_trip=False,
    legal_basis="NĐ 158/2024/NĐ-CP Điều 29.2, 53",
    dossier_code="H15.50-270205-0976",
    qr_text="H15.50-270205-0976",
    issued_at=ISSUED_AT,
)
ERASURE = ErasureValues(
    issuer=ISSUER,
    code="DL-2026-000001",
    applicant="Bà Nguyễn Thị X",
    legal_basis="NĐ 356/2025/NĐ-CP Điều 5",
    passages=12,
    pictures=24,
    kept=3,
    key_fingerprints=("ab" * 32, "cd" * 32),
    chain_head=f"120:{'ef' * 32}",
    decided_by="Trần Y",
    issued_at=ISSUED_AT,
)
DAY = CompletenessValues(
    issuer=ISSUER,
    day=date(2027, 2, 5),
    revision=2,
    total=NumbersLine(captured=1204, stored=1200, waiting=1, held_back=1, lost=2),
    devices=(
        DeviceLine(
            device="gate-01",
            site="km12",
            numbers="1…1.204",
            figures=NumbersLine(captured=1204, stored=1200, waiting=1, held_back=1, lost=2),
        ),
    ),
    gaps=(
        GapLine(device="gate-01", numbers="7…8", count=2, explanation="forgotten", since=ISSUED_AT),
        GapLine(device="gate-01", numbers="9", count=1, explanation="quarantined", since=None),
    ),
    gaps_left_out=3,
    file_sha256="ab" * 32,
    issued_at=ISSUED_AT,
)
BY_DATE = RetentionValues(
    issuer=ISSUER,
    code="0190f5c2-0000-7000-8000-000000000001",
    data="passages",
    since=ISSUED_AT - timedelta(days=37),
    until=ISSUED_AT - timedelta(days=30),
    erased=120_400,
    pictures=240_800,
    kept=(KeptLine(purpose="toll", rows=12, keep=timedelta(days=1827)),),
    ids_sha256="ab" * 32,
    chain_head=f"120:{'ef' * 32}",
    issued_at=ISSUED_AT,
)
ALL = [RECEIPT, SUPPLEMENT, REJECTION, BADGE, PERMIT, ERASURE, DAY, BY_DATE]
MARKUP = '#panic("x") \\ "trích" $x^2$ *đậm* _nghiêng_ <nhãn> @tham `mã` = // /* [ ] { } ~'


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return _made_key(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def signed(key: SigningKey) -> bytes:
    return sign_pdf_now(typeset_now(BADGE), key).content


@pytest.mark.parametrize("values", ALL, ids=lambda values: type(values).__name__)
def test_every_paper_is_typeset_as_pdf_a_and_the_same_way_again(values: DocumentValues) -> None:
    first, second = typeset_now(values), typeset_now(values)

    assert first == second
    assert first.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in first
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in first


async def test_a_paper_is_typeset_in_a_thread_as_it_is_in_this_one() -> None:
    assert await typeset(BADGE) == typeset_now(BADGE)


@pytest.mark.parametrize("values", ALL, ids=lambda values: type(values).__name__)
def test_markup_in_a_name_stays_text(values: DocumentValues) -> None:
    if isinstance(values, BadgeValues | PermitValues):
        hostile: DocumentValues = replace(values, party=MARKUP, number=MARKUP)
    elif isinstance(values, ErasureValues):
        hostile = replace(values, applicant=MARKUP, decided_by=MARKUP)
    elif isinstance(values, CompletenessValues):
        hostile = replace(values, devices=(replace(values.devices[0], site=MARKUP),))
    elif isinstance(values, RetentionValues):
        hostile = replace(values, code=MARKUP, chain_head=MARKUP)
    else:
        hostile = replace(values, heading=replace(HEADING, applicant=MARKUP, subject=MARKUP))

    assert MARKUP.replace("\\", "\\\\").replace('"', '\\"') in encoded(payload_of(hostile))
    assert typeset_now(hostile) != typeset_now(values)


def test_a_receipt_with_very_long_names_keeps_its_lines_on_more_pages() -> None:
    line = PaperLine(name="Giấy tờ kèm theo " * 17, form="W" * 300, note="W" * 300)
    usual, long = picture_pages(RECEIPT), picture_pages(replace(RECEIPT, papers=(line,) * 8))

    assert len(usual) == 1
    assert len(long) > 1


def test_a_badge_stays_on_one_page_with_the_longest_name() -> None:
    assert len(picture_pages(replace(BADGE, party="Phương Đông " * 25, title="XE " * 40))) == 1


def test_a_permit_stays_on_one_page_with_the_longest_names() -> None:
    long = "Phương Đông " * 25

    assert len(picture_pages(replace(PERMIT, party=long, address=long))) == 1


def test_composed_and_decomposed_letters_make_the_same_paper() -> None:
    decomposed = replace(BADGE, party="Nguye\u0302\u0303n\u00a0V\u200b\u0103n")

    assert typeset_now(decomposed) == typeset_now(replace(BADGE, party="Nguyễn Văn"))


def test_letters_that_the_font_lacks_are_refused_and_named_without_the_text() -> None:
    with pytest.raises(UnprintableTextError) as refused:
        typeset_now(replace(BADGE, party="Vận tải 中文"))

    assert "U+4E2D" in refused.value.code_points
    assert "Vận tải" not in str(refused.value)


def test_dates_hours_and_money_are_written_the_official_way() -> None:
    assert date_words(date(2027, 2, 5)) == "ngày 05 tháng 02 năm 2027"
    assert date_words(date(2027, 10, 12)) == "ngày 12 tháng 10 năm 2027"
    assert date_words(date(2027, 3, 9)) == "ngày 09 tháng 3 năm 2027"
    assert moment_words(ISSUED_AT) == "09 giờ 30 phút, ngày 05 tháng 02 năm 2027"
    assert money_words(1_200_000) == "1.200.000 đồng"


def test_a_late_evening_in_utc_is_the_next_day_on_paper() -> None:
    late = replace(HEADING, issued_at=datetime(2027, 2, 5, 18, 0, tzinfo=UTC))

    payload = payload_of(replace(RECEIPT, heading=late))

    assert payload["place_and_date"] == "Đắk Lắk, ngày 06 tháng 02 năm 2027"


def test_equal_values_have_equal_digests_and_others_do_not() -> None:
    assert values_digest(BADGE) == values_digest(replace(BADGE))
    assert values_digest(BADGE) != values_digest(replace(BADGE, plate="47C-123.46"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: replace(BADGE, party="x" * 301),
        lambda: replace(BADGE, qr_text=""),
        lambda: replace(BADGE, last_day=date(2027, 2, 15)),
        lambda: replace(REJECTION, reason=""),
        lambda: replace(RECEIPT, papers=PAPERS * 51),
        lambda: replace(RECEIPT, due_at=datetime(2027, 2, 5)),  # noqa: DTZ001 - what is refused
    ],
)
def test_values_that_no_paper_can_show_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"need|ends"):
        wrong()


def test_a_signed_paper_is_valid_and_begins_with_the_unsigned_one(
    key: SigningKey, signed: bytes
) -> None:
    report = _verified(signed, key)

    assert signed.startswith(typeset_now(BADGE))
    assert report.is_good
    assert report.signer == "Luuthong DEVELOPMENT signature"
    assert report.issuer == "Luuthong DEVELOPMENT authority"
    assert report.signed_at is not None
    assert b"/ETSI.CAdES.detached" in signed


def test_a_changed_byte_anywhere_is_found_out(key: SigningKey, signed: bytes) -> None:
    places = random.Random(7).sample(range(len(signed)), 60)  # noqa: S311 - no secret

    assert [place for place in places if _is_good(_flipped(signed, place), key)] == []


def test_every_changed_byte_around_the_signature_is_found_out(
    key: SigningKey, signed: bytes
) -> None:
    begin = signed.index(b"/Contents <") + len(b"/Contents <")
    end = signed.index(b">", begin)
    places = [*range(begin - 3, begin + 12), *range(end - 12, end + 3)]

    assert [place for place in places if _is_good(_flipped(signed, place), key)] == []


def test_something_added_after_the_signature_is_found_out(key: SigningKey, signed: bytes) -> None:
    report = _verified(signed + b"\n% more", key)

    assert report.is_intact
    assert not report.covers_whole_file
    assert not report.is_good


def test_the_signer_of_another_machine_is_not_trusted(signed: bytes, tmp_path: Path) -> None:
    report = _verified(signed, _made_key(tmp_path))

    assert report.is_intact
    assert not report.is_trusted


def test_an_expired_certificate_is_not_trusted(key: SigningKey, signed: bytes) -> None:
    later = datetime.now(UTC) + timedelta(days=3654)

    assert not verify_pdf_now(signed, trusted_ca=key.ca_file, now=later).is_trusted


def test_a_pdf_without_signature_has_none(key: SigningKey) -> None:
    assert _verified(typeset_now(BADGE), key) == SignatureReport(signatures=0)


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.7\nbroken", b"%PDF-1.7" + b"\0" * 99])
def test_what_is_no_pdf_is_refused(key: SigningKey, content: bytes) -> None:
    with pytest.raises(UnreadablePdfError):
        _verified(content, key)


def test_a_development_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    key = _made_key(tmp_path)
    before = key.key_file.read_bytes()

    assert not ensure_development_key(key, now=ISSUED_AT)
    assert key.key_file.read_bytes() == before
    assert key.key_file.stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 3


def test_a_certificate_of_another_key_is_refused(key: SigningKey, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )

    with pytest.raises(SigningKeyError, match="another key"):
        sign_pdf_now(b"", replace(key, key_file=other))
    with pytest.raises(SigningKeyError, match="can't read"):
        sign_pdf_now(b"", replace(key, key_file=tmp_path / "absent.pem"))


def test_the_command_says_in_plain_words_what_a_pdf_is(
    key: SigningKey, signed: bytes, tmp_path: Path
) -> None:
    begin = signed.index(b"/CreationDate")
    answers = {
        "VALID.": (signed, 0),
        "NOT SIGNED.": (typeset_now(BADGE), 1),
        "NOT VALID.": (b"no pdf", 1),
        "NOT VALID. The PDF was changed": (_flipped(signed, begin + 20), 1),
    }

    for words, (content, exit_code) in answers.items():
        file = tmp_path / "paper.pdf"
        file.write_bytes(content)
        result = CliRunner().invoke(document_app, ["verify", str(file), "--ca", str(key.ca_file)])

        assert result.output.startswith(words), result.output
        assert result.exit_code == exit_code


@pytest.mark.parametrize(
    ("bits", "bits_min", "is_accepted"),
    [(2048, 3072, False), (3072, 3072, True), (2048, 2048, True)],
)
def test_an_rsa_key_signs_only_when_it_is_long_enough(
    tmp_path: Path, bits: int, bits_min: int, *, is_accepted: bool
) -> None:
    made = _made_key(tmp_path)
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    authority = x509.load_pem_x509_certificate(made.ca_file.read_bytes())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(authority.subject)
        .issuer_name(authority.subject)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(datetime.now(UTC) - timedelta(hours=1))
        .not_valid_after(datetime.now(UTC) + timedelta(hours=1))
        .sign(private, hashes.SHA256())
    )
    made.certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.key_file.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    key = replace(made, rsa_bits_min=bits_min)

    if is_accepted:
        assert sign_pdf_now(typeset_now(BADGE), key).content.startswith(b"%PDF")
    else:
        with pytest.raises(SigningKeyError, match="too short"):
            sign_pdf_now(typeset_now(BADGE), key)


def _made_key(folder: Path) -> SigningKey:
    key = SigningKey(
        key_file=folder / "key.pem",
        certificate_file=folder / "certificate.pem",
        ca_file=folder / "authority.pem",
    )
    # The library signs with the machine's clock, so the certificate has to hold then.
    assert ensure_development_key(key, now=datetime.now(UTC))
    return key


def _verified(pdf: bytes, key: SigningKey) -> SignatureReport:
    return verify_pdf_now(pdf, trusted_ca=key.ca_file, now=datetime.now(UTC))


def _is_good(pdf: bytes, key: SigningKey) -> bool:
    try:
        return _verified(pdf, key).is_good
    except UnreadablePdfError:
        return False


def _flipped(pdf: bytes, place: int) -> bytes:
    return pdf[:place] + bytes([pdf[place] ^ 0x20]) + pdf[place + 1 :]
