# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fresh pictures that devices were asked for."""

from uuid import UUID

from fastapi import APIRouter, Request

from api.deps.request import Now, ProcessDep
from api.deps.transactions import transaction
from api.errors import BodyTooLargeError, MediaTypeError
from api.security.device import device_claim
from api.v1.documented import problems
from central.devices.live_frames import PICTURE_BYTES_MAX, LiveFrameService
from central.sites.service import SiteService

JPEG = "image/jpeg"

router = APIRouter(prefix="/v1/live-frames", tags=["devices"])


@router.put(
    "/{frame_id}",
    status_code=204,
    responses=problems(
        "device-unauthorised",
        "device-unknown",
        "live-frame-not-found",
        "body-too-large",
        "length-required",
        "unsupported-media-type",
        "not-a-jpeg",
        "request-invalid",
        "cross-origin-request",
        "database-unavailable",
    ),
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
async def put_live_frame(frame_id: UUID, request: Request, process: ProcessDep, now: Now) -> None:
    """Take the picture that this device was asked for, once and in time."""
    claim = device_claim(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JPEG:
        raise MediaTypeError
    async with transaction(process) as connection:
        device = await SiteService(connection).authenticate(
            device_id=claim.device_id, secret=claim.secret
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > PICTURE_BYTES_MAX:
            raise BodyTooLargeError
    async with transaction(process) as connection:
        await LiveFrameService(connection).answer(
            frame_id, device_id=device.id, body=bytes(body), now=now
        )
