# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a PDF is what its signer signed: intact, by whom, when, and whether we trust them.

Revocation is not asked for, as nothing is fetched from the network; and the time is the one that
the signer states (PAdES B-B has no time stamp of a third party).
"""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from central.documents.errors import SigningKeyError, UnreadablePdfError

PDF_BYTES_MAX: Final = 33_554_432
SIGNATURES_MAX: Final = 20
PDF_START: Final = b"%PDF-"
VERIFYING_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReport:
    """What was found out about the signatures of a PDF.

    Attributes:
        signatures: How many there are; the rest says nothing when there is none.
        is_intact: Every signature fits the bytes that it covers.
        covers_whole_file: Nothing was added after the last signature.
        is_trusted: Every signer's certificate comes from the authority that we trust, and holds.
        signer: Common name of the last signer; empty when not known.
        issuer: Who issued that certificate, as its name says.
        signed_at: Aware time that the signature states; ``None`` when it states none.
    """

    signatures: int
    is_intact: bool = False
    covers_whole_file: bool = False
    is_trusted: bool = False
    signer: str = ""
    issuer: str = ""
    signed_at: datetime | None = None

    @property
    def is_good(self) -> bool:
        """Whether the whole PDF is what somebody whom we trust signed."""
        return self.signatures > 0 and self.is_intact and self.covers_whole_file and self.is_trusted


async def verify_pdf(pdf: bytes, *, trusted_ca: Path, now: datetime) -> SignatureReport:
    """Check the signatures of a PDF, in a thread.

    Args:
        pdf: Any bytes.
        trusted_ca: Certificate (PEM) of the authority whose signers are trusted.
        now: Aware time at which the certificates have to hold.

    Raises:
        UnreadablePdfError: The bytes are no PDF, or broken beyond reading, or too many.
        SigningKeyError: The authority's certificate can't be read.
    """
    try:
        async with asyncio.timeout(VERIFYING_TIMEOUT_S):
            return await asyncio.to_thread(verify_pdf_now, pdf, trusted_ca=trusted_ca, now=now)
    except TimeoutError as error:
        raise UnreadablePdfError("checking it takes too long") from error


def verify_pdf_now(pdf: bytes, *, trusted_ca: Path, now: datetime) -> SignatureReport:
    """Check the signatures of a PDF in this thread; raises as ``verify_pdf`` does."""
    if len(pdf) > PDF_BYTES_MAX:
        raise UnreadablePdfError(f"it has more than {PDF_BYTES_MAX} bytes")
    if not pdf.startswith(PDF_START):
        raise UnreadablePdfError("this is no PDF")
    trust = _trust(trusted_ca, now=now)
    try:
        found = PdfFileReader(io.BytesIO(pdf), strict=True).embedded_signatures
        if not found:
            return SignatureReport(signatures=0)
        if len(found) > SIGNATURES_MAX:
            raise UnreadablePdfError(f"it has more than {SIGNATURES_MAX} signatures")  # noqa: TRY301
        checked = [(each, validate_pdf_signature(each, trust)) for each in found]
        return _report(pdf, checked)
    except UnreadablePdfError:
        raise
    except Exception as error:  # foreign bytes make the parser fail in any way
        raise UnreadablePdfError("it is damaged and can't be read") from error


def _trust(trusted_ca: Path, *, now: datetime) -> ValidationContext:
    try:
        authority = load_cert_from_pemder(str(trusted_ca))  # type: ignore[no-untyped-call]  # theirs has no types
    except (OSError, ValueError) as error:
        raise SigningKeyError(f"can't read the certificate {trusted_ca.name}") from error
    return ValidationContext(trust_roots=[authority], moment=now, allow_fetching=False)


def _report(
    pdf: bytes, checked: Sequence[tuple[EmbeddedPdfSignature, PdfSignatureStatus]]
) -> SignatureReport:
    """The weakest of all signatures, and the names of the last one."""
    signature, status = checked[-1]
    certificate = status.signing_cert
    return SignatureReport(
        signatures=len(checked),
        is_intact=all(
            each_status.intact and each_status.valid and _is_plain(pdf, each)
            for each, each_status in checked
        ),
        covers_whole_file=status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        is_trusted=all(each_status.trusted for _, each_status in checked),
        signer=str(certificate.subject.native.get("common_name", "")),
        issuer=str(certificate.issuer.native.get("common_name", "")),
        signed_at=signature.self_reported_timestamp,
    )


def _is_plain(pdf: bytes, signature: EmbeddedPdfSignature) -> bool:
    """Whether the gap that no signature can cover holds the signature and zeros, and no more."""
    start, length, after, _ = (int(each) for each in signature.byte_range)
    content = bytes(signature.pkcs7_content)
    if any(content[_encoded_length(content) :]):
        return False
    written = content.hex().encode()
    return pdf[start + length : after] in {b"<%b>" % written, b"<%b>" % written.upper()}


def _encoded_length(content: bytes) -> int:
    """Length in bytes of the one DER value at the beginning of some bytes."""
    first = content[1]
    if first < 0x80:  # noqa: PLR2004 - below, the byte is the length itself (X.690, 8.1.3)
        return 2 + first
    digits = first & 0x7F
    return 2 + digits + int.from_bytes(content[2 : 2 + digits], "big")
