# SPDX-License-Identifier: AGPL-3.0-or-later
"""A device's clock that somebody else can set wrong while the device runs."""

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_OFFSET: Final = struct.Struct("=d")


class WrongClock:
    """The true time plus an offset that lies in a file which both processes map."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_OFFSET.pack(0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _OFFSET.size)

    def now(self) -> datetime:
        """What the device believes; aware, in UTC."""
        return datetime.now(UTC) + self.offset

    @property
    def offset(self) -> timedelta:
        """How far the clock is ahead."""
        return timedelta(seconds=_OFFSET.unpack(self._shared[:])[0])

    def jump_to(self, *, offset_s: float) -> None:
        """Set the clock wrong by so many seconds, all at once."""
        self._shared[:] = _OFFSET.pack(offset_s)
