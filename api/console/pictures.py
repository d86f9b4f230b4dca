# SPDX-License-Identifier: AGPL-3.0-or-later
"""Evidence pictures as pages show them: drawn anew, with nothing but their pixels in them."""

from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.deps.acting import ActingDep
from api.deps.request import Evidence, MaySeePassages, Now
from central.contracts.identifiers import SHA256_PATTERN

PICTURES_PATH: Final = "/console/pictures"

router = APIRouter(include_in_schema=False)


def picture_url(sha256: str) -> str:
    """Address of a picture for a page."""
    return f"{PICTURES_PATH}/{sha256}"


@router.get(f"{PICTURES_PATH}/{{sha256}}", dependencies=[MaySeePassages])
async def picture(
    sha256: Annotated[str, Path(pattern=SHA256_PATTERN)],
    acting: ActingDep,
    evidence: Evidence,
    now: Now,
) -> Response:
    """A picture, if a passage that the caller may see names it; the look is written down."""
    content = await evidence.show(sha256, acting.user.scope, actor=acting.actor, now=now)
    return Response(content, media_type="image/jpeg", headers={"Content-Disposition": "inline"})
