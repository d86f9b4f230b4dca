# SPDX-License-Identifier: AGPL-3.0-or-later
"""Asking a camera for a fresh picture: the purpose, the wait, and the picture."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import RedirectResponse, Response
from uuid_utils.compat import uuid7

from api.console.devices.views import CAMERAS_PATH
from api.console.parts import Console
from api.deps.acting import ActingDep, LookForm, LookFormDep
from api.deps.request import Connection, Now
from api.errors import NotHereError
from api.pages.rendering import language_of
from central.contracts.identifiers import SLUG_PATTERN
from central.devices.live_frames import LIFETIME, LiveFrameService
from central.identity.permissions import Permission

FRAMES_PATH: Final = f"{CAMERAS_PATH}/{{device_id}}/frames"

router = APIRouter(include_in_schema=False)

DeviceId = Annotated[str, Path(pattern=SLUG_PATTERN)]


@router.get(FRAMES_PATH)
async def question_page(
    request: Request, device_id: DeviceId, *, console: Console, acting: ActingDep, camera: str = ""
) -> Response:
    """The question why somebody wants to look."""
    acting.user.require(Permission.SEE_LIVE_FRAMES)
    return console.renderer.page(
        request,
        "devices/ask_frame.html",
        user=acting.user,
        device_id=device_id,
        camera_id=camera[:40],
        reason=LookForm(),
        is_purpose_missing=False,
    )


@router.post(FRAMES_PATH)
async def ask(
    request: Request,
    device_id: DeviceId,
    reason: LookFormDep,
    camera: Annotated[str, Form(max_length=40)] = "",
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Ask the device for a picture, once a purpose was given."""
    acting.user.require(Permission.SEE_LIVE_FRAMES)
    look = reason.look(acting.actor)
    if look is None:
        return console.renderer.page(
            request,
            "devices/ask_frame.html",
            user=acting.user,
            status=422,
            device_id=device_id,
            camera_id=camera,
            reason=reason,
            is_purpose_missing=reason.purpose is None,
        )
    frame_id = uuid7()
    await LiveFrameService(connection).ask(
        frame_id=frame_id,
        device_id=device_id,
        camera_id=camera,
        user=acting.user,
        look=look,
        now=now,
    )
    return RedirectResponse(f"{CAMERAS_PATH}/{device_id}/frames/{frame_id}", status_code=303)


@router.get(f"{FRAMES_PATH}/{{frame_id}}")
async def frame_page(
    request: Request,
    device_id: DeviceId,
    frame_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """The picture, or word that the device has not answered yet."""
    frame = await LiveFrameService(connection).look_at(
        frame_id, device_id=device_id, user=acting.user, now=now
    )
    speech = console.renderer.speeches[language_of(request)]
    address = f"{CAMERAS_PATH}/{device_id}/frames/{frame_id}"
    return console.renderer.page(
        request,
        "devices/frame.html",
        user=acting.user,
        device_id=device_id,
        camera_id=frame.camera_id,
        address=address,
        picture_url=f"{address}/picture" if frame.answered_at is not None else None,
        answered=speech.time_and_date(frame.answered_at) if frame.answered_at else None,
        asked=speech.time_and_date(frame.asked_at),
        minutes=speech.number(LIFETIME.total_seconds() / 60),
    )


@router.get(f"{FRAMES_PATH}/{{frame_id}}/picture")
async def frame_picture(
    device_id: DeviceId, frame_id: UUID, *, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """The picture itself, for the one who asked."""
    frame = await LiveFrameService(connection).look_at(
        frame_id, device_id=device_id, user=acting.user, now=now
    )
    if frame.picture is None:
        raise NotHereError
    return Response(
        frame.picture, media_type="image/jpeg", headers={"Content-Disposition": "inline"}
    )
