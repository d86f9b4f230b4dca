# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ingest's one connection to the database: opened when needed, given up when it breaks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from central.db.queries import SESSION_FILE_NAME

STATEMENT_TIMEOUT_MS: Final = 30_000
"""A statement that takes longer is stuck: the batch is then tried again on a new connection."""

_SESSION_FILE: Final = Path(__file__).resolve().with_name(SESSION_FILE_NAME)


class IngestDatabase:
    """Hands out transactions; used by one thread."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._connection: psycopg.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection]:
        """A transaction that is committed at the end of the block.

        After any error that is not about the data the connection is closed, and the next
        transaction opens a new one.

        Raises:
            psycopg.Error: As it came from the database.
        """
        connection = self._opened()
        try:
            with connection.transaction():
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next transaction opens one again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> psycopg.Connection:
        """The open connection, made ready for batches."""
        if self._connection is None or self._connection.closed:
            connection = psycopg.Connection.connect(self._info, autocommit=True)
            try:
                connection.execute(
                    "SELECT set_config('statement_timeout', %s, false)",
                    [str(STATEMENT_TIMEOUT_MS)],
                )
                connection.execute(_SESSION_FILE.read_bytes())
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection
