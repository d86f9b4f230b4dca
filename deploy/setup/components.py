# SPDX-License-Identifier: AGPL-3.0-or-later
"""The two servers we do not write: PostgreSQL with TimescaleDB, and mosquitto.

Debian 13 gives them by apt when we are root or may use sudo without a password. Anywhere
else with apt they go into a private prefix; see ``deploy.setup.prefix``.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from deploy.errors import ComponentMissingError, DownloadFailedError
from deploy.setup.apt import machine_suite
from deploy.setup.places import ROOT_UID, cache_folder
from deploy.setup.prefix import Prefix, PrefixPlan, ensure_prefix, find_prefix, renew_prefix
from deploy.setup.progress import Reporter

POSTGRES_MAJOR: Final = "17"
SERVERS_SUITE: Final = "trixie"
SERVER_PACKAGES: Final = (
    f"postgresql-{POSTGRES_MAJOR}",
    f"postgresql-{POSTGRES_MAJOR}-timescaledb",
    "mosquitto",
)

_POSTGRES_BIN: Final = f"usr/lib/postgresql/{POSTGRES_MAJOR}/bin"
_EXTENSION: Final = f"usr/share/postgresql/{POSTGRES_MAJOR}/extension/timescaledb.control"
_MOSQUITTO: Final = "usr/sbin/mosquitto"
_DYNAMIC_SECURITY: Final = "usr/lib/*/mosquitto_dynamic_security.so"
_SYSTEM: Final = Path("/")
_INSTALL_SCRIPT: Final = Path(__file__).with_name("system_packages.sh")
_APT_TIMEOUT_S: Final = 1800.0
_SHOWN_CHARACTERS: Final = 400
_QUERY_TIMEOUT_S: Final = 20.0


class Origin(StrEnum):
    """Where the servers come from."""

    SYSTEM = "system packages"
    PREFIX = "private prefix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Installed server programs.

    Attributes:
        origin: How they were installed.
        postgres_bin: Folder with ``postgres``, ``initdb``, ``pg_ctl`` and ``psql``.
        mosquitto: The broker's program.
        dynamic_security: Its plugin, through which the centre gives accounts.
        prefix: The private prefix, ``None`` for system packages.
    """

    origin: Origin
    postgres_bin: Path
    mosquitto: Path
    dynamic_security: Path
    prefix: Prefix | None = None


def architecture() -> str:
    """Debian's name of this machine's architecture, for example ``amd64``."""
    return os.uname().machine.replace("x86_64", "amd64").replace("aarch64", "arm64")


def servers_plan() -> PrefixPlan:
    """What the private prefix of the servers holds."""
    return PrefixPlan(
        name=f"prefix-{architecture()}-{SERVERS_SUITE}",
        suite=SERVERS_SUITE,
        packages=SERVER_PACKAGES,
        program_folders=(_POSTGRES_BIN, "usr/sbin", "usr/bin"),
        what=f"PostgreSQL {POSTGRES_MAJOR}, TimescaleDB and mosquitto",
    )


def find_servers() -> Servers | None:
    """The installed servers, system packages first, or ``None``."""
    if _is_complete(_SYSTEM):
        return _servers_under(_SYSTEM, origin=Origin.SYSTEM)
    prefix = find_prefix(cache_folder(), servers_plan())
    if prefix is None or not _is_complete(prefix.folder):
        return None
    return _servers_under(prefix.folder, origin=Origin.PREFIX, prefix=prefix)


def require_servers() -> Servers:
    """The installed servers.

    Raises:
        ComponentMissingError: They are not installed yet.
    """
    servers = find_servers()
    if servers is None:
        raise ComponentMissingError(
            f"PostgreSQL {POSTGRES_MAJOR} with mosquitto", remedy="Run: ./luuthong setup"
        )
    return servers


def ensure_servers(reporter: Reporter, *, now: datetime) -> Servers:
    """Find the servers or install them.

    Args:
        reporter: Told about every step.
        now: Aware time, kept as the prefix's day of making.

    Raises:
        SetupError: See its subclasses.
    """
    if (servers := find_servers()) is not None:
        return servers
    if machine_suite() == SERVERS_SUITE and (raised := privilege()) is not None:
        install_by_apt(raised, SERVER_PACKAGES, reporter, what=servers_plan().what)
        return require_servers()
    ensure_prefix(cache_folder(), servers_plan(), reporter, now=now)
    return require_servers()


def renew_servers(reporter: Reporter, *, now: datetime) -> None:
    """Replace the servers' private prefix, if there is one, by today's packages."""
    if find_prefix(cache_folder(), servers_plan()) is not None:
        renew_prefix(cache_folder(), servers_plan(), reporter, now=now)


def privilege() -> tuple[str, ...] | None:
    """Words to put before a command to run it as root; ``None`` where that is not possible."""
    if os.geteuid() == ROOT_UID:
        return ()
    if shutil.which("sudo") is None:
        return None
    tried = subprocess.run(
        ["sudo", "-n", "true"],  # noqa: S607 - sudo is found by PATH on purpose
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_QUERY_TIMEOUT_S,
        check=False,
    )
    return ("sudo", "-n") if tried.returncode == 0 else None


def install_by_apt(
    raised: Sequence[str], packages: Sequence[str], reporter: Reporter, *, what: str
) -> None:
    """Install system packages without starting any service or making any cluster.

    Raises:
        DownloadFailedError: apt did not succeed.
    """
    reporter.update(f"Installing {what} with apt")
    result = subprocess.run(
        [*raised, "sh", str(_INSTALL_SCRIPT), *packages],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_APT_TIMEOUT_S,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise DownloadFailedError(what, detail=result.stdout.strip()[-_SHOWN_CHARACTERS:])


def _is_complete(root: Path) -> bool:
    needed = (f"{_POSTGRES_BIN}/postgres", _EXTENSION, _MOSQUITTO)
    return all((root / name).exists() for name in needed) and any(root.glob(_DYNAMIC_SECURITY))


def _servers_under(root: Path, *, origin: Origin, prefix: Prefix | None = None) -> Servers:
    return Servers(
        origin=origin,
        postgres_bin=root / _POSTGRES_BIN,
        mosquitto=root / _MOSQUITTO,
        dynamic_security=next(root.glob(_DYNAMIC_SECURITY)),
        prefix=prefix,
    )
