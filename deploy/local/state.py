# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a local stack is doing, as its supervisor writes it and every command reads it.

The state file may be older than the truth after a crash. Whether the stack runs is told by
the supervisor's lock alone, which the kernel frees when the supervisor ends, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from deploy.local.names import DATABASE, SERVICE_USER, socket_url
from deploy.local.ports import LOOPBACK

STATE_VERSION: Final = 1


class StackPhase(StrEnum):
    """What the stack as a whole is doing."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class ServicePhase(StrEnum):
    """What one process is doing."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting to restart"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """One process of the stack.

    Attributes:
        pid: Its process, ``None`` while it does not run.
        restarts: How often it was started again after it had ended by itself.
        since: When the phase began.
        where: Address or file that others reach it by, for people.
    """

    name: str
    phase: ServicePhase
    pid: int | None
    restarts: int
    since: datetime
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """The whole stack at one moment.

    Attributes:
        supervisor_pid: The process that looks after all others.
        message: Why it failed; empty otherwise.
    """

    version: int = STATE_VERSION
    phase: StackPhase
    supervisor_pid: int
    postgres_port: int
    broker_port: int
    api_port: int
    metrics_port: int
    socket_folder: Path
    evidence_folder: Path
    message: str = ""
    services: tuple[ServiceState, ...] = ()

    @property
    def database_url(self) -> str:
        """Address of the database for its owner, over the unix socket; needs no password."""
        return socket_url(DATABASE, folder=self.socket_folder, port=self.postgres_port)

    @property
    def service_database_url(self) -> str:
        """The same for the services, which may not change what only grows."""
        return socket_url(
            DATABASE, folder=self.socket_folder, port=self.postgres_port, user=SERVICE_USER
        )

    @property
    def broker_host(self) -> str:
        """Address of the broker."""
        return LOOPBACK

    @property
    def api_url(self) -> str:
        """Root of the HTTP interface."""
        return f"http://{LOOPBACK}:{self.api_port}"

    @property
    def ingest_metrics_url(self) -> str:
        """Figures of ingest for Prometheus."""
        return f"http://{LOOPBACK}:{self.metrics_port}/metrics"

    @property
    def page_url(self) -> str:
        """The page that people open."""
        return f"{self.api_url}/console/passages"


_ADAPTER: Final = TypeAdapter(StackState)


def read_state(path: Path) -> StackState | None:
    """The last written state, ``None`` where there is none that this version understands."""
    try:
        state = _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return state if state.version == STATE_VERSION else None


def write_state(path: Path, state: StackState) -> None:
    """Replace the state at once, so that a reader never sees half of it."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(_ADAPTER.dump_json(state, indent=1))
    fresh.replace(path)


@contextmanager
def held_lock(path: Path) -> Iterator[bool]:
    """Hold the supervisor's lock for the length of the block.

    Yields:
        Whether we have it; ``False`` means that another supervisor lives.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _try_lock(descriptor)
    finally:
        os.close(descriptor)


def is_lock_held(path: Path) -> bool:
    """Whether a supervisor lives."""
    if not path.exists():
        return False
    with held_lock(path) as is_ours:
        return not is_ours


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
