# SPDX-License-Identifier: AGPL-3.0-or-later
"""A time within which a question must be answered, so that one that is too wide stops nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import scalar_row

from central.db.queries import QueryFile
from central.errors import SearchTooWideError

QUERIES: Final = QueryFile.beside(__file__)


@asynccontextmanager
async def answered_within(connection: AsyncConnection, limit: timedelta) -> AsyncIterator[None]:
    """Give a block so much time in all; a shorter limit of the session for a statement stays.

    The block is a savepoint: what was done before in the caller's transaction stays, and it can go
    on after the error.

    Raises:
        SearchTooWideError: A statement, or all of them together, took longer.
    """
    limit_ms = max(1, int(limit / timedelta(milliseconds=1)))
    try:
        async with asyncio.timeout(limit.total_seconds()), connection.transaction():
            async with connection.cursor(row_factory=scalar_row) as cursor:
                await cursor.execute(QUERIES["shorten_statement_limit"], {"limit_ms": limit_ms})
                before = await cursor.fetchone()
            yield
            await connection.execute(QUERIES["set_statement_limit"], {"limit_text": before})
    except (TimeoutError, psycopg.errors.QueryCanceled) as error:
        raise SearchTooWideError from error
