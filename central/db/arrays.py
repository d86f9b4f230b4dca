# SPDX-License-Identifier: AGPL-3.0-or-later
"""Short lists of numbers on their way into ``float4[]`` columns, many thousands a second.

psycopg's own way goes through every element; these lists are flat, short and without NULL.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from psycopg import Connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

LENGTHS_REMEMBERED_MAX: Final = 64
_FLOAT4_OID: Final = 700
_FLOAT4_ARRAY_OID: Final = 1021
_FLOAT4_SIZE_BYTES: Final = 4
_NO_DIMENSION: Final = struct.pack("!iiI", 0, 0, _FLOAT4_OID)


class Float4ArrayDumper(Dumper):
    """A flat list of numbers as PostgreSQL's binary ``float4[]``."""

    format = Format.BINARY
    oid = _FLOAT4_ARRAY_OID

    def dump(self, obj: Sequence[float]) -> bytes:
        """The array's binary form; numbers are rounded to single precision."""
        if not obj:
            return _NO_DIMENSION
        layout, head = _layout(len(obj))
        # Every element is preceded by its size.
        items = [part for number in obj for part in (_FLOAT4_SIZE_BYTES, number)]
        return head + layout.pack(*items)


def use_fast_float4_arrays(connection: Connection) -> None:
    """Let COPY with stated types write ``float4[]`` the fast way on this connection."""
    connection.adapters.register_dumper(None, Float4ArrayDumper)


@lru_cache(maxsize=LENGTHS_REMEMBERED_MAX)
def _layout(length: int) -> tuple[struct.Struct, bytes]:
    """How so many elements are packed, and what stands before them."""
    head = struct.pack("!iiIii", 1, 0, _FLOAT4_OID, length, 1)
    return struct.Struct("!" + "if" * length), head
