# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of closed days as the database returns them, and how they become values and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from central.tolling.day.types import (
    ChainEnd,
    DayFigures,
    DayKey,
    Difference,
    DifferenceKind,
    GroupSum,
    LedgerMovement,
    ProviderSum,
    TollDay,
)

Json = Mapping[str, Any]
"""Any because JSON has no types until the values check them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresRow:
    """A row of ``select_figures``."""

    crossings: int
    charged: int
    charged_dong: int
    by_state: Mapping[str, int]
    by_reason: Mapping[str, int]
    by_group: Sequence[Json]
    by_provider: Sequence[Json]
    ledger_charges: int
    ledger_charged_dong: int
    ledger_corrected_dong: int
    mismatches: int
    contents_sha256: bytes

    def value(self) -> DayFigures:
        """The value; providers' files are not known yet."""
        return DayFigures(
            crossings=self.crossings,
            charged=self.charged,
            charged_dong=self.charged_dong,
            by_state=dict(self.by_state),
            by_reason=dict(self.by_reason),
            by_group=tuple(GroupSum(**each) for each in self.by_group),
            by_provider=tuple(ProviderSum(**each) for each in self.by_provider),
            ledger=LedgerMovement(
                charges=self.ledger_charges,
                charged_dong=self.ledger_charged_dong,
                corrected_dong=self.ledger_corrected_dong,
                mismatches=self.mismatches,
            ),
            contents_sha256=self.contents_sha256,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRow:
    """A crossing that belongs to another station or day."""

    crossing_id: UUID
    station_id: str
    booked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """A row of ``toll_difference``."""

    provider: str
    kind: str
    crossing_id: UUID
    our_amount_dong: int | None
    their_amount_dong: int | None
    provider_line: int | None

    def value(self) -> Difference:
        """The value."""
        return Difference(
            provider=self.provider,
            kind=DifferenceKind(self.kind),
            crossing_id=self.crossing_id,
            our_amount_dong=self.our_amount_dong,
            their_amount_dong=self.their_amount_dong,
            provider_line=self.provider_line,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """A row of ``toll_day``."""

    id: UUID
    station_id: str
    station_name: str
    booked_on: date
    revision: int
    closed_at: datetime
    closed_by: str
    crossings: int
    charged: int
    charged_dong: int
    summary: Json
    contents_sha256: bytes
    differences: int

    def value(self) -> TollDay:
        """The value."""
        summary = self.summary
        return TollDay(
            id=self.id,
            key=DayKey(station_id=self.station_id, day=self.booked_on),
            station_name=self.station_name,
            revision=self.revision,
            closed_at=self.closed_at,
            closed_by=self.closed_by,
            is_over=summary["is_over"],
            figures=DayFigures(
                crossings=self.crossings,
                charged=self.charged,
                charged_dong=self.charged_dong,
                by_state=summary["by_state"],
                by_reason=summary["by_reason"],
                by_group=tuple(GroupSum(**each) for each in summary["by_group"]),
                by_provider=tuple(ProviderSum(**each) for each in summary["by_provider"]),
                ledger=LedgerMovement(**summary["ledger"]),
                contents_sha256=self.contents_sha256,
            ),
            differences=self.differences,
            chain=ChainEnd(**summary["chain"]),
        )


def summary_of(figures: DayFigures, *, is_over: bool, chain: ChainEnd) -> dict[str, Any]:
    """What a closed day keeps beside its columns."""
    return {
        "is_over": is_over,
        "by_state": dict(figures.by_state),
        "by_reason": dict(figures.by_reason),
        "by_group": [asdict(each) for each in figures.by_group],
        "by_provider": [asdict(each) for each in figures.by_provider],
        "ledger": asdict(figures.ledger),
        "chain": asdict(chain),
    }
