# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of components: made-up values, so that it looks the same on every day."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.errors import ErrorView
from api.console.parts import Console
from api.console.views import CHECK_FROM, SURE_FROM, PlateView, confidence_view
from api.deps.request import SignedIn
from api.pages.rendering import language_of
from central.contracts.passage import PlateColour
from central.identity.permissions import Permission

COMPONENTS_PATH: Final = "/console/components"
ICON_NAMES: Final = (
    "bell bus calendar camera car chart check chevron clock close coins device down eye "
    "filter folder gauge inbox key keyboard late left list lock logo logout map motorcycle newer "
    "offline older parts pause pencil picture play print right rows search send shield sun "
    "sure truck unknown unsure up user users vehicle warning"
)
_ONE_LINE: Final = ("20A-123.45",)
_TWO_LINES: Final = ("29-B1", "123.45")

router = APIRouter(include_in_schema=False)


@router.get(COMPONENTS_PATH)
async def components_page(request: Request, *, console: Console, user: SignedIn) -> Response:
    """Every component in every state."""
    user.require(Permission.SEE_COMPONENTS)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "components.html",
        user=user,
        plates=[
            PlateView(lines=lines, colour=colour)
            for colour in PlateColour
            for lines in (_ONE_LINE, _TWO_LINES)
        ],
        confidences=[confidence_view(each, speech) for each in (SURE_FROM, CHECK_FROM, 0.1)],
        icons=ICON_NAMES.split(),
        error=ErrorView(
            status=503,
            code="database-unavailable",
            title=speech.text("The data can't be reached just now"),
            advice=speech.text(
                "It was recorded. Try again; if it happens again, pass on the number below."
            ),
            request_id="0123456789abcdef",
            may_retry=True,
            way_out=COMPONENTS_PATH,
        ),
    )
