# SPDX-License-Identifier: AGPL-3.0-or-later
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.errors import SetupBusyError
from deploy.setup.locking import exclusive
from deploy.setup.progress import SilentReporter

HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_set_up_gives_up_in_time_and_says_who_is_in_the_way(tmp_path: Path) -> None:
    lock = tmp_path / "lock"

    with (
        exclusive(lock, SilentReporter()),
        pytest.raises(SetupBusyError, match=str(lock)),
        exclusive(lock, SilentReporter(), timeout_s=0.3),
    ):
        pass


def test_the_lock_of_a_killed_set_up_is_free_again(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
        holder.wait()

    with exclusive(lock, SilentReporter(), timeout_s=1.0):
        assert lock.exists()
