# SPDX-License-Identifier: AGPL-3.0-or-later
"""A key to sign with on a machine that has no certificate of an authority yet.

It says in its name that it is for development, and nobody but this machine trusts it. The key of
its authority is forgotten as soon as it has signed: no second certificate can ever be made.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from central.documents.types import SigningKey

ORGANISATION: Final = "DEVELOPMENT - NOT FOR OFFICIAL USE"
AUTHORITY_NAME: Final = "Luuthong DEVELOPMENT authority"
SIGNER_NAME: Final = "Luuthong DEVELOPMENT signature"
LIFETIME: Final = timedelta(days=3653)
"""Longer than the longest badge, which is given for 7 years."""

CLOCK_SKEW: Final = timedelta(minutes=5)
"""Valid from so long before now, as clocks differ."""

_SECRET_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644


def ensure_development_key(key: SigningKey, *, now: datetime) -> bool:
    """Make a key and its certificates unless there is a key; an existing one is never replaced.

    Args:
        key: Where the three files shall lie; their folders exist.
        now: Aware time from which the certificates hold.

    Returns:
        Whether a key was made.
    """
    if key.key_file.exists():
        return False
    authority_key = ec.generate_private_key(ec.SECP256R1())
    signer_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now=now)
    signer = _signer(signer_key, authority, authority_key, now=now)
    _write(key.ca_file, authority.public_bytes(Encoding.PEM), mode=_PUBLIC_MODE)
    _write(key.certificate_file, signer.public_bytes(Encoding.PEM), mode=_PUBLIC_MODE)
    pem = signer_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(key.key_file, pem, mode=_SECRET_MODE)  # last: whoever finds it finds all three
    return True


def _authority(key: ec.EllipticCurvePrivateKey, *, now: datetime) -> x509.Certificate:
    """Certificate of an authority that signs itself."""
    name = _name(AUTHORITY_NAME)
    return (
        _builder(now=now)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _signer(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    now: datetime,
) -> x509.Certificate:
    """Certificate with which papers are signed."""
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(now=now)
        .subject_name(_name(SIGNER_NAME))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(*, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """What a key may be used for: certificates, or documents that nobody can deny."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that appears whole, and never with a wider mode."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
