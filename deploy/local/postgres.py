# SPDX-License-Identifier: AGPL-3.0-or-later
"""A private PostgreSQL cluster with TimescaleDB: ours alone, on loopback and a unix socket.

Only the tests' throw-away clusters let everybody in over loopback; the local stack's cluster
is reached by its unix socket, whose folder only its owner (and root) can enter.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psutil
import psycopg

from deploy.errors import ClusterError, ClusterVersionError, StackNotReadyError
from deploy.local.names import SOCKET_FOLDER_LENGTH_MAX, SUPERUSER, socket_url
from deploy.local.ports import LOOPBACK
from deploy.local.supervision.children import credentials, start_child, stop_child
from deploy.setup.components import POSTGRES_MAJOR
from deploy.setup.places import ServerAccount

_INITDB_TIMEOUT_S: Final = 120.0
_READY_TIMEOUT_S: Final = 60.0
# Up: a slow disk gets longer for the last checkpoint. Down: a hanging server is killed earlier.
STOP_TIMEOUT_S: Final = 4.0
_LEFTOVER_TIMEOUT_S: Final = 10.0
_POLL_INTERVAL_S: Final = 0.05
_CONNECT_TIMEOUT_S: Final = 2
_PRIVATE_MODE: Final = 0o700

DURABLE_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "shared_buffers": "256MB",
        "max_connections": "60",
        "max_wal_size": "2GB",
        "timescaledb.max_background_workers": "4",
        "max_worker_processes": "16",
    }
)
# Throw-away data: nothing is flushed to disk, so that tests are fast.
THROW_AWAY_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "shared_buffers": "64MB",
        "max_connections": "100",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "timescaledb.max_background_workers": "1",
        "max_worker_processes": "6",
    }
)
_COMMON_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "shared_preload_libraries": "timescaledb",
        "timescaledb.telemetry_level": "off",
        "listen_addresses": LOOPBACK,
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
        # Statements, parameters and the details of errors carry plates; a log must not.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length_on_error": "0",
        "unix_socket_permissions": "0700",
    }
)


class LoopbackAccess(StrEnum):
    """How PostgreSQL treats connections over loopback, which any account of the machine can open.

    The superuser has no password until somebody sets one, so ``PASSWORD`` lets nobody in at first.
    """

    PASSWORD = "scram-sha-256"  # noqa: S105 - the name of a method
    ANYBODY = "trust"


@dataclass(kw_only=True)
class PrivateCluster:
    """One cluster in one folder.

    Attributes:
        data_folder: Its data; made by ``init``.
        binaries: Folder of ``postgres`` and ``initdb``.
        socket_folder: Short path for the unix socket.
        port: Loopback port.
        account: Who runs it.
        log_file: Its log.
        settings: Settings beyond the common ones.
        loopback_access: Who may connect over loopback; used when the cluster is made.
        follows: Running cluster of this machine whose standby this is: made as its copy, it streams
            what happens there, and only reads are answered.
    """

    data_folder: Path
    binaries: Path
    socket_folder: Path
    port: int
    account: ServerAccount
    log_file: Path
    settings: Mapping[str, str] = field(default_factory=lambda: DURABLE_SETTINGS)
    loopback_access: LoopbackAccess = LoopbackAccess.PASSWORD
    follows: "PrivateCluster | None" = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if len(str(self.socket_folder)) > SOCKET_FOLDER_LENGTH_MAX:
            raise ClusterError(
                f"the socket's folder {self.socket_folder} is longer than"
                f" {SOCKET_FOLDER_LENGTH_MAX} characters, which unix sockets do not allow"
            )

    @property
    def is_initialised(self) -> bool:
        """Whether the data folder holds a cluster."""
        return (self.data_folder / "PG_VERSION").is_file()

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The running server, ``None`` when it was not started by this object."""
        return self._process

    def dsn(self, database: str, *, user: str = SUPERUSER) -> str:
        """Address of a database over loopback, without a password."""
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/{database}"

    def socket_dsn(self, database: str) -> str:
        """Address of a database over the unix socket."""
        return socket_url(database, folder=self.socket_folder, port=self.port)

    def init(self) -> None:
        """Make the cluster if it is absent, and see that an existing one fits.

        Raises:
            ClusterVersionError: The data were made by another major version.
            ClusterError: ``initdb`` failed, or ``pg_basebackup`` did for a standby.
        """
        self._make_private_folder(self.socket_folder)
        if self.is_initialised:
            self._require_version()
        elif self.follows is None:
            self._initdb()
        else:
            self._copy(self.follows)
        self._write_settings()

    def start(self) -> None:
        """Start the server as a child that ends with us, and wait until it answers.

        Raises:
            StackNotReadyError: It ended, or did not answer in time.
        """
        self.launch()
        self.wait_ready(timeout_s=_READY_TIMEOUT_S)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the server without waiting for it.

        Raises:
            ClusterError: An earlier server of this folder does not end.
        """
        self._end_leftover()
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = start_child(
                [str(self.binaries / "postgres"), "-D", str(self.data_folder)],
                log=log,
                account=self.account,
                environment=_server_environment(),
                death_signal=signal.SIGINT,
            )
        return self._process

    def wait_ready(self, *, timeout_s: float) -> None:
        """Wait until the server answers a query.

        Raises:
            StackNotReadyError: It ended, or did not answer in time.
        """
        deadline = time.monotonic() + timeout_s
        while not self.answers():
            if self._process is not None and (code := self._process.poll()) is not None:
                raise StackNotReadyError(
                    "PostgreSQL", log_file=self.log_file, detail=f"it ended with code {code}"
                )
            if time.monotonic() > deadline:
                raise StackNotReadyError(
                    "PostgreSQL",
                    log_file=self.log_file,
                    detail=f"no answer within {timeout_s:.0f} s",
                )
            time.sleep(_POLL_INTERVAL_S)

    def stop(self) -> None:
        """Stop the server: running statements are cancelled, committed data are safe."""
        if self._process is None:
            return
        stop_child(self._process, first=signal.SIGINT, timeout_s=STOP_TIMEOUT_S)
        self._process = None

    def ensure_database(self, database: str) -> None:
        """Make a database if it is absent."""
        with psycopg.connect(self.socket_dsn("postgres"), autocommit=True) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (database,)
            ).fetchone()
            if found is None:
                name = psycopg.sql.Identifier(database)
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(name))

    def answers(self) -> bool:
        """Whether the server answers a query."""
        try:
            with psycopg.connect(
                self.socket_dsn("postgres"), connect_timeout=_CONNECT_TIMEOUT_S
            ) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _require_version(self) -> None:
        found = (self.data_folder / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != POSTGRES_MAJOR:
            raise ClusterVersionError(self.data_folder, found=found, wanted=POSTGRES_MAJOR)

    def _initdb(self) -> None:
        """Make an empty cluster."""
        self._make(
            "initdb",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--auth-local=trust",  # only its owner and root can enter the socket's folder
            f"--auth-host={self.loopback_access}",
            "--no-instructions",
            "--no-sync",
        )

    def _copy(self, primary: "PrivateCluster") -> None:
        """Make a copy of a running cluster, which follows it from then on."""
        self._make(
            "pg_basebackup",
            f"--host={primary.socket_folder}",
            f"--port={primary.port}",
            f"--username={SUPERUSER}",
            "--checkpoint=fast",
            "--wal-method=stream",
            "--write-recovery-conf",  # makes it a standby; the settings are written again
            "--no-sync",
        )

    def _make(self, program: str, *options: str) -> None:
        """Make the cluster beside its place and rename it, so that half a cluster is never used."""
        building = self.data_folder.with_name(f"{self.data_folder.name}.building")
        shutil.rmtree(building, ignore_errors=True)
        self._make_private_folder(building)
        command = [str(self.binaries / program), f"--pgdata={building}", *options]
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=_server_environment(),
                cwd="/",
                timeout=_INITDB_TIMEOUT_S,
                text=True,
                check=True,
                **credentials(self.account),
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            output = getattr(error, "stderr", None) or error
            raise ClusterError(f"{program} failed in {building}: {output}") from error
        building.rename(self.data_folder)

    def _write_settings(self) -> None:
        values = {
            **_COMMON_SETTINGS,
            **self.settings,
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_folder),
        }
        if self.follows is not None:
            values["primary_conninfo"] = (
                f"host={self.follows.socket_folder} port={self.follows.port} user={SUPERUSER}"
            )
        path = self.data_folder / "postgresql.auto.conf"
        lines = [f"{name} = '{value}'" for name, value in values.items()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if not self.account.is_ours:
            os.chown(path, self.account.uid, self.account.gid)

    def _make_private_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not self.account.is_ours:
            os.chown(folder, self.account.uid, self.account.gid)
        folder.chmod(_PRIVATE_MODE)

    def _end_leftover(self) -> None:
        """End a server that a killed supervisor left, and remove the lock of a dead one.

        PostgreSQL itself refuses to start when the pid in its lock belongs to any other process.
        It refuses as well while busy children of a killed server live, which may take hours.
        """
        lock = self.data_folder / "postmaster.pid"
        deadline = time.monotonic() + _LEFTOVER_TIMEOUT_S
        while (pid := _locking_pid(lock)) is not None and _is_postgres(pid):
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"an earlier PostgreSQL (process {pid}) still runs in {self.data_folder} and"
                    f" does not end. End it with: kill -QUIT {pid}"
                )
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            time.sleep(_POLL_INTERVAL_S)
        if lock.exists():
            self._end_orphans()
        lock.unlink(missing_ok=True)

    def _end_orphans(self) -> None:
        """Kill the children of a dead server; nothing that they had not committed counts."""
        orphans = [process for process in psutil.process_iter() if self._works_here(process)]
        for orphan in orphans:
            with suppress(psutil.NoSuchProcess):
                orphan.kill()
        _, alive = psutil.wait_procs(orphans, timeout=_LEFTOVER_TIMEOUT_S)
        if alive:
            raise ClusterError(
                f"processes of a dead PostgreSQL do not end in {self.data_folder}:"
                f" {', '.join(str(process.pid) for process in alive)}"
            )

    def _works_here(self, process: psutil.Process) -> bool:
        """Whether a process is one of PostgreSQL's in this cluster's folder."""
        try:
            return process.name() == "postgres" and Path(process.cwd()) == self.data_folder
        except psutil.Error:
            return False


def _locking_pid(lock: Path) -> int | None:
    try:
        return int(lock.read_text(encoding="ascii").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _is_postgres(pid: int) -> bool:
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return name == "postgres"


def _server_environment() -> dict[str, str]:
    """A small environment: the user's PG* variables and locale must not leak into the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
