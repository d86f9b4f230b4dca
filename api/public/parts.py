# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the citizens' pages share within the process."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, cast

from fastapi import Depends, Request

from api.pages.assets import Assets
from api.pages.i18n import load_speeches
from api.pages.rendering import Renderer
from api.public.labels import words
from api.security.rates import RateLimit

TEMPLATE_FOLDER: Final = Path(__file__).parent / "templates"
CATALOGUE_FOLDER: Final = Path(__file__).parent / "locales"
PUBLIC_PREFIX: Final = "/public"
LOOK_UPS: Final = RateLimit(requests_max=30, window=timedelta(minutes=1))
"""Codes are easy to guess, so nobody may try many; a family behind one address rarely asks more."""

READINGS: Final = RateLimit(requests_max=60, window=timedelta(minutes=1))
"""The page about the interface is long and drawn for each reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicParts:
    """Templates and texts."""

    renderer: Renderer


def make_public_parts(assets: Assets) -> PublicParts:
    """Read templates and texts."""
    return PublicParts(
        renderer=Renderer(
            folder=TEMPLATE_FOLDER,
            assets=assets,
            speeches=load_speeches(CATALOGUE_FOLDER),
            words_of=words,
        ),
    )


def public_behind(request: Request) -> PublicParts:
    """What the lifespan put into the request's state."""
    return cast("PublicParts", request.state.public)  # Starlette's state is untyped.


async def public_of(request: Request) -> PublicParts:
    """The same for those who depend on it."""
    return public_behind(request)


Public = Annotated[PublicParts, Depends(public_of)]
