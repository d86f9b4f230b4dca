# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small disk for the database that can be filled up: a tmpfs, which only root may mount."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOM_BYTES: Final = 96 * 1024 * 1024
"""What is free beside a fresh cluster; filled within a moment."""
COMMAND_TIMEOUT_S: Final = 20.0
CHUNK: Final = b"\0" * (1024 * 1024)
FILLER: Final = "filler"


@dataclass(kw_only=True)
class Volume:
    """The place of one run's database files.

    Attributes:
        folder: Where it is mounted, or a plain folder when it can't be.
        is_small: Whether it has a size of its own, so that it can be filled.
    """

    folder: Path
    is_small: bool = False

    def open(self, *, used_bytes: int) -> None:
        """Mount it with room beside what will lie there."""
        self.folder.mkdir(parents=True)
        self.is_small = _run(
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={used_bytes + ROOM_BYTES},mode=755",
            "luuthong-chaos",
            str(self.folder),
        )

    def fill(self) -> None:
        """Take every free byte."""
        with (self.folder / FILLER).open("ab", buffering=0) as filler:
            for chunk in (CHUNK, CHUNK[:4096]):
                try:
                    while filler.write(chunk) == len(chunk):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Give the room back."""
        (self.folder / FILLER).unlink(missing_ok=True)

    def close(self) -> None:
        """Throw everything away."""
        if self.is_small and not _run("umount", str(self.folder)):
            _run("umount", "-l", str(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)


def may_mount() -> bool:
    """Whether small volumes can be had here: root can, where the kernel lets it."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


def folder_bytes(folder: Path) -> int:
    """Room that the files of a folder take."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _run(*command: str) -> bool:
    if not may_mount():
        return False
    done = subprocess.run(command, capture_output=True, check=False, timeout=COMMAND_TIMEOUT_S)
    return done.returncode == 0
