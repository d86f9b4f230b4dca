# SPDX-License-Identifier: AGPL-3.0-or-later
"""A background process that outlives the command that starts it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(kw_only=True)
class Detached:
    """A process that is ours for as long as we live, and nobody's afterwards.

    Attributes:
        pid: Its process id.
        code: Its exit code, ``None`` while it runs.
    """

    pid: int
    code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, ``None`` while it runs; also takes it out of the process table."""
        if self.code is None:
            try:
                ended_pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # someone else has waited for it
                ended_pid, status = self.pid, 0
            if ended_pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code


def start_detached(module: str, arguments: Sequence[str], *, log_file: Path) -> Detached:
    """Run a Python module in a session of its own, without terminal.

    Args:
        module: Module to run, as after ``python -m``.
        arguments: Its arguments.
        log_file: Receives what it prints; appended to.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", module, *arguments],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log_file), append, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return Detached(pid=pid)
