# SPDX-License-Identifier: AGPL-3.0-or-later
"""Chains of hashes over rows: whoever changes, removes or inserts one changes every later hash.

A row becomes bytes in exactly one way, with the type of every value, so that no two different
rows give the same bytes. The format is for ever: a chain that was begun with it is proved with it.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self
from uuid import UUID

HASH_LENGTH_BYTES: Final = 32
POSITION_LENGTH_BYTES: Final = 8
_FORMAT: Final = b"luuthong-chain-1\x00"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

ChainValue = (
    str
    | int
    | float
    | bool
    | bytes
    | datetime
    | date
    | UUID
    | None
    | Sequence["ChainValue"]
    | Mapping[str, "ChainValue"]
)
_Tagged = list["str | _Tagged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """A place in a chain.

    Attributes:
        position: 0 before the first row, then counted without gaps.
        hash: SHA-256 over everything up to here, 32 bytes.
    """

    position: int
    hash: bytes

    def __post_init__(self) -> None:
        if self.position < 0 or len(self.hash) != HASH_LENGTH_BYTES:
            raise ValueError("a link has a position from 0 and a hash of 32 bytes")

    @classmethod
    def start(cls, chain: str) -> Self:
        """Where a chain begins; chains of different names have nothing in common."""
        return cls(position=0, hash=hashlib.sha256(_FORMAT + chain.encode()).digest())

    def next(self, row: Mapping[str, ChainValue]) -> "ChainLink":
        """The link of the row that follows.

        Args:
            row: Every column that is to be proved, by name.

        Raises:
            ValueError: A time is not aware, or a number is not finite.
        """
        position = self.position + 1
        digest = hashlib.sha256(_FORMAT)
        digest.update(position.to_bytes(POSITION_LENGTH_BYTES, "big"))
        digest.update(self.hash)
        digest.update(canonical_bytes(row))
        return ChainLink(position=position, hash=digest.digest())


def canonical_bytes(row: Mapping[str, ChainValue]) -> bytes:
    """A row as bytes: the same row always gives the same ones, different rows never do.

    JSON in UTF-8 without spaces, in which every value stands with the letter of its type and
    the names are in order; times are microseconds since 1970 in UTC.

    Raises:
        ValueError: A time is not aware, or a number is not finite.
        TypeError: A value is of a kind that rows don't have.
    """
    return json.dumps(_tagged(row), ensure_ascii=False, separators=(",", ":")).encode()


def _tagged(value: ChainValue) -> _Tagged:  # noqa: PLR0911 - one line for each type
    """A value with the letter of its type."""
    match value:
        case None:
            return ["n"]
        case bool():  # before int, of which it is a kind
            return ["b", "1" if value else "0"]
        case int():
            return ["i", str(value)]
        case str():
            return ["s", value]
        case float() if math.isfinite(value):
            return ["f", repr(value)]
        case UUID():
            return ["u", value.hex]
        case bytes():
            return ["x", value.hex()]
        case datetime():  # before date, of which it is a kind
            return ["t", str(_micros(value))]
        case date():
            return ["d", value.isoformat()]
        case _:
            return _tagged_many(value)


def _tagged_many(value: ChainValue) -> _Tagged:
    """A list or a mapping with the letters of everything in it."""
    if isinstance(value, Mapping):
        return ["m", [part for name in sorted(value) for part in (name, _tagged(value[name]))]]
    if isinstance(value, Sequence):
        return ["l", [_tagged(each) for each in value]]
    if isinstance(value, float):
        raise ValueError("a number in a chain is finite")  # noqa: TRY004 - its type is right
    raise TypeError(f"no value of a row: {type(value).__name__}")


def _micros(instant: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    if instant.tzinfo is None:
        raise ValueError("a time in a chain is aware")
    return (instant - _EPOCH) // _MICROSECOND
