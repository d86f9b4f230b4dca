# SPDX-License-Identifier: AGPL-3.0-or-later
"""Certificates for devices: the first one for an invitation, further ones for the one before."""

import binascii
from base64 import b64decode
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.deps.request import Now, ProcessDep
from api.deps.transactions import transaction
from api.errors import AuthorityMissingError, DeviceUnauthorisedError
from api.security.device import device_claim
from api.v1.documented import problems
from central.audit.types import Actor
from central.devices.authority import REQUEST_BYTES_MAX, DeviceAuthority
from central.devices.enrolment import TOKEN_LENGTH_MAX, EnrolmentService
from central.sites.service import SiteService

SIGNATURE_LENGTH_MAX: Final = 200
ACTOR: Final = Actor.service("device")

router = APIRouter(prefix="/v1/enrolment", tags=["devices"])

RequestText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=REQUEST_BYTES_MAX,
        description="PKCS #10 request (PEM) with a key on the curve P-256.",
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EnrolmentBody(_Body):
    """An invited device and its key."""

    token: Annotated[
        SecretStr, Field(min_length=1, max_length=TOKEN_LENGTH_MAX, description="The invitation.")
    ]
    certificate_request: RequestText


class RenewalBody(_Body):
    """A device's next key, signed by its present one."""

    certificate_request: RequestText
    signature: Annotated[
        str,
        Field(
            min_length=1,
            max_length=SIGNATURE_LENGTH_MAX,
            description="ECDSA with SHA-256 over the request's bytes, by the present key, Base64.",
        ),
    ]


class CertificateBody(_Body):
    """A certificate and what is needed to use it."""

    device_id: Annotated[str, Field(description="Name of the device.")]
    certificate: Annotated[str, Field(description="The device's certificate (PEM).")]
    expires_at: Annotated[str, Field(description="When it ends (ISO 8601).")]


class EnrolledBody(CertificateBody):
    """What an invited device gets, this once."""

    site_id: Annotated[str, Field(description="Site that it stands at.")]
    province: Annotated[str, Field(description="First level of its topics.")]
    authority: Annotated[str, Field(description="Certificate of the devices' authority (PEM).")]
    secret: Annotated[str, Field(description="The device's secret for its uploads.")]


@router.post(
    "",
    status_code=201,
    responses=problems(
        "invitation-refused",
        "certificate-request-invalid",
        "authority-missing",
        "request-invalid",
        "cross-origin-request",
        "body-too-large",
        "database-unavailable",
    ),
)
async def enrol(
    body: Annotated[EnrolmentBody, Body()], process: ProcessDep, now: Now
) -> EnrolledBody:
    """Use an invitation up for the device's first certificate and a new secret."""
    authority = _authority(process.authority)
    async with transaction(process) as connection:
        made = await EnrolmentService(connection, actor=ACTOR).enrol(
            body.token.get_secret_value(),
            body.certificate_request.encode(),
            authority=authority,
            now=now,
        )
    return EnrolledBody(
        device_id=made.device.id,
        certificate=made.certificate.certificate_pem,
        expires_at=made.certificate.not_after_at.isoformat(),
        site_id=made.device.site_id,
        province=made.device.province,
        authority=made.authority_pem,
        secret=made.secret,
    )


@router.post(
    "/renewal",
    status_code=201,
    responses=problems(
        "device-unauthorised",
        "device-unknown",
        "certificate-request-invalid",
        "authority-missing",
        "request-invalid",
        "cross-origin-request",
        "body-too-large",
        "database-unavailable",
    ),
    openapi_extra={
        "parameters": [
            {
                "name": "Authorization",
                "in": "header",
                "required": True,
                "description": "`Device <device_id>:<secret>`",
                "schema": {"type": "string"},
            }
        ],
    },
)
async def renew(
    request: Request, body: Annotated[RenewalBody, Body()], process: ProcessDep, now: Now
) -> CertificateBody:
    """A further certificate, for a device that has its secret and the key of its present one."""
    claim = device_claim(request)
    authority = _authority(process.authority)
    try:
        signature = b64decode(body.signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DeviceUnauthorisedError from error
    async with transaction(process) as connection:
        device = await SiteService(connection).authenticate(
            device_id=claim.device_id, secret=claim.secret
        )
        issued = await EnrolmentService(connection, actor=ACTOR).renew(
            device,
            body.certificate_request.encode(),
            signature=signature,
            authority=authority,
            now=now,
        )
    return CertificateBody(
        device_id=device.id,
        certificate=issued.certificate_pem,
        expires_at=issued.not_after_at.isoformat(),
    )


def _authority(authority: DeviceAuthority | None) -> DeviceAuthority:
    """The authority of this process.

    Raises:
        AuthorityMissingError: It has none.
    """
    if authority is None:
        raise AuthorityMissingError
    return authority
