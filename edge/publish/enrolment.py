# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gets the device its certificate: the first one by an invitation, further ones by the one before.

The private key is made here and never leaves the device. Files are replaced only when the centre
has answered, the certificate last but one and the secret last, so that a cut in between leaves a
device that still works or that can be invited again.
"""

import os
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict, ValidationError

from edge.errors import EnrolmentError

TIMEOUT_S: Final = 20.0
ANSWER_BYTES_MAX: Final = 64_000
RENEW_AT_SHARE_LEFT: Final = 1 / 3
"""A certificate is renewed when less of its life is left. Higher: earlier, more often."""

_SECRET_MODE: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """Where the centre's api is.

    Attributes:
        ca_file: Certificates to trust; ``None`` means the system's.
    """

    url: str
    ca_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """Where the device keeps its key and certificate (PEM)."""

    key_file: Path
    certificate_file: Path


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    device_id: str
    certificate: str


AnswerT = TypeVar("AnswerT", bound=_Answer)


class _FirstAnswer(_Answer):
    authority: str
    secret: str


def enrol(
    centre: Centre, *, device_id: str, token: str, files: CertificateFiles, secret_file: Path
) -> None:
    """Use an invitation up: write key, certificate and secret.

    Raises:
        EnrolmentError: The centre can't be reached or refuses, or a file can't be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    body = {"token": token, "certificate_request": _request(key, device_id).decode("ascii")}
    answer = _asked(centre, "/v1/enrolment", body, headers={}, kind=_FirstAnswer)
    _require_device(answer, device_id)
    _store(files, key, answer)
    _write(secret_file, f"{answer.secret}\n".encode())


def renew(centre: Centre, *, device_id: str, secret: str, files: CertificateFiles) -> None:
    """Get the next certificate for a new key, signed for by the present one.

    Raises:
        EnrolmentError: The centre can't be reached or refuses, or a file can't be used.
    """
    present = _present_key(files.key_file)
    key = ec.generate_private_key(ec.SECP256R1())
    request = _request(key, device_id)
    signature = present.sign(request, ec.ECDSA(hashes.SHA256()))
    body = {
        "certificate_request": request.decode("ascii"),
        "signature": b64encode(signature).decode("ascii"),
    }
    headers = {"Authorization": f"Device {device_id}:{secret}"}
    answer = _asked(centre, "/v1/enrolment/renewal", body, headers=headers, kind=_Answer)
    _require_device(answer, device_id)
    _store(files, key, answer)


def is_renewal_due(certificate_file: Path, *, now: datetime) -> bool:
    """Whether less than a third of a certificate's life is left.

    Raises:
        EnrolmentError: There is no certificate, or it is damaged.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (OSError, ValueError) as error:
        raise EnrolmentError(f"the certificate {certificate_file.name} can't be read") from error
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return ends - now < (ends - begins) * RENEW_AT_SHARE_LEFT


def _request(key: ec.EllipticCurvePrivateKey, device_id: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM)


def _asked(
    centre: Centre, path: str, body: dict[str, str], *, headers: dict[str, str], kind: type[AnswerT]
) -> AnswerT:
    """The centre's answer to one request."""
    ca_file = None if centre.ca_file is None else str(centre.ca_file)
    try:
        answer = httpx.post(
            centre.url.rstrip("/") + path,
            json=body,
            headers=headers,
            timeout=TIMEOUT_S,
            verify=ssl.create_default_context(cafile=ca_file),
        )
    except (httpx.HTTPError, OSError) as error:
        raise EnrolmentError(f"the centre can't be reached ({type(error).__name__})") from error
    if answer.status_code != HTTPStatus.CREATED or len(answer.content) > ANSWER_BYTES_MAX:
        raise EnrolmentError(f"the centre refuses ({_refusal(answer)})")
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        raise EnrolmentError("the centre's answer can't be read") from error


def _refusal(answer: httpx.Response) -> str:
    """The stable code of a refusal, or its status."""
    try:
        code = answer.json()["code"]
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)
    return str(code)[:60]


def _require_device(answer: _Answer, device_id: str) -> None:
    if answer.device_id != device_id:
        raise EnrolmentError("the invitation is for another device than this site file's")


def _present_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise EnrolmentError(f"the key {path.name} can't be read") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EnrolmentError(f"the key {path.name} is of another kind")
    return key


def _store(files: CertificateFiles, key: ec.EllipticCurvePrivateKey, answer: _Answer) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(files.key_file, pem)
    _write(files.certificate_file, answer.certificate.encode("ascii"))


def _write(path: Path, content: bytes) -> None:
    """Replace a file that only its owner may read, at once."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise EnrolmentError(f"{path.name} can't be written: {error.strerror}") from error
