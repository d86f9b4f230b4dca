# SPDX-License-Identifier: AGPL-3.0-or-later
"""A killed process and a disk without room lose no event that was said to be stored."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from edge.outbox.store import Outbox
from edge.outbox.types import OutboxLimits

ROOMY = OutboxLimits(picture_bytes_max=100_000_000)

WRITER = """
import sys
from pathlib import Path
from edge.outbox.store import Outbox
from edge.outbox.types import OutboxLimits
from tests.unit.edge.makers import NOW, message, picture

outbox = Outbox(Path(sys.argv[1]), limits=OutboxLimits(picture_bytes_max=100_000_000))
while True:
    stored = outbox.put(message, (picture(b"x" * 5_000),), now=NOW)
    print(stored.seq, flush=True)
"""

WRITER_ON_A_SMALL_DISK = """
import resource, sys
from pathlib import Path
from edge.errors import OutboxFullError
from edge.outbox.store import Outbox
from edge.outbox.types import OutboxLimits
from tests.unit.edge.makers import NOW, message, picture

# The kernel refuses to let any file of this process grow beyond this size.
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
outbox = Outbox(Path(sys.argv[1]), limits=OutboxLimits(picture_bytes_max=100_000_000))
stored = 0
try:
    while stored < 10_000:
        stored = outbox.put(message, (picture(b"x" * 5_000),), now=NOW).seq
except OutboxFullError as error:
    print(stored, error, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(outbox.put(message, (), now=NOW).seq, flush=True)
"""


def python(script: str, path: Path) -> list[str]:
    return [sys.executable, "-c", script, str(path)]


def test_events_said_to_be_stored_survive_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "box"
    said = 0

    for _ in range(3):
        writer = subprocess.Popen(python(WRITER, path), stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for line in writer.stdout:
            said = int(line)
            if said % 20 == 0:
                break
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split("\n")
        said = max(said, *(int(line) for line in rest if line.isdecimal()), 0)
        writer.stdout.close()
        writer.wait(timeout=10)

        with Outbox(path, limits=ROOMY) as outbox:
            seqs = [event.seq for event in outbox.pending(after_seq=0, limit=10_000)]
            assert seqs == list(range(1, len(seqs) + 1))
            # One event may be stored whose number could not be said any more.
            assert said <= len(seqs) <= said + 1


def test_a_disk_without_room_is_said_plainly_and_forgotten_when_there_is_room(
    tmp_path: Path,
) -> None:
    path = tmp_path / "box"

    done = subprocess.run(
        python(WRITER_ON_A_SMALL_DISK, path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    complaint, later = done.stdout.splitlines()
    stored = int(complaint.split()[0])
    assert "has no room for an event" in complaint
    assert int(later) == stored + 1
    with Outbox(path, limits=ROOMY) as outbox:
        seqs = [event.seq for event in outbox.pending(after_seq=0, limit=10_000)]
        assert seqs == list(range(1, stored + 2))
