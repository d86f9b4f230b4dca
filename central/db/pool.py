# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ways to a connection; only entry points use them, everything below gets a connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from central.broker_settings import LOOPBACK_HOSTS
from central.db.outages import translated_outages
from central.settings import read_secret

CONNECT_TIMEOUT_S: Final = 5
POOL_CONNECTIONS_MIN: Final = 1
POOL_CONNECTIONS_MAX: Final = 10
POOL_WAIT_S: Final = 5.0
POOL_WAITING_MAX: Final = 200
RECONNECT_TIME: Final = timedelta(minutes=5)
"""How long one attempt to connect is repeated, ever more slowly. Higher: fewer attempts during a
long outage, and a server that is back is noticed later."""


def connection_info(
    database_url: str,
    *,
    password_file: Path | None = None,
    application_name: str = "luuthong",
    statement_time: timedelta | None = None,
) -> str:
    """Everything the driver needs to connect, as one string; contains the password.

    Sessions run in UTC, plan every query for its own parameters (searches have many parts that
    may be absent), give up connecting after a few seconds, and notice a dead server.
    A server on another machine must prove itself by a certificate, unless the address says
    otherwise (``sslmode``). ``statement_time`` ends statements that take longer, and transactions
    that idle as long.

    Raises:
        SettingsError: The password file can't be read.
    """
    given = conninfo_to_dict(database_url)
    limits = ""
    if statement_time is not None:
        limit_ms = int(statement_time.total_seconds() * 1000)
        limits = (
            f" -c statement_timeout={limit_ms} -c idle_in_transaction_session_timeout={limit_ms}"
        )
    defaults: dict[str, str | int] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": application_name,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "options": f"-c timezone=UTC -c plan_cache_mode=force_custom_plan{limits}",
    }
    if not _is_here(str(given.get("host") or "")):
        defaults |= {"sslmode": "verify-full", "sslrootcert": "system"}
        if "sslrootcert" in given or "sslmode" in given:
            del defaults["sslrootcert"]  # which allows no other mode
    if password_file is not None:
        defaults["password"] = read_secret(password_file)
    return make_conninfo("", **{**defaults, **given})


def _is_here(host: str) -> bool:
    """Whether a server is reached by a socket or by this machine's own address."""
    return not host or host.startswith("/") or host in LOOPBACK_HOSTS


def connect(info: str) -> psycopg.Connection:
    """One connection for a thread or a command; nothing is committed by itself.

    Raises:
        CentralUnavailableError: The database can't be reached.
    """
    with translated_outages():
        return psycopg.Connection.connect(info)


@asynccontextmanager
async def open_pool(
    info: str,
    *,
    connections_max: int = POOL_CONNECTIONS_MAX,
    reconnect_time: timedelta = RECONNECT_TIME,
) -> AsyncIterator[AsyncConnectionPool]:
    """A pool for an async process, closed at the end of the block.

    The pool opens even while the database is down, so that a process can start first.
    """
    pool = AsyncConnectionPool(
        info,
        min_size=POOL_CONNECTIONS_MIN,
        max_size=connections_max,
        timeout=POOL_WAIT_S,
        max_waiting=POOL_WAITING_MAX,
        reconnect_timeout=reconnect_time.total_seconds(),
        open=False,
        check=AsyncConnectionPool.check_connection,
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()
