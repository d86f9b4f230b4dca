# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking a typed code, whatever it is for: each is good once."""

from datetime import datetime

from central.identity.errors import SecondFactorOffError
from central.identity.second_factor.codes import (
    is_app_code,
    matching_step,
    plain,
    recovery_hash,
)
from central.identity.second_factor.repository import FactorRepository
from central.identity.second_factor.sealing import SecretSeal
from central.identity.second_factor.types import SealedSecret
from central.identity.types import Proof


class CodeCheck:
    """Codes of apps and recovery codes, in the caller's transaction.

    Args:
        seal: Opens the secrets of apps; ``None`` where the api has no key for them.
    """

    def __init__(self, rows: FactorRepository, seal: SecretSeal | None) -> None:
        self._rows = rows
        self._seal = seal

    async def proof_of(self, user_id: int, code: str, *, now: datetime) -> Proof | None:
        """What a code proves, which it does this once; ``None`` when it proves nothing.

        Raises:
            SecondFactorOffError: The secret of the app can't be opened here.
        """
        typed = plain(code)
        if is_app_code(typed):
            kept = await self._rows.locked_secret(user_id)
            if kept is None or kept.confirmed_at is None:
                return None
            step = self.step_of(kept, typed, user_id=user_id, now=now)
            if step is None or not await self._rows.use_step(user_id, step=step):
                return None
            return Proof.ONE_TIME_CODE
        if await self._rows.use_recovery_code(user_id, recovery_hash(typed)):
            return Proof.RECOVERY_CODE
        return None

    def step_of(self, kept: SealedSecret, typed: str, *, user_id: int, now: datetime) -> int | None:
        """The time step of a right and fresh code of an app; ``None`` when it is none.

        Raises:
            SecondFactorOffError: The secret of the app can't be opened here.
        """
        secret = self._seal.open(kept.sealed, user_id=user_id) if self._seal else None
        if secret is None:
            raise SecondFactorOffError
        return matching_step(secret, typed, now=now, after_step=kept.last_step)
