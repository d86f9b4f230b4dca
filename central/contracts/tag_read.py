# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tag read: one toll tag that one reader saw pass once.

Fields follow the annex of NĐ 119/2024/NĐ-CP (TID, EPC); tags are passive UHF tags of
ISO/IEC 18000-63.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from central.contracts.event import Event
from central.contracts.identifiers import Slug
from central.contracts.message import AwareDatetime

MAX_READS = 1_000_000
TAG_CODE_PATTERN = r"^(?:[0-9A-F]{2}){4,32}$"

TagCode = Annotated[str, StringConstraints(pattern=TAG_CODE_PATTERN)]
"""Bank of a tag's memory in upper-case hex, 4 to 32 bytes."""


class TagReadV1(Event):
    """One tag that passed one reader once; repeated answers of the tag are one tag read.

    ``captured_at`` is the strongest answer.
    """

    kind: Literal["tag-read/1"] = "tag-read/1"
    reader_id: Slug
    lane: Annotated[int, Field(ge=1, le=64)] | None = None
    epc: TagCode
    tid: TagCode | None = None
    antenna: Annotated[int, Field(ge=1, le=64)]
    rssi_dbm: Annotated[float, Field(ge=-200, le=50, allow_inf_nan=False)] | None = None
    reads: Annotated[int, Field(ge=1, le=MAX_READS)]
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.first_seen_at <= self.captured_at <= self.last_seen_at:
            raise ValueError("need first_seen_at <= captured_at <= last_seen_at")
        return self
