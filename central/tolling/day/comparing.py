# SPDX-License-Identifier: AGPL-3.0-or-later
"""Compares what we charged with what a provider debited."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from central.tolling.day.types import Charge, Difference, DifferenceKind, ProviderRow


def compare(
    charges: Sequence[Charge], rows: Sequence[ProviderRow], *, provider: str
) -> tuple[Difference, ...]:
    """Every difference between our charges to a provider's accounts and its file.

    Returns:
        Those with a line of the file first, in its order; then what the file lacks, in the order
        of the charges. A row may differ in amount and account at once: two differences.
    """
    ours = {charge.crossing_id: charge for charge in charges}
    seen = set[UUID]()
    found: list[Difference] = []
    for row in rows:
        is_first = row.crossing_id not in seen
        seen.add(row.crossing_id)
        charge = ours.get(row.crossing_id)
        kinds = _kinds(charge, row) if is_first else iter([DifferenceKind.DOUBLED])
        found.extend(
            Difference(
                provider=provider,
                kind=kind,
                crossing_id=row.crossing_id,
                our_amount_dong=charge.amount_dong if charge else None,
                their_amount_dong=row.amount_dong,
                provider_line=row.line,
            )
            for kind in kinds
        )
    found.extend(
        Difference(
            provider=provider,
            kind=DifferenceKind.MISSING_AT_PROVIDER,
            crossing_id=charge.crossing_id,
            our_amount_dong=charge.amount_dong,
            their_amount_dong=None,
            provider_line=None,
        )
        for charge in charges
        if charge.crossing_id not in seen
    )
    return tuple(found)


def _kinds(charge: Charge | None, row: ProviderRow) -> Iterator[DifferenceKind]:
    """How the first row of a crossing differs from our charge."""
    if charge is None:
        yield DifferenceKind.MISSING_HERE
        return
    if charge.account_number != row.account_number:
        yield DifferenceKind.ACCOUNT_DIFFERS
    if charge.amount_dong != row.amount_dong:
        yield DifferenceKind.AMOUNT_DIFFERS
