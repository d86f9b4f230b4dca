# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of a binary COPY, packed by hand, many thousands a second.

psycopg's own way looks at the type of every single value; a table's rows have always the same.
The format is PostgreSQL's (documentation of COPY, "Binary Format", and ``src/backend/utils/adt``):
a head, for every row the number of fields and for every field its size in bytes and its value in
network order, and a tail. NULL has the size -1.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Final

from psycopg import Connection, sql

NULL: Final = struct.pack("!i", -1)
PIECES_PER_WRITE: Final = 200
"""Pieces that are sent at a time: the server stores them while the next ones are packed."""

VALUES_REMEMBERED_MAX: Final = 10_000
LENGTHS_REMEMBERED_MAX: Final = 64
TRUE: Final = struct.pack("!ib", 1, 1)
FALSE: Final = struct.pack("!ib", 1, 0)
_HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack("!ii", 0, 0)
_TAIL: Final = struct.pack("!h", -1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_SECONDS_PER_DAY: Final = 86_400
_MICROSECONDS: Final = 1_000_000
_FLOAT4_OID: Final = 700
_FLOAT4_SIZE: Final = 4
_NO_ITEMS: Final = struct.pack("!iiiI", 12, 0, 0, _FLOAT4_OID)
_ARRAY_HEAD_SIZE: Final = 20
_JSONB_VERSION: Final = b"\x01"
_FLOAT4: Final = struct.Struct("!if")
_INT2: Final = struct.Struct("!ih")
_INT4: Final = struct.Struct("!ii")
_SIZE: Final = struct.Struct("!i")


def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], pieces: Iterable[bytes]
) -> None:
    """Copy packed rows into a table.

    Args:
        connection: Its transaction belongs to the caller.
        table: Name of the table.
        columns: Its columns, in the order in which the rows were packed.
        pieces: Rows, or pieces of them, in order; a row begins with its number of fields.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD)
        for chunk in _chunks(pieces):
            copy.write(chunk)
        copy.write(_TAIL)


def microseconds(instant: datetime) -> int:
    """An aware instant as ``timestamptz`` holds it."""
    since = instant - _EPOCH
    return (since.days * _SECONDS_PER_DAY + since.seconds) * _MICROSECONDS + since.microseconds


def text(value: str | None) -> bytes:
    """A field of type ``text``."""
    if value is None:
        return NULL
    encoded = value.encode()
    return _SIZE.pack(len(encoded)) + encoded


@lru_cache(maxsize=VALUES_REMEMBERED_MAX)
def texts(*values: str | None) -> bytes:
    """Several such fields; for values that come again and again."""
    return b"".join(map(text, values))


def float4(value: float | None) -> bytes:
    """A field of type ``float4``, rounded to single precision."""
    return NULL if value is None else _FLOAT4.pack(_FLOAT4_SIZE, value)


def int2(value: int | None) -> bytes:
    """A field of type ``int2``."""
    return NULL if value is None else _INT2.pack(2, value)


def int4(value: int) -> bytes:
    """A field of type ``int4``."""
    return _INT4.pack(4, value)


def boolean(value: object) -> bytes:
    """A field of type ``bool``."""
    return TRUE if value else FALSE


def jsonb(encoded: bytes) -> bytes:
    """A field of type ``jsonb`` from JSON that is encoded already."""
    return _SIZE.pack(len(encoded) + 1) + _JSONB_VERSION + encoded


def float4_array(values: Sequence[float]) -> bytes:
    """A field of type ``float4[]``."""
    if not values:
        return _NO_ITEMS
    layout, head, fields = _array_layout(len(values))
    fields = fields.copy()
    fields[1::2] = values
    return head + layout.pack(*fields)


@lru_cache(maxsize=LENGTHS_REMEMBERED_MAX)
def _array_layout(length: int) -> tuple[struct.Struct, bytes, list[float]]:
    """How so many elements are packed, what stands before them, and their sizes with places."""
    layout = struct.Struct("!" + "if" * length)
    head = struct.pack("!iiiIii", _ARRAY_HEAD_SIZE + layout.size, 1, 0, _FLOAT4_OID, length, 1)
    return layout, head, [_FLOAT4_SIZE, 0.0] * length


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces joined to chunks worth sending."""
    waiting = iter(pieces)
    while chunk := b"".join(islice(waiting, PIECES_PER_WRITE)):
        yield chunk
