# SPDX-License-Identifier: AGPL-3.0-or-later
"""RabbitMQ with its Erlang in a private prefix: the broker of more than one box.

Fetched only when asked for (``luuthong setup --only rabbitmq``). It is always Debian 13's package
unpacked into the cache folder, on Debian 13 too: as a system package it would start a service and
a port mapper of its own.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from deploy.errors import ComponentMissingError, SetupError
from deploy.setup.components import SERVERS_SUITE, architecture
from deploy.setup.places import cache_folder
from deploy.setup.prefix import Prefix, PrefixPlan, ensure_prefix, find_prefix, renew_prefix
from deploy.setup.progress import Reporter

RABBITMQ_SETUP: Final = "./luuthong setup --only rabbitmq"

_PACKAGES: Final = ("rabbitmq-server",)
_ERLANG: Final = "usr/lib/erlang"
_STARTERS: Final = "bin/erl", "erts-*/bin/erl"
_FIXED_ROOT: Final = "ROOTDIR=/usr/lib/erlang\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitPrograms:
    """An installed RabbitMQ.

    Attributes:
        erlang: Erlang's root folder.
        runtime: Erlang's folder of programs, ``erlexec`` and ``epmd`` among them.
        home: RabbitMQ's own folder, with its plugins.
        version: Of RabbitMQ.
        prefix: The private prefix it lies in.
    """

    erlang: Path
    runtime: Path
    home: Path
    version: str
    prefix: Prefix


def rabbitmq_plan() -> PrefixPlan:
    """What the private prefix of RabbitMQ holds."""
    return PrefixPlan(
        name=f"rabbitmq-{architecture()}-{SERVERS_SUITE}",
        suite=SERVERS_SUITE,
        packages=_PACKAGES,
        program_folders=(f"{_ERLANG}/bin", f"{_ERLANG}/erts-*/bin", f"{_ERLANG}/lib/*/priv/bin"),
        what="RabbitMQ and Erlang",
    )


def find_rabbitmq() -> RabbitPrograms | None:
    """The installed RabbitMQ, or ``None``."""
    prefix = find_prefix(cache_folder(), rabbitmq_plan())
    if prefix is None or not _is_rooted(prefix.folder / _ERLANG):
        return None
    return _programs_of(prefix)


def require_rabbitmq() -> RabbitPrograms:
    """The installed RabbitMQ.

    Raises:
        ComponentMissingError: It is not installed yet.
    """
    programs = find_rabbitmq()
    if programs is None:
        raise ComponentMissingError("RabbitMQ", remedy=f"Run: {RABBITMQ_SETUP}")
    return programs


def ensure_rabbitmq(reporter: Reporter, *, now: datetime) -> RabbitPrograms:
    """Find RabbitMQ or install it.

    Args:
        reporter: Told about every step.
        now: Aware time, kept as the prefix's day of making.

    Raises:
        SetupError: See its subclasses.
    """
    if (programs := find_rabbitmq()) is not None:
        return programs
    prefix = ensure_prefix(cache_folder(), rabbitmq_plan(), reporter, now=now)
    _root_erlang(prefix.folder / _ERLANG)
    return require_rabbitmq()


def renew_rabbitmq(reporter: Reporter, *, now: datetime) -> None:
    """Replace RabbitMQ's private prefix, if there is one, by today's packages."""
    if find_prefix(cache_folder(), rabbitmq_plan()) is not None:
        prefix = renew_prefix(cache_folder(), rabbitmq_plan(), reporter, now=now)
        _root_erlang(prefix.folder / _ERLANG)


def _programs_of(prefix: Prefix) -> RabbitPrograms:
    erlang = prefix.folder / _ERLANG
    homes = sorted(prefix.folder.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*"))
    runtimes = sorted(erlang.glob("erts-*/bin"))
    if not homes or not runtimes:
        raise SetupError(
            f"{prefix.folder} holds no whole RabbitMQ. Remove it, and run: {RABBITMQ_SETUP}"
        )
    return RabbitPrograms(
        erlang=erlang,
        runtime=runtimes[-1],
        home=homes[-1],
        version=homes[-1].name.rpartition("-")[2],
        prefix=prefix,
    )


def _root_erlang(erlang: Path) -> None:
    """Tell Erlang's starting scripts where they lie; Debian has written its own place in."""
    for script in _starters(erlang):
        text = script.read_text(encoding="utf-8")
        script.write_text(text.replace(_FIXED_ROOT, f"ROOTDIR='{erlang}'\n"), encoding="utf-8")


def _is_rooted(erlang: Path) -> bool:
    """Whether the last step of installing was done."""
    starters = _starters(erlang)
    return bool(starters) and all(
        _FIXED_ROOT not in script.read_text(encoding="utf-8") for script in starters
    )


def _starters(erlang: Path) -> list[Path]:
    return [path for name in _STARTERS for path in sorted(erlang.glob(name))]
