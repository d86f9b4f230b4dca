# SPDX-License-Identifier: AGPL-3.0-or-later
"""The local stack as commands, the demonstration and tests use it."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from deploy.errors import DeployError, LocalStackError, StackNotReadyError, StackNotRunningError
from deploy.local.broker import PrivateBroker
from deploy.local.layout import StackLayout, layout_of
from deploy.local.names import BROKER, SUPERVISOR
from deploy.local.state import StackPhase, StackState, is_lock_held, read_state
from deploy.local.supervision.detached import Detached, start_detached
from deploy.local.supervision.planning import READY_TIMEOUT_S, plan
from deploy.setup.components import require_servers
from deploy.setup.places import home_folder

STOP_TIMEOUT_S: Final = 20.0
_POLL_INTERVAL_S: Final = 0.1
# The supervisor has its own limit; ours only catches one that hangs.
_START_TIMEOUT_S: Final = 2 * READY_TIMEOUT_S + 30.0
_LAST_LINES: Final = 5
_LOG_TAIL_BYTES: Final = 8192


class LocalStack:
    """One local stack.

    Args:
        home: Its folder; ``None`` for this checkout's (or ``LUUTHONG_HOME``).
    """

    def __init__(self, home: Path | None = None) -> None:
        self.layout: StackLayout = layout_of(home_folder() if home is None else home)
        self._supervisor: Detached | None = None

    @property
    def is_running(self) -> bool:
        """Whether a supervisor lives."""
        return is_lock_held(self.layout.lock_file)

    @property
    def state(self) -> StackState:
        """What the running stack is doing: its addresses and its processes.

        Raises:
            StackNotRunningError: It does not run.
        """
        state = self.status()
        if state is None or not self.is_running:
            raise StackNotRunningError
        return state

    def status(self) -> StackState | None:
        """The last known state, of a stopped stack too; ``None`` before the first start."""
        return read_state(self.layout.state_file)

    def start(
        self,
        *,
        api_port: int | None = None,
        on_progress: Callable[[StackState], None] | None = None,
    ) -> StackState:
        """Start the stack in the background and wait until all of it is ready.

        A stack that runs already is left as it is.

        Args:
            api_port: Port of the page; ``None`` for the last one, or a free one.
            on_progress: Called with every state seen while waiting.

        Raises:
            PortInUseError: The port asked for is taken.
            StackNotReadyError: A part did not start.
        """
        require_servers()
        self.layout.make_folders()
        started = None
        if not self.is_running:
            plan(self.layout, api_port=api_port)  # says at once that a port is taken
            started = self._supervisor = self._spawn(api_port)
        return self._wait_ready(started, on_progress)

    def stop(self) -> bool:
        """Stop everything; committed data stay.

        Returns:
            Whether anything ran.

        Raises:
            LocalStackError: The supervisor did not end in time.
        """
        if not self.is_running:
            return False
        state = self.status()
        supervisor = None if state is None else _process(state.supervisor_pid)
        if supervisor is not None:
            supervisor.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while is_lock_held(self.layout.lock_file):
            if time.monotonic() > deadline:
                raise LocalStackError(
                    f"the stack did not stop within {STOP_TIMEOUT_S:.0f} s. Its supervisor's log:"
                    f" {self.layout.log_file(SUPERVISOR)}"
                )
            time.sleep(_POLL_INTERVAL_S)
        if supervisor is not None:  # it frees its lock a moment before it ends
            with suppress(psutil.TimeoutExpired):
                supervisor.wait(timeout=max(0.0, deadline - time.monotonic()))
        return True

    def broker(self) -> PrivateBroker:
        """The running broker, for adding devices."""
        state = self.state
        pids = {service.name: service.pid for service in state.services}
        servers = require_servers()
        return PrivateBroker(
            folder=self.layout.broker_folder,
            program=servers.mosquitto,
            plugin=servers.dynamic_security,
            port=state.broker_port,
            account=self.layout.account,
            log_file=self.layout.log_file(BROKER),
            control_secret=self.layout.control_secret_file.read_text(encoding="utf-8").strip(),
            pid=pids.get(BROKER),
        )

    def _spawn(self, api_port: int | None) -> Detached:
        return start_detached(
            "deploy.local.supervision.supervisor",
            [str(self.layout.home), str(api_port or 0)],
            log_file=self.layout.log_file(SUPERVISOR),
        )

    def _wait_ready(
        self,
        process: Detached | None,
        on_progress: Callable[[StackState], None] | None,
    ) -> StackState:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            state = self._fresh_state(process)
            if state is not None:
                if on_progress is not None:
                    on_progress(state)
                if state.phase is StackPhase.READY:
                    return state
            if process is not None and process.poll() == 0 and self.is_running:
                process = None  # another start was faster; its stack is the one we wait for
            has_ended = process is None or process.poll() is not None
            if has_ended and not self.is_running:
                raise self._failure(state)
            time.sleep(_POLL_INTERVAL_S)
        raise StackNotReadyError(
            "the stack", log_file=self.layout.log_file(SUPERVISOR), detail="it took too long"
        )

    def _fresh_state(self, process: Detached | None) -> StackState | None:
        """The state, unless an earlier supervisor wrote it."""
        state = self.status()
        if state is None or (process is not None and state.supervisor_pid != process.pid):
            return None
        return state

    def _failure(self, state: StackState | None) -> DeployError:
        if state is not None and state.message:
            return LocalStackError(state.message)
        log_file = self.layout.log_file(SUPERVISOR)
        tail = log_file.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", errors="replace")
        detail = " ".join(tail.strip().splitlines()[-_LAST_LINES:])
        return StackNotReadyError("the supervisor", log_file=log_file, detail=detail)


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
