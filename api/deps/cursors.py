# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cursors as text: opaque to callers, and holding a time and an id but never a plate."""

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from api.errors import CursorInvalidError
from central.passages.types import PageCursor

CURSOR_LENGTH: Final = 32
_FORMAT: Final = struct.Struct(">q16s")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def cursor_text(cursor: PageCursor) -> str:
    """A cursor for a URL or a JSON answer."""
    return place_text(cursor.captured_at, cursor.passage_id)


def parse_cursor(text: str) -> PageCursor:
    """Read a cursor back.

    Raises:
        CursorInvalidError: It was not made here.
    """
    captured_at, passage_id = parse_place(text)
    return PageCursor(captured_at=captured_at, passage_id=passage_id)


def place_text(at: datetime, row_id: UUID) -> str:
    """A place in any list that is ordered by an aware time and an id."""
    return base64.urlsafe_b64encode(
        _FORMAT.pack((at - _EPOCH) // _MICROSECOND, row_id.bytes)
    ).decode()


def parse_place(text: str) -> tuple[datetime, UUID]:
    """Read such a place back.

    Raises:
        CursorInvalidError: It was not made here.
    """
    try:
        micros, raw_id = _FORMAT.unpack(base64.b64decode(text.encode(), b"-_", validate=True))
        return _EPOCH + micros * _MICROSECOND, UUID(bytes=raw_id)
    except (ValueError, binascii.Error, struct.error, OverflowError) as error:
        raise CursorInvalidError from error
