# SPDX-License-Identifier: AGPL-3.0-or-later
"""Daily roots of the log's chain as a file for keeping outside of the house.

A line for each day, signed by itself, so that files can be joined and cut by whoever keeps them.
The chain alone can't show that its end was cut off or that all of it was computed anew; a root
that somebody else keeps does.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Final, Literal

from cryptography import x509
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from central.audit.signatures import HouseKey, is_signed, signer_name
from central.audit.types import RootsUnreadableError
from central.domain.hash_chain import ChainLink

FORMAT: Final = "luuthong-audit-root-1"
FILE_BYTES_MAX: Final = 16_777_216
LINES_MAX: Final = 40_000
"""Over a hundred years of days."""


class _Line(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["luuthong-audit-root-1"]
    day: date
    entries: Annotated[int, Field(ge=1)]
    position: Annotated[int, Field(ge=1)]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    made_at: AwareDatetime
    certificate: str | None = None
    signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRoot:
    """Where the chain stood at the end of a day.

    Attributes:
        day: In Vietnam's time.
        entries: How many were sealed on this day.
        position: Place of the last of them.
        hash: Of the chain up to there.
        certificate: Of the signer, PEM; ``None`` when the centre has no key.
        signature: Over everything above it.
    """

    day: date
    entries: int
    position: int
    hash: bytes
    made_at: datetime
    certificate: str | None = None
    signature: bytes | None = None

    @property
    def link(self) -> ChainLink:
        """The place in the chain."""
        return ChainLink(position=self.position, hash=self.hash)

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return "\n".join(
            (
                FORMAT,
                self.day.isoformat(),
                str(self.entries),
                str(self.position),
                self.hash.hex(),
                self.made_at.isoformat(),
            )
        ).encode()

    @property
    def signer(self) -> str | None:
        """Name in the certificate; ``None`` for a root without one."""
        if self.certificate is None:
            return None
        return signer_name(self.certificate)


def signed(root: DayRoot, key: HouseKey) -> DayRoot:
    """The same root with a signature.

    Raises:
        ValueError: The key is of a kind that is not used for signing here.
    """
    return replace(root, certificate=key.certificate_pem, signature=key.sign(root.signed_bytes))


def file_of(roots: Sequence[DayRoot]) -> bytes:
    """Roots as a file, a line for each."""
    return b"".join(_line_of(root) for root in roots)


def read_file(content: bytes) -> tuple[DayRoot, ...]:
    """Roots of a file.

    Raises:
        RootsUnreadableError: It is too large, or a line is none of ours.
    """
    if len(content) > FILE_BYTES_MAX:
        raise RootsUnreadableError(line=0)
    lines = [line for line in content.splitlines() if line.strip()]
    if not lines or len(lines) > LINES_MAX:
        raise RootsUnreadableError(line=0)
    return tuple(_root_of(line, number=number) for number, line in enumerate(lines, start=1))


def has_good_signature(root: DayRoot, *, trusted_ca: x509.Certificate | None) -> bool:
    """Whether a root bears a signature that fits its certificate.

    Args:
        root: A root of a file.
        trusted_ca: Must have issued the certificate; ``None`` believes the certificate itself,
            which shows that the line was not changed and not who signed it.
    """
    if root.certificate is None or root.signature is None:
        return False
    return is_signed(
        root.signed_bytes,
        signature=root.signature,
        certificate_pem=root.certificate,
        trusted_ca=trusted_ca,
    )


def _line_of(root: DayRoot) -> bytes:
    line = _Line(
        format=FORMAT,
        day=root.day,
        entries=root.entries,
        position=root.position,
        hash=root.hash.hex(),
        made_at=root.made_at,
        certificate=root.certificate,
        signature=base64.b64encode(root.signature).decode() if root.signature else None,
    )
    return json.dumps(line.model_dump(mode="json"), ensure_ascii=False).encode() + b"\n"


def _root_of(line: bytes, *, number: int) -> DayRoot:
    try:
        read = _Line.model_validate_json(line)
        signature = base64.b64decode(read.signature, validate=True) if read.signature else None
    except (ValidationError, binascii.Error, ValueError) as error:
        raise RootsUnreadableError(line=number) from error
    return DayRoot(
        day=read.day,
        entries=read.entries,
        position=read.position,
        hash=bytes.fromhex(read.hash),
        made_at=read.made_at,
        certificate=read.certificate,
        signature=signature,
    )
