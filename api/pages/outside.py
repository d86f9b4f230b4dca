# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses of signing in by a provider, and what other pages show of it."""

from typing import Final

from fastapi import Request

from api.deps.request import process_behind
from api.pages.rendering import language_of

OUTSIDE_PATH: Final = "/console/login/outside"
LEFT_PATH: Final = f"{OUTSIDE_PATH}/left"
LINK_PATH: Final = "/console/account/outside"
UNLINK_PATH: Final = f"{LINK_PATH}/remove"


def provider_name(request: Request) -> str | None:
    """Name of the provider in the reader's language; ``None`` when there is none."""
    provider = process_behind(request).provider
    return None if provider is None else provider.names[language_of(request)]
