# SPDX-License-Identifier: AGPL-3.0-or-later
"""The authority of devices' certificates: it signs what a device may prove itself with.

It is made for this one use: certificates of it are trusted by the broker's listener for devices
and by nothing else, so its key may lie on the server that takes enrolments in.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.errors import CertificateRequestInvalidError, SettingsError

CLOCK_SKEW: Final = timedelta(minutes=5)
"""Certificates hold from so long before now, as the clocks of devices differ."""

AUTHORITY_LIFETIME: Final = timedelta(days=3653)
REQUEST_BYTES_MAX: Final = 8_192
REVOCATION_LIFETIME: Final = timedelta(days=7)
"""The broker refuses everybody when its list is older: it must be written again before."""

_SECRET_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644
_CURVE: Final = ec.SECP256R1


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """A certificate that was just signed.

    Attributes:
        serial: Its number, in hex.
        certificate_pem: For the device; contains no secret.
        public_key_pem: What renewals are checked with.
    """

    serial: str
    certificate_pem: str
    public_key_pem: str
    not_before_at: datetime
    not_after_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedCertificate:
    """A certificate that counts no more."""

    serial: str
    revoked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthority:
    """The authority's key with its certificate."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def load(cls, *, key_file: Path, certificate_file: Path) -> "DeviceAuthority":
        """Read the authority's two files.

        Raises:
            SettingsError: One of them is missing, damaged, or they do not belong together.
        """
        try:
            key = load_pem_private_key(key_file.read_bytes(), password=None)
            certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise SettingsError(
                "the device authority's key or certificate can't be read"
            ) from error
        if (
            not isinstance(key, ec.EllipticCurvePrivateKey)
            or certificate.public_key() != key.public_key()
        ):
            raise SettingsError("the device authority's key and certificate don't match")
        return cls(certificate=certificate, key=key)

    @property
    def certificate_pem(self) -> str:
        """The authority's certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode("ascii")

    def issue(
        self, request_pem: bytes, *, device_id: str, lifetime: timedelta, now: datetime
    ) -> IssuedCertificate:
        """Sign a device's request. Only its key counts: the name is the one the centre knows.

        Args:
            request_pem: PKCS #10 request with a key on the curve P-256.
            device_id: Name of the device, which becomes its name at the broker.
            lifetime: How long the certificate holds from now.
            now: Aware time.

        Raises:
            CertificateRequestInvalidError: This is no such request.
        """
        public_key = _requested_key(request_pem)
        not_before, not_after = now - CLOCK_SKEW, now + lifetime
        serial = x509.random_serial_number()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(device_id))
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(not_before)
            .not_valid_after(min(not_after, self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(is_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        return IssuedCertificate(
            serial=f"{serial:x}",
            certificate_pem=certificate.public_bytes(Encoding.PEM).decode("ascii"),
            public_key_pem=_public_pem(public_key),
            not_before_at=certificate.not_valid_before_utc,
            not_after_at=certificate.not_valid_after_utc,
        )

    def revocation_list(self, revoked: Iterable[RevokedCertificate], *, now: datetime) -> bytes:
        """The signed list of certificates that count no more (PEM)."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - CLOCK_SKEW)
            .next_update(now + REVOCATION_LIFETIME)
        )
        for each in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(each.serial, 16))
                .revocation_date(each.revoked_at)
                .build()
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def make_authority(*, key_file: Path, certificate_file: Path, name: str, now: datetime) -> None:
    """Make the authority's key and certificate; existing files are never replaced.

    Raises:
        SettingsError: One of the files is there already, or can't be written.
    """
    key = ec.generate_private_key(_CURVE())
    subject = _name(name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_new(key_file, pem, mode=_SECRET_MODE)
    _write_new(certificate_file, certificate.public_bytes(Encoding.PEM), mode=_PUBLIC_MODE)


def is_signed_by(public_key_pem: str, *, signature: bytes, message: bytes) -> bool:
    """Whether the holder of a key signed a message (ECDSA with SHA-256)."""
    key = load_pem_public_key(public_key_pem.encode("ascii"))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _requested_key(request_pem: bytes) -> ec.EllipticCurvePublicKey:
    """The key of a request whose sender holds its private part."""
    if len(request_pem) > REQUEST_BYTES_MAX:
        raise CertificateRequestInvalidError
    try:
        request = x509.load_pem_x509_csr(request_pem)
        key = request.public_key()
        is_whole = request.is_signature_valid
    except (ValueError, TypeError) as error:
        raise CertificateRequestInvalidError from error
    if (
        not is_whole
        or not isinstance(key, ec.EllipticCurvePublicKey)
        or not isinstance(key.curve, _CURVE)
    ):
        raise CertificateRequestInvalidError
    return key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _public_pem(key: ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise SettingsError(f"{path.name} is there already and is not replaced") from error
    except OSError as error:
        raise SettingsError(f"{path.name} can't be written: {error.strerror}") from error
