# SPDX-License-Identifier: AGPL-3.0-or-later
"""Brings the parts that a command needs, showing progress; silent when all are there."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from rich.console import Console

from deploy.local.clock import utc_now
from deploy.setup.chromium import ensure_chromium, find_chromium, renew_chromium
from deploy.setup.components import ensure_servers, find_servers, renew_servers
from deploy.setup.node import are_assets_current, ensure_assets
from deploy.setup.places import cache_folder
from deploy.setup.progress import Reporter, TerminalReporter
from deploy.setup.rabbitmq import ensure_rabbitmq, find_rabbitmq, renew_rabbitmq


class Part(StrEnum):
    """What can be set up; the launcher has already brought the Python packages."""

    PYTHON = "python"
    PYTHON_DEV = "python-dev"
    SERVERS = "servers"
    ASSETS = "assets"
    BROWSER = "browser"
    RABBITMQ = "rabbitmq"


RUNTIME_PARTS: Final = (Part.SERVERS, Part.ASSETS)
TEST_PARTS: Final = (Part.BROWSER,)


def is_present(part: Part) -> bool:
    """Whether a part is there and current; quick."""
    match part:
        case Part.SERVERS:
            return find_servers() is not None
        case Part.ASSETS:
            return are_assets_current()
        case Part.BROWSER:
            return find_chromium() is not None
        case Part.RABBITMQ:
            return find_rabbitmq() is not None
        case _:
            return True


def ensure_parts(parts: Sequence[Part], console: Console) -> None:
    """Bring the parts that are missing, in order.

    Raises:
        SetupError: A part cannot be had; what was downloaded is kept.
    """
    missing = [part for part in parts if not is_present(part)]
    if not missing:
        return
    with TerminalReporter(console) as reporter:
        for part in missing:
            _ensure(part, reporter)


def renew_prefixes(console: Console) -> None:
    """Replace every private prefix that is there by today's packages.

    Raises:
        SetupError: A download broke off; the old prefix stays.
    """
    with TerminalReporter(console) as reporter:
        renew_servers(reporter, now=utc_now())
        renew_chromium(reporter, now=utc_now())
        renew_rabbitmq(reporter, now=utc_now())


def _ensure(part: Part, reporter: Reporter) -> None:
    match part:
        case Part.SERVERS:
            ensure_servers(reporter, now=utc_now())
        case Part.ASSETS:
            ensure_assets(cache_folder(), reporter)
        case Part.BROWSER:
            ensure_chromium(reporter, now=utc_now())
        case Part.RABBITMQ:
            ensure_rabbitmq(reporter, now=utc_now())
        case _:
            return
