# SPDX-License-Identifier: AGPL-3.0-or-later
"""The process that starts the stack's parts, keeps them running and stops them tidily.

It runs in the background after ``luuthong up``, or in the foreground with ``--foreground``.
Its children are bound to it by the kernel: when it is killed, they end too.
"""

import shutil
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final

import structlog

from central.db.migrate import apply_migrations
from central.db.pool import connection_info
from central.documents.development_key import ensure_development_key
from central.errors import CentralError
from central.procedures.rulebook.commands import load_now
from deploy.errors import AlreadyRunningError, DeployError, StackNotReadyError
from deploy.local.broker import PrivateBroker, new_secret
from deploy.local.clock import utc_now
from deploy.local.layout import StackLayout, layout_of, write_secret
from deploy.local.names import BROKER, DATABASE, POSTGRES
from deploy.local.postgres import PrivateCluster
from deploy.local.state import StackPhase, StackState, held_lock, write_state
from deploy.local.supervision.planning import READY_TIMEOUT_S, plan
from deploy.local.supervision.services import (
    Service,
    broker_service,
    postgres_service,
    product_services,
)
from deploy.local.supervision.watched import Watched, stop_together
from deploy.setup.components import require_servers
from deploy.setup.places import HOME_SETTING, require_free_space, require_writable

# A part that ends this often before it was ever ready will not be ready by trying again.
FAILURES_BEFORE_READY_MAX: Final = 3
_TICK_S: Final = 0.1
_LOG_LOOK_INTERVAL_S: Final = 60.0
_LOG_BYTES_MAX: Final = 20 * 1024 * 1024
_FREE_BYTES_MIN: Final = 300 * 1024 * 1024

log = structlog.get_logger()


