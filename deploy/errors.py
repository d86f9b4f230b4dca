# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong while setting up and running a local stack.

DeployError
├── SetupError                  a component could not be installed
│   ├── ProgramMissingError     a program of the machine is needed and absent
│   ├── MirrorNotFoundError     apt knows no Debian mirror
│   ├── DownloadFailedError     the network or the mirror said no; run again to resume
│   ├── DiskSpaceError          too little room
│   ├── SetupBusyError          another set-up holds the lock for too long
│   ├── PlaceNotUsableError     a folder cannot be written, or the server's user cannot reach it
│   └── ComponentMissingError   something that should be installed is not there
└── LocalStackError             the local stack could not do what was asked
    ├── ClusterError            PostgreSQL
    │   └── ClusterVersionError the data belong to another major version
    ├── BrokerError             mosquitto
    ├── PortInUseError          a wanted port is taken
    ├── AlreadyRunningError     another supervisor looks after this home
    ├── StackNotRunningError    asked for something that needs a running stack
    └── StackNotReadyError      a part did not become ready in time

Every message is written for the person at the terminal and says what to do next.
"""

from pathlib import Path
from typing import Final

BYTES_PER_MIB: Final = 1024 * 1024


class DeployError(Exception):
    """Root of this package's errors; the message is shown to the person at the terminal."""


class SetupError(DeployError):
    """A component could not be installed."""


class ProgramMissingError(SetupError):
    """A program that set-up needs is not on this machine."""

    def __init__(self, program: str, *, remedy: str) -> None:
        super().__init__(f"{program} is not on this machine. {remedy}")
        self.program = program


class MirrorNotFoundError(SetupError):
    """This machine's apt configuration names no Debian mirror."""

    def __init__(self, setting: str) -> None:
        super().__init__(
            "this machine's apt knows no Debian mirror, so PostgreSQL and mosquitto cannot be"
            f" fetched. Set {setting} to the address of one and run again."
        )
        self.setting = setting


class DownloadFailedError(SetupError):
    """A download did not end well; what arrived is kept and the next run resumes."""

    def __init__(self, what: str, *, detail: str) -> None:
        super().__init__(
            f"could not fetch {what}: {detail}. Is the network up? What has arrived is kept:"
            " run the same command again to go on."
        )
        self.what = what


class DiskSpaceError(SetupError):
    """Too little room for what is about to be written."""

    def __init__(self, folder: Path, *, needed_bytes: int, free_bytes: int, setting: str) -> None:
        super().__init__(
            f"{folder} has {free_bytes // BYTES_PER_MIB} MiB free, and"
            f" {needed_bytes // BYTES_PER_MIB} MiB are needed. Make room, or choose another place"
            f" with {setting}."
        )
        self.folder = folder
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes


class SetupBusyError(SetupError):
    """Another set-up is writing to the same cache folder."""

    def __init__(self, lock_file: Path, *, waited_s: float) -> None:
        super().__init__(
            f"another set-up has held {lock_file} for {waited_s:.0f} s. Wait for it to end, or end"
            " it, and run again."
        )
        self.lock_file = lock_file


class PlaceNotUsableError(SetupError):
    """A folder cannot be used for what it is needed for."""

    def __init__(self, folder: Path, *, reason: str, remedy: str) -> None:
        super().__init__(f"{folder} cannot be used: {reason}. {remedy}")
        self.folder = folder


class ComponentMissingError(SetupError):
    """A component is not installed where it was expected."""

    def __init__(self, component: str, *, remedy: str) -> None:
        super().__init__(f"{component} is not installed. {remedy}")
        self.component = component


class LocalStackError(DeployError):
    """The local stack could not do what was asked."""


class ClusterError(LocalStackError):
    """The private PostgreSQL cluster did not do what was asked."""


class ClusterVersionError(ClusterError):
    """The data folder was made by another major version of PostgreSQL."""

    def __init__(self, data_folder: Path, *, found: str, wanted: str) -> None:
        super().__init__(
            f"{data_folder} holds data of PostgreSQL {found}, and version {wanted} is installed."
            " Dump it with the old version and load it into a new home (LUUTHONG_HOME)."
        )
        self.data_folder = data_folder
        self.found = found
        self.wanted = wanted


class BrokerError(LocalStackError):
    """The private mosquitto did not do what was asked."""


class PortInUseError(LocalStackError):
    """Something else listens on a port that was asked for."""

    def __init__(self, port: int, *, setting: str) -> None:
        super().__init__(
            f"port {port} is in use by another program. Choose another with {setting}, or leave it"
            " out to get a free one."
        )
        self.port = port


class AlreadyRunningError(LocalStackError):
    """Another supervisor looks after the same home."""

    def __init__(self, home: Path) -> None:
        super().__init__(f"the stack of {home} is already running. See: luuthong status")
        self.home = home


class StackNotRunningError(LocalStackError):
    """The command needs a running stack."""

    def __init__(self) -> None:
        super().__init__("the stack is not running. Start it with: luuthong up")


class StackNotReadyError(LocalStackError):
    """A part of the stack did not become ready in time."""

    def __init__(self, part: str, *, log_file: Path, detail: str) -> None:
        super().__init__(f"{part} did not become ready: {detail}. Its log: {log_file}")
        self.part = part
        self.log_file = log_file
