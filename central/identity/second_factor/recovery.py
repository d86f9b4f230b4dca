# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making recovery codes, which go with whatever second factor somebody has."""

from datetime import datetime

from central.identity.second_factor.codes import new_recovery_codes, recovery_hash
from central.identity.second_factor.repository import FactorRepository
from central.identity.second_factor.types import RecoveryCodes


async def replaced_recovery_codes(
    rows: FactorRepository, user_id: int, *, now: datetime
) -> RecoveryCodes:
    """Codes that open one sign-in each; all earlier ones are over."""
    codes = new_recovery_codes()
    hashes = [recovery_hash(code) for code in codes]
    await rows.replace_recovery_codes(user_id, hashes, now=now)
    return RecoveryCodes(codes=codes)


async def drop_recovery_codes_without_factor(
    rows: FactorRepository, user_id: int, *, now: datetime
) -> None:
    """Forget the codes of somebody whose last second factor went."""
    if not (await rows.overview(user_id)).has_any:
        await rows.replace_recovery_codes(user_id, (), now=now)