class Supervisor:
    """Runs one stack until it is asked to stop.

    Args:
        layout: Where everything lies.
        planned: The state to start from: its ports and folders.
        clock: Time of day.
    """

    def __init__(
        self, layout: StackLayout, planned: StackState, *, clock: Callable[[], datetime]
    ) -> None:
        self._layout = layout
        self._state = planned
        self._clock = clock
        self._stop_asked = threading.Event()
        self._watched: list[Watched] = []
        self._next_log_look_s = 0.0

    def ask_to_stop(self) -> None:
        """Let ``run`` come to its end; may be called from a signal handler."""
        self._stop_asked.set()

    def run(self, *, on_ready: Callable[[StackState], None]) -> None:
        """Start everything, look after it until asked to stop, and stop everything.

        Args:
            on_ready: Called once, when every part does its work.

        Raises:
            DeployError: A part could not be started; everything is stopped again.
            CentralError: A migration failed.
        """
        try:
            self._start()
            if not self._stop_asked.is_set():
                on_ready(self._state)
                log.info("stack_ready", api=self._state.api_url)
            while not self._stop_asked.wait(_TICK_S):
                self._look_after_all()
        except (DeployError, CentralError) as error:
            self._publish(StackPhase.FAILED, message=str(error))
            raise
        finally:
            self._stop()

    def _start(self) -> None:
        layout, state = self._layout, self._state
        layout.make_folders()
        require_free_space(layout.home, needed_bytes=_FREE_BYTES_MIN, setting=HOME_SETTING)
        self._bound_logs()
        self._publish(StackPhase.STARTING)
        servers = require_servers()
        cluster = PrivateCluster(
            data_folder=layout.cluster_data,
            binaries=servers.postgres_bin,
            socket_folder=layout.socket_folder,
            port=state.postgres_port,
            account=layout.account,
            log_file=layout.log_file(POSTGRES),
        )
        cluster.init()
        broker = PrivateBroker(
            folder=layout.broker_folder,
            program=servers.mosquitto,
            plugin=servers.dynamic_security,
            port=state.broker_port,
            account=layout.account,
            log_file=layout.log_file(BROKER),
            control_secret=_kept_secret(layout.control_secret_file),
        )
        broker.init(ingest_secret=_kept_secret(layout.ingest_secret_file))
        self._bring_up([postgres_service(cluster), broker_service(broker)])
        if self._stop_asked.is_set():
            return
        cluster.ensure_database(DATABASE)
        log.info("schema_migrated", revision=apply_migrations(state.database_url))
        loaded = load_now(connection_info(state.database_url), now=self._clock())
        log.info("procedures_loaded", new=len(loaded.new), known=len(loaded.known))
        if ensure_development_key(layout.signing_key, now=self._clock()):
            log.info("development_signing_key_made")
        _kept_secret(layout.relatives_key_file)
        _kept_secret(layout.webhook_key_file)
        _kept_secret(layout.second_factor_key_file)
        self._bring_up(product_services(layout, state))
        if not self._stop_asked.is_set():
            self._publish(StackPhase.READY)

    def _bring_up(self, services: Sequence[Service]) -> None:
        fresh = [Watched(service=service, clock=self._clock) for service in services]
        self._watched += fresh
        for watched in fresh:
            watched.launch()
        deadline_s = monotonic() + READY_TIMEOUT_S
        while not all(watched.is_ready for watched in fresh):
            if self._stop_asked.wait(_TICK_S):
                return
            self._look_after_all()
            for watched in fresh:
                self._require_hope(watched, is_late=monotonic() > deadline_s)

    def _require_hope(self, watched: Watched, *, is_late: bool) -> None:
        if watched.is_ready:
            return
        has_given_up = watched.failures_in_a_row >= FAILURES_BEFORE_READY_MAX
        if has_given_up or is_late:
            log_file = self._layout.log_file(watched.service.name)
            detail = "it ended again and again" if has_given_up else "it took too long"
            raise StackNotReadyError(watched.service.name, log_file=log_file, detail=detail)

    def _look_after_all(self) -> None:
        changes = [watched.look_after() for watched in self._watched]  # each must have its turn
        if any(changes):
            self._publish(self._state.phase)
        if monotonic() > self._next_log_look_s:
            self._bound_logs()

    def _stop(self) -> None:
        """Our own processes first, then the broker, then the database they write to."""
        has_failed = self._state.phase is StackPhase.FAILED
        message = self._state.message
        if not has_failed:
            self._publish(StackPhase.STOPPING)
        servers, ours = self._watched[:2], self._watched[2:]
        stop_together(ours)
        for watched in reversed(servers):
            stop_together([watched])
        self._publish(StackPhase.FAILED if has_failed else StackPhase.STOPPED, message=message)
        log.info("stack_stopped")

    def _publish(self, phase: StackPhase, *, message: str = "") -> None:
        states = tuple(watched.state() for watched in self._watched)
        self._state = replace(self._state, phase=phase, services=states, message=message)
        if self._layout.home.is_dir():
            write_state(self._layout.state_file, self._state)

    def _bound_logs(self) -> None:
        """Keep every log to two files of limited size; the processes append, so they go on."""
        self._next_log_look_s = monotonic() + _LOG_LOOK_INTERVAL_S
        for path in self._layout.logs.glob("*.log"):
            if path.stat().st_size > _LOG_BYTES_MAX:
                shutil.copyfile(path, path.with_name(f"{path.name}.1"))
                with path.open("r+b") as file:
                    file.truncate(0)


def supervise(
    layout: StackLayout, planned: StackState, *, on_ready: Callable[[StackState], None]
) -> None:
    """Run the stack in this process until SIGINT or SIGTERM; call it from the main thread.

    Raises:
        AlreadyRunningError: Another supervisor looks after this home.
        DeployError: A part could not be started.
        CentralError: A migration failed.
    """
    require_writable(layout.home, setting=HOME_SETTING)
    with ExitStack() as stack:
        if not stack.enter_context(held_lock(layout.lock_file)):
            raise AlreadyRunningError(layout.home)
        supervisor = Supervisor(layout, planned, clock=utc_now)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            previous = signal.signal(number, lambda *_: supervisor.ask_to_stop())
            stack.callback(signal.signal, number, previous)
        supervisor.run(on_ready=on_ready)


def main() -> int:
    """Entry of the background supervisor; its arguments are the home and the wanted API port."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ]
    )
    layout = layout_of(Path(sys.argv[1]))
    try:
        supervise(layout, plan(layout, api_port=int(sys.argv[2]) or None), on_ready=_say_nothing)
    except AlreadyRunningError:
        return 0
    except (DeployError, CentralError) as error:
        log.error("stack_failed", reason=str(error))  # noqa: TRY400 - the reason is enough
        return 1
    return 0


def _kept_secret(path: Path) -> str:
    """A kept broker password, or a new one that is kept from now on."""
    if path.is_file() and (kept := path.read_text(encoding="utf-8").strip()):
        return kept
    secret = new_secret()
    write_secret(path, secret)
    return secret


def _say_nothing(_: StackState) -> None:
    """The command that started us reads the state file."""


if __name__ == "__main__":
    sys.exit(main())
