# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where things lie on this machine, and whether the server's account can reach them.

PostgreSQL refuses to run as root, so a set-up by root runs the servers as another account.
That account cannot enter root's own home folder; folders it needs then go to the system's
places for caches and state instead.
"""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.errors import DiskSpaceError, PlaceNotUsableError

CACHE_SETTING: Final = "LUUTHONG_CACHE"
HOME_SETTING: Final = "LUUTHONG_HOME"

PROJECT_FOLDER: Final = Path(__file__).resolve().parents[2]
ROOT_UID: Final = 0

# Used by root only, where the usual place lies inside a folder that others may not enter.
_SYSTEM_CACHE: Final = Path("/var/cache/luuthong")
_SYSTEM_STATE: Final = Path("/var/lib/luuthong")
# In this order; the first one that exists runs the servers when we are root.
_SERVER_ACCOUNTS: Final = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAccount:
    """The account that runs PostgreSQL and mosquitto."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether it is the account that runs this process, so that nothing must be switched."""
        return self.uid == os.geteuid()


def server_account() -> ServerAccount:
    """Account for the servers: our own, or an unprivileged one when we are root."""
    if os.geteuid() != ROOT_UID:
        return ServerAccount(name="", uid=os.geteuid(), gid=os.getegid())
    for name in _SERVER_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerAccount(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise PlaceNotUsableError(
        Path("/etc/passwd"),
        reason=f"it has none of the accounts {', '.join(_SERVER_ACCOUNTS)}",
        remedy="PostgreSQL refuses to run as root: run this command as an ordinary user.",
    )


def cache_folder() -> Path:
    """Folder for downloaded components, shared by all checkouts of this user."""
    if chosen := os.environ.get(CACHE_SETTING):
        return Path(chosen).expanduser().absolute()
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "luuthong"
    return usual if is_reachable(usual, server_account()) else _SYSTEM_CACHE


def home_folder() -> Path:
    """Folder of this checkout's local stack: state, logs, environment."""
    if chosen := os.environ.get(HOME_SETTING):
        return Path(chosen).expanduser().absolute()
    return PROJECT_FOLDER / ".luuthong"


def server_data_folder(home: Path) -> Path:
    """Folder for the data of PostgreSQL and mosquitto of one home.

    Args:
        home: The local stack's home, see ``home_folder``.

    Returns:
        ``home`` itself, or a folder of its own among the system's state when ``home`` lies where
        the servers' account may not go.
    """
    if is_reachable(home, server_account()):
        return home
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return _SYSTEM_STATE / digest


def is_reachable(folder: Path, account: ServerAccount) -> bool:
    """Whether an account may enter every existing folder above and including this one."""
    if account.is_ours:
        return True
    ways = [folder.absolute(), *folder.absolute().parents]
    return all(_may_enter(way, account) for way in ways if way.exists())


def _may_enter(folder: Path, account: ServerAccount) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def require_writable(folder: Path, *, setting: str) -> None:
    """Make a folder if needed and see that we can write there.

    Raises:
        PlaceNotUsableError: It belongs to somebody else, or the disk is mounted read-only.
    """
    remedy = f"Choose another place with {setting}, or ask its owner."
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or "it cannot be made"
        raise PlaceNotUsableError(folder, reason=reason, remedy=remedy) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PlaceNotUsableError(folder, reason="it is not writable for you", remedy=remedy)


def require_free_space(folder: Path, *, needed_bytes: int, setting: str = CACHE_SETTING) -> None:
    """See that a file system has room before anything is written.

    Args:
        folder: Where the writing will happen; it need not exist yet.
        needed_bytes: Room that must be free.
        setting: Setting by which a person chooses another place.

    Raises:
        DiskSpaceError: Less than ``needed_bytes`` are free.
    """
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free_bytes = shutil.disk_usage(existing).free
    if free_bytes < needed_bytes:
        raise DiskSpaceError(
            folder, needed_bytes=needed_bytes, free_bytes=free_bytes, setting=setting
        )
