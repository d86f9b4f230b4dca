# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one place that tells an unreachable database from a mistake of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import psycopg_pool

from central.errors import CentralUnavailableError


@contextmanager
def translated_outages() -> Iterator[None]:
    """Turn a lost or refused connection into our own error, and leave bugs alone.

    Raises:
        CentralUnavailableError: The database can't be reached or closed the connection.
    """
    try:
        yield
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg_pool.PoolTimeout,
        psycopg_pool.TooManyRequests,
    ) as error:
        raise CentralUnavailableError("the database can't be reached") from error
