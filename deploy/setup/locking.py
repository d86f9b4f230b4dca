# SPDX-License-Identifier: AGPL-3.0-or-later
"""One set-up at a time per cache folder: two that run together wait for each other."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.errors import SetupBusyError
from deploy.setup.progress import Reporter

# Up: a slow line of another user is waited for longer. Down: people see the reason earlier.
LOCK_TIMEOUT_S: Final = 1800.0
_POLL_INTERVAL_S: Final = 0.2


@contextmanager
def exclusive(
    lock_file: Path, reporter: Reporter, *, timeout_s: float = LOCK_TIMEOUT_S
) -> Iterator[None]:
    """Hold a lock file; the kernel frees it when the process ends, however it ends.

    Raises:
        SetupBusyError: Somebody else held it for ``timeout_s``.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _wait_for(descriptor, lock_file, reporter, timeout_s=timeout_s)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, lock_file: Path, reporter: Reporter, *, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise SetupBusyError(lock_file, waited_s=timeout_s) from None
            reporter.update("Waiting for another set-up of this user to finish")
            time.sleep(_POLL_INTERVAL_S)
        else:
            return
