# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starts devices within milliseconds: forks of a process that has read the edge's code already."""

import base64
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import psutil

from deploy.local.supervision.children import start_child, stop_child
from tests.chaos.device import DeviceWork, live

STOP_TIMEOUT_S: Final = 5.0


@dataclass(kw_only=True)
class Nursery:
    """Asks the forking process for devices; a context manager."""

    log_file: Path
    _process: subprocess.Popen[bytes] | None = None
    _orders: IO[bytes] | None = None
    _answers: IO[bytes] | None = None
    _folder: "tempfile.TemporaryDirectory[str]" = field(
        default_factory=lambda: tempfile.TemporaryDirectory(prefix="lt-nursery-")
    )

    def __enter__(self) -> Self:
        orders, answers = (Path(self._folder.name) / name for name in ("orders", "answers"))
        os.mkfifo(orders)
        os.mkfifo(answers)
        with self.log_file.open("ab") as log:
            self._process = start_child(
                [sys.executable, "-m", "tests.chaos.nursery", str(orders), str(answers)],
                log=log,
                environment={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        self._orders = orders.open("wb", buffering=0)
        self._answers = answers.open("rb", buffering=0)
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        stop_child(self._process, first=signal.SIGTERM, timeout_s=STOP_TIMEOUT_S)
        for pipe in (self._orders, self._answers):
            assert pipe is not None
            pipe.close()
        self._folder.cleanup()

    def start(self, work: DeviceWork) -> psutil.Process:
        """Start one life of a device."""
        assert self._orders is not None
        assert self._answers is not None
        self._orders.write(base64.b64encode(pickle.dumps(work)) + b"\n")
        return psutil.Process(int(self._answers.readline()))


def main(orders: Path, answers: Path) -> None:
    """Fork a device for every line that comes in, and answer with its number."""
    signal.signal(signal.SIGCHLD, _reap)
    with orders.open("rb") as incoming, answers.open("wb", buffering=0) as outgoing:
        for line in incoming:
            # Only our own parent writes into the pipe, which lies in a private folder.
            work = pickle.loads(base64.b64decode(line))  # noqa: S301
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _live_and_leave(work)
            outgoing.write(b"%d\n" % pid)


def _live_and_leave(work: DeviceWork) -> None:
    """The child's whole life; nothing of the parent's is tidied up at its end."""
    code = 1
    try:
        live(work)
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap(_number: int, _frame: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
