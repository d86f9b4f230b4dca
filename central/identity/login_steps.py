# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of logins whose password was right and that wait for their second factor."""

from dataclasses import dataclass, field
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.identity.repository import QUERIES


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A login whose password was right."""

    token_hash: bytes = field(repr=False)
    user_id: int
    opened_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUser:
    """Whose login waits."""

    id: int
    username: str


class LoginStepRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_step(self, step: NewStep, *, steps_max: int) -> None:
        """Let a login wait; the oldest ones of the user end where there are too many."""
        await self._change(
            "insert_step",
            token_hash=step.token_hash,
            user_id=step.user_id,
            now=step.opened_at,
            expires_at=step.expires_at,
        )
        await self._change(
            "delete_oldest_steps", user_id=step.user_id, added=step.token_hash, kept=steps_max
        )

    async def step_user(
        self, token_hash: bytes, *, now: datetime, failures_max: int
    ) -> StepUser | None:
        """Whose login waits; ``None`` when it is unknown or may not go on."""
        async with self._connection.cursor(row_factory=class_row(StepUser)) as cursor:
            await cursor.execute(
                QUERIES["select_step_user"],
                {"token_hash": token_hash, "now": now, "failures_max": failures_max},
            )
            return await cursor.fetchone()

    async def count_step_failure(self, token_hash: bytes) -> None:
        """Count a wrong code or answer."""
        await self._change("count_step_failure", token_hash=token_hash)

    async def put_challenge(self, token_hash: bytes, challenge: bytes) -> None:
        """Keep what a security key must sign."""
        await self._change("put_step_challenge", token_hash=token_hash, challenge=challenge)

    async def take_challenge(self, token_hash: bytes) -> bytes | None:
        """Take what was to be signed, so that it is signed once; ``None`` when nothing was."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["take_step_challenge"], {"token_hash": token_hash})
            return await cursor.fetchone()

    async def end_step(self, token_hash: bytes) -> None:
        """Forget a waiting login."""
        await self._change("delete_step", token_hash=token_hash)

    async def remove_dead_steps(self, *, now: datetime) -> None:
        """Remove waiting logins whose time is over."""
        await self._change("delete_dead_steps", now=now)

    async def _change(self, query: str, **values: object) -> None:
        await self._connection.execute(QUERIES[query], values)
