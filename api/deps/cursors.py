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
    packed = _FORMAT.pack((cursor.captured_at - _EPOCH) // _MICROSECOND, cursor.passage_id.bytes)
    return base64.urlsafe_b64encode(packed).decode()


def parse_cursor(text: str) -> PageCursor:
    """Read a cursor back.

    Raises:
        CursorInvalidError: It was not made here.
    """
    try:
        micros, raw_id = _FORMAT.unpack(base64.b64decode(text.encode(), b"-_", validate=True))
        return PageCursor(captured_at=_EPOCH + micros * _MICROSECOND, passage_id=UUID(bytes=raw_id))
    except (ValueError, binascii.Error, struct.error, OverflowError) as error:
        raise CursorInvalidError from error
