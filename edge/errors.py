# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of the edge.

::

    EdgeError
    ├── SettingsError              the site file is missing, unreadable or wrong; says what
    ├── CaptureError
    │   ├── SourceMissingError     there is no such file or folder
    │   ├── SourceUnreadableError  the file is no recording, is damaged, or may not be read
    │   ├── SourceEmptyError       a folder without pictures, a recording without frames
    │   └── StreamLostError        a camera does not answer, refuses, or stopped sending
    ├── ReaderError
    │   ├── ReaderLostError        a tag reader does not answer, broke off, or fell silent
    │   └── ReaderRefusedError     it answers and does not do what is asked of it
    ├── OutboxError
    │   ├── OutboxBusyError        another process has this outbox open
    │   ├── OutboxUnreadableError  the file is no outbox, or is damaged
    │   ├── OutboxFullError        not even an event can be written: no room on the disk
    │   └── OutboxBehindError      the centre has committed numbers that were never given here
    ├── EnrolmentError             no certificate: the centre refused or could not be reached
    └── PublishError
        ├── BrokerRefusedError     the broker does not accept this device
        └── BrokerUnreachableError nobody answers where the broker should be

Messages are for the engineer at the camera: one sentence that says what is wrong. Addresses of
cameras may carry a password, so messages show them without it.
"""

import re
from pathlib import Path
from typing import Final

EXIT_OK: Final = 0
EXIT_BUG: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_UNACKNOWLEDGED: Final = 3
EXIT_SOURCE_BROKE: Final = 4
EXIT_INTERRUPTED: Final = 130

_QUERY_OR_FRAGMENT: Final = re.compile(r"[?#]")


class EdgeError(Exception):
    """Root of everything that the edge raises on purpose."""


class SettingsError(EdgeError):
    """The settings can't be used.

    Attributes:
        problems: One sentence per thing that is wrong, in the order of the file.
    """

    def __init__(self, *, source: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"{source}: " + "; ".join(problems))
        self.source = source
        self.problems = problems


class CaptureError(EdgeError):
    """A source of pictures can't be used (any more)."""


class SourceMissingError(CaptureError):
    """There is no such file or folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no file or folder {path}")
        self.path = path


class SourceUnreadableError(CaptureError):
    """The source is there and can't be read."""

    def __init__(self, *, source: str, reason: str) -> None:
        super().__init__(f"{source} can't be read: {reason}")
        self.source = source
        self.reason = reason


class SourceEmptyError(CaptureError):
    """The source can be read and holds nothing to look at."""

    def __init__(self, *, source: str, what: str) -> None:
        super().__init__(f"{source} holds no {what}")
        self.source = source
        self.what = what


class StreamLostError(CaptureError):
    """A camera does not answer, refuses us, or stopped sending."""

    def __init__(self, *, address: str, reason: str) -> None:
        super().__init__(f"camera {without_password(address)}: {reason}")
        self.address = without_password(address)
        self.reason = reason


class ReaderError(EdgeError):
    """A tag reader can't be used at the moment; it is tried again."""

    def __init__(self, *, address: str, reason: str) -> None:
        super().__init__(f"tag reader {address}: {reason}")
        self.address = address
        self.reason = reason


class ReaderLostError(ReaderError):
    """The reader does not answer, broke off, or fell silent."""


class ReaderRefusedError(ReaderError):
    """The reader answers, and refuses or does not understand what is asked of it."""


class OutboxError(EdgeError):
    """The outbox can't do what it is there for."""


class OutboxBusyError(OutboxError):
    """Another process holds this outbox; two would number the same events."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"outbox {path} is in use by another process")
        self.path = path


class OutboxUnreadableError(OutboxError):
    """The file is no outbox of ours, or it is damaged."""

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(f"outbox {path} can't be used: {reason}")
        self.path = path
        self.reason = reason


class OutboxFullError(OutboxError):
    """An event can't be written although every picture was given up for it.

    Nothing is lost: whoever holds the event keeps it and tries again.
    """

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(f"outbox {path} has no room for an event: {reason}")
        self.path = path
        self.reason = reason


class OutboxBehindError(OutboxError):
    """The centre has committed numbers that this file never gave: it is an old copy.

    New events would get numbers that the centre already has; a new outbox must be started.
    """

    def __init__(self, *, path: Path, last_seq: int, acknowledged_seq: int) -> None:
        super().__init__(
            f"outbox {path} is an old copy: the centre has event {acknowledged_seq}, "
            f"this file only knows {last_seq}; move it away to start a new one"
        )
        self.path = path
        self.last_seq = last_seq
        self.acknowledged_seq = acknowledged_seq


class PublishError(EdgeError):
    """Events can't reach the centre at the moment; they stay in the outbox."""


class EnrolmentError(EdgeError):
    """The device got no certificate: the centre refused or could not be reached."""


class BrokerRefusedError(PublishError):
    """The broker answers and does not accept this device."""

    def __init__(self, *, host: str, port: int, reason: str) -> None:
        super().__init__(f"broker {host}:{port} refuses this device: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class BrokerUnreachableError(PublishError):
    """Nobody answers where the broker should be."""

    def __init__(self, *, host: str, port: int, reason: str) -> None:
        super().__init__(f"broker {host}:{port} can't be reached: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


def without_password(address: str) -> str:
    """The address of a camera as it may be shown: no user, password or query.

    A password may hold characters that end the host of an address (``/``, ``?``, ``#``) and that
    nobody has escaped: whatever stands before the last ``@`` is left out.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    return f"{scheme}://{_QUERY_OR_FRAGMENT.split(rest.rpartition('@')[2], maxsplit=1)[0]}"
