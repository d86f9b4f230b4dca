# SPDX-License-Identifier: AGPL-3.0-or-later
"""Evidence pictures: devices upload them under their hash, people look at them."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse

from api.deps.acting import ActingDep
from api.deps.request import Evidence, MaySeePassages, Now, ProcessDep
from api.deps.transactions import transaction
from api.errors import BodyTooLargeError, MediaTypeError
from api.security.device import device_claim
from api.v1.documented import problems
from api.v1.schemas import UploadBody
from central.contracts.identifiers import SHA256_PATTERN
from central.evidence.service import EvidenceService
from central.evidence.store import PICTURE_BYTES_MAX
from central.evidence.types import Reception
from central.sites.service import SiteService

JPEG: Final = "image/jpeg"
router = APIRouter(prefix="/v1/evidence", tags=["evidence"])

Hash = Annotated[str, Path(pattern=SHA256_PATTERN, description="Hex SHA-256 of the picture.")]


@router.put(
    "/{sha256}",
    status_code=201,
    responses=problems(
        "device-unauthorised",
        "device-unknown",
        "hash-mismatch",
        "body-too-large",
        "length-required",
        "unsupported-media-type",
        "not-a-jpeg",
        "request-invalid",
        "database-unavailable",
    )
    | {200: {"description": "Already there", "model": UploadBody}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {JPEG: {"schema": {"type": "string", "format": "binary"}}},
        },
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
async def put_evidence(
    sha256: Hash, request: Request, response: Response, process: ProcessDep, now: Now
) -> UploadBody:
    """Store a picture; sending it again is harmless.

    The device is checked before its body is read, and no connection to the database is held
    while a slow link delivers it.
    """
    claim = device_claim(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JPEG:
        raise MediaTypeError
    async with transaction(process) as connection:
        device = await SiteService(connection).authenticate(
            device_id=claim.device_id, secret=claim.secret
        )
    body = await _read_body(request)
    async with transaction(process) as connection:
        reception = await EvidenceService(connection, process.store).receive(
            sha256=sha256, body=body, device_id=device.id, now=now
        )
    response.status_code = 201 if reception is Reception.CREATED else 200
    return UploadBody(sha256=sha256)


@router.get(
    "/{sha256}",
    response_class=FileResponse,
    dependencies=[MaySeePassages],
    responses=problems(
        "not-signed-in",
        "permission-denied",
        "evidence-not-found",
        "request-invalid",
        "database-unavailable",
    )
    | {200: {"content": {JPEG: {}}, "description": "The picture"}},
)
async def get_evidence(
    sha256: Hash, acting: ActingDep, evidence: Evidence, now: Now
) -> FileResponse:
    """A picture, if a passage that the caller may see names it; the look is written down."""
    picture = await evidence.look_at(sha256, acting.user.scope, actor=acting.actor, now=now)
    return FileResponse(
        picture.path,
        media_type=picture.media_type,
        headers={"Content-Disposition": "inline"},
    )


async def _read_body(request: Request) -> bytes:
    """The whole body, refused as soon as it grows too large.

    Raises:
        BodyTooLargeError: It has more than ``PICTURE_BYTES_MAX`` bytes.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > PICTURE_BYTES_MAX:
            raise BodyTooLargeError
    return bytes(body)
