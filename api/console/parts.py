# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the console's pages share within the process."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, cast

from fastapi import Depends, Request

from api.console.feeds import Feeds
from api.console.figures import FiguresShelf
from api.console.reasons import ReasonShelf
from api.console.remembered import PlateShelf
from api.console.rendered import RenderedPieces
from api.pages.rendering import Renderer
from api.security.rates import RateLimit

DEPARTURES: Final = RateLimit(requests_max=30, window=timedelta(minutes=1))
"""How often one address may go to the provider. Higher: a whole office behind one address, and
more calls to the provider by whoever wants to annoy it."""

TEMPLATE_FOLDER: Final = Path(__file__).parent / "templates"
CATALOGUE_FOLDER: Final = Path(__file__).parent / "locales"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """Templates, searched plates, reasons for looks, the day's figures, and the live feeds."""

    renderer: Renderer
    shelf: PlateShelf
    feeds: Feeds
    reasons: ReasonShelf = field(default_factory=ReasonShelf)
    figures: FiguresShelf = field(default_factory=FiguresShelf)
    rendered: RenderedPieces = field(default_factory=RenderedPieces)


def console_behind(request: Request) -> ConsoleParts:
    """What the lifespan put into the request's state."""
    return cast("ConsoleParts", request.state.console)  # Starlette's state is untyped.


async def console_of(request: Request) -> ConsoleParts:
    """The same for those who depend on it."""
    return console_behind(request)


Console = Annotated[ConsoleParts, Depends(console_of)]
