# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a request asks what takes the database long: at the replica, if the process has one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Protocol

from fastapi import Depends

from api.deps.request import Connection, ProcessDep
from api.settings import ApiSettings
from central.db.pool import connection_info, open_pool
from central.db.replica import (
    RECONNECT_TIME,
    Answerer,
    HeavyReads,
    OnPrimary,
    OnReplica,
    Replica,
)


class ReplicaWatcher(Protocol):
    """What is told about the replica."""

    def note_heavy_question(self, answerer: Answerer) -> None:
        """Somebody answered a heavy question."""
        ...

    def follow_replica(self, replica: Replica) -> None:
        """There is a replica."""
        ...


@asynccontextmanager
async def open_replica(
    settings: ApiSettings, *, application_name: str, watcher: ReplicaWatcher
) -> AsyncIterator[Replica | None]:
    """The replica of a process, closed at the end of the block; ``None`` where none is set.

    Raises:
        SettingsError: The password file can't be read.
    """
    if settings.database_replica_url is None:
        yield None
        return
    info = connection_info(
        settings.database_replica_url,
        password_file=settings.database_replica_password_file,
        application_name=application_name,
        statement_time=settings.database_statement_time,
    )
    async with open_pool(
        info,
        connections_max=settings.database_connections_max,
        reconnect_time=RECONNECT_TIME,
    ) as pool:
        replica = Replica(
            pool,
            lag_max=settings.database_replica_lag_max,
            search_time=settings.database_search_time,
            note=watcher.note_heavy_question,
        )
        watcher.follow_replica(replica)
        yield replica


async def heavy_of(process: ProcessDep, connection: Connection) -> HeavyReads:
    """Heavy reads of this request.

    With a replica, what the request has written so far is committed before it is asked: permissions
    are checked and looks are written down first.
    """
    if process.replica is None:
        return OnPrimary(connection)
    return OnReplica(process.replica, connection)


Heavy = Annotated[HeavyReads, Depends(heavy_of, scope="function")]
