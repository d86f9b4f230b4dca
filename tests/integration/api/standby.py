# SPDX-License-Identifier: AGPL-3.0-or-later
"""A physical standby of the tests' PostgreSQL, for the conftest files that offer it."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import pytest

from deploy.local.ports import free_port
from deploy.local.postgres import THROW_AWAY_SETTINGS, PrivateCluster
from deploy.setup.places import server_account

WAIT_S: Final = 20.0
POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """A standby with its primary."""

    primary: PrivateCluster
    cluster: PrivateCluster

    def dsn(self, database: str, *, user: str) -> str:
        """Address of one of the primary's databases at the standby."""
        return self.cluster.dsn(database, user=user)

    def catch_up(self) -> None:
        """Wait until everything of now is there, too."""
        note = "SELECT pg_logical_emit_message(false, 'test', 'now', true)::text"  # and flush it
        lsn = self._tell(self.primary, note)
        deadline = time.monotonic() + WAIT_S
        question = f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'"
        while not self._tell(self.cluster, question):
            assert time.monotonic() < deadline, "the standby does not catch up"
            time.sleep(POLL_S)

    def pause(self) -> None:
        """Stay at what is there now."""
        self._tell(self.cluster, "SELECT pg_wal_replay_pause()::text")

    def resume(self) -> None:
        """Follow again."""
        self._tell(self.cluster, "SELECT pg_wal_replay_resume()::text")

    def kill(self) -> None:
        """End it as a power cut does."""
        process = self.cluster.process
        assert process is not None
        process.kill()
        process.wait(timeout=WAIT_S)

    def _tell(self, cluster: PrivateCluster, query: str) -> object:
        with closing(psycopg.connect(cluster.dsn("postgres"), autocommit=True)) as rows:
            found = rows.execute(query.encode()).fetchone()  # made up here
        assert found is not None
        return found[0]


@pytest.fixture(scope="module")
def standby(cluster: PrivateCluster, server_folder: Path) -> Iterator[Standby]:
    """A standby of the session's PostgreSQL that cancels whatever is in the way of replaying."""
    copy = PrivateCluster(
        data_folder=server_folder / "standby",
        binaries=cluster.binaries,
        socket_folder=server_folder / "standby-run",
        port=free_port(),
        account=server_account(),
        log_file=server_folder / "standby.log",
        settings={**THROW_AWAY_SETTINGS, "max_standby_streaming_delay": "0"},
        follows=cluster,
    )
    copy.init()
    copy.start()
    yield Standby(primary=cluster, cluster=copy)
    copy.stop()
