# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of second factors and of the roles that need one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.identity.second_factor.types import FactorOverview, SealedSecret

QUERIES: Final = QueryFile.beside(__file__)


class FactorRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def overview(self, user_id: int) -> FactorOverview:
        """What somebody has besides the password."""
        async with self._connection.cursor(row_factory=class_row(FactorOverview)) as cursor:
            await cursor.execute(QUERIES["select_overview"], {"user_id": user_id})
            found = await cursor.fetchone()
        return found or FactorOverview(app_added_at=None, recovery_codes_left=0, security_keys=0)

    async def locked_secret(self, user_id: int) -> SealedSecret | None:
        """The secret of somebody's app; others wait for it until the transaction ends."""
        async with self._connection.cursor(row_factory=class_row(SealedSecret)) as cursor:
            await cursor.execute(QUERIES["lock_secret"], {"user_id": user_id})
            return await cursor.fetchone()

    async def put_secret(self, user_id: int, sealed: bytes, *, now: datetime) -> bool:
        """Keep a secret that is not confirmed; ``False`` when a confirmed one is there."""
        return await self._changed("put_secret", user_id=user_id, sealed=sealed, now=now)

    async def confirm_secret(self, user_id: int, *, step: int, now: datetime) -> None:
        """Ask for codes of this app from now on."""
        await self._changed("confirm_secret", user_id=user_id, step=step, now=now)

    async def use_step(self, user_id: int, *, step: int) -> bool:
        """Remember the newest used time step; ``False`` when a newer one was used."""
        return await self._changed("use_step", user_id=user_id, step=step)

    async def remove_app(self, user_id: int) -> bool:
        """Forget somebody's app; ``False`` when there was none."""
        return await self._changed("delete_secret", user_id=user_id)

    async def remove_all(self, user_id: int) -> None:
        """Forget whatever somebody has besides the password."""
        for query in ("delete_secret", "delete_recovery_codes", "delete_security_keys"):
            await self._changed(query, user_id=user_id)

    async def roles_that_need(self) -> tuple[str, ...]:
        """Roles whose holders must have a second factor."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_roles_that_need"])
            return tuple(await cursor.fetchall())

    async def put_rule(self, role: str, *, needs_second_factor: bool) -> None:
        """Say whether a role needs a second factor."""
        await self._changed("put_rule", role=role, needs_second_factor=needs_second_factor)

    async def replace_recovery_codes(
        self, user_id: int, hashes: Sequence[bytes], *, now: datetime
    ) -> None:
        """Forget all recovery codes and keep new ones."""
        await self._changed("delete_recovery_codes", user_id=user_id)
        await self._changed(
            "insert_recovery_codes", user_id=user_id, code_hashes=list(hashes), now=now
        )

    async def use_recovery_code(self, user_id: int, code_hash: bytes) -> bool:
        """Take a recovery code; ``False`` when there is none like it."""
        return await self._changed("use_recovery_code", user_id=user_id, code_hash=code_hash)

    async def _changed(self, query: str, **values: object) -> bool:
        """Whether a statement changed any row."""
        cursor = await self._connection.execute(QUERIES[query], values)
        return cursor.rowcount > 0
