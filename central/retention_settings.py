# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of how long data about vehicles are kept, by purpose."""

from datetime import timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

DAY_MIN: Final = timedelta(days=1)
UNMATCHED_KEEP_MAX: Final = timedelta(days=365)
KEEP_MAX: Final = timedelta(days=36_500)


class RetentionSettings(BaseModel):
    """Periods, counted from the capture; the longest that fits a passage holds.

    Rows go with their span of seven days, so at the latest eight days after their period.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unmatched_keep: timedelta = Field(
        default=timedelta(days=30),
        ge=DAY_MIN,
        le=UNMATCHED_KEEP_MAX,
        description="How long a passage or tag read is kept that nothing else keeps.",
    )
    matched_keep: timedelta = Field(
        default=timedelta(days=365),
        ge=DAY_MIN,
        le=KEEP_MAX,
        description="How long a passage is kept that was a sighting of the automatic control, and "
        "from its closing on an alert that led to no action.",
    )
    pursued_keep: timedelta = Field(
        default=timedelta(days=730),
        ge=DAY_MIN,
        le=KEEP_MAX,
        description="How long an alert that led to action is kept from its closing on, and a "
        "passage as its evidence; while the alert is open it is kept. The limitation period of the "
        "case decides (NĐ 61/2026/NĐ-CP Art. 14.3).",
    )
    toll_keep: timedelta = Field(
        default=timedelta(days=1827),
        ge=DAY_MIN,
        le=KEEP_MAX,
        description="How long passages, tag reads and pictures of toll crossings are kept: five "
        "years (TT 34/2024/TT-BGTVT).",
    )
    quarantine_keep: timedelta = Field(
        default=timedelta(days=30),
        ge=DAY_MIN,
        le=UNMATCHED_KEEP_MAX,
        description="How long a message in quarantine is kept after it was stored or dropped; an "
        "open one is kept. It may hold a plate, so no longer than what nothing keeps.",
    )
    compress_after: timedelta = Field(
        default=timedelta(days=60),
        ge=timedelta(days=7),
        le=KEEP_MAX,
        description="From which age on chunks are compressed, where the licence of the database "
        "server allows it; Debian's Apache edition does not. Higher: late rows find open chunks.",
    )
