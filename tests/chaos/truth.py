# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the devices really captured: written beside the outbox, and never by the product's code.

A line is written before an event is handed to the edge and another when the edge says that it has
it. A process that is killed in between leaves an event that may be stored or not, but not twice.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import UUID

END_LINE: Final = b'{"end": true}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """All events of all devices.

    Attributes:
        begun: Handed to an edge.
        kept: Those of them that the edge said it has.
        from_the_future: Those of ``begun`` whose time the centre must not believe.
    """

    begun: frozenset[UUID]
    kept: frozenset[UUID]
    from_the_future: frozenset[UUID]


class TruthWriter:
    """Appends to a device's file; a line is there as soon as the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def begin(self, event_id: UUID, *, is_from_the_future: bool) -> None:
        """An event is about to be handed over."""
        self._write({"begun": str(event_id), "future": is_from_the_future})

    def keep(self, event_id: UUID) -> None:
        """The edge has it."""
        self._write({"kept": str(event_id)})

    def end(self) -> None:
        """Nothing more is captured."""
        os.write(self._file, END_LINE)

    def _write(self, line: dict[str, object]) -> None:
        os.write(self._file, (json.dumps(line) + "\n").encode())


def read_truth(paths: Iterable[Path]) -> Truth:
    """What all devices captured in all their lives."""
    begun, kept, future = set[UUID](), set[UUID](), set[UUID]()
    for path in paths:
        for line in _lines(path):
            if "begun" in line:
                begun.add(UUID(str(line["begun"])))
                if line["future"]:
                    future.add(UUID(str(line["begun"])))
            elif "kept" in line:
                kept.add(UUID(str(line["kept"])))
    return Truth(begun=frozenset(begun), kept=frozenset(kept), from_the_future=frozenset(future))


def has_ended(path: Path) -> bool:
    """Whether a device has captured its last event."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(END_LINE)))
        return file.read() == END_LINE


def _lines(path: Path) -> Iterable[dict[str, object]]:
    for text in path.read_text("utf-8").splitlines():
        line = json.loads(text)
        assert isinstance(line, dict)
        yield line
