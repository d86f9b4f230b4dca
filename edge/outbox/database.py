# SPDX-License-Identifier: AGPL-3.0-or-later
"""The outbox's SQLite file: opening, locking, transactions, and its errors as ours."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from edge.errors import OutboxBusyError, OutboxFullError, OutboxUnreadableError

APPLICATION_ID: Final = 0x4C554F42
SCHEMA_VERSION: Final = 3
SCHEMA_STEPS: Final = {
    1: ("ALTER TABLE event ADD COLUMN stream TEXT NOT NULL DEFAULT 'passage'",),
    2: (
        "ALTER TABLE picture ADD COLUMN event_id TEXT",
        """CREATE TABLE lost_picture (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            event_id TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            fate TEXT NOT NULL,
            given_up_at_us INTEGER NOT NULL
        ) STRICT""",
    ),
}
"""What makes the next version of an older one; a device keeps its outbox over updates."""
BUSY_TIMEOUT_S: Final = 10.0
PAGE_BYTES: Final = 4096
WAL_KEPT_BYTES: Final = 16_000_000
_PRIMARY_CODE_MASK: Final = 0xFF
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NO_ROOM_CODES: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def lock_file(path: Path) -> IO[bytes]:
    """Take the outbox for this process; closing the file gives it back.

    Raises:
        OutboxBusyError: Another process has it.
        OutboxUnreadableError: The folder can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.with_name(path.name + ".lock").open("ab")
    except OSError as error:
        raise OutboxUnreadableError(path=path, reason=error.strerror or "no access") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise OutboxBusyError(path) from error
    return handle


def connect(path: Path, *, new_id: UUID, file_bytes_max: int | None) -> sqlite3.Connection:
    """Open an outbox, creating it where it is absent.

    Args:
        path: SQLite file; its folder exists.
        new_id: Identity that a fresh outbox gets.
        file_bytes_max: Largest size of the file in bytes; ``None`` for no limit of ours.

    Raises:
        OutboxUnreadableError: The file is no outbox, is damaged, or may not be opened.
        OutboxFullError: There is no room to create it.
    """
    with translated_errors(path):
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path=path, new_id=new_id)
            if file_bytes_max is not None:
                connection.execute(f"PRAGMA max_page_count = {file_bytes_max // PAGE_BYTES:d}")
        except BaseException:
            connection.close()
            raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open an existing outbox only to look at it, also while a device writes to it.

    Raises:
        OutboxUnreadableError: There is no outbox, or it is damaged.
    """
    if not path.is_file():
        raise OutboxUnreadableError(path=path, reason="there is no such file")
    with translated_errors(path):
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S
        )
        try:
            _require_ours(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, on the disk when the block is left."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn the library's errors about the file into ours, and leave bugs alone."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if primary_code(error) in _NO_ROOM_CODES:
            raise OutboxFullError(path=path, reason=str(error)) from error
        raise OutboxUnreadableError(path=path, reason=str(error)) from error
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise
    except sqlite3.DatabaseError as error:
        raise OutboxUnreadableError(path=path, reason=str(error)) from error


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its detail; -1 when there is none."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else code & _PRIMARY_CODE_MASK


def to_us(moment: datetime) -> int:
    """An aware time as the file holds it: microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """The time that ``to_us`` made a number of, in UTC."""
    return _EPOCH + microseconds * _MICROSECOND


def _prepare(connection: sqlite3.Connection, *, path: Path, new_id: UUID) -> None:
    # FULL: a power cut right after a commit must not take the event away again.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES:d}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES:d}")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables == 0:
        _create(connection, new_id)
    _require_ours(connection, path)
    _bring_up_to_date(connection)


def _create(connection: sqlite3.Connection, new_id: UUID) -> None:
    schema = resources.files("edge.outbox").joinpath("schema.sql").read_text(encoding="utf-8")
    with transaction(connection):
        for statement in _statements(schema):
            connection.execute(statement)
        connection.execute("INSERT INTO outbox (only_row, outbox_id) VALUES (1, ?)", (str(new_id),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make the newest version of an older outbox, all steps or none."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    with transaction(connection):
        for older in range(version, SCHEMA_VERSION):
            for statement in SCHEMA_STEPS[older]:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")


def _statements(script: str) -> Iterator[str]:
    """Statements of a script one by one: ``executescript`` would commit on its own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != APPLICATION_ID:
        raise OutboxUnreadableError(path=path, reason="it is no outbox")
    if version != SCHEMA_VERSION and version not in SCHEMA_STEPS:
        raise OutboxUnreadableError(
            path=path, reason=f"it has version {version}, this program knows {SCHEMA_VERSION}"
        )
