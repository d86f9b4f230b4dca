# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is installed, in which version and where; what is missing, and the command that mends it."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Final

from deploy.errors import SetupError
from deploy.setup.apt import debian_keyring, machine_mirrors
from deploy.setup.chromium import find_chromium
from deploy.setup.components import Origin, Servers, find_servers
from deploy.setup.node import CONSOLE_FOLDER, are_assets_current, find_node
from deploy.setup.places import cache_folder, home_folder
from deploy.setup.prefix import Prefix
from deploy.setup.rabbitmq import find_rabbitmq

# A prefix gets no security updates by itself. Up: fewer reminders, older servers. Down: the
# reminder comes before Debian has anything new.
PREFIX_AGE_MAX: Final = timedelta(days=30)
_SETUP: Final = "./luuthong setup"
_RENEW: Final = "./luuthong setup --renew"
_QUERY_TIMEOUT_S: Final = 20.0
_FREE_BYTES_MIN: Final = 2 * 1024**3
_BYTES_PER_GIB: Final = 1024**3
_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One component as it is now.

    Attributes:
        version: Empty when it is absent.
        where: Its place, for people.
        problem: What is wrong, empty when nothing is.
        remedy: The command that mends it.
        is_needed: Whether something fails without it.
    """

    name: str
    version: str = ""
    where: str = ""
    problem: str = ""
    remedy: str = ""
    is_needed: bool = True


def components(*, now: datetime) -> list[Finding]:
    """Every component that set-up brings, in the order in which it brings them."""
    return [_python(), *_servers(now=now), _assets(), _browser(now=now), *_rabbitmq(now=now)]


def surroundings() -> list[Finding]:
    """What set-up itself needs of the machine."""
    return [
        _apt(),
        _mirror(),
        _node(),
        _disk(cache_folder(), "cache"),
        _disk(home_folder(), "home"),
    ]


def _python() -> Finding:
    count = sum(1 for _ in metadata.distributions())
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(name="Python", version=version, where=f"{sys.prefix} ({count} packages)")


def _servers(*, now: datetime) -> Iterator[Finding]:
    servers = find_servers()
    if servers is None:
        for name in ("PostgreSQL", "TimescaleDB", "mosquitto"):
            yield Finding(name=name, problem="not installed", remedy=_SETUP)
        return
    age = _age_problem(servers.prefix, now=now)
    where = f"{servers.postgres_bin} ({servers.origin})"
    remedy = _RENEW if age else ""
    yield Finding(
        name="PostgreSQL",
        version=_printed_version(servers.postgres_bin / "postgres", "--version"),
        where=where,
        problem=age,
        remedy=remedy,
        is_needed=False,
    )
    yield Finding(name="TimescaleDB", version=_timescale_version(servers), where=where)
    yield Finding(
        name="mosquitto",
        version=_printed_version(servers.mosquitto, "-h"),
        where=f"{servers.mosquitto} ({servers.origin})",
    )


def _assets() -> Finding:
    where = str(CONSOLE_FOLDER / "static" / "dist")
    if are_assets_current():
        return Finding(name="page's scripts and styles", version="current", where=where)
    return Finding(
        name="page's scripts and styles",
        where=where,
        problem="absent, or older than their sources",
        remedy=_SETUP,
    )


def _browser(*, now: datetime) -> Finding:
    browser = find_chromium()
    if browser is None:
        return Finding(
            name="Chromium",
            problem="not installed; only the browser tests need it",
            remedy=f"{_SETUP} --only browser",
            is_needed=False,
        )
    age = _age_problem(browser.prefix, now=now)
    return Finding(
        name="Chromium",
        version=browser.version,
        where=str(browser.program),
        problem=age,
        remedy=_RENEW if age else "",
        is_needed=False,
    )


def _rabbitmq(*, now: datetime) -> Iterator[Finding]:
    """Nothing where it was never asked for: one box needs none."""
    programs = find_rabbitmq()
    if programs is None:
        return
    age = _age_problem(programs.prefix, now=now)
    yield Finding(
        name="RabbitMQ",
        version=programs.version,
        where=str(programs.home),
        problem=age,
        remedy=_RENEW if age else "",
        is_needed=False,
    )


def _age_problem(prefix: Prefix | None, *, now: datetime) -> str:
    if prefix is None or now - prefix.made_at <= PREFIX_AGE_MAX:
        return ""
    return f"{(now - prefix.made_at).days} days old, without security updates since"


def _apt() -> Finding:
    program = shutil.which("apt-get")
    if program is None:
        return Finding(name="apt", problem="absent", remedy="use Debian or one of its relatives")
    return Finding(name="apt", version=_printed_version(Path(program), "--version"), where=program)


def _mirror() -> Finding:
    try:
        keyring = debian_keyring()
        machine_mirrors(Path(tempfile.gettempdir()))
    except (SetupError, OSError) as error:
        return Finding(name="Debian mirror", problem=str(error), is_needed=False)
    return Finding(
        name="Debian mirror", version="configured", where=f"apt's sources; keyring {keyring}"
    )


def _node() -> Finding:
    node = find_node(cache_folder())
    if node is not None:
        return Finding(name="Node", version=node.version, where=str(node.program), is_needed=False)
    return Finding(
        name="Node",
        version="absent",
        where="fetched only when assets must be built",
        is_needed=False,
    )


def _disk(folder: Path, name: str) -> Finding:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free_bytes = shutil.disk_usage(existing).free
    problem = "" if free_bytes >= _FREE_BYTES_MIN else "less than 2 GiB free"
    return Finding(
        name=f"room for the {name}",
        version=f"{free_bytes / _BYTES_PER_GIB:.1f} GiB",
        where=str(folder),
        problem=problem,
        remedy="make room" if problem else "",
        is_needed=False,
    )


def _timescale_version(servers: Servers) -> str:
    root = Path("/") if servers.origin is Origin.SYSTEM else servers.postgres_bin.parents[4]
    control = root / "usr/share/postgresql/17/extension/timescaledb.control"
    match = _VERSION.search(control.read_text(encoding="utf-8"))
    return match[0] if match else "unknown version"


def _printed_version(program: Path, option: str) -> str:
    """First version number that a program prints."""
    try:
        result = subprocess.run(
            (str(program), option),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_QUERY_TIMEOUT_S,
            text=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = _VERSION.search(result.stdout)
    return match[0] if match else ""
