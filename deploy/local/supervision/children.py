# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starting a server so that it never outlives us, and as the right account.

The kernel is asked to signal the child when its parent dies, kill -9 included. The signal
is bound to the *thread* that starts the child: start children from a thread that lives as
long as they should, which is the main thread everywhere here.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, TypedDict

from deploy.setup.places import ServerAccount

_PR_SET_PDEATHSIG: Final = 1


class _Credentials(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def credentials(account: ServerAccount) -> _Credentials:
    """Arguments of ``subprocess`` that switch to an account; none where it is ours."""
    if account.is_ours:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def start_child(
    command: Sequence[str],
    *,
    log: IO[bytes],
    account: ServerAccount | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that a Ctrl-C reaches only its supervisor.

    Args:
        command: Program and arguments.
        log: Receives its output.
        account: Who runs it; ``None`` for us.
        environment: Its whole environment; ``None`` for ours.
        folder: Its working folder, which the account must be able to enter.
        death_signal: What it gets when this process dies.
    """
    switched = {} if account is None else credentials(account)
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=None if environment is None else dict(environment),
        cwd=folder,
        start_new_session=True,
        preexec_fn=_bound_to_parent(death_signal),  # noqa: PLW1509 - two system calls, no lock
        **switched,
    )


def stop_child(
    process: subprocess.Popen[bytes], *, first: signal.Signals, timeout_s: float
) -> bool:
    """Ask a child to end, and kill it if it does not.

    Returns:
        Whether it ended by itself within ``timeout_s``.
    """
    if process.poll() is not None:
        return True
    process.send_signal(first)
    try:
        process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True


def _bound_to_parent(death_signal: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)
    parent_pid = os.getpid()

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent_pid:  # the parent died before we asked
            os._exit(1)

    return bind
