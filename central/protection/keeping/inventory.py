# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is kept for how long, and which job drops it: as it is, not as it ought to be."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from central.retention_settings import RetentionSettings

ERASE_BY_DATE: Final = "erase_by_date"
_AS_DELIVERED: Final = RetentionSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long one kind of data is kept.

    Attributes:
        data: Its code.
        keep: As delivered; ``None`` is without end.
        job: What drops it; ``None`` when nothing does.
        reference: Law or rule that asks for the time.
    """

    data: str
    keep: timedelta | None
    job: str | None
    reference: str


RETENTIONS: Final = (
    Retention(
        data="unmatched", keep=_AS_DELIVERED.unmatched_keep, job=ERASE_BY_DATE, reference="-"
    ),
    Retention(data="matched", keep=_AS_DELIVERED.matched_keep, job=ERASE_BY_DATE, reference="-"),
    Retention(
        data="pursued",
        keep=_AS_DELIVERED.pursued_keep,
        job=ERASE_BY_DATE,
        reference="NĐ 61/2026/NĐ-CP Điều 14.3",
    ),
    Retention(
        data="toll",
        keep=_AS_DELIVERED.toll_keep,
        job=ERASE_BY_DATE,
        reference="TT 34/2024/TT-BGTVT",
    ),
    Retention(data="pictures", keep=None, job="erase_evidence", reference="-"),
    Retention(data="traffic_counts", keep=None, job=None, reference="-"),
    Retention(
        data="alerts_matched", keep=_AS_DELIVERED.matched_keep, job=ERASE_BY_DATE, reference="-"
    ),
    Retention(
        data="alerts_pursued",
        keep=_AS_DELIVERED.pursued_keep,
        job=ERASE_BY_DATE,
        reference="NĐ 61/2026/NĐ-CP Điều 14.3",
    ),
    Retention(
        data="quarantine", keep=_AS_DELIVERED.quarantine_keep, job=ERASE_BY_DATE, reference="-"
    ),
    Retention(data="live_feed", keep=timedelta(hours=6), job="trim_feed", reference="-"),
    Retention(data="heartbeats", keep=timedelta(days=7), job="trim_heartbeats", reference="-"),
    Retention(data="sessions", keep=timedelta(hours=12), job="remove_dead_sessions", reference="-"),
    Retention(
        data="audit_log",
        keep=None,
        job=None,
        reference="NĐ 333/2026/NĐ-CP Điều 16.6.c",
    ),
    Retention(data="ledger", keep=None, job=None, reference="Luật Kế toán 88/2015/QH13"),
    Retention(data="dossiers", keep=None, job=None, reference="Luật Lưu trữ 33/2024/QH15"),
    Retention(data="registry", keep=None, job=None, reference="-"),
    Retention(data="data_requests", keep=None, job=None, reference="Luật 91/2025/QH15 Điều 23"),
)
