# SPDX-License-Identifier: AGPL-3.0-or-later
"""Electronic signatures on papers: PAdES B-B, added to the PDF without changing a byte of it.

The key lies in a file that only the worker reads. A province signs with the key of its
certificate authority; setting up a machine makes a development key that says that it is one.
pyHanko signs and verifies; it takes the time of the signature from the machine's clock.
"""

import asyncio
import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner

from central.audit.signatures import HouseKey
from central.documents.errors import SigningKeyError, TypesettingError
from central.documents.types import SigningKey
from central.settings import DocumentsSettings

FIELD_NAME: Final = "Signature"
DIGEST: Final = "sha256"
KEY_BYTES_MAX: Final = 65_536
SIGNATURE_BYTES_RESERVED: Final = 16_384
"""Room for signature and certificates, in characters of the file; more is refused by pyHanko."""

CURVE_BITS_MIN: Final = 256
SIGNING_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPdf:
    """A PDF with a signature.

    Attributes:
        signer: Common name in the certificate.
        signed_at: Aware time that the signature states.
    """

    content: bytes
    signer: str
    signed_at: datetime


def signing_key(settings: DocumentsSettings) -> SigningKey | None:
    """Where the key lies; ``None`` when none is set."""
    key_file, certificate_file = settings.signing_key_file, settings.signing_certificate_file
    if key_file is None or certificate_file is None or settings.ca_file is None:
        return None
    return SigningKey(
        key_file=key_file,
        certificate_file=certificate_file,
        ca_file=settings.ca_file,
        rsa_bits_min=settings.rsa_bits_min,
    )


def house_key(key: SigningKey) -> HouseKey:
    """The same key for signing other files than PDFs.

    Raises:
        SigningKeyError: A file is missing, unreadable, does not belong, or has a weak key.
    """
    _check_key(key)
    return HouseKey(
        private_key_pem=_content(key.key_file),
        certificate_pem=_content(key.certificate_file).decode("ascii"),
    )


async def sign_pdf(pdf: bytes, key: SigningKey) -> SignedPdf:
    """Sign a PDF, in a thread.

    Raises:
        SigningKeyError: The key or a certificate is missing, unreadable, or does not belong.
    """
    try:
        async with asyncio.timeout(SIGNING_TIMEOUT_S):
            return await asyncio.to_thread(sign_pdf_now, pdf, key)
    except TimeoutError as error:
        raise SigningKeyError("signing took too long") from error


def sign_pdf_now(pdf: bytes, key: SigningKey) -> SignedPdf:
    """Sign a PDF in this thread; raises as ``sign_pdf`` does."""
    signer_name = _check_key(key)
    signer = SimpleSigner.load(  # type: ignore[no-untyped-call]  # theirs has no types
        str(key.key_file), str(key.certificate_file), ca_chain_files=(str(key.ca_file),)
    )
    if signer is None:
        raise SigningKeyError("key or certificate can't be read")
    output = io.BytesIO()
    PdfSigner(
        PdfSignatureMetadata(
            field_name=FIELD_NAME,
            md_algorithm=DIGEST,
            subfilter=SigSeedSubFilter.PADES,
            name=signer_name,
        ),
        signer=signer,
    ).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)),
        bytes_reserved=SIGNATURE_BYTES_RESERVED,
        output=output,
    )
    content = output.getvalue()
    signed_at = PdfFileReader(io.BytesIO(content)).embedded_signatures[0].self_reported_timestamp
    if not isinstance(signed_at, datetime):
        raise TypesettingError("signature", "it states no time")
    return SignedPdf(content=content, signer=signer_name, signed_at=signed_at)


def common_name(certificate: x509.Certificate) -> str:
    """Common name of a certificate's subject, or the whole subject where it has none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def _check_key(key: SigningKey) -> str:
    """The signer's name, once it is sure that key and certificate belong together.

    Raises:
        SigningKeyError: A file is missing, unreadable, does not belong, or has a weak key.
    """
    try:
        private = load_pem_private_key(_content(key.key_file), password=None)
        certificate = x509.load_pem_x509_certificate(_content(key.certificate_file))
        authority = x509.load_pem_x509_certificate(_content(key.ca_file))
    except (ValueError, TypeError) as error:
        raise SigningKeyError("a file is no PEM of the right kind") from error
    if private.public_key() != certificate.public_key():
        raise SigningKeyError("the certificate belongs to another key")
    for each in (certificate, authority):
        if not _is_strong(each.public_key(), rsa_bits_min=key.rsa_bits_min):
            raise SigningKeyError("the key of a certificate is too short, or of an odd kind")
    return common_name(certificate)


def _is_strong(public_key: object, *, rsa_bits_min: int) -> bool:
    """Whether guessing a key takes 2 to the power of 128 attempts, or what is set for RSA."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return public_key.key_size >= rsa_bits_min
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return public_key.key_size >= CURVE_BITS_MIN
    return isinstance(public_key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)


def _content(path: Path) -> bytes:
    """A key's or certificate's file."""
    try:
        with path.open("rb") as file:
            return file.read(KEY_BYTES_MAX)
    except OSError as error:
        raise SigningKeyError(f"can't read {path.name}") from error
