# SPDX-License-Identifier: AGPL-3.0-or-later
"""The daily statement as a file: canonical JSON, signed; a single changed byte is found.

Canonical means: keys in order, no spaces, UTF-8, numbers are integers (RFC 8785 for what stands
here), one line. What is verified is the file byte by byte: whoever reads the same statement out
of another file reads something that nobody signed. Figures of a statement add up, which is
verified as well.
"""

import base64
import binascii
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from cryptography import x509
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from central.audit.signatures import HouseKey, is_signed, signer_name
from central.completeness.errors import StatementUnreadableError
from central.completeness.types import Account, Explanation, Gap, LedgerRow, LossProof

FORMAT: Final = "luuthong-completeness-1"
FILE_BYTES_MAX: Final = 16_777_216
"""Largest file. Equal to the limit in the database."""

GAPS_LISTED_MAX: Final = 1000
"""Gaps of one outbox that are listed one by one; their number is told in full."""

Count = Annotated[int, Field(ge=0, le=2**62)]
Seq = Annotated[int, Field(ge=1, le=2**62)]


class _Part(BaseModel):
    """A part of the file; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StatedGap(_Part):
    """Numbers that were no rows, and why."""

    first: Seq
    last: Seq
    explanation: Explanation
    loss: LossProof | None
    since: AwareDatetime | None
    quarantine_id: int | None
    reason: str | None

    @classmethod
    def of(cls, gap: Gap) -> Self:
        """State a gap."""
        return cls(
            first=gap.numbers.first,
            last=gap.numbers.last,
            explanation=gap.explanation,
            loss=gap.loss,
            since=gap.since,
            quarantine_id=gap.quarantine_id,
            reason=gap.reason,
        )


class Figures(_Part):
    """Both sides of captured = stored + what is not stored, and what else came."""

    due: Count = 0
    stored: Count = 0
    in_outbox: Count = 0
    offline: Count = 0
    quarantined: Count = 0
    discarded: Count = 0
    lost: Count = 0
    arrived: Count = 0
    late: Count = 0
    doubled: Count = 0
    gaps: Count = 0

    @classmethod
    def of(cls, account: Account | None) -> Self:
        """Figures of an account; zeros for none."""
        if account is None:
            return cls()
        return cls(
            due=account.due_count,
            stored=account.stored_count,
            in_outbox=account.count(Explanation.IN_OUTBOX),
            offline=account.count(Explanation.OFFLINE),
            quarantined=account.count(Explanation.QUARANTINED),
            discarded=account.count(Explanation.DISCARDED),
            lost=account.count(Explanation.LOST),
            arrived=account.arrived,
            late=account.late,
            doubled=account.doubled,
            gaps=len(account.gaps),
        )

    def __add__(self, other: Self) -> Self:
        sums = {name: getattr(self, name) + getattr(other, name) for name in Figures.model_fields}
        return type(self)(**sums)

    @property
    def waiting(self) -> int:
        """Numbers that are still in devices."""
        return self.in_outbox + self.offline

    @property
    def held_back(self) -> int:
        """Numbers whose messages are in quarantine or were discarded."""
        return self.quarantined + self.discarded

    @property
    def adds_up(self) -> bool:
        """Whether captured = stored + what is not stored."""
        return self.due == self.stored + self.waiting + self.held_back + self.lost


class StatedRow(_Part):
    """A device and one of its outboxes."""

    device_id: str
    site_id: str
    outbox_id: UUID | None
    first: Seq | None
    last: Seq | None
    silent_since: AwareDatetime | None
    unnumbered: Count
    figures: Figures
    gaps: tuple[StatedGap, ...]

    @classmethod
    def of(cls, row: LedgerRow) -> Self:
        """State a row of the ledger."""
        account = row.account
        due = account.due if account is not None else None
        gaps = account.gaps if account is not None else ()
        return cls(
            device_id=row.device_id,
            site_id=row.site_id,
            outbox_id=account.outbox_id if account is not None else None,
            first=due.first if due is not None else None,
            last=due.last if due is not None else None,
            silent_since=row.silent_since,
            unnumbered=row.unnumbered,
            figures=Figures.of(account),
            gaps=tuple(map(StatedGap.of, gaps[:GAPS_LISTED_MAX])),
        )


class Statement(_Part):
    """What is stated about a day.

    Attributes:
        supersedes: SHA-256 (hex) of the file of the revision before; ``None`` for the first.
        devices: By device and outbox.
    """

    format: Literal["luuthong-completeness-1"] = "luuthong-completeness-1"
    day: dt.date
    revision: Annotated[int, Field(ge=1)]
    made_at: AwareDatetime
    made_by: Annotated[str, Field(min_length=1, max_length=100)]
    supersedes: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    figures: Figures
    devices: tuple[StatedRow, ...]

    def says_the_same(self, other: Self) -> bool:
        """Whether two statements tell the same of the day, whoever made them, and when.

        Whether a device is heard at present is no news about a day that is over.
        """
        mine, others = (
            [row.model_copy(update={"silent_since": None}) for row in each.devices]
            for each in (self, other)
        )
        return (self.day, self.figures, mine) == (other.day, other.figures, others)

    @property
    def adds_up(self) -> bool:
        """Whether every row adds up, and the rows to the sum."""
        total = sum((row.figures for row in self.devices), Figures())
        return total == self.figures and all(row.figures.adds_up for row in self.devices)


class _File(_Part):
    """The whole file."""

    certificate: str | None
    signature: str | None
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementReport:
    """What was found out about a file.

    Attributes:
        is_signed: Whether it bears a signature at all.
        is_intact: The signature fits the statement and the certificate.
        is_trusted: The certificate comes from the authority that we trust.
        signer: Name in the certificate; empty without one.
    """

    statement: Statement
    sha256: str
    is_signed: bool
    is_intact: bool
    is_trusted: bool
    signer: str

    @property
    def is_good(self) -> bool:
        """Whether the file is what somebody whom we trust signed."""
        return self.is_signed and self.is_intact and self.is_trusted and self.statement.adds_up


def file_of(statement: Statement, key: HouseKey | None) -> bytes:
    """A statement as a file; without a key it bears no signature.

    Raises:
        ValueError: The key is of a kind that is not used for signing here.
    """
    signature = None
    if key is not None:
        signature = base64.b64encode(key.sign(_canonical(statement))).decode()
    return _canonical(
        _File(
            certificate=key.certificate_pem if key is not None else None,
            signature=signature,
            statement=statement,
        )
    )


def read_file(content: bytes) -> Statement:
    """The statement of a file, whoever signed it.

    Raises:
        StatementUnreadableError: It is none of ours, or no canonical file.
    """
    return _read(content).statement


def verify_file(content: bytes, *, trusted_ca: x509.Certificate) -> StatementReport:
    """Whether a file is what its signer signed.

    Args:
        content: Any bytes.
        trusted_ca: Certificate of the authority whose signers are trusted.

    Raises:
        StatementUnreadableError: It is none of ours, or was changed so that it is no canonical
            file any more.
    """
    read = _read(content)
    if read.certificate is None or read.signature is None:
        return _report(read, content, signer="", is_intact=False, is_trusted=False)
    try:
        signature = base64.b64decode(read.signature, validate=True)
        signer = signer_name(read.certificate)
    except (binascii.Error, ValueError) as error:
        raise StatementUnreadableError("its signature can't be read") from error

    def holds(authority: x509.Certificate | None) -> bool:
        return is_signed(
            _canonical(read.statement),
            signature=signature,
            certificate_pem=read.certificate or "",
            trusted_ca=authority,
        )

    return _report(
        read, content, signer=signer, is_intact=holds(None), is_trusted=holds(trusted_ca)
    )


def sha256_of(content: bytes) -> str:
    """What names a file on the paper and in the next revision."""
    return hashlib.sha256(content).hexdigest()


def _report(
    read: _File, content: bytes, *, signer: str, is_intact: bool, is_trusted: bool
) -> StatementReport:
    return StatementReport(
        statement=read.statement,
        sha256=sha256_of(content),
        is_signed=read.signature is not None,
        is_intact=is_intact,
        is_trusted=is_trusted,
        signer=signer,
    )


def _read(content: bytes) -> _File:
    if len(content) > FILE_BYTES_MAX:
        raise StatementUnreadableError(f"it has more than {FILE_BYTES_MAX} bytes")
    try:
        read = _File.model_validate_json(content)
    except ValidationError as error:
        raise StatementUnreadableError("it is no statement of ours") from error
    if _canonical(read) != content:
        raise StatementUnreadableError("it was written anew by somebody else")
    return read


def _canonical(part: _Part) -> bytes:
    """The one way to write something down."""
    values = part.model_dump(mode="json")
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"
