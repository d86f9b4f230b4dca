# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands on statements of the house about its own data; no form of the law exists for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from central.documents.values import LINE_LENGTH_MAX, Issuer

DEVICES_MAX: Final = 2000
GAPS_MAX: Final = 500
"""Gaps on paper; the signed file has more. Higher: a long outage makes a thick paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersLine:
    """Captured = stored + waiting + held back + lost, of a device or of all."""

    captured: int
    stored: int
    waiting: int
    held_back: int
    lost: int

    def __post_init__(self) -> None:
        parts = (self.stored, self.waiting, self.held_back, self.lost)
        if min(parts) < 0 or sum(parts) != self.captured:
            raise ValueError("figures of a statement add up")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLine:
    """A device and one of its outboxes.

    Attributes:
        numbers: Such as ``1…1204``; empty when nothing became due.
    """

    device: str
    site: str
    numbers: str
    figures: NumbersLine


@dataclass(frozen=True, slots=True, kw_only=True)
class GapLine:
    """Numbers that are no rows.

    Attributes:
        count: How many.
        explanation: Code of the explanation, or of what shows a loss.
        since: Aware instant; ``None`` for just now.
    """

    device: str
    numbers: str
    count: int
    explanation: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletenessValues:
    """The daily statement.

    Attributes:
        revision: From 1; a later one supersedes it.
        total: Sum of all devices.
        gaps_left_out: Gaps that stand in the signed file only.
        file_sha256: Hash (hex) of the signed file.
        issued_at: Aware instant at which it was made.
    """

    issuer: Issuer
    day: date
    revision: int
    total: NumbersLine
    devices: tuple[DeviceLine, ...]
    gaps: tuple[GapLine, ...]
    gaps_left_out: int
    file_sha256: str
    issued_at: datetime

    def __post_init__(self) -> None:
        if len(self.devices) > DEVICES_MAX or len(self.gaps) > GAPS_MAX:
            raise ValueError("need fewer lines")
        if any(len(each.site) > LINE_LENGTH_MAX for each in self.devices):
            raise ValueError(f"need at most {LINE_LENGTH_MAX} characters")
        if self.issued_at.tzinfo is None:
            raise ValueError("need an aware instant")


EXPLANATION_WORDS: Final[Mapping[str, str]] = {
    "in_outbox": "Còn trong hàng chờ gửi của thiết bị",
    "offline": "Thiết bị mất kết nối",
    "quarantined": "Trong vùng cách ly",
    "discarded": "Đã loại bỏ, có lý do",
    "forgotten": "Đã mất: thiết bị không còn giữ",
    "outbox_replaced": "Đã mất: thiết bị có hàng chờ gửi khác",
    "overdue": "Đã mất: quá thời gian lưu ở thiết bị",
}
"""By code of the explanation, or of what shows a loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLine:
    """A purpose: how long it keeps a row, and how many rows it keeps.

    Attributes:
        purpose: Its code.
    """

    purpose: str
    rows: int
    keep: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionValues:
    """Record of an erasure by date.

    Attributes:
        code: Number of the record.
        data: Code of what was erased.
        since: Aware start of the span.
        until: Aware end of it.
        erased: How many rows went.
        pictures: How many pictures are erased within the hour.
        kept: What stays, by purpose.
        ids_sha256: Hash (hex) over the ids of the rows that went.
        chain_head: Where the audit log's chain stood.
        issued_at: Aware instant of the erasure.
    """

    issuer: Issuer
    code: str
    data: str
    since: datetime
    until: datetime
    erased: int
    pictures: int
    kept: tuple[KeptLine, ...]
    ids_sha256: str
    chain_head: str
    issued_at: datetime

    def __post_init__(self) -> None:
        if min(self.erased, self.pictures, *(each.rows for each in self.kept)) < 0:
            raise ValueError("numbers of an erasure are not negative")
        if None in {self.since.tzinfo, self.until.tzinfo, self.issued_at.tzinfo}:
            raise ValueError("need aware instants")


KEPT_DATA_WORDS: Final[Mapping[str, str]] = {
    "passages": "Lượt xe qua",
    "tag_reads": "Lượt đọc thẻ thu phí",
    "alerts": "Cảnh báo đã đóng",
    "quarantine": "Bản tin cách ly đã giải quyết",
}
PURPOSE_WORDS: Final[Mapping[str, str]] = {
    "unmatched": "Không gắn với việc gì",
    "matched": "Trùng điều kiện kiểm soát",
    "pursued": "Chứng cứ của vụ việc đã xử lý",
    "toll": "Giao dịch thu phí",
    "settled": "Bản tin đã giải quyết",
}
"""By code of the purpose."""
