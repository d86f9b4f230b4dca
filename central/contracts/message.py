# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every message has in common: frozen, strict when made, lenient when read.

A producer that adds an unknown field gets an error; a consumer ignores fields of newer minor
versions, so that a centre may be older than its devices.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

MAX_MESSAGE_BYTES = 65_536
"""Largest accepted message. Raising it lets bigger messages through and costs memory per batch."""

MAX_SEQ = 2**62

Seq = Annotated[int, Field(ge=1, le=MAX_SEQ)]
"""Number of an event in its outbox: 1, 2, 3 … without a gap."""

Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


def _without_nul(text: str) -> str:
    """Refuse the one character that PostgreSQL can't store in text."""
    if "\x00" in text:
        raise ValueError("a text must not contain NUL")
    return text


StoredText = Annotated[str, AfterValidator(_without_nul)]
"""Text that goes into a database column as it is."""


class Message(BaseModel):
    """Base of all messages between devices and centre."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def to_json(self) -> bytes:
        """UTF-8 JSON as it is published."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_json(cls, payload: bytes | bytearray | str) -> Self:
        """Read a message, ignoring fields that this version does not know.

        Raises:
            pydantic.ValidationError: The payload is not JSON or breaks the contract.
        """
        return cls.model_validate_json(payload, extra="ignore")


__all__ = [
    "MAX_MESSAGE_BYTES",
    "MAX_SEQ",
    "AwareDatetime",
    "Message",
    "Probability",
    "Seq",
    "StoredText",
]
