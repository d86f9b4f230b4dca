# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one place that tells an unreachable database and bad input from a mistake of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import psycopg_pool

from central.errors import CentralUnavailableError, UnstorableTextError


@contextmanager
def translated_outages() -> Iterator[None]:
    """Turn a lost or refused connection into our own error, and leave bugs alone.

    Raises:
        CentralUnavailableError: The database can't be reached or closed the connection.
        UnstorableTextError: A text holds a NUL, which only a caller can have put there.
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
    except psycopg.DataError as error:
        if error.sqlstate is not None:  # the server's word on a value that we let through
            raise
        raise UnstorableTextError from error
